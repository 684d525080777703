// Selected pictures, to be exported, tagged or searched with.

import { addToAlbum } from "../albums/add.js";
import { api } from "../api.js";
import { byId, download, icon, iconButton, make } from "../dom.js";
import { rate, ratingName, tag, untag } from "../edits/changes.js";
import { tagForm } from "../edits/tags.js";
import { toast } from "../edits/toast.js";
import { isUndo, undoLast } from "../edits/undo.js";
import { onLanguage, t } from "../i18n.js";
import { addParts } from "../query/query.js";
import { describe } from "../summary.js";

const SUFFIXES = { zip: "zip", csv: "csv", json: "jsonl", paths: "txt" };

const chosen = new Map(); // id -> hit
const listeners = new Set();
let everything = async () => ({ hits: [], more: false });

export const isAnySelected = () => chosen.size > 0;
export const isSelected = (id) => chosen.has(id);
/** The IDs of all selected pictures, also of those that are not shown now. */
export const selectedIds = () => [...chosen.keys()];
export const onSelection = (listener) => listeners.add(listener);

/** Toggle the selection of a picture. */
export const toggle = (hit) => selectAll([hit], !chosen.has(hit.id));

/** Select pictures, or with `on` false, deselect them: those of a day, for example. */
export function selectAll(hits, on = true) {
  for (const hit of hits) on ? chosen.set(hit.id, hit) : chosen.delete(hit.id);
  changed();
}

export function clear() {
  chosen.clear();
  changed();
}

function changed() {
  draw();
  for (const listener of listeners) listener();
}

async function save(format) {
  try {
    download(await api.export(selectedIds(), format), `sightline.${SUFFIXES[format]}`);
  } catch (problem) {
    toast(describe(problem));
  }
}

async function selectResults() {
  try {
    const { hits, more } = await everything();
    selectAll(hits);
    if (more) toast(t("selectedFirst", { n: hits.length }));
  } catch (problem) {
    toast(describe(problem));
  }
}

/** A list of actions behind one button; `act` is called with the value of the chosen one. */
function menu(label, drawing, choices, act) {
  const list = make("select", { "aria-label": label, onchange: () => {
    const { value } = list;
    list.value = "";
    act(value);
  } }, make("option", { value: "", hidden: true }, label), ...choices.map(([value, name]) => make("option", { value }, name)));
  return make("label.menu", { title: label }, icon(drawing), list);
}

function draw() {
  const bar = byId("selection");
  const isNew = bar.hidden;
  bar.hidden = chosen.size === 0;
  if (bar.hidden) return;
  if (!isNew) { // the field for a tag may be in use
    bar.querySelector("strong").textContent = t("selected", { n: chosen.size });
    return;
  }
  const button = (drawing, label, onclick) => make("button", { type: "button", onclick }, icon(drawing), label);
  bar.replaceChildren(
    make("span.counted", {}, iconButton("close", t("deselect"), clear), make("strong", { role: "status" }, t("selected", { n: chosen.size }))),
    button("pick", t("selectEverything"), selectResults),
    button("similar", t("moreLike"), () => addParts([...chosen.values()].map((hit) => ({ picture: hit.id, weight: 1, label: hit.name })))),
    button("album", t("addToAlbum"), () => addToAlbum(selectedIds())),
    menu(t("rating"), "star", [5, 4, 3, 2, 1].map((number) => [number, ratingName(number)]).concat([[0, t("clearRating")], [-1, t("rejected")]]),
      (rating) => rate(selectedIds(), Number(rating))),
    tagForm((name) => tag(selectedIds(), name), { remove: (name) => untag(selectedIds(), name) }),
    menu(t("download"), "download", ["zip", "csv", "json", "paths"].map((format) => [format, t(`as_${format}`)]), save),
  );
}

/** `all` resolves to the pictures of the current results, and whether there are more. */
export function start({ all }) {
  everything = all;
  onLanguage(() => {
    byId("selection").hidden = true;
    draw();
  });
  addEventListener("keydown", (event) => {
    if (isUndo(event) && !document.querySelector("dialog[open]") && undoLast()) event.preventDefault();
  });
}
