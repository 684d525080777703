// All pictures of the current results, to select them.

import { findMore, isOrdered, openName } from "../albums/opened.js";
import { api } from "../api.js";
import { request } from "../state.js";
import { isByDate, shown } from "./grid.js";

export const MOST = 10_000; // pictures that one change of tags or ratings accepts
const PAGE = 1000;

/**
 * All pictures of the current results, or the first `MOST` of them, and whether there are more. Of a ranked result, these
 * are the ones that are probably relevant, or without a verdict, those that are shown.
 */
export async function everything() {
  const album = !isByDate() && isOrdered() ? openName() : null; // shown in its order
  if (!isByDate() && album === null && shown().every((hit) => typeof hit?.is_relevant !== "boolean")) return { hits: shown().filter(Boolean), more: false };
  const asked = { ...request(), k: PAGE, relevant: !isByDate() };
  const hits = [];
  let cursor = null;
  do {
    const found = await (album === null ? api.search({ ...asked, cursor }) : findMore({ ...asked, album, cursor }));
    hits.push(...found.hits);
    cursor = found.next;
  } while (cursor && hits.length < MOST);
  return { hits: hits.slice(0, MOST), more: cursor !== null || hits.length > MOST };
}
