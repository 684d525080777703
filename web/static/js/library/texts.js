// Text in pictures: how many have been read, and a button to read the rest.

import { api } from "../api.js";
import { make } from "../dom.js";
import { count, t } from "../i18n.js";

/** The section, or null if no text recogniser is installed and no text was ever read. */
export function section({ texts: { contents, read, with_text: withText, failed, can_read: canRead } }, acts) {
  if (!canRead && !read) return null;
  const reading = make("button", { type: "button", onclick: () => acts.attempt(() => api.start({ kind: "texts" })) }, t("readTexts"));
  return make("section.card.texts", { "aria-labelledby": "texts-title" },
    make("h2", { id: "texts-title" }, t("textInPictures")),
    make("p", {}, t("textsRead", { read: count(read), all: count(contents), withText: count(withText) })),
    canRead && read + failed < contents ? make("div.buttons", {}, reading) : null);
}
