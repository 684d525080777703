// The folders of the library: those in the open one, and its newest pictures. The open folder is a filter of the query.

import * as address from "../address.js";
import { api, thumbnail } from "../api.js";
import { byId, icon, make } from "../dom.js";
import { titleOf } from "../grid/frames.js";
import { onLanguage, t } from "../i18n.js";
import { drawKept } from "../query/kept.js";
import { change, onChange, state, where } from "../state.js";
import { describe } from "../summary.js";
import { current } from "../views.js";
import * as tree from "./tree.js";

const FIELD = "folder"; // of its filter
const SHOWN = 48; // pictures

const section = byId("view-folders");
let turn = 0;
let term = null; // the filter of the open folder, once it is known

const withoutFolder = () => new Map([...state.filters].filter(([, filter]) => filter.field !== FIELD));

/** Open a folder, or the list of all with null. The folder replaces other folders as a filter. */
function enter(folder) {
  const filters = withoutFolder();
  if (folder) filters.set(folder.term, { field: FIELD, label: folder.name, term: folder.term });
  if (folder?.kind === "collection") change({ filters });
  else change({ filters, folder: folder?.id ?? null, view: "folders" });
}

/** The open folder has been forgotten, or has no pictures any more: list all instead. Back must not lead to it again. */
function leave() {
  change({ filters: withoutFolder(), folder: null, view: "folders" }, { silent: true });
  history.replaceState({ parts: state.parts }, "", address.write(state));
}

/** Show the open folder. */
export async function show() {
  turn += 1;
  const mine = turn;
  let listing = null;
  try {
    listing = await api.folders(state.folder);
  } catch (problem) {
    if (mine !== turn) return;
    if (problem.status === 404 && state.folder) leave();
    else section.replaceChildren(make("p.bad", { role: "alert" }, describe(problem)));
    return;
  }
  if (mine !== turn) return;
  keepFilter(listing.folder);
  const held = section.contains(document.activeElement);
  draw(listing);
  if (held) section.querySelector("h1").focus({ preventScroll: true });
  if (listing.folder) showPictures(listing.folder, mine);
}

/** The address may name a folder without its filter. */
function keepFilter(folder) {
  term = folder?.term ?? null;
  if (!folder || state.filters.has(term)) return;
  state.filters = new Map([...state.filters, [term, { field: FIELD, label: folder.name, term }]]);
  history.replaceState(history.state, "", address.write(state));
}

function draw({ folder, above, folders, total }) {
  const kept = make("div.kept");
  drawKept(kept, [...state.filters.values()].filter((filter) => filter.term !== term));
  const layout = make("div.folders", {}, tree.make(folder, above, enter),
    make("div.folders-main", {}, trail(folder, above), heading(folder), kept,
      folders.length ? make("ul.folder-cards", { "aria-label": t("foldersIn") }, ...folders.map(card)) : null,
      total > folders.length ? make("p.soft", {}, t("foldersMore", { n: total - folders.length })) : null,
      folder || folders.length ? null : make("p.soft", {}, t("foldersNone")),
      make("section.folder-pictures", { "aria-label": t("pictures"), hidden: true })));
  section.replaceChildren(layout);
}

/** The way from the list of all folders to the open one. */
function trail(folder, above) {
  if (!folder) return null;
  const step = (name, act) => make("li", {}, make("button.link", { type: "button", onclick: act }, make("bdi", {}, name)));
  return make("nav.trail", { "aria-label": t("foldersTrail") }, make("ol", {},
    step(t("foldersAll"), () => enter(null)),
    ...above.map((each) => step(each.name, () => enter(each))),
    make("li", {}, make("bdi", { "aria-current": "page" }, folder.name))));
}

const heading = (folder) => make("div.folder-head", {},
  make("h1", { tabIndex: -1, title: folder?.path ?? "" }, make("bdi", {}, folder?.name ?? t("view_folders"))),
  folder ? make("p.soft", {}, make("bdi", {}, folder.path)) : null);

function card(folder) {
  const isCollection = folder.kind === "collection";
  const number = t(isCollection ? "foldersDocuments" : "mapPictures", { n: folder.below });
  return make("li", {}, make("button.folder-card", { type: "button", title: folder.path, onclick: () => enter(folder) },
    make("span.cover", {}, folder.cover ? make("img", { src: thumbnail(folder.cover, 384), alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() }) : null,
      icon(isCollection ? "library" : "folder")),
    make("bdi.name", {}, folder.name), make("span.soft", {}, number)));
}

async function showPictures(folder, mine) {
  let found = null;
  try {
    found = await api.search({ where: where(), sort: "date", k: SHOWN });
  } catch {
    return; // the folders are there; the pictures view says what is wrong
  }
  if (mine !== turn) return;
  const box = section.querySelector(".folder-pictures");
  box.hidden = false;
  box.replaceChildren(
    make("div.folder-bar", {}, make("h2", {}, t("foldersPictures", { n: found.searched })),
      make("button.primary", { type: "button", onclick: () => change({}) }, t("foldersShow")),
      make("button", { type: "button", onclick: search }, icon("search"), t("foldersSearch"))),
    make("ul.folder-shots", {}, ...found.hits.map(shot)));
}

const shot = (hit) => make("li", {}, make("button.folder-shot", { type: "button", "aria-label": titleOf(hit), title: hit.name,
  onclick: () => change({ words: "", parts: [], picture: { id: hit.id, frame: 0 } }) },
  make("img", { src: thumbnail(hit.id, 192), alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() })));

/** Type a query; the folder stays a filter of it. */
function search() {
  byId("words").focus();
  byId("words").select();
}

export function start() {
  onChange(() => { // the filter of the folder was removed in another view
    if (current() !== "folders" && term && !state.filters.has(term)) [state.folder, term] = [null, null];
  });
  onLanguage(() => {
    tree.forget();
    if (!section.hidden && current() === "folders") show();
  });
}
