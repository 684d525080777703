// The grid of pictures: the hits of a search, or all pictures by date. Only those near the visible area are elements.

import { byId } from "../dom.js";
import { dayAt, heightOf } from "../timeline/anchor.js";
import { blocksOf, Headings } from "../timeline/headings.js";
import * as scrubber from "../timeline/scrubber.js";
import { DrawnTiles } from "./drawn.js";
import { indexAfter } from "./keys.js";
import { arrange } from "./layout.js";
import { RelevanceLine } from "./line.js";
import * as look from "./look.js";
import { isAnySelected, isSelected, onSelection, selectAll } from "./selection.js";

const AHEAD = 1; // screens above and below the visible one that are drawn as well
const SOON = 60; // milliseconds after the visible pictures until those are drawn
const NARROWEST = 112; // pixels of a day, so that its heading fits

const grid = byId("grid");
let hits = [];
let timeline = null; // the pictures by date, if they are shown
let arrangement = arrange([], { ratio: () => 1, width: 1, gap: 0, target: 1 });
let arranged = null; // the timeline of the arrangement, if it has one
let chosen = null; // index of the last picture that was selected
let isNew = false; // whether the list answers another question than the one that was arranged before
let stale = false; // whether the list has changed while another view was visible
let awaited = null; // how far the page is scrolled once more of the list is loaded
let hooks = { open: () => {}, more: () => {}, like: () => {}, why: () => null, lost: () => {} };

const line = new RelevanceLine(grid);
const tiles = new DrawnTiles(grid, (index) => ({
  open: () => hooks.open(index),
  like: () => hooks.like(hits[index]),
  why: hooks.why(index),
  choose: (event) => choose(index, event.shiftKey),
}));

export const shown = () => hits;

/** Whether all pictures are shown by date, rather than the hits of a search. */
export const isByDate = () => timeline !== null;

/**
 * The pictures of the grid for the viewer, by their index. A long list is loaded in parts: `at` returns undefined for a
 * picture that is not loaded, and `load` resolves to it, or to undefined if there is none any more.
 */
export const items = {
  count: () => hits.length,
  at: (index) => hits[index],
  load: async (index) => (timeline ? timeline.load(index) : hits[index]),
  /** Resolve to the index of a picture, by its ID and date, or to -1. */
  locate: async (picture) => (timeline ? timeline.locate(picture).catch(() => -1) : hits.findIndex((hit) => hit.id === picture.id)),
};

// Lists ---------------------------------------------------------------------------------------------------------------

/** Show a list. With `keep`, the page stays where it is scrolled to: the same question was asked again. */
export function show(list, { keep = false } = {}) {
  renew(list, null, keep);
}

/** Show all pictures by date. With `keep`, the day at the top stays there: the same pictures were counted again. */
export function showTimeline(found, { keep = false } = {}) {
  if (keep && timeline) found.adopt(timeline);
  found.loaded = (first, end) => hits === found.hits && tiles.replace(first, end);
  found.lost = () => timeline === found && hooks.lost();
  renew(found.hits, found, keep);
}

function renew(list, found, keep) {
  const isSame = keep && !found === !timeline;
  const held = grid.contains(document.activeElement);
  const before = hits[tiles.focusable]?.id;
  tiles.keepImages();
  tiles.clear();
  [hits, timeline, chosen, awaited] = [list, found, null, null];
  if (!isSame || before === undefined || list[tiles.focusable]?.id !== before) tiles.focusable = 0;
  isNew ||= !isSame;
  settle(held);
}

/** Arrange and draw a list that has come, now or once the grid is visible. */
function settle(held = false) {
  const [keep, top] = [!isNew, scrollY];
  const day = keep && timeline && grid.clientWidth ? dayAt(arranged, arrangement, top - grid.offsetTop) : null;
  measure();
  if (stale) return;
  isNew = false;
  if (day) scrollTo({ top: grid.offsetTop + heightOf(day, timeline, arrangement) });
  else if (!keep && scrollY > grid.offsetTop) scrollTo({ top: 0 });
  else if (keep && !timeline && scrollY < top) awaited = top; // the list is shorter than it was
  draw(0);
  setTimeout(() => draw(), SOON);
  if (held) keep ? focusDrawn(tiles.focusable) : focusOn(0);
}

/** Append the next page of the same result. */
export function append(list) {
  const isWaiting = awaited !== null && grid.clientWidth && scrollY + innerHeight > document.documentElement.scrollHeight - 2;
  const held = grid.contains(document.activeElement);
  for (const hit of list) hits.push(hit);
  if (!stale) measure();
  if (isWaiting) scrollTo({ top: awaited });
  if (!isWaiting || scrollY > awaited - 1) awaited = null; // it is reached, or someone has scrolled
  draw();
  if (held) focusDrawn(tiles.focusable); // its tile was drawn again
}

