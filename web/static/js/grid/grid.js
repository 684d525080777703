// The grid of pictures: the hits of a search, or all pictures by date. Only those near the visible area are elements.

import { byId, make } from "../dom.js";
import { t } from "../i18n.js";
import { arrange } from "./layout.js";
import * as look from "./look.js";
import { isAnySelected, isSelected, onSelection, selectAll } from "./selection.js";
import { keepImages, placeholder, tile } from "./tiles.js";
import { blocksOf, Headings } from "../timeline/headings.js";
import * as scrubber from "../timeline/scrubber.js";

const LINE = 76; // height of the line below the relevant pictures
const AHEAD = 1; // screens above and below the visible one that are drawn as well
const SOON = 60; // milliseconds after the visible pictures until those are drawn
const NARROWEST = 112; // pixels of a day, so that its heading fits

const grid = byId("grid");
let hits = [];
let timeline = null; // the pictures by date, if they are shown
let border = 0; // number of pictures before the line
let arrangement = arrange([], { ratio: () => 1, width: 1, gap: 0, target: 1 });
let arranged = null; // the timeline of the arrangement, if it has one
let headings = null; // those of the timeline
let drawn = new Map(); // index -> element
let line = null;
let focused = 0;
let chosen = null; // index of the last picture that was selected
let isNew = false; // whether the list answers another question than the one that was arranged before
let stale = false; // whether the list has changed while another view was visible
let awaited = null; // how far the page is scrolled once more of the list is loaded
let hooks = { open: () => {}, more: () => {}, like: () => {}, why: () => null, lost: () => {} };

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

/** Show a list. With `keep`, the page stays where it is scrolled to: the same question was asked again. */
export function show(list, { keep = false } = {}) {
  renew(list, null, keep);
}

/** Show all pictures by date. With `keep`, the day at the top stays there: the same pictures were counted again. */
export function showTimeline(found, { keep = false } = {}) {
  if (keep && timeline) found.adopt(timeline);
  found.loaded = (first, end) => hits === found.hits && replaceDrawn(first, end);
  found.lost = () => timeline === found && hooks.lost();
  renew(found.hits, found, keep);
}

function renew(list, found, keep) {
  const isSame = keep && !found === !timeline;
  const held = grid.contains(document.activeElement);
  const before = hits[focused]?.id;
  keepImages(drawn.values());
  forget();
  [hits, timeline, chosen, awaited] = [list, found, null, null];
  if (!isSame || before === undefined || list[focused]?.id !== before) focused = 0;
  isNew ||= !isSame;
  settle(held);
}

/** Arrange and draw a list that has come, now or once the grid is visible. */
function settle(held = false) {
  const [keep, top] = [!isNew, scrollY];
  const day = keep && timeline ? topDay() : null;
  measure();
  if (stale) return;
  isNew = false;
  if (day) scrollTo({ top: grid.offsetTop + heightOf(day) });
  else if (!keep && scrollY > grid.offsetTop) scrollTo({ top: 0 });
  else if (keep && !timeline && scrollY < top) awaited = top; // the list is shorter than it was
  draw(0);
  setTimeout(() => draw(), SOON);
  if (held) keep ? focusDrawn(focused) : focusOn(0);
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
  if (held) focusDrawn(focused); // its tile was drawn again
}

/** Divide the list where the relevant pictures end. */
function blocksOfList() {
  const first = hits.findIndex((hit) => hit.is_relevant === false);
  const isLast = first >= 0 && hits.slice(first).every((hit) => hit.is_relevant === false); // not so by date
  border = isLast ? first : hits.length;
  const before = border ? [{ start: 0, count: border, heading: 0 }] : [];
  return border < hits.length ? [...before, { start: border, count: hits.length - border, heading: LINE }] : before;
}

function forget() {
  for (const element of drawn.values()) element.remove();
  drawn = new Map();
  headings?.remove();
  headings = null;
}

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
    : arrange(blocksOfList(), options);
  arranged = timeline;
  forget();
  grid.setAttribute("role", timeline ? "group" : "list");
  if (timeline) headings = new Headings(grid, timeline, arrangement);
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
  for (const [index, element] of drawn) {
    if (wanted.has(index)) continue;
    element.remove();
    drawn.delete(index);
  }
  place([...wanted].sort((a, b) => a - b));
  drawLine();
  if (timeline) timeline.need(first, end);
  else if (ahead && top + 3 * innerHeight > arrangement.height) hooks.more();
}

/** Tab must find a picture: the focused one, or the first that is visible if the focus is elsewhere. */
function keepFocusable(wanted, top) {
  if (focused >= hits.length) return;
  if (!wanted.has(focused) && !grid.contains(document.activeElement)) {
    drawn.get(focused)?.remove();
    drawn.delete(focused);
    [focused] = arrangement.between(top, top + innerHeight);
    const shot = drawn.get(focused)?.querySelector(".shot");
    if (shot) shot.tabIndex = 0;
  }
  wanted.add(focused);
}

