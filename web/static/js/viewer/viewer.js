// The viewer: one large picture, what is known about it, highlights, and related searches.

import { api, original } from "../api.js";
import { byId, make } from "../dom.js";
import { onEdited } from "../edits/changes.js";
import { toast } from "../edits/toast.js";
import { drawStrip, frameNumber, titleOf } from "../grid/frames.js";
import { focusOn, items } from "../grid/grid.js";
import { isSelected, onSelection, toggle } from "../grid/selection.js";
import { t } from "../i18n.js";
import { closePicture, onPicture, openPicture, state } from "../state.js";
import { drawActions } from "./actions.js";
import { watchPointers } from "./gestures.js";
import * as heat from "./heat.js";
import { drawJudging } from "./judging.js";
import { watchKeys } from "./keys.js";
import { buildParts } from "./layout.js";
import { drawOrganise } from "./organise.js";
import { drawFacts, drawStack } from "./panel.js";
import * as sheet from "./sheet.js";
import * as slideshow from "./slideshow.js";
import { drawPicture, makeStage, sharpen, sizeOf } from "./stage.js";
import { written } from "./texts.js";
import { drawShow, drawZoom } from "./toolbar.js";
import { drawNeighbours, slide, turn } from "./turning.js";
import { addPlayer } from "./video.js";
import { resize, zoomOn } from "./zoom.js";

const SOON = 250; // milliseconds until the whole picture is loaded, if it is needed
const JUDGED = 10; // results to judge, as many as `sightline judge` asks about

const dialog = byId("viewer");

let hit = null; // the picture that is shown
let at = -1; // its index among the pictures of the grid; -1 if it is none of them
let frame = 0; // number of the page or moment that is shown
let known = null; // what is known about it, once it is loaded
let stage = null;
let showFrame = () => {};
let turning = 0; // number of the picture that is asked for
let later = null;

let parts = {}; // the elements of the viewer, by name

// Open, close and step -----------------------------------------------------------------------------------------------

/** Open a picture of the grid; `why` shows at once where it matches. */
export async function open(index, { why = false } = {}) {
  const found = items.at(index) ?? (await items.load(index));
  if (found) show(found, index, { why });
}

/** Show a picture; a page or moment of it, if that was found or is named. */
function show(picture, index, { why = false, number = frameNumber(picture) } = {}) {
  [hit, at, frame] = [picture, index, number];
  turning += 1;
  openPicture(hit.id, frame);
  if (!dialog.open) {
    build();
    dialog.showModal();
    addEventListener("resize", resized);
  }
  draw({ why });
}

/** Show the next or the previous picture; resolves to whether there is one. */
async function step(by, { round = false } = {}) {
  const mine = ++turning;
  const next = round && at + by >= items.count() ? 0 : at + by;
  if (at < 0 || next < 0 || next >= items.count()) return false;
  const found = items.at(next) ?? (await items.load(next));
  if (!found || mine !== turning || !dialog.open) return false;
  show(found, next);
  return true;
}

/** Open or close what the address names. */
async function follow() {
  const named = state.picture;
  if (!named) return dialog.open ? dialog.close() : null;
  if (dialog.open && hit?.id === named.id) return frame === named.frame ? null : showFrame(named.frame);
  const index = find(named.id);
  if (index >= 0) return show(items.at(index), index, { number: named.frame });
  const mine = ++turning;
  const alone = await api.picture(named.id).catch(() => null); // not in the current results
  if (mine !== turning || state.picture !== named) return null;
  if (alone) {
    show(alone, find(named.id), { number: named.frame });
    return at < 0 ? locate(alone) : null;
  }
  closePicture();
  return toast(t("gone"));
}

/** The index of a loaded picture, or -1. */
function find(id) {
  for (let index = 0; index < items.count(); index += 1) {
    if (items.at(index)?.id === id) return index;
  }
  return -1;
}

