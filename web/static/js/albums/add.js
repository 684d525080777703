// A dialog to add pictures to an album by hand: an existing one, or a new one.

import { api } from "../api.js";
import { iconButton, make } from "../dom.js";
import { toast } from "../edits/toast.js";
import { t } from "../i18n.js";
import { describe } from "../summary.js";
import { albumCard } from "./card.js";
import { attempt } from "./edits.js";

/** Ask for an album, and add the pictures with these IDs. */
export async function addToAlbum(ids) {
  const list = make("ul.album-choices");
  const field = make("input", { type: "text", maxLength: 100, required: true, placeholder: t("albumName"), "aria-label": t("albumName"), dir: "auto" });
  const said = make("p.bad", { role: "alert", hidden: true });
  const dialog = make("dialog.panel.adding", { "aria-label": t("addToAlbum"), onclose: () => dialog.remove() },
    make("div.head", {}, make("h2", {}, t("addToAlbum")), iconButton("close", t("close"), () => dialog.close())),
    list,
    make("section", {}, make("h3", {}, t("newAlbum")),
      make("form.row", { onsubmit: (event) => {
        event.preventDefault();
        if (field.value.trim()) add(() => api.makeAlbum(field.value.trim(), ids), field.value.trim());
      } }, field, make("button.primary", { type: "submit" }, t("createAlbum"))), said));
  const add = async (act, name) => {
    try {
      await act();
    } catch (problem) {
      said.hidden = false;
      said.textContent = describe(problem);
      return;
    }
    dialog.close();
    attempt(() => null, t("addedToAlbum", { name }), ids);
  };
  document.body.append(dialog);
  dialog.showModal();
  try {
    const albums = (await api.albums()).filter((album) => album.by_hand);
    list.replaceChildren(...albums.map((album) => make("li", {}, albumCard(album, () => add(() => api.changeAlbum(album.name, { add: ids }), album.name)))));
    list.hidden = albums.length === 0;
    if (document.activeElement !== field) (list.querySelector("button") ?? field).focus(); // or the next letters are lost
  } catch (problem) {
    toast(describe(problem));
  }
}
