// The summary of a search result, and error messages.

import { byId, iconButton, make } from "./dom.js";
import { knows, t } from "./i18n.js";
import { isEmpty } from "./state.js";

/** Set the summary, which screen readers announce. */
export function summarise(text) {
  if (byId("summary").textContent !== text) byId("summary").textContent = text;
}

/** Summarise a search result. */
export function tell(found) {
  if (!found.hits.length) return summarise(t("nothing"));
  if (isEmpty()) return summarise(t("newest", { n: found.searched }));
  const all = t("among", { n: found.searched });
  const likely = found.hits.filter((hit) => hit.is_relevant).length;
  if (found.hits.every((hit) => hit.is_relevant === false)) return summarise(`${t("noneLikely")} ${all}`);
  if (likely === 0) return summarise(all); // nothing can be said
  const more = likely === found.hits.length && found.next ? "+" : "";
  return summarise(`${t("likely", { n: likely, more })} ${all}`);
}

/** Show a problem or a notice until the next result; `again` is the action of its button. */
export function notice(what, { again = null, label = t("tryAgain") } = {}) {
  const text = typeof what === "string" ? what : describe(what);
  byId("notices").append(make("p", { className: typeof what === "string" ? "" : "bad", dir: "auto" }, text,
    again ? make("button", { type: "button", onclick: again }, label) : null));
}

/** Show that the query cannot be parsed yet. */
export function notYet(problem) {
  clearNotices();
  byId("notices").append(make("p", {}, t("notYet"), " ", make("bdi", {}, problem.message.split("\n")[0])));
}

/** Remove all notices but the lasting one. */
export const clearNotices = () => byId("notices").querySelectorAll(":scope > :not(.lasting)").forEach((each) => each.remove());

/** Show a notice that results do not replace, or remove it if `text` is null. Its second button calls `dismiss`. */
export function lastingNotice(text, { act, label, dismiss } = {}) {
  byId("notices").querySelector(".lasting")?.remove();
  if (text === null) return;
  byId("notices").prepend(make("p.lasting", { dir: "auto" }, text,
    make("button", { type: "button", onclick: act }, label),
    iconButton("close", t("close"), () => {
      lastingNotice(null);
      dismiss();
    })));
}

/** Return the page's text for a problem with the server's detail, or only the detail if the page has no text. */
export function describe({ title, message }) {
  const key = `problem_${title}`;
  return knows(key) ? t(key, { detail: message }) : message || title;
}