// Drawing -------------------------------------------------------------------------------------------------------------

/** Arrange all pictures for the width of the grid, if it is visible. */
function measure() {
  const width = grid.clientWidth;
  stale = !width;
  if (stale) return;
  const [list, dated] = [hits, timeline];
  const own = dated ? (index) => dated.ratio(index) : (index) => list[index].width / list[index].height || 1;
  const options = look.measures(width, own);
  arrangement = timeline
    ? arrange(blocksOf(timeline), { ...options, beside: true, apart: 3 * options.gap, narrowest: NARROWEST })
    : arrange(line.blocksOf(hits), options);
  arranged = timeline;
  tiles.arrange(hits, arrangement, timeline && new Headings(grid, timeline, arrangement));
  grid.setAttribute("role", timeline ? "group" : "list");
  grid.style.setProperty("height", `${arrangement.height}px`);
  scrubber.show(timeline, arrangement, grid);
}

export function draw(ahead = AHEAD) {
  if (!grid.clientWidth) return; // another view is visible
  if (stale) return settle();
  const top = scrollY - grid.offsetTop;
  const [first, end] = arrangement.between(top - ahead * innerHeight, top + (1 + ahead) * innerHeight);
  const wanted = new Set(Array.from({ length: end - first }, (_, i) => first + i));
  keepFocusable(wanted, top);
  tiles.draw([...wanted].sort((a, b) => a - b));
  if (timeline) line.remove();
  else line.draw(arrangement);
  if (timeline) timeline.need(first, end);
  else if (ahead && top + 3 * innerHeight > arrangement.height) hooks.more();
}

/** Tab must find a picture: the focused one, or the first that is visible if the focus is elsewhere. */
function keepFocusable(wanted, top) {
  if (tiles.focusable >= hits.length) return;
  if (!wanted.has(tiles.focusable) && !grid.contains(document.activeElement)) {
    tiles.makeFocusable(arrangement.between(top, top + innerHeight)[0]);
  }
  wanted.add(tiles.focusable);
}

/** Arrange the pictures again; the one at the top stays there. */
function rearrange() {
  if (!grid.clientWidth) return;
  if (stale) return settle();
  const top = scrollY - grid.offsetTop;
  const [index] = top > 0 ? arrangement.between(top, top + innerHeight) : [0];
  const held = grid.contains(document.activeElement);
  measure();
  if (top > 0 && hits.length) scrollTo({ top: grid.offsetTop + arrangement.place(index).y });
  draw();
  if (held) focusDrawn(tiles.focusable);
}

// Focus and selection -------------------------------------------------------------------------------------------------

/** Move the focus to a picture, drawing it first if it is far away. */
export async function focusOn(index) {
  if (index < 0 || index >= hits.length || !grid.clientWidth) return;
  if (stale) settle();
  tiles.makeFocusable(index);
  const { y, height } = arrangement.place(index);
  const top = grid.offsetTop + y;
  if (top < scrollY + 140 || top + height > scrollY + innerHeight) scrollTo({ top: Math.max(0, top - innerHeight / 3) });
  draw();
  await focusDrawn(index);
}

/** Move the focus to a picture that is drawn, without scrolling. */
async function focusDrawn(index) {
  if (index < hits.length && !hits[index]) await items.load(index);
  if (tiles.focusable !== index) return;
  tiles.makeFocusable(index);
  tiles.shot(index)?.focus({ preventScroll: true });
}

function onKey(event) {
  const here = tiles.indexOf(event.target);
  if (here === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = indexAfter(event.key, here, arrangement);
  if (next === null) byId("words").focus();
  else if (next !== undefined) focusOn(next);
  else if (event.key === " " || event.key === "x") choose(here, event.shiftKey);
  else return;
  event.preventDefault();
}

async function choose(index, range) {
  const from = chosen;
  chosen = index;
  const on = !isSelected(hits[index].id);
  if (!range || from === null) return selectAll([hits[index]], on);
  const [first, last] = [Math.min(from, index), Math.max(from, index)];
  selectAll(timeline ? await timeline.collect(first, last) : hits.slice(first, last + 1), on);
}

function markSelected() {
  if (!isAnySelected()) chosen = null;
  tiles.markSelected();
}

// The view ------------------------------------------------------------------------------------------------------------

export function start(given) {
  hooks = given;
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
  addEventListener("scroll", later, { passive: true });
  let width = 0;
  new ResizeObserver(() => {
    if (!grid.clientWidth || (grid.clientWidth === width && !stale)) return; // hidden, or only the height has changed
    width = grid.clientWidth;
    rearrange();
  }).observe(grid);
  grid.addEventListener("keydown", onKey);
  onSelection(markSelected);
  look.start(rearrange);
  scrubber.start();
}
