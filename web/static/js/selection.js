// Selected pictures, to be exported, tagged or searched with.

import { api } from "./api.js";
import { byId, download, iconButton, make } from "./dom.js";
import { refresh } from "./facets.js";
import { t } from "./i18n.js";
import { addPart } from "./query.js";
import { notice } from "./summary.js";

const SUFFIXES = { zip: "zip", csv: "csv", json: "jsonl", paths: "txt" };

const chosen = new Map(); // id -> hit
const listeners = new Set();
let last = null;

export const isSelected = (id) => chosen.has(id);
export const onSelection = (listener) => listeners.add(listener);

/** Toggle the selection of a picture; with `range`, select all from the last one. */
export function toggle(index, hits, range) {
  const hit = hits[index];
  const on = !chosen.has(hit.id);
  const from = range && last !== null ? Math.min(last, index) : index;
  const to = range && last !== null ? Math.max(last, index) : index;
  for (const each of hits.slice(from, to + 1)) on ? chosen.set(each.id, each) : chosen.delete(each.id);
  last = index;
  changed();
}

export function clear() {
  chosen.clear();
  last = null;
  changed();
}

function changed() {
  draw();
  for (const listener of listeners) listener();
}

async function save(format) {
  try {
    download(await api.export([...chosen.keys()], format), `sightline.${SUFFIXES[format]}`);
  } catch (problem) {
    notice(problem);
  }
}

async function tag(event) {
  event.preventDefault();
  const field = event.target.elements.tag;
  if (!field.value.trim()) return;
  try {
    await api.tag(field.value.trim(), [...chosen.keys()]);
    notice(t("tagged", { n: chosen.size, tag: field.value.trim() }));
    field.value = "";
    refresh();
  } catch (problem) {
    notice(problem);
  }
}

function draw() {
  const bar = byId("selection");
  bar.hidden = chosen.size === 0;
  if (bar.hidden) return;
  const button = (label, onclick) => make("button", { type: "button", onclick }, label);
  bar.replaceChildren(
    make("strong", {}, t("selected", { n: chosen.size })),
    button(t("moreLike"), () => [...chosen.values()].forEach((hit) => addPart({ picture: hit.id, weight: 1, label: hit.name }))),
    make("span.group", {}, ...["zip", "csv", "json", "paths"].map((format) => button(t(`as_${format}`), () => save(format)))),
    make("form.group", { onsubmit: tag },
      make("input", { name: "tag", type: "text", maxLength: 100, placeholder: t("newTag"), "aria-label": t("newTag"), dir: "auto" }),
      make("button", { type: "submit" }, t("addTag"))),
    iconButton("close", t("deselect"), clear),
  );
}
