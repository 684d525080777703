// Notices: what the server says about how a query was read, in the page's language, with a button that changes the query.

import { byId, iconButton, make } from "../dom.js";
import { knows, language, t } from "../i18n.js";
import { change, state } from "../state.js";
import { clearNotices } from "../summary.js";

const WAIT = 700; // milliseconds after the last key press until the notices of a query that is being typed appear
const DISMISSED = "sightline.weakLanguages"; // languages and models whose notice was dismissed in this browser

let shown = "[]"; // the notices that are visible, as JSON
let waiting = null;
let hooks = { openLibrary: () => {} };

/** Show the notices of an answer, in place of those before. `typing` waits until the query seems complete. */
export function showNotices(notices, { typing = false } = {}) {
  const wanted = notices.filter((notice) => !isDismissed(notice));
  const key = JSON.stringify(wanted);
  clearTimeout(waiting);
  if (key === shown && byId("notices").querySelector(".notice")) return; // the pictures below do not move
  clearNotices();
  shown = key;
  const draw = () => byId("notices").append(...wanted.map(row));
  if (typing) waiting = setTimeout(draw, WAIT);
  else draw();
}

/** The text of a notice; the server's English message if the page has none. */
export function inWords({ name, message, data }) {
  const key = `notice_${name}`;
  return knows(key) ? t(key, { ...data, ...told(data) }) : message;
}

/** Values for people: the name of a language, and a model with a remark about its licence. */
function told({ language: code, title, licence, use }) {
  const values = {};
  if (code) values.language = new Intl.DisplayNames(language, { type: "language" }).of(code);
  if (title && use === "non-commercial") values.title = `${title} (${t("licenceNot", { name: licence })})`;
  else if (title && use === "unknown") values.title = `${title} (${licence === "unknown" ? t("licenceUnknown") : t("licenceRead", { name: licence })})`;
  return values;
}

function row(notice) {
  return make("p.notice", { dir: "auto" }, make("span", {}, inWords(notice)), ...actions(notice));
}

function actions(notice) {
  const { data } = notice;
  if (data.better) {
    return [make("button", { type: "button", onclick: hooks.openLibrary }, t("openLibrary")), iconButton("close", t("close"), (event) => {
      dismiss(notice);
      event.currentTarget.closest(".notice").remove();
    })];
  }
  const [from, to] = correction(data);
  if (!to || !state.words.includes(from)) return [];
  return [make("button", { type: "button", onclick: () => change({ words: state.words.replace(from, () => to) }) }, t("useInstead", { text: to }))];
}

/** What to replace in the query by what. */
function correction({ field, suggestion, term, word, instead }) {
  if (suggestion) return [`${field}:`, `${suggestion}:`];
  if (term || !instead) return [term, instead];
  const unit = instead.endsWith(word) && !instead.startsWith("-") && !instead.includes(":" + word); // size:>10 MB
  return unit ? [`${instead.slice(0, -word.length)} ${word}`, instead] : [word, instead];
}

const topic = ({ data }) => `${data.model} ${data.language}`;
const dismissed = () => JSON.parse(localStorage.getItem(DISMISSED) ?? "[]");
const isDismissed = (notice) => Boolean(notice.data.better) && dismissed().includes(topic(notice));
const dismiss = (notice) => localStorage.setItem(DISMISSED, JSON.stringify([...dismissed(), topic(notice)]));

export function start(given) {
  hooks = given;
}
