// What the page shows: a view, and the current query. Both are in the URL, so that back, forward and bookmarks work.

import * as address from "./address.js";

/**
 * words: string            the text of the search box, in the query language
 * parts: [{ text | picture | upload, weight, frame?, crop?, label? }]
 * filters: Map term -> { field, label, term }
 * sort: "relevance" | "text" (the same, and words that can be read in a picture count) | "date"
 * view: "pictures", or another view of views.js
 * at: { latitude, longitude, zoom } of the centre of the map, or null
 * folder: the ID of the folder that is open in the view of folders, or null
 * picture: { id, frame } of the picture that is open in the viewer, or null
 */
export const state = { words: "", parts: [], filters: new Map(), sort: "relevance", view: "pictures", at: null, folder: null, picture: null };

export const AWAY = -0.5; // the weight of a part to avoid
const TEXT_WEIGHT = 0.3; // docs/text.md
const LONE = /^-(\p{L}[^\s:"]*)$/u;

const listeners = new Set();
export const onChange = (listener) => listeners.add(listener);

/** Change the query or the view. A change of the query shows the pictures that it finds. `typing` keeps a single history entry while a word is being typed. */
export function change(fields, { typing = false, silent = false } = {}) {
  Object.assign(state, silent ? {} : { view: "pictures", picture: null }, fields);
  if (!silent) remember(typing);
  for (const listener of listeners) listener({ typing });
  if (!silent) for (const listener of pictureListeners) listener();
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
export const request = () => ({
  ...question(),
  sort: state.sort === "date" ? "date" : "relevance",
  text_weight: state.sort === "text" && !isEmpty() ? TEXT_WEIGHT : 0,
  exclude_parts: true,
  k: 60,
});

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

const pictureListeners = new Set();

/** Call `listener` when another picture is opened or the open one is closed, and for each change of the query. */
export const onPicture = (listener) => pictureListeners.add(listener);

/** Name a picture as the open one. The first one adds an entry to the history, so that Back closes it. */
export function openPicture(id, frame = 0) {
  const isOpen = state.picture !== null;
  if (isOpen && state.picture.id === id && state.picture.frame === frame) return;
  state.picture = { id, frame };
  const entry = { parts: state.parts, opened: isOpen ? (history.state?.opened ?? false) : true };
  history[isOpen ? "replaceState" : "pushState"](entry, "", address.write(state));
}

/** No picture is open any more: go back to before it was opened, if that is the previous entry of the history. */
export function closePicture() {
  if (state.picture === null) return;
  state.picture = null;
  if (history.state?.opened) history.back();
  else history.replaceState({ parts: state.parts }, "", address.write(state));
}

let typed = false;

function remember(typing) {
  // Labels of pictures, and uploaded pictures, are not part of the URL, only of the browser's history state.
  const entry = { parts: state.parts };
  const url = address.write(state);
  const isNew = !isCurrent(entry, url);
  if (!isNew) history.replaceState({ ...history.state, ...entry }, "", url);
  else if (typing && typed) history.replaceState(entry, "", url);
  else history.pushState(entry, "", url);
  typed = typing && (typed || isNew);
}

/** Whether the history is at an entry already: Back would seem to do nothing. */
function isCurrent({ parts }, url) {
  const here = address.read(location.search);
  return url === address.write(here) && JSON.stringify(parts) === JSON.stringify(history.state?.parts ?? here.parts);
}

let recalled = false;

/** Restore the view, the query and the open picture from the URL. The query is not asked again if only the picture differs. */
export function recall() {
  const read = address.read(location.search);
  const asked = { ...read, parts: history.state?.parts ?? read.parts };
  const key = (one) => JSON.stringify([address.write({ ...one, picture: null }), one.parts]);
  const isSame = recalled && key(asked) === key(state);
  recalled = true;
  typed = false;
  if (isSame) state.picture = asked.picture;
  else change(asked, { silent: true });
  for (const listener of pictureListeners) listener();
}

/** Follow an address of this page without loading it again. Its parts may have labels, which no address has. */
export function visit(url, { parts } = {}) {
  const { parts: named } = address.read(new URL(url, location.href).search);
  const isSame = parts && address.write({ ...state, parts }) === address.write({ ...state, parts: named });
  history.pushState(isSame ? { parts } : null, "", url);
  recall();
}
