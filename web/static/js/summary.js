// The summary of a search result, and error messages.

import { byId, iconButton, make } from "./dom.js";
import { knows, language, t } from "./i18n.js";
import { state } from "./state.js";

const DETAILED = new Set(["unreadable_filter", "unreadable_part"]);

/** Set the summary, which screen readers announce. */
export function summarise(text) {
  if (byId("summary").textContent !== text) byId("summary").textContent = text;
}

/**
 * Summarise a search result. `found.hits` are all that are shown, and `found.next` is set if there are more.
 *
 * Without a query, nothing was searched: the pictures that pass the filters are listed. A number of likely matches, or
 * that there is none, is only said where hits have a verdict.
 */
export function tell(found) {
  const isRanked = found.space !== null;
  const isEmpty = found.searched === 0 && isFiltered(found);
  if (!found.hits.length) return summarise(t(isEmpty ? "nothingFiltered" : "nothing"));
  if (!isRanked) return summarise(t(found.album ? "mapPictures" : "newest", { n: found.searched }));
  const all = t("among", { n: found.searched });
  const likely = found.hits.filter((hit) => hit.is_relevant).length;
  if (likely) {
    const more = found.next && likely === found.hits.length ? "+" : "";
    return summarise(`${t("likely", { n: likely, more })} ${all}`);
  }
  // Hits that follow are no better if they are ranked by score alone, and none follow a list by date.
  const isAll = !found.next || state.sort === "relevance";
  const isNone = isAll && found.hits.every((hit) => hit.is_relevant === false);
  return summarise(isNone ? `${t("noneLikely")} ${all}` : all);
}

/** Whether filters limit the pictures: those that were chosen, or in the text of a query that has nothing else. */
const isFiltered = (found) => state.filters.size > 0 || found.space === null || /\p{L}+:\S/u.test(state.words);

/** Show a problem or a notice until the next result; `again` is the action of its button. */
export function notice(what, { again = null, label = t("tryAgain") } = {}) {
  const text = typeof what === "string" ? what : describe(what);
  byId("notices").append(make("p", { className: typeof what === "string" ? "" : "bad", dir: "auto" }, text,
    again ? make("button", { type: "button", onclick: again }, label) : null));
}

/** Show that the query cannot be parsed yet, or why it never can be. */
export function notYet(problem) {
  clearNotices();
  if (knows(`problem_${problem.title}`)) return notice(describe(problem));
  byId("notices").append(make("p", { dir: "auto" }, t("notYet"), " ", ...reasons(problem)));
}

/** Why a query cannot be parsed. What is wrong with a value is said in English only. */
function reasons({ fault, message }) {
  const detail = make("bdi", { lang: "en" }, message.split("\n")[0]);
  const key = `notice_${fault?.name}`;
  if (language === "en" || !fault || !knows(key)) return [detail];
  return DETAILED.has(fault.name) ? [t(key, fault.data), " ", detail] : [t(key, fault.data)];
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
