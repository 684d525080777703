// The albums: saved searches, and pictures put together by hand.

import { api } from "../api.js";
import { byId, icon, iconButton, make } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { confirm } from "../library/confirm.js";
import { isEmpty, question, state } from "../state.js";
import { describe } from "../summary.js";
import { current } from "../views.js";
import * as bar from "./bar.js";
import { albumCard } from "./card.js";
import { attempt, onAlbums } from "./edits.js";
import { askName } from "./naming.js";
import { follow, open } from "./opened.js";

const section = byId("view-albums");
let turn = 0;

/** Show all albums. */
export async function show() {
  turn += 1;
  const mine = turn;
  if (!section.children.length) draw(null);
  try {
    const albums = await api.albums();
    if (mine === turn) draw(albums);
  } catch (problem) {
    if (mine === turn) section.replaceChildren(heading(), make("p.bad", { role: "alert" }, describe(problem)));
  }
}

function draw(albums) {
  const held = section.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const list = albums?.length ? make("ul.folder-cards.album-cards", {}, ...albums.map(item)) : null;
  const none = albums?.length === 0 ? make("p.soft.album-none", {}, t("noAlbums")) : null;
  section.replaceChildren(...[heading(), list, none].filter(Boolean));
  if (held) (section.querySelector(`[data-key="${CSS.escape(held)}"]`) ?? section.querySelector("button")).focus();
}

const heading = () => make("div.album-head", {}, make("h1", {}, t("view_albums")),
  make("button.primary", { type: "button", onclick: create, "data-key": "create" }, icon("plus"), t("newAlbum")),
  canSave() ? make("button", { type: "button", onclick: save, "data-key": "save" }, icon("search"), t("saveSearch")) : null);

function item(album) {
  return make("li", {}, albumCard(album, () => open(album)),
    make("div.album-tools", {},
      iconButton("pen", t("renameAlbum", { name: album.name }), () => rename(album.name), { "data-key": `rename ${album.name}` }),
      iconButton("trash", t("dropAlbum", { name: album.name }), () => drop(album.name), { "data-key": `drop ${album.name}` })));
}

/** Uploaded pictures and regions cannot be saved. */
const canSave = () => (!isEmpty() || state.filters.size > 0) && !state.parts.some((part) => part.upload || part.crop);

/** Describe the current query, part by part. */
function asked() {
  const parts = state.parts.map((part) => (part.weight < 0 ? "− " : "") + (part.text ?? part.label ?? t("picture")));
  const filters = [...state.filters.values()].map((filter) => filter.label);
  const pieces = [state.words.trim(), ...parts, ...filters].filter(Boolean);
  return make("p.soft", {}, t("albumNow"), ...pieces.flatMap((piece, i) => [i ? " · " : " ", make("bdi", {}, piece)]));
}

const create = () => askName(t("newAlbum"), {
  label: t("createAlbum"),
  save: (name) => api.makeAlbum(name, []).then(() => attempt(() => null, t("albumCreated", { name }))),
});

const save = () => askName(t("saveSearchAs"), {
  label: t("keepAlbum"),
  about: asked(),
  save: (name) => api.keepAlbum(name, question()).then(() => attempt(() => null, t("albumKept", { name }))),
});

/** Ask for another name of an album. */
export const rename = (name) => askName(t("renameAlbum", { name }), {
  value: name,
  label: t("rename"),
  save: async (to) => {
    await api.changeAlbum(name, { name: to });
    follow(name, to);
    attempt(() => null, t("albumRenamed", { name: to }));
  },
});

/** Delete an album after a question. */
export async function drop(name) {
  if (!(await confirm(t("dropAlbum", { name }), [t("reallyDrop", { name })], t("drop")))) return;
  await attempt(async () => {
    await api.dropAlbum(name);
    follow(name, null);
  }, t("albumDropped", { name }));
}

/** `changed` is called when the order or the pictures of the open album have changed. */
export function start({ changed }) {
  bar.start({ changed, rename, drop });
  onAlbums(() => { if (current() === "albums") show(); });
  onLanguage(() => { if (current() === "albums" && section.children.length) show(); });
}
