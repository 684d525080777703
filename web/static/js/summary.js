// What an answer amounts to, and what went wrong, in words.

import { byId, make } from "./dom.js";
import { knows, t } from "./i18n.js";
import { isEmpty } from "./state.js";

/** Says how many there are; read aloud to those who do not see them. */
export function summarise(text) {
  if (byId("summary").textContent !== text) byId("summary").textContent = text;
}

/** Says what an answer amounts to. */
export function tell(found) {
  if (!found.hits.length) return summarise(t("nothing"));
  if (isEmpty()) return summarise(t("newest", { n: found.searched }));
  const all = t("among", { n: found.searched });
  const likely = found.hits.filter((hit) => hit.is_relevant).length;
  if (!found.hits.some((hit) => typeof hit.is_relevant === "boolean")) return summarise(all);
  if (likely === 0) return summarise(`${t("noneLikely")} ${all}`);
  const more = likely === found.hits.length && found.next ? "+" : "";
  return summarise(`${t("likely", { n: likely, more })} ${all}`);
}

/** Shows a problem, or something worth knowing, until the next answer; `again`: what to do about it. */
export function notice(what, { again = null, label = t("tryAgain") } = {}) {
  const text = typeof what === "string" ? what : describe(what);
  byId("notices").append(make("p", { className: typeof what === "string" ? "" : "bad", dir: "auto" }, text,
    again ? make("button", { type: "button", onclick: again }, label) : null));
}

/** Says, calmly, that what stands in the box cannot be read. */
export function notYet(problem) {
  clearNotices();
  byId("notices").append(make("p", {}, t("notYet"), " ", make("bdi", {}, problem.message.split("\n")[0])));
}

export const clearNotices = () => byId("notices").replaceChildren();

/** What went wrong in the page's own words, with what the server says of it; without such words, as the server says it. */
export function describe({ title, message }) {
  const key = `problem_${title}`;
  return knows(key) ? t(key, { detail: message }) : message || title;
}
