// Changes of albums: each is announced, and can be undone where nothing is lost by that.

import { api } from "../api.js";
import { edited } from "../edits/changes.js";
import { toast } from "../edits/toast.js";
import { offerUndo } from "../edits/undo.js";
import { t } from "../i18n.js";
import { describe } from "../summary.js";

const PAGE = 1000;

const listeners = new Set();

/** Call `listener` whenever albums have changed. */
export const onAlbums = (listener) => listeners.add(listener);

function changed(ids) {
  edited(ids);
  for (const listener of listeners) listener();
}

/** Make a change and say so; return whether it was made. `ids` are the pictures whose albums change. */
export async function attempt(act, said, ids = []) {
  try {
    const done = await act();
    changed(ids);
    if (said) toast(said);
    return done ?? true;
  } catch (problem) {
    toast(describe(problem));
    return false;
  }
}

/** Move those of the pictures that are in an album to its front. */
export const moveToFront = (name, selected) => attempt(async () => {
  const order = await orderOf(name);
  const pictures = members(order, selected);
  if (pictures.length) await api.changeAlbum(name, { move: { pictures, before: order[0] } });
  else toast(t("nothingChanged"));
}, "", selected);

/** Remove those of the pictures that are in an album from it. Undoing restores their places. */
export async function remove(name, selected) {
  let ids, places;
  try {
    const order = await orderOf(name);
    ids = members(order, selected);
    places = runs(order, new Set(ids));
    if (!ids.length) return toast(t("nothingChanged"));
    await api.changeAlbum(name, { remove: ids });
    changed(ids);
  } catch (problem) {
    return toast(describe(problem));
  }
  offerUndo(t("removedFromAlbum", { name }), async () => {
    await api.changeAlbum(name, { add: ids });
    for (const [run, before] of places) await api.changeAlbum(name, { move: { pictures: run, before } });
    changed(ids);
  });
}

/** The IDs of all pictures of an album, in its own order: the page may show others, or by date. */
async function orderOf(name) {
  const order = [];
  let cursor = null;
  do {
    const page = await api.albumPictures({ album: name, k: PAGE, ...(cursor ? { cursor } : {}) });
    order.push(...page.hits.map((hit) => hit.id));
    cursor = page.next;
  } while (cursor);
  return order;
}

/** Pictures may be selected that the album does not contain, or that the page has not loaded. */
function members(order, selected) {
  const wanted = new Set(selected);
  return order.filter((id) => wanted.has(id));
}

/** The removed pictures in the order they had, as runs with the picture that followed each. */
function runs(order, removed) {
  const found = [];
  let run = [];
  for (const id of order) {
    if (removed.has(id)) run.push(id);
    else if (run.length) {
      found.push([run, id]);
      run = [];
    }
  }
  return found;
}
