// The search box: results while typing, and query parts as chips that can be weighted, negated and removed.

import { api, thumbnail } from "../api.js";
import { byId, icon, iconButton, make, settled } from "../dom.js";
import { t } from "../i18n.js";
import { AWAY, change, onChange, state } from "../state.js";
import { notice } from "../summary.js";

const TYPING = 0; // milliseconds; 0 merges key presses of the same moment without a delay
const WEIGHTS = [0.25, 0.5, 1, 2];
const MOST = 50; // parts of a query

const words = byId("words");
let hooks = { down: () => {} };

const isSame = (one, other) => other.text === one.text && other.picture === one.picture && other.frame === one.frame && other.upload === one.upload
  && JSON.stringify(other.crop) === JSON.stringify(one.crop);

/** Add a part to the query, or change the weight of an existing one. */
export const addPart = (part) => addParts([part]);

/** Add parts to the query, as many as it may have. */
export function addParts(parts) {
  const kept = state.parts.filter((other) => !parts.some((part) => isSame(part, other)));
  change({ parts: [...kept, ...parts].slice(0, MOST) });
}

export async function addFile(file) {
  try {
    const { id } = await api.upload(file);
    addPart({ upload: id, weight: 1, label: file.name || t("pastedPicture"), preview: URL.createObjectURL(file) });
  } catch (problem) {
    notice(problem);
  }
}

function reweigh(part, weight) {
  change({ parts: state.parts.map((other) => (other === part ? { ...part, weight } : other)) });
}

function stronger(part) {
  const size = Math.abs(part.weight);
  const next = WEIGHTS[(WEIGHTS.indexOf(size) + 1) % WEIGHTS.length];
  reweigh(part, Math.sign(part.weight) * next);
}

function chip(part) {
  const name = part.text ?? part.label ?? t("picture");
  const away = part.weight < 0;
  const source = part.picture ? thumbnail(part.picture, 192, part.frame) : part.preview;
  return make("li.chip", { "data-away": String(away) },
    iconButton(away ? "minus" : "plus", t(away ? "turnTowards" : "turnAway", { name }), () => reweigh(part, -part.weight)),
    source ? make("img", { src: source, alt: "", onerror: (event) => event.target.remove() }) : null,
    make("span.name", { dir: "auto", title: name }, name),
    part.crop ? icon("crop") : null,
    make("button.weight", { type: "button", dir: "ltr", title: t("weight"), "aria-label": `${t("weight")}: ${Math.abs(part.weight)}`,
      onclick: () => stronger(part) }, `×${Math.abs(part.weight)}`),
    iconButton("close", t("remove", { name }), () => change({ parts: state.parts.filter((other) => other !== part) })),
  );
}

function draw() {
  if (document.activeElement !== words || words.value.trim() !== state.words.trim()) words.value = state.words;
  drawChips();
  byId("clear").hidden = !state.words && !state.parts.length;
}

/** Draw the chips again; the button that was pressed, or the nearest one, keeps the focus. */
function drawChips() {
  const chips = byId("chips");
  const buttons = [...chips.querySelectorAll("button")];
  const held = buttons.indexOf(document.activeElement);
  chips.replaceChildren(...state.parts.map(chip));
  if (held < 0) return;
  const now = [...chips.querySelectorAll("button")];
  (now.length < buttons.length ? (now[held - (held % 3)] ?? words) : now[held]).focus();
}

function toChip() {
  const text = words.value.trim();
  if (!text) return;
  words.value = "";
  const away = text.startsWith("-");
  const plain = away ? text.slice(1).trim() : text;
  if (plain) change({ words: "", parts: [...state.parts, { text: plain, weight: away ? AWAY : 1 }] });
}

function pictureIn(transfer) {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
}

export function start(given) {
  hooks = given;
  const typed = settled(() => {
    if (words.value !== state.words) change({ words: words.value }, { typing: true });
  }, TYPING);
  words.addEventListener("input", () => {
    byId("clear").hidden = !words.value && !state.parts.length;
    typed();
  });
  words.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // an input method is still composing text
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      toChip();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      hooks.down();
    } else if (event.key === "Backspace" && !words.value && state.parts.length) {
      change({ parts: state.parts.slice(0, -1) });
    }
  });
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    change({ words: words.value });
    if (matchMedia("(pointer: coarse)").matches) words.blur();
  });
  byId("clear").addEventListener("click", () => {
    change({ words: "", parts: [] });
    words.focus();
  });
  byId("pick").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) addFile(file);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    const file = pictureIn(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    addFile(file);
  });
  startDropping();
  onChange(draw);
}

function startDropping() {
  const drop = byId("drop");
  let inside = 0;
  let isOwn = false; // whether something of the page is dragged: browsers take its pictures for files
  addEventListener("dragstart", () => { isOwn = true; });
  for (const name of ["dragend", "pointerdown"]) addEventListener(name, () => { isOwn = false; });
  const show = (on) => { drop.hidden = !on; };
  addEventListener("dragenter", (event) => {
    if (isOwn || ![...event.dataTransfer.types].includes("Files")) return;
    inside += 1;
    show(true);
  });
  addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    show(inside > 0);
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    show(false);
    const file = isOwn ? null : pictureIn(event.dataTransfer);
    isOwn = false;
    if (file) addFile(file);
  });
}
