// The texts of the page in six languages. A text without a translation is shown in English.

const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", cs: "Čeština", zh: "中文", ar: "العربية" };
const KEPT = "sightline.language";

let words = {};
let fallback = {};
let plural = new Intl.PluralRules("en");
let number = new Intl.NumberFormat("en");
let percentage = new Intl.NumberFormat("en", { style: "percent" });
let day = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

export let language = "en";
export { LANGUAGES };

const listeners = new Set();

/** Call `listener` whenever the language of the page has changed. */
export const onLanguage = (listener) => listeners.add(listener);

const load = async (code) => (await fetch(`/static/i18n/${code}.json`)).json();

function preferred() {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages].filter(Boolean);
  return wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((code) => code in LANGUAGES) ?? "en";
}

/** Switch the whole page to the language `code`, by default the browser's. */
export async function speak(code = preferred()) {
  const english = Object.keys(fallback).length ? fallback : load("en");
  [fallback, words] = await Promise.all([english, code === "en" ? english : load(code)]);
  language = code;
  plural = new Intl.PluralRules(code);
  number = new Intl.NumberFormat(code);
  percentage = new Intl.NumberFormat(code, { style: "percent" });
  day = new Intl.DateTimeFormat(code, { dateStyle: "medium" });
  document.documentElement.lang = code;
  document.documentElement.dir = code === "ar" ? "rtl" : "ltr";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.tagName === "BUTTON") element.title = t(element.dataset.tLabel);
  }
  for (const element of document.querySelectorAll("[data-t-placeholder]")) element.placeholder = t(element.dataset.tPlaceholder);
  for (const listener of listeners) listener(code);
}

export async function choose(code) {
  localStorage.setItem(KEPT, code);
  await speak(code);
}

/** Isolate an inserted value, so that names in another script do not change the direction of the text. */
function filled(value) {
  if (typeof value === "number") return number.format(value);
  return language === "ar" && value ? `\u2068${value}\u2069` : value ?? "";
}

/** Return the text for `key` with `{name}` placeholders filled in; `n` selects the plural form. */
export function t(key, values = {}) {
  let text = words[key] ?? fallback[key] ?? key;
  if (typeof text === "object") text = text[plural.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => filled(values[name]));
}

/** Return whether there is a text for `key`. */
export const knows = (key) => key in fallback;

export const date = (iso) => day.format(new Date(iso));
export const count = (n) => number.format(n);
export const percent = (part) => percentage.format(part);

/** About how long something takes, in the largest unit that fits. */
export function duration(seconds) {
  const [unit, n] = seconds < 90 ? ["second", seconds] : seconds < 5400 ? ["minute", seconds / 60] : ["hour", seconds / 3600];
  const format = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: unit === "hour" ? 1 : 0 };
  return new Intl.NumberFormat(language, format).format(n);
}

export function bytes(n) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(n, 1)) / 3), units.length - 1);
  const format = { style: "unit", unit: units[power], unitDisplay: "short", maximumFractionDigits: power ? 1 : 0 };
  return new Intl.NumberFormat(language, format).format(n / 1000 ** power).replace(" ", "\u00a0"); // no line ends before the unit
}