/** The IDs of the first results, in their order; none if the pictures are not in the order of relevance. */
function firstResults() {
  if (state.sort !== "relevance" || at < 0) return [];
  return Array.from({ length: Math.min(JUDGED, items.count()) }, (_, index) => items.at(index)?.id).filter((id) => id !== undefined);
}

/** The grid shows other pictures: the open one may be one of them. */
export function regrouped() {
  if (!dialog.open) return;
  at = find(hit.id);
  if (at >= 0) hit = items.at(at);
  else locate(hit);
  drawNeighbours(dialog, parts.track, at);
  if (known) drawFacts(parts.facts, known, hit, stage);
}

/** Look for the open picture among those by date that are not loaded. */
async function locate(picture) {
  const index = await items.locate(picture);
  if (index < 0 || !dialog.open || hit?.id !== picture.id) return;
  [hit, at] = [items.at(index) ?? hit, index];
  drawNeighbours(dialog, parts.track, at);
}

function leave() {
  clearTimeout(later);
  turning += 1;
  slideshow.stop();
  if (document.fullscreenElement) document.exitFullscreen();
  removeEventListener("resize", resized);
  heat.forget();
  parts.track.replaceChildren();
  closePicture();
  if (at >= 0) focusOn(at);
  [hit, known] = [null, null];
}

// Drawing ------------------------------------------------------------------------------------------------------------

/** Make the elements that stay while the viewer is open. */
function build() {
  parts = buildParts(dialog, { step, choose: () => toggle(hit) });
  watchPointers(dialog.querySelector(".frame"), { follow: (x) => slide(parts.track, x), turn: (side) => turn(parts.track, at, side, step), pull: pulled });
  sheet.begin();
  drawShow(parts.toolbar);
}

/** Return a function that tells whether a picture is still shown. Its object changes when the grid loads it again. */
const whileShown = (shown) => () => hit?.id === shown.id;

function draw({ why = false } = {}) {
  known = null;
  showFrame = () => {};
  const isNow = whileShown(hit);
  const lost = (is) => {
    stage.hidden = is;
    dialog.querySelector(".lost").hidden = !is;
  };
  stage = makeStage(hit, { lost: () => isNow() && lost(true), shown: (picture) => {
    if (!isNow()) return;
    lost(false);
    if (frame) stage.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight || 1); // pages differ in size
    resize(sizeOf(hit, frame, picture));
    slideshow.plan();
  } });
  parts.track.replaceChildren(stage);
  slide(parts.track, 0);
  zoomOn(stage, { width: hit.width, height: hit.height }, zoomed);
  parts.title.textContent = hit.name ?? "";
  parts.title.title = hit.name ?? "";
  parts.link.href = original(hit.id);
  parts.where.replaceChildren(heat.why(hit, stage, { frame, now: why }));
  drawActions(parts.actions, stage, asPart);
  for (const name of ["organise", "frames", "judging", "facts", "written", "near"]) parts[name].replaceChildren();
  for (const name of ["frames", "judging", "written"]) parts[name].hidden = true;
  markChosen();
  drawShot();
  drawNeighbours(dialog, parts.track, at);
  drawDetails(isNow);
  drawStack(hit, parts.near, isNow);
  drawJudging(hit, parts.judging, isNow, { first: firstResults, go: (id) => { const index = find(id); if (index >= 0) show(items.at(index), index); } });
  sheet.draw();
  keepFocus();
}

/** Give the focus back to what has the name `key`, or to the viewer, if its element is gone or disabled. */
function keepFocus(key = null) {
  const focused = document.activeElement;
  if (dialog.contains(focused) && focused !== dialog && !focused.disabled) return;
  (dialog.querySelector(`[data-key="${key}"]:not(:disabled)`) ?? dialog.querySelector(".screen")).focus();
}

/** Show the frame on the stage. */
function drawShot() {
  parts.sign.hidden = true;
  stage.classList.remove("blunt");
  drawPicture(stage, hit, frame, title());
  if (typeof hit.duration === "number") addPlayer(hit, stage, seconds);
  zoomed();
}

