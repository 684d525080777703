// The album that is open: the only album among the filters of the query.

import { api } from "../api.js";
import { change, isEmpty, state } from "../state.js";

const FIELD = "album";
const PAGE = 60;

const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** The filter of an album, in the query language. */
export const termOf = (name) => `${FIELD}:${quoted(name)}`;

/** The name of the open album, or null. */
export function openName() {
  const chosen = [...state.filters.values()].filter((filter) => filter.field === FIELD);
  return chosen.length === 1 ? chosen[0].label : null;
}

/** Show the pictures of an album: with its filter, or with its query if that ranks pictures. */
export function open(album) {
  if (album.is_ranked) change({ words: album.query, parts: [], filters: new Map(), sort: "relevance" });
  else openByName(album.name);
}

export function openByName(name) {
  const term = termOf(name);
  change({ words: "", parts: [], filters: new Map([[term, { field: FIELD, label: name, term }]]), sort: "relevance" });
}

/** Show the pictures of the whole library again, in the view that is visible. */
export const leave = () => change({ filters: new Map([...state.filters].filter(([, filter]) => filter.field !== FIELD)), view: state.view });

/** The open album has another name, or with null, it has been deleted. */
export function follow(name, to) {
  if (openName() !== name) return;
  if (to === null) return leave();
  const renamed = { field: FIELD, label: to, term: termOf(to) };
  change({ filters: new Map([...state.filters.values()].map((filter) => (filter.field === FIELD ? renamed : filter)).map((filter) => [filter.term, filter])), view: state.view });
}

/** Whether the pictures are to be shown in the order of the open album. */
export const isOrdered = () => isEmpty() && state.sort !== "date" && openName() !== null;

const byHand = new Map(); // name -> whether the album was put together by hand

/** Albums have changed. */
export const forgetKinds = () => byHand.clear();

/** The pictures of the open album by hand in its order; null if they are not to be shown in that order. */
export async function find(where, signal) {
  if (!isOrdered()) return null;
  const asked = { album: openName(), where, k: PAGE };
  if (!byHand.has(asked.album)) byHand.set(asked.album, (await api.album(asked.album, signal)).by_hand);
  if (!byHand.get(asked.album)) return null;
  try {
    const page = await api.albumPictures(asked, signal);
    return { ...page, album: asked.album, space: null, notices: [], next: page.next };
  } catch (problem) {
    if (problem.title === "AlbumIsSearch") return null;
    throw problem;
  }
}

/** The next page of `find`, or without a cursor, the first one. */
export const findMore = ({ album, where, k = PAGE, cursor = null }) => api.albumPictures({ album, where, k, ...(cursor && { cursor }) });
