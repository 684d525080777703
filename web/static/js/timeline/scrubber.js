// The scale at the side of the timeline: years, months while it is dragged, and the date under the pointer.

import { byId, make } from "../dom.js";
import { monthName, yearName } from "./dates.js";

const YEAR = 26; // pixels that a year needs on the scale
const MONTH = 7; // and the mark of a month
const LINGER = 1500; // milliseconds that the scale stays visible on a phone

const scale = byId("scrubber");
const label = make("div.at", { "aria-hidden": "true" });
const thumb = make("div.thumb", { "aria-hidden": "true" });
const marks = make("div.marks-of-time", { "aria-hidden": "true" });

let months = []; // [{ month, top }], newest first, with their heights in the page
let later = null;

/** Show the scale of a timeline, or hide it without one. */
export function show(timeline, arrangement, grid) {
  scale.hidden = !timeline || timeline.months.length < 2;
  months = timeline ? timeline.months.map(({ month }, number) => ({ month, top: grid.offsetTop + arrangement.groups[number].top - stuck() })) : [];
  if (!scale.hidden) draw();
}

/** The height of what covers the top of the page. */
const stuck = () => document.querySelector(".bar").offsetHeight;
const range = () => Math.max(1, document.documentElement.scrollHeight - innerHeight);
const shareOf = (top) => Math.min(1, Math.max(0, top / range()));

function draw() {
  const height = scale.clientHeight;
  const made = [];
  let [lastYear, lastMonth] = [-Infinity, -Infinity];
  months.forEach(({ month, top }, number) => {
    const at = shareOf(top) * height;
    const isYear = number === 0 || yearName(month) !== yearName(months[number - 1].month);
    if (isYear && month && at - lastYear >= YEAR && at < height - YEAR / 2) {
      made.push(mark("span.year-mark", at, yearName(month)));
      lastYear = at;
    } else if (at - lastMonth >= MONTH && at - lastYear >= YEAR / 2) made.push(mark("span.month-mark", at));
    else return;
    lastMonth = at;
  });
  marks.replaceChildren(...made);
  follow();
}

function mark(what, at, text = "") {
  const element = make(what, {}, text);
  element.style.setProperty("top", `${at}px`);
  return element;
}

/** The number of the month at a height of the page. */
function monthAt(top) {
  let found = 0;
  while (found + 1 < months.length && months[found + 1].top <= top + 1) found += 1;
  return found;
}

/** Show where the page is scrolled to. */
function follow() {
  if (scale.hidden || !scale.clientHeight) return;
  thumb.style.setProperty("transform", `translateY(${shareOf(scrollY) * scale.clientHeight}px)`);
  const number = monthAt(scrollY);
  scale.setAttribute("aria-valuemax", months.length - 1);
  scale.setAttribute("aria-valuenow", number);
  scale.setAttribute("aria-valuetext", monthName(months[number].month));
}

/** Follow the page, and show the scale for a moment: on a phone, it covers what is at the side. */
function onScroll() {
  follow();
  scale.classList.add("moved");
  clearTimeout(later);
  later = setTimeout(() => scale.classList.remove("moved"), LINGER);
}

const shareUnder = (event) => {
  const { top, height } = scale.getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientY - top) / height));
};

function point(event) {
  const share = shareUnder(event);
  label.textContent = monthName(months[monthAt(share * range())].month);
  label.style.setProperty("transform", `translateY(${share * scale.clientHeight}px)`);
}

function onKey(event) {
  const here = Number(scale.getAttribute("aria-valuenow"));
  const year = (by) => {
    let next = here;
    while (months[next + by] && yearName(months[next].month) === yearName(months[here].month)) next += by;
    return next;
  };
  const steps = { ArrowDown: () => here + 1, ArrowUp: () => here - 1, ArrowRight: () => here + 1, ArrowLeft: () => here - 1,
    PageDown: () => year(1), PageUp: () => year(-1), Home: () => 0, End: () => months.length - 1 };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const next = Math.min(months.length - 1, Math.max(0, steps[event.key]()));
  scrollTo({ top: next ? months[next].top : 0 });
  follow();
}

export function start() {
  scale.append(marks, thumb, label);
  let dragging = false;
  const go = (event) => {
    point(event);
    scrollTo({ top: shareUnder(event) * range() });
  };
  scale.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    scale.setPointerCapture(event.pointerId);
    dragging = true;
    scale.classList.add("dragging");
    go(event);
  });
  scale.addEventListener("pointermove", (event) => (dragging ? go(event) : point(event)));
  const end = () => {
    dragging = false;
    scale.classList.remove("dragging");
  };
  scale.addEventListener("pointerup", end);
  scale.addEventListener("pointercancel", end);
  scale.addEventListener("keydown", onKey);
  addEventListener("scroll", onScroll, { passive: true });
  addEventListener("resize", () => { if (!scale.hidden) draw(); });
}
