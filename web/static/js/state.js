// What is being asked: words, parts, filters, order. It lives in the address, so that back, forward and bookmarks work.

/**
 * words: string            what stands in the box, in the server's query grammar
 * parts: [{ text | picture | upload, weight, crop?, label? }]
 * filters: Map term -> { field, label, term }
 * sort: "relevance" | "date"
 */
export const state = { words: "", parts: [], filters: new Map(), sort: "relevance" };

export const AWAY = -0.5; // the weight of what one turns away from
const LONE = /^-(\p{L}[^\s:"]*)$/u;

const listeners = new Set();
export const onChange = (listener) => listeners.add(listener);

/** Changes what is asked. `typing` keeps one entry in the history for a word that is being typed. */
export function change(fields, { typing = false, silent = false } = {}) {
  Object.assign(state, fields);
  if (!silent) remember(typing);
  for (const listener of listeners) listener({ typing });
}

export const isEmpty = () => !state.words.trim() && state.parts.length === 0;

/** The filters as the server's grammar has them: any of a field's values, and all of the fields but `except`. */
export function where(except = null) {
  const byField = new Map();
  for (const { field, term } of state.filters.values()) {
    if (field !== except) byField.set(field, [...(byField.get(field) ?? []), term]);
  }
  return [...byField.values()].map((terms) => (terms.length > 1 ? `(${terms.join(" or ")})` : terms[0])).join(" ");
}

/** What is asked, as the server has it. A word to stay away from is no query alone; beside parts it is one of them. */
export function question() {
  const parts = state.parts.map(({ text, picture, upload, weight, crop }) => ({ text, picture, upload, weight, crop }));
  const query = state.words.trim();
  const [, text] = (parts.length && query.match(LONE)) || [];
  return text ? { query: "", parts: [{ text, weight: AWAY }, ...parts], where: where() } : { query, parts, where: where() };
}

/** What `search` is sent. */
export const request = () => ({ ...question(), sort: state.sort, k: 60 });

/** What was asked, in words, to say it again: the title of the page, the name of a judged query. */
export function inWords() {
  const texts = state.parts.filter((part) => part.text && part.weight > 0).map((part) => part.text);
  return [state.words.trim(), ...texts].filter(Boolean).join(", ");
}

/** The same without filters, weights and what is turned away from: what to look for within a picture. */
export function inPlainWords() {
  const plain = inWords().replace(/(^|\s)-?\w+:("[^"]*"|\S+)/g, " ").replace(/(^|\s)-("[^"]*"|\p{L}\S*)/gu, " ");
  return plain.replace(/["+()]/g, " ").replace(/\s+/g, " ").trim();
}

let typed = false;

function remember(typing) {
  const kept = { w: state.words, p: state.parts.filter((part) => !part.upload), f: [...state.filters.values()], s: state.sort };
  const url = isEmpty() && !state.filters.size ? "/" : `/#${encodeURIComponent(JSON.stringify(kept))}`;
  // A picture that was sent has no address: only this browser's history knows it.
  const entry = { parts: state.parts };
  if (typing && typed) history.replaceState(entry, "", url);
  else history.pushState(entry, "", url);
  typed = typing;
}

/** Takes up what the address says; what makes no sense there is as if it were not there. */
export function recall() {
  let kept = {};
  try {
    kept = JSON.parse(decodeURIComponent(location.hash.slice(1)) || "{}") ?? {};
  } catch {
    kept = {};
  }
  const said = history.state?.parts ?? kept.p;
  const parts = Array.isArray(said) ? said.filter((part) => part && Number.isFinite(part.weight)) : [];
  const filters = Array.isArray(kept.f) ? kept.f.filter((filter) => filter && typeof filter.term === "string") : [];
  typed = false;
  change(
    {
      words: typeof kept.w === "string" ? kept.w : "",
      parts,
      filters: new Map(filters.map((filter) => [filter.term, filter])),
      sort: kept.s === "date" ? "date" : "relevance",
    },
    { silent: true },
  );
}
