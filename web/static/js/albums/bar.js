// The bar above the pictures of an open album: its name, its order, and what can be done with it and its selected pictures.

import { api } from "../api.js";
import { byId, icon, iconButton, make } from "../dom.js";
import { onSelection, selectedIds } from "../grid/selection.js";
import { onLanguage, t } from "../i18n.js";
import { change, isEmpty, onChange, state } from "../state.js";
import { go } from "../views.js";
import { arrange } from "./arrange.js";
import { attempt, moveToFront, onAlbums, remove } from "./edits.js";
import { forgetKinds, leave, openName } from "./opened.js";

const bar = byId("album-bar");
let album = null; // the open one, as the server knows it
let hooks = { changed: () => {}, rename: () => {}, drop: () => {} };

async function load() {
  const name = openName();
  if (name === null) {
    album = null;
    bar.hidden = true;
    return;
  }
  if (album?.name !== name) album = null;
  const known = await api.album(name).catch(() => null);
  if (openName() !== name) return;
  album = known;
  draw();
}

function draw() {
  bar.hidden = album === null;
  if (bar.hidden) return;
  const held = bar.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const button = (key, label, drawing, act) => make("button", { type: "button", onclick: act, "data-key": key }, icon(drawing), label);
  const about = album.by_hand ? album.missing && t("albumMissing", { n: album.missing }) : t("smartAlbum");
  bar.replaceChildren(...[
    iconButton("back", t("allAlbums"), () => go("albums"), { "data-key": "all" }),
    make("div.album-title", {}, make("h1", {}, make("bdi", {}, album.name)),
      about ? make("p.soft", {}, about) : null),
    album.by_hand && isEmpty() ? order() : null,
    album.by_hand && album.pictures > 1 ? button("arrange", t("arrange"), "list", () => arrange(album.name, hooks.changed)) : null,
    iconButton("pen", t("renameAlbum", { name: album.name }), () => hooks.rename(album.name), { "data-key": "rename" }),
    iconButton("trash", t("dropAlbum", { name: album.name }), () => hooks.drop(album.name), { "data-key": "drop" }),
    iconButton("close", t("leaveAlbum"), leave, { "data-key": "leave" }),
    make("div.album-chosen", { hidden: true, role: "group", "aria-label": t("selection") },
      ...(album.by_hand ? [
        button("front", t("moveToFront"), "first", () => moveToFront(album.name, selectedIds())),
        button("remove", t("removeFromAlbum"), "minus", () => remove(album.name, selectedIds())),
      ] : []),
      button("cover", t("useAsCover"), "picture", useAsCover)),
  ].filter(Boolean));
  drawChosen();
  if (held) bar.querySelector(`[data-key="${held}"]`)?.focus();
}

function order() {
  const list = make("select", { "aria-label": t("order"), "data-key": "order", onchange: () => change({ sort: list.value }) },
    make("option", { value: "relevance" }, t("albumOrder")), make("option", { value: "date" }, t("byDate")));
  list.value = state.sort === "date" ? "date" : "relevance";
  return list;
}

function drawChosen() {
  const box = bar.querySelector(".album-chosen");
  if (!box) return;
  const number = selectedIds().length;
  box.hidden = number === 0;
  box.querySelector("[data-key=cover]").hidden = number !== 1;
}

const useAsCover = () => attempt(() => api.changeAlbum(album.name, { cover: selectedIds()[0] }), t("coverChosen", { name: album.name }));

export function start(given) {
  hooks = given;
  onChange(load);
  onSelection(drawChosen);
  onLanguage(draw);
  onAlbums(() => {
    forgetKinds();
    if (album === null) return;
    load();
    hooks.changed();
  });
}
