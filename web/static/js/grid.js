// The pictures. However many there are, only those near the screen are elements.

import { thumbnail } from "./api.js";
import { byId, icon, make } from "./dom.js";
import { t } from "./i18n.js";
import { isSelected, onSelection, toggle } from "./selection.js";

const GAP = 6;
const LINE = 76; // height of the line where relevance ends
const AHEAD = 1.2; // screens above and below the visible one that are drawn too

const grid = byId("grid");
let hits = [];
let border = 0; // how many come before the line
let layout = { columns: 1, side: 200 };
let drawn = new Map(); // index -> element
let line = null;
let focused = 0;
let hooks = { open: () => {}, more: () => {} };

export const shown = () => hits;

/** Shows `list`; `keep` leaves the scroll where it is, because more of the same answer came. */
export function show(list, { keep = false } = {}) {
  hits = list;
  const first = hits.findIndex((hit) => hit.is_relevant === false);
  border = first < 0 ? hits.length : first;
  if (!keep) {
    forget();
    focused = 0;
    if (scrollY > grid.offsetTop) scrollTo({ top: 0 });
  }
  measure();
  draw();
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

/** The indices of what lies between two heights. */
function between(top, bottom) {
  const step = layout.side + GAP;
  const first = Math.max(0, Math.floor(top / step)) * layout.columns;
  const found = [];
  for (let index = Math.max(0, first - 2 * layout.columns); index < hits.length; index += 1) {
    const { y } = place(index);
    if (y > bottom) break;
    if (y + step >= top) found.push(index);
  }
  return found;
}

export function draw() {
  const top = scrollY - grid.offsetTop;
  const wanted = new Set(between(top - AHEAD * innerHeight, top + (1 + AHEAD) * innerHeight));
  if (drawn.has(focused) && drawn.get(focused).contains(document.activeElement)) wanted.add(focused);
  for (const [index, element] of drawn) {
    if (!wanted.has(index)) {
      element.remove();
      drawn.delete(index);
    }
  }
  for (const index of [...wanted].sort((a, b) => a - b)) {
    let element = drawn.get(index);
    if (!element) {
      element = tile(index);
      drawn.set(index, element);
      grid.append(element);
    }
    position(element, place(index));
    element.setAttribute("aria-setsize", hits.length);
  }
  drawLine();
  if (top + 3 * innerHeight > grid.clientHeight) hooks.more();
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
  line ??= make("p.line", { role: "presentation" });
  line.textContent = t(border ? "lineEnds" : "nothingFits");
  line.style.transform = `translateY(${rowsBefore() * (layout.side + GAP)}px)`;
  if (!line.isConnected) grid.append(line);
}

function tile(index) {
  const hit = hits[index];
  const size = layout.side * devicePixelRatio > 260 ? 384 : 192;
  const name = hit.name + (hit.taken_at ? `, ${hit.taken_at.slice(0, 10)}` : "");
  const element = make("div.tile", { role: "listitem", "aria-posinset": index + 1, "data-id": hit.id },
    make("button.shot", { type: "button", "aria-label": name, tabIndex: index === focused ? 0 : -1, onclick: () => hooks.open(index) },
      make("img", { src: thumbnail(hit.id, size), alt: "", decoding: "async" })),
    hit.stack > 1 ? make("span.stack", { title: t("stackOf", { n: hit.stack }) }, icon("alike"), String(hit.stack)) : null,
    hit.score === null || hit.score === undefined ? null : make("span.score", { title: t("scoreHint"), "aria-hidden": "true" }, hit.score.toFixed(3)),
    make("label.choose", { title: t("select") },
      make("input", { type: "checkbox", "aria-label": t("selectName", { name: hit.name }), tabIndex: -1, checked: isSelected(hit.id),
        onclick: (event) => toggle(index, hits, event.shiftKey) })),
  );
  element.querySelector("img").addEventListener("error", (event) => event.target.closest(".tile").classList.add("gone"));
  element.classList.toggle("selected", isSelected(hit.id));
  return element;
}

/** Moves the focus to a picture, drawing it first if it is far away. */
export function focusOn(index) {
  if (index < 0 || index >= hits.length) return;
  const before = drawn.get(focused)?.querySelector(".shot");
  if (before) before.tabIndex = -1;
  focused = index;
  const { y } = place(index);
  const top = grid.offsetTop + y;
  if (top < scrollY + 80 || top + layout.side > scrollY + innerHeight) scrollTo({ top: top - innerHeight / 3 });
  draw();
  const shot = drawn.get(index)?.querySelector(".shot");
  if (shot) {
    shot.tabIndex = 0;
    shot.focus({ preventScroll: true });
  }
}

function onKey(event) {
  const here = [...drawn].find(([, element]) => element.contains(event.target))?.[0];
  if (here === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const steps = { [forward]: 1, [backward]: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns, Home: -here, End: hits.length - 1 - here };
  if (event.key in steps) {
    event.preventDefault();
    focusOn(Math.min(hits.length - 1, Math.max(0, here + steps[event.key])));
  } else if (event.key === " " || event.key === "x") {
    event.preventDefault();
    toggle(here, hits, event.shiftKey);
  }
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
