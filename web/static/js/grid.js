// The grid of pictures. Only those near the visible area are elements.

import { byId, make } from "./dom.js";
import { t } from "./i18n.js";
import { isSelected, onSelection, toggle } from "./selection.js";
import { keepImages, tile } from "./tiles.js";

const GAP = 6;
const LINE = 76; // height of the line below the relevant pictures
const AHEAD = 1; // screens above and below the visible one that are drawn as well
const SOON = 60; // milliseconds after the visible pictures until those are drawn

const grid = byId("grid");
let hits = [];
let border = 0; // number of pictures before the line
let layout = { columns: 1, side: 200 };
let drawn = new Map(); // index -> element
let line = null;
let focused = 0;
let hooks = { open: () => {}, more: () => {}, like: () => {}, why: () => null };

export const shown = () => hits;

/** Show a new list. */
export function show(list) {
  const held = grid.contains(document.activeElement);
  hits = list;
  keepImages(drawn.values());
  forget();
  focused = 0;
  if (scrollY > grid.offsetTop) scrollTo({ top: 0 });
  settle(0);
  setTimeout(() => draw(), SOON);
  if (held) focusOn(0);
}

/** Append the next page of the same result. */
export function append(list) {
  for (const hit of list) hits.push(hit);
  settle();
}

function settle(ahead = AHEAD) {
  const first = hits.findIndex((hit) => hit.is_relevant === false);
  const isLast = first >= 0 && hits.slice(first).every((hit) => hit.is_relevant === false); // not so by date
  border = isLast ? first : hits.length;
  measure();
  draw(ahead);
}

function forget() {
  for (const element of drawn.values()) element.remove();
  drawn = new Map();
}

function measure() {
  const width = grid.clientWidth;
  const wanted = width < 500 ? 116 : width < 1000 ? 170 : 208;
  const columns = Math.max(2, Math.floor((width + GAP) / (wanted + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  if (columns !== layout.columns || side !== layout.side) forget();
  layout = { columns, side };
  const rows = rowsBefore() + Math.ceil((hits.length - border) / columns);
  grid.style.height = `${rows * (side + GAP) + (hasLine() ? LINE : 0)}px`;
}

const rowsBefore = () => Math.ceil(border / layout.columns);
const hasLine = () => border < hits.length;

function place(index) {
  const { columns, side } = layout;
  const after = index >= border;
  const within = after ? index - border : index;
  const row = Math.floor(within / columns) + (after ? rowsBefore() : 0);
  return { x: (within % columns) * (side + GAP), y: row * (side + GAP) + (after ? LINE : 0) };
}

/** The indices of the pictures between two heights. */
function between(top, bottom) {
  const step = layout.side + GAP;
  const found = [];
  // The line moves the pictures after it down by less than two rows; start that many rows earlier.
  let index = Math.max(0, (Math.floor(top / step) - 2) * layout.columns);
  for (; index < hits.length; index += 1) {
    const { y } = place(index);
    if (y > bottom) break;
    if (y + step >= top) found.push(index);
  }
  return found;
}

export function draw(ahead = AHEAD) {
  const top = scrollY - grid.offsetTop;
  const wanted = new Set(between(top - ahead * innerHeight, top + (1 + ahead) * innerHeight));
  if (focused < hits.length) wanted.add(focused); // Tab must find the next picture
  for (const [index, element] of drawn) {
    if (!wanted.has(index)) {
      element.remove();
      drawn.delete(index);
    }
  }
  let before = null;
  for (const index of [...wanted].sort((a, b) => a - b)) {
    const element = drawn.get(index) ?? build(index);
    // In the order of the pictures, for screen readers.
    if (!element.isConnected) before ? before.after(element) : grid.prepend(element);
    position(element, place(index));
    element.setAttribute("aria-setsize", hits.length);
    before = element;
  }
  drawLine();
  if (ahead && top + 3 * innerHeight > grid.clientHeight) hooks.more();
}

function build(index) {
  const hit = hits[index];
  const given = { index, side: layout.side, selected: isSelected(hit.id), tabIndex: index === focused ? 0 : -1 };
  const why = hooks.why(index);
  const element = tile(hit, given, {
    open: () => hooks.open(index),
    like: () => hooks.like(hit),
    why,
    choose: (event) => toggle(index, hits, event.shiftKey),
  });
  drawn.set(index, element);
  return element;
}

function position(element, { x, y }) {
  element.style.width = element.style.height = `${layout.side}px`;
  const right = document.documentElement.dir === "rtl";
  element.style.transform = `translate(${right ? -x : x}px, ${y}px)`;
}

function drawLine() {
  if (!hasLine()) {
    line?.remove();
    line = null;
    return;
  }
  line ??= make("div.line", { role: "presentation" }, make("span"));
  line.firstChild.textContent = t(border ? "lineEnds" : "nothingFits");
  line.style.transform = `translateY(${rowsBefore() * (layout.side + GAP)}px)`;
  if (!line.isConnected) grid.append(line);
}

/** Move the focus to a picture, drawing it first if it is far away. */
export function focusOn(index) {
  if (index < 0 || index >= hits.length) return;
  const before = drawn.get(focused)?.querySelector(".shot");
  if (before) before.tabIndex = -1;
  focused = index;
  const { y } = place(index);
  const top = grid.offsetTop + y;
  if (top < scrollY + 80 || top + layout.side > scrollY + innerHeight) scrollTo({ top: Math.max(0, top - innerHeight / 3) });
  draw();
  const shot = drawn.get(index).querySelector(".shot");
  shot.tabIndex = 0;
  shot.focus({ preventScroll: true });
}

function onKey(event) {
  const here = [...drawn].find(([, element]) => element.contains(event.target))?.[0];
  if (here === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const steps = { [forward]: 1, [backward]: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns, Home: -here, End: hits.length - 1 - here };
  if (event.key === "ArrowUp" && here < layout.columns) byId("words").focus();
  else if (event.key in steps) focusOn(Math.min(hits.length - 1, Math.max(0, here + steps[event.key])));
  else if (event.key === " " || event.key === "x") toggle(here, hits, event.shiftKey);
  else return;
  event.preventDefault();
}

function markSelected() {
  for (const element of drawn.values()) {
    const chosen = isSelected(Number(element.dataset.id));
    element.classList.toggle("selected", chosen);
    element.querySelector("input").checked = chosen;
  }
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
  new ResizeObserver(() => {
    measure();
    later();
  }).observe(grid);
  grid.addEventListener("keydown", onKey);
  onSelection(markSelected);
}