/** Draw these pictures, in their order, for screen readers. */
function place(indices) {
  const places = new Map(indices.map((index) => [index, arrangement.place(index)]));
  if (headings) headings.draw([...new Set([...places.values()].map((each) => each.block))]);
  const last = new Map(); // parent -> its last tile so far
  for (const [index, where] of places) {
    const parent = headings ? headings.listOf(where.block) : grid;
    const element = drawn.get(index) ?? build(index, where);
    if (!element.isConnected) last.has(parent) ? last.get(parent).after(element) : parent.prepend(element);
    last.set(parent, element);
    if (!timeline) element.setAttribute("aria-setsize", hits.length); // more of a list may have been loaded
  }
}

function build(index, where) {
  const hit = hits[index];
  const given = { index, ...where, selected: hit && isSelected(hit.id), tabIndex: index === focused ? 0 : -1 };
  const element = hit ? tile(hit, given, {
    open: () => hooks.open(index),
    like: () => hooks.like(hit),
    why: hooks.why(index),
    choose: (event) => choose(index, event.shiftKey),
  }) : placeholder(given);
  element.setAttribute("aria-setsize", hits.length);
  const block = arrangement.blocks[where.block];
  position(element, headings ? { ...where, x: where.x - block.left, y: where.y - block.top } : where);
  drawn.set(index, element);
  return element;
}

function position(element, { x, y, width, height }) {
  element.style.setProperty("width", `${width}px`);
  element.style.setProperty("height", `${height}px`);
  const right = document.documentElement.dir === "rtl";
  element.style.setProperty("transform", `translate(${right ? -x : x}px, ${y}px)`);
}

/** Show pictures that have been loaded in place of their placeholders. */
function replaceDrawn(first, end) {
  for (const [index, element] of drawn) {
    if (index < first || index >= end || !hits[index] || !element.classList.contains("coming")) continue;
    element.replaceWith(build(index, arrangement.place(index)));
  }
}

async function choose(index, range) {
  const from = chosen;
  chosen = index;
  const on = !isSelected(hits[index].id);
  if (!range || from === null) return selectAll([hits[index]], on);
  const [first, last] = [Math.min(from, index), Math.max(from, index)];
  selectAll(timeline ? await timeline.collect(first, last) : hits.slice(first, last + 1), on);
}

function drawLine() {
  if (timeline || border >= hits.length) {
    line?.remove();
    line = null;
    return;
  }
  line ??= make("div.line", { role: "presentation" }, make("span"));
  line.firstChild.textContent = t(border ? "lineEnds" : "nothingFits");
  line.style.setProperty("transform", `translateY(${arrangement.blocks.at(-1).top}px)`);
  if (!line.isConnected) grid.append(line);
}

/** The day at the top of the visible area, and how far its pictures are scrolled; null without one. */
function topDay() {
  if (!arranged?.count || !grid.clientWidth) return null;
  const top = scrollY - grid.offsetTop;
  if (top <= 0) return null;
  const [index] = arrangement.between(top, top + innerHeight);
  const block = arrangement.blocks[arrangement.place(index).block];
  return { day: arranged.days[arranged.dayOf(index)].day, past: top - block.top };
}

/** Where that day is now, or the next older one. */
function heightOf({ day, past }) {
  const number = timeline.days.findIndex((each) => each.day === null || (day !== null && each.day <= day));
  return number < 0 ? 0 : arrangement.blocks[number].top + past;
}

/** Move the focus to a picture, drawing it first if it is far away. */
export async function focusOn(index) {
  if (index < 0 || index >= hits.length || !grid.clientWidth) return;
  if (stale) settle();
  const before = drawn.get(focused)?.querySelector(".shot");
  if (before) before.tabIndex = -1;
  focused = index;
  const { y, height } = arrangement.place(index);
  const top = grid.offsetTop + y;
  if (top < scrollY + 140 || top + height > scrollY + innerHeight) scrollTo({ top: Math.max(0, top - innerHeight / 3) });
  draw();
  await focusDrawn(index);
}

/** Move the focus to a picture that is drawn, without scrolling. */
async function focusDrawn(index) {
  if (index < hits.length && !hits[index]) await items.load(index);
  const shot = focused === index ? drawn.get(index)?.querySelector(".shot") : null;
  if (!shot) return;
  shot.tabIndex = 0;
  shot.focus({ preventScroll: true });
}

function onKey(event) {
  const here = [...drawn].find(([, element]) => element.contains(event.target))?.[0];
  if (here === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const steps = { [forward]: () => here + 1, [backward]: () => here - 1, ArrowDown: () => arrangement.vertical(here, 1) ?? hits.length - 1,
    ArrowUp: () => arrangement.vertical(here, -1), Home: () => 0, End: () => hits.length - 1 };
  if (event.key in steps) {
    const next = steps[event.key]();
    if (next === null) byId("words").focus();
    else focusOn(Math.min(hits.length - 1, Math.max(0, next)));
  } else if (event.key === " " || event.key === "x") choose(here, event.shiftKey);
  else return;
  event.preventDefault();
}

function markSelected() {
  if (!isAnySelected()) chosen = null;
  for (const element of drawn.values()) {
    const box = element.querySelector("input");
    if (!box) continue;
    const is = isSelected(Number(element.dataset.id));
    element.classList.toggle("selected", is);
    box.checked = is;
  }
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
  if (held) focusDrawn(focused);
}

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