function zoomed() {
  if (!stage.isConnected) return;
  drawZoom(parts.toolbar);
  clearTimeout(later);
  later = setTimeout(async () => {
    const shown = stage;
    const isNow = () => stage === shown && dialog.open;
    await sharpen(stage, hit, frame, { sign: parts.sign, isNow, size: sizeOf(hit, frame, stage.querySelector(".picture")) });
    if (isNow() && frame) resize(sizeOf(hit, frame, stage.querySelector(".picture")));
  }, SOON);
}

const resized = () => resize(sizeOf(hit, frame, stage.querySelector(".picture")));

/** The frame that is shown, as the library describes it. */
const described = () => known?.frames.find((each) => each.number === frame) ?? hit.frame;

/** The time of the moment that is shown. */
const seconds = () => described()?.seconds ?? 0;

/** The name of the file and of the frame that is shown. */
const title = () => titleOf({ ...hit, name: hit.name ?? "" }, described());

/** What is shown, as a part of a query. */
const asPart = () => ({ picture: hit.id, frame: frame || undefined, label: title() });

function markChosen() {
  if (hit) parts.toolbar.querySelector("[data-key=pick]").setAttribute("aria-pressed", String(isSelected(hit.id)));
}

// Details ------------------------------------------------------------------------------------------------------------

async function drawDetails(isNow = whileShown(hit)) {
  const found = await api.picture(hit.id).catch(() => null);
  if (!found || !isNow()) return;
  const isFirst = known === null;
  known = found;
  parts.title.textContent = parts.title.title = known.name;
  const held = document.activeElement?.dataset.key;
  drawOrganise(parts.organise, known);
  drawFacts(parts.facts, known, hit, stage);
  keepFocus(held);
  if (isFirst) {
    drawFrames();
    if (hit.duration === undefined && known.duration !== null) addPlayer(hit, stage, seconds);
  }
  drawText();
}

function drawFrames() {
  if (!known.frames.length) return;
  const mark = drawStrip(parts.frames, hit, known.frames, (number) => showFrame(number));
  showFrame = (number) => {
    frame = number;
    openPicture(hit.id, frame);
    stage.querySelector(".heat").hidden = true;
    stage.querySelector(".face").hidden = true;
    drawShot();
    drawText();
    parts.where.replaceChildren(heat.why(hit, stage, { frame }));
    mark(number);
  };
  mark(frame);
}

function stepFrame(by) {
  if (!known?.frames.length) return;
  const next = known.frames[known.frames.findIndex((each) => each.number === frame) + by];
  if (next) showFrame(next.number);
}

/** Show the text in the frame that is shown. */
function drawText() {
  const read = written(known.texts, hit.texts ?? [], frame);
  parts.written.hidden = !read.length;
  parts.written.replaceChildren(make("h3", {}, t("textInPicture")), make("p", {}, ...read.flatMap((line) => [line, make("br")])));
}

// Touch --------------------------------------------------------------------------------------------------------------

/** A drag up shows the details, a drag down closes them or the viewer. */
function pulled(y) {
  if (y < 0) sheet.showDetails(true);
  else if (sheet.isSheet() && sheet.isShown()) sheet.showDetails(false);
  else dialog.close();
}

export function start() {
  sheet.start(dialog);
  watchKeys(dialog, { step, stepFrame, shown: () => hit.id, showWhere: () => parts.where.querySelector("form").requestSubmit() });
  dialog.addEventListener("close", leave);
  slideshow.start(dialog, {
    next: () => step(1, { round: true }),
    changed: (now) => {
      dialog.classList.toggle("showing", now !== "off");
      drawShow(parts.toolbar);
    },
  });
  onPicture(follow);
  onSelection(markChosen);
  onEdited((ids) => { if (hit && ids.includes(hit.id)) drawDetails(); });
}
