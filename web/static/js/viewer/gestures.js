// Pointers on the picture: wheel, pinch and double tap zoom, a drag moves the picture, or turns to the next one.

import { isZoomed, panBy, settle, toggleZoom, zoomBy } from "./zoom.js";

const WHEEL = 0.002; // per pixel of the wheel
const PINCH = 0.01; // the same on a touch pad
const TAP = 300; // milliseconds between the two taps of a double tap
const NEAR = 30; // pixels
const FAR = 0.22; // of the width: a drag this long turns to the next picture
const FAST = 0.5; // pixels per millisecond: so does a flick
const UP = 60; // pixels

const pointers = new Map(); // id -> { x, y }
let drag = null; // { x, y, since, direction } of the only pointer
let tap = null; // the last tap: { x, y, when }
let hooks = {};

const isControl = (event) => event.target.closest("button, a, select, input, video, .toolbar, .cropping");

function wheel(event) {
  if (isControl(event)) return;
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? PINCH : WHEEL)), { x: event.clientX, y: event.clientY });
}

function down(event) {
  if (isControl(event) || event.button > 0) return;
  event.currentTarget.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  const [only] = pointers.values();
  drag = pointers.size === 1 ? { ...only, since: event.timeStamp, direction: null } : null;
  if (pointers.size > 1) hooks.follow(0);
}

function move(event) {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = { x: event.clientX, y: event.clientY };
  if (pointers.size === 2) pinch(event.pointerId, before, now);
  else if (isZoomed()) panBy(now.x - before.x, now.y - before.y);
  else if (drag) follow(now);
  pointers.set(event.pointerId, now);
}

/** Two fingers: their distance zooms, their middle moves the picture. */
function pinch(id, before, now) {
  const other = [...pointers].find(([each]) => each !== id)[1];
  const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  zoomBy(apart(now) / apart(before), middle);
}

function follow(now) {
  const [x, y] = [now.x - drag.x, now.y - drag.y];
  drag.direction ??= Math.hypot(x, y) < 8 ? null : Math.abs(x) > Math.abs(y) ? "across" : "down";
  if (drag.direction === "across") hooks.follow(x);
}

function up(event) {
  if (!pointers.delete(event.pointerId)) return;
  if (!drag || pointers.size) {
    if (!pointers.size) settle();
    return;
  }
  const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
  const speed = Math.abs(x) / Math.max(1, event.timeStamp - drag.since);
  const { direction } = drag;
  drag = null;
  if (event.type === "pointercancel") hooks.follow(0);
  else if (direction === null && Math.hypot(x, y) < 8) tapped(event);
  else if (isZoomed()) settle();
  else if (direction === "across") hooks.turn(Math.abs(x) > FAR * innerWidth || (speed > FAST && Math.abs(x) > NEAR) ? -Math.sign(x) : 0);
  else if (event.pointerType === "touch" && Math.abs(y) > UP) hooks.pull(y);
}

function tapped(event) {
  const here = { x: event.clientX, y: event.clientY, when: event.timeStamp };
  const isDouble = tap && here.when - tap.when < TAP && Math.hypot(here.x - tap.x, here.y - tap.y) < NEAR;
  tap = isDouble ? null : here;
  if (isDouble) toggleZoom(here);
}

/**
 * Watch the pointers on `frame`. `follow(x)` moves the picture across by x pixels; `turn(side)` ends that, with a turn to
 * the picture on the right (1), on the left (-1) or to none (0); `pull(y)` is a drag up or down by y pixels.
 */
export function watchPointers(frame, given) {
  hooks = given;
  frame.addEventListener("wheel", wheel, { passive: false });
  frame.addEventListener("pointerdown", down);
  frame.addEventListener("pointermove", move);
  frame.addEventListener("pointerup", up);
  frame.addEventListener("pointercancel", up);
  frame.addEventListener("dragstart", (event) => event.preventDefault()); // of the image as a file
  frame.addEventListener("transitionend", (event) => {
    if (event.target.classList.contains("stage")) settle();
  });
}
