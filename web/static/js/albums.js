// Albums: saved queries. Opening one runs its query again.

import { api } from "./api.js";
import { byId, iconButton, make } from "./dom.js";
import { t } from "./i18n.js";
import { change, isEmpty, question, state } from "./state.js";
import { describe } from "./summary.js";

const dialog = byId("albums");
let albums = [];

export async function open() {
  draw();
  dialog.showModal();
  await attempt(api.albums);
}

/** Show the albums that `act` returns, and its message. */
async function attempt(act, said = "") {
  try {
    const told = await act();
    const isNews = said || JSON.stringify(told) !== JSON.stringify(albums);
    albums = told;
    if (isNews) draw(said); // drawing again would close an open confirmation to delete a row
    return true;
  } catch (problem) {
    say(describe(problem));
    return false;
  }
}

function draw(said = "") {
  const held = dialog.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const written = dialog.querySelector("input")?.value;
  dialog.replaceChildren(
    make("div.head", {}, make("h2", {}, t("albums")), iconButton("close", t("close"), () => dialog.close(), { "data-key": "close" })),
    make("p.said", { role: "status" }),
    keeping(said ? "" : written),
    albums.length ? make("ul.albums", {}, ...albums.map(row)) : make("p.soft", {}, t("noAlbums")));
  if (held) (dialog.querySelector(`[data-key="${held}"]`) ?? dialog.querySelector("button")).focus();
  say(said);
}

const say = (text) => { dialog.querySelector(".said").textContent = text; };

// Saving -------------------------------------------------------------------------------------------------------------

/** Describe the current query, part by part. */
function asked() {
  const parts = state.parts.map((part) => (part.weight < 0 ? "− " : "") + (part.text ?? part.label ?? t("picture")));
  const filters = [...state.filters.values()].map((filter) => filter.label);
  return [state.words.trim(), ...parts, ...filters].filter(Boolean);
}

function keeping(written = "") {
  if (isEmpty() && !state.filters.size) return make("p", {}, t("albumHow"));
  if (state.parts.some((part) => part.upload || part.crop)) return make("p", {}, t("albumNot"));
  const field = make("input", { type: "text", value: written, maxLength: 100, required: true, placeholder: t("albumName"),
    "aria-label": t("albumName"), dir: "auto", "data-key": "name", oninput: () => name() });
  const button = make("button.primary", { type: "submit" });
  const name = () => {
    const isTaken = isThere(field.value);
    button.textContent = t(isTaken ? "replaceAlbum" : "keepAlbum");
  };
  name();
  return make("section", {},
    make("p", {}, t("albumNow"), ...asked().flatMap((piece, i) => [i ? " · " : " ", make("bdi", {}, piece)])),
    make("form.row", { onsubmit: (event) => {
      event.preventDefault();
      keep(field.value.trim());
    } }, field, button));
}

/** Return whether there is an album of this name, ignoring case. */
const isThere = (name) => albums.some((album) => !album.name.localeCompare(name.trim(), undefined, { sensitivity: "accent" }));

function keep(name) {
  if (name) attempt(() => api.keepAlbum(name, question()), t("albumKept", { name }));
}

// Opening and deleting -----------------------------------------------------------------------------------------------

function row(album) {
  const item = make("li");
  const show = () => item.replaceChildren(
    make("button.album", { type: "button", onclick: () => ask(album), "data-key": `open ${album.name}` },
      make("bdi", {}, album.name), " ", make("bdi.soft", { title: album.query }, album.query)),
    iconButton("trash", t("dropAlbum", { name: album.name }), doubt));
  const doubt = () => {
    item.replaceChildren(make("span", {}, t("reallyDrop", { name: album.name })),
      make("button.primary", { type: "button", onclick: drop }, t("drop")),
      make("button", { type: "button", onclick: () => {
        show();
        item.querySelector("button").focus();
      } }, t("cancel")));
    item.querySelector("button").focus();
  };
  const drop = async () => {
    if (await attempt(() => api.dropAlbum(album.name), t("albumDropped", { name: album.name }))) dialog.querySelector("button").focus();
  };
  show();
  return item;
}

function ask(album) {
  dialog.close();
  change({ words: album.query, parts: [], filters: new Map(), sort: "relevance" });
}

export function start() {
  byId("show-albums").addEventListener("click", open);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
