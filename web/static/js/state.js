// The current query: text, parts, filters, order. It is stored in the URL, so that back, forward and bookmarks work.

/**
 * words: string            the text of the search box, in the query language
 * parts: [{ text | picture | upload, weight, frame?, crop?, label? }]
 * filters: Map term -> { field, label, term }
 * sort: "relevance" | "date"
 */
export const state = { words: "", parts: [], filters: new Map(), sort: "relevance" };

export const AWAY = -0.5; // the weight of a part to avoid
const LONE = /^-(\p{L}[^\s:"]*)$/u;

const listeners = new Set();
export const onChange = (listener) => listeners.add(listener);

/** Change the query. `typing` keeps a single history entry while a word is being typed. */
export function change(fields, { typing = false, silent = false } = {}) {
  Object.assign(state, fields);
  if (!silent) remember(typing);
  for (const listener of listeners) listener({ typing });
}

export const isEmpty = () => !state.words.trim() && state.parts.length === 0;

/** The filters in the query language: any value of a field, and all fields but `except`. */
export function where(except = null) {
  const byField = new Map();
  for (const { field, term } of state.filters.values()) {
    if (field !== except) byField.set(field, [...(byField.get(field) ?? []), term]);
  }
  return [...byField.values()].map((terms) => (terms.length > 1 ? `(${terms.join(" or ")})` : terms[0])).join(" ");
}

/** The query as the server expects it. A text to avoid is not a query on its own; next to parts it is one of them. */
export function question() {
  const parts = state.parts.map(({ text, picture, frame, upload, weight, crop }) => ({ text, picture, frame, upload, weight, crop }));
  const query = state.words.trim();
  const [, text] = (parts.length && query.match(LONE)) || [];
  return text ? { query: "", parts: [{ text, weight: AWAY }, ...parts], where: where() } : { query, parts, where: where() };
}

/** The body of a search request. */
export const request = () => ({ ...question(), sort: state.sort, k: 60 });

/** The query as text, for the title of the page and the name of a judged query. */
export function inWords() {
  const texts = state.parts.filter((part) => part.text && part.weight > 0).map((part) => part.text);
  return [state.words.trim(), ...texts].filter(Boolean).join(", ");
}

/** The same without filters, weights and negative parts, for highlights. */
export function inPlainWords() {
  const plain = inWords().replace(/(^|\s)-?\w+:("[^"]*"|\S+)/g, " ").replace(/(^|\s)-("[^"]*"|\p{L}\S*)/gu, " ");
  return plain.replace(/["+()]/g, " ").replace(/\s+/g, " ").trim();
}

let typed = false;

function remember(typing) {
  const kept = { w: state.words, p: state.parts.filter((part) => !part.upload), f: [...state.filters.values()], s: state.sort };
  const url = isEmpty() && !state.filters.size ? "/" : `/#${encodeURIComponent(JSON.stringify(kept))}`;
  // An uploaded picture cannot be part of the URL, only of the browser's history state.
  const entry = { parts: state.parts };
  if (typing && typed) history.replaceState(entry, "", url);
  else history.pushState(entry, "", url);
  typed = typing;
}

/** Restore the query from the URL; invalid parts are ignored. */
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
