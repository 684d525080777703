// Filters with counts. Each value comes with the server's filter term for `where`.

import { api } from "../api.js";
import { byId, make, settled } from "../dom.js";
import { count, t } from "../i18n.js";
import { change, onChange, state, where } from "../state.js";

const SHOWN = 8;
const MANY = 20; // longer lists have a field to search their values
const TYPING = 300; // milliseconds after the last key press until filters in the query are counted
const FILTER = /[a-z]+:\S/i; // a query that does not match contains no filter
const FIELDS = ["box", "folder", "year", "person", "country", "city", "camera", "tag", "lens", "orientation", "format"];
const open = new Set();
const sought = new Map(); // field -> the text that its list is narrowed to
let facets = {};
let total = 0;
let asked = null;
let under = null;

function choose(field, value, on) {
  const filters = new Map(state.filters);
  on ? filters.set(value.term, { field, label: value.label, term: value.term }) : filters.delete(value.term);
  change({ filters });
}

function option(field, value) {
  return make("li", {},
    make("label.option", {},
      make("input", { type: "checkbox", checked: state.filters.has(value.term), onchange: (event) => choose(field, value, event.target.checked) }),
      make("span.name", { dir: "auto", title: value.label }, value.label),
      make("span.count", {}, value.count === undefined ? "" : count(value.count))));
}

function section(field) {
  const values = facets[field] ?? [];
  const known = new Set(values.map((value) => value.term));
  const held = [...state.filters.values()].filter((filter) => filter.field === field && !known.has(filter.term));
  const all = [...held, ...values];
  const telling = all.length > 1 || all.some((value) => state.filters.has(value.term) || value.count < total);
  if (!telling) return null; // a value that all pictures share is not worth showing
  const wide = open.has(field);
  const few = wide ? all : all.filter((value, i) => i < SHOWN || state.filters.has(value.term));
  const list = make("ul", { className: wide ? "long" : "" }, ...few.map((value) => option(field, value)));
  return make("fieldset", {},
    make("legend", {}, t(`field_${field}`)),
    wide && all.length >= MANY ? finder(field, list) : null,
    list,
    all.length > SHOWN
      ? make("button.link", { type: "button", "aria-expanded": String(open.has(field)), onclick: () => {
          open.has(field) ? open.delete(field) : open.add(field);
          draw();
        } }, open.has(field) ? t("fewer") : t("allOf", { n: all.length }))
      : null);
}

/** A field that narrows a long list to the values that contain the typed text. */
function finder(field, list) {
  const narrow = (text) => {
    sought.set(field, text);
    for (const item of list.children) item.hidden = !item.textContent.toLowerCase().includes(text.trim().toLowerCase());
  };
  narrow(sought.get(field) ?? "");
  return make("input", { type: "text", value: sought.get(field), placeholder: t("findValue"), "aria-label": t("findValue"), dir: "auto",
    oninput: (event) => narrow(event.target.value) });
}

function draw() {
  const panel = byId("filters");
  const held = document.activeElement?.closest?.("label.option")?.querySelector(".name")?.textContent;
  const sections = FIELDS.map(section).filter(Boolean);
  const reset = state.filters.size
    ? [make("button.link", { type: "button", onclick: () => change({ filters: new Map() }) }, t("noFilters"))]
    : [];
  panel.replaceChildren(...reset, ...sections);
  const isBare = panel.childElementCount === 0;
  panel.classList.toggle("bare", isBare);
  byId("show-filters").hidden = isBare; // of a phone
  byId("filtered").textContent = state.filters.size || "";
  if (held) [...panel.querySelectorAll("label.option")].find((label) => label.querySelector(".name").textContent === held)?.querySelector("input").focus();
}

/** Return the query if it may contain filters; other text changes no count. */
const typed = () => (FILTER.test(state.words) ? state.words.trim() : "");

const wanted = () => JSON.stringify([where(), typed()]);

/** Load the counts of every field; a field with filters is counted as if it had none, so that values can be added. */
async function counted(signal) {
  const chosen = [...new Set([...state.filters.values()].map((filter) => filter.field))];
  const [all, ...others] = await Promise.all([where(), ...chosen.map(where)].map((kept) => api.facets(kept, typed(), signal)));
  total = all.count;
  return { ...all.facets, ...Object.fromEntries(chosen.map((field, i) => [field, others[i].facets[field]])) };
}

/** Load the counts again: the library has changed. */
export function refresh() {
  asked = null;
  return load();
}

async function load() {
  under?.abort();
  under = new AbortController();
  const mine = wanted();
  try {
    facets = await counted(under.signal);
    asked = mine;
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (problem.status !== 400) [facets, asked] = [{}, null]; // the filter may be incomplete while typing: keep the counts
  }
  draw();
}

function update() {
  if (wanted() !== asked) return load();
  under?.abort(); // it counts for other filters
  return draw();
}

export function start() {
  const toggle = byId("show-filters");
  toggle.addEventListener("click", () => {
    const on = document.body.classList.toggle("filtering");
    toggle.setAttribute("aria-expanded", String(on));
  });
  byId("results").addEventListener("pointerdown", () => {
    document.body.classList.remove("filtering");
    toggle.setAttribute("aria-expanded", "false");
  });
  const later = settled(update, TYPING);
  onChange(({ typing }) => (typing ? later() : update()));
}
