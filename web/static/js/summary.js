// What an answer amounts to, and what went wrong, in words.

import { byId, make } from "./dom.js";
import { t } from "./i18n.js";

/** Says how many there are; read aloud to those who do not see them. */
export function summarise(text) {
  byId("summary").textContent = text;
}

/** Shows a problem, or something worth knowing, above the pictures until the next answer. */
export function notice(what) {
  const text = typeof what === "string" ? what : describe(what);
  byId("notices").append(make("p", { className: typeof what === "string" ? "" : "bad" }, text));
}

export const clearNotices = () => byId("notices").replaceChildren();

function describe(problem) {
  if (problem.title === "Unreachable") return t("unreachable");
  if (problem.title === "TokenNeeded") return t("tokenNeeded");
  return problem.message || problem.title;
}
