// Tags and ratings of pictures: each change is announced, and can be undone.

import { api } from "../api.js";
import { t } from "../i18n.js";
import { refresh } from "../query/facets.js";
import { describe } from "../summary.js";
import { forgetTags } from "./tags.js";
import { toast } from "./toast.js";
import { offerUndo } from "./undo.js";

const listeners = new Set();

/** Call `listener` with the IDs of pictures whose tags, rating or albums have changed. */
export const onEdited = (listener) => listeners.add(listener);

/** Say that pictures were edited. */
export function edited(ids) {
  forgetTags();
  refresh();
  for (const listener of listeners) listener(ids);
}

/** A rating as a text: stars, or its name. */
export function ratingName(rating) {
  if (rating > 0) return "★".repeat(rating);
  return t(rating < 0 ? "rejected" : "unrated");
}

/** Make a change, and offer to undo it. `make` returns what was changed; `say` describes it; `back` undoes it. */
async function change(ids, make, say, back) {
  try {
    const done = await make();
    edited(ids);
    if (!done.changed) return toast(t("nothingChanged"));
    offerUndo(say(done), async () => {
      await back(done);
      edited(ids);
    });
  } catch (problem) {
    toast(describe(problem));
  }
}

export const rate = (ids, rating) => change(ids, () => api.rate(rating, ids),
  ({ changed }) => t("ratedPictures", { n: changed, rating: ratingName(rating) }),
  async ({ previous }) => {
    for (const before of previous) await api.rate(before.rating, before.pictures);
  });

export const tag = (ids, name) => change(ids, () => api.tag(name, ids),
  ({ changed }) => t("tagged", { n: changed, tag: name }),
  ({ pictures }) => api.untag(name, pictures));

export const untag = (ids, name) => change(ids, () => api.untag(name, ids),
  ({ changed }) => t("untagged", { n: changed, tag: name }),
  ({ pictures }) => api.tag(name, pictures));
