// The outline of the world: land, borders and names of countries, drawn on a canvas. tools/world_outline.py made the data.

import { language } from "../i18n.js";
import { xOf, yOf } from "./projection.js";

const MARGIN = 4; // pixels around the canvas that are drawn too, so that no edge is seen
const NAME = 13; // pixels

let world = null;

/** Load the outline once. */
export async function load() {
  world ??= fetch("/static/map/world.json").then((answer) => answer.json()).then(prepared);
  world = await world;
}

export const isLoaded = () => world !== null && !(world instanceof Promise);

function prepared({ steps, coasts, borders, land, countries }) {
  const coastLines = coasts.map((text) => decoded(text, steps));
  return {
    rings: land.map((ring) => shape(joined(ring, coastLines))),
    lines: borders.map((text) => shape(decoded(text, steps))),
    names: countries.map(([code, longitude, latitude, radius]) => ({ code, x: xOf(longitude), y: yOf(latitude), radius: radius / 360 })),
  };
}

/** Read an encoded polyline: differences of longitudes and latitudes, five bits in each character. */
function decoded(text, steps) {
  const points = [];
  const at = [0, 0];
  let value = 0;
  let shift = 0;
  let axis = 0;
  for (let i = 0; i < text.length; i += 1) {
    const bits = text.charCodeAt(i) - 63;
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits >= 32) continue;
    at[axis] += value & 1 ? ~(value >> 1) : value >> 1;
    if (axis) points.push(xOf(at[0] / steps), yOf(at[1] / steps));
    [value, shift, axis] = [0, 0, 1 - axis];
  }
  return points;
}

/** Join the lines of a ring; `~number` is a line in the opposite direction. */
function joined(ring, lines) {
  const points = [];
  for (const number of ring) {
    const line = lines[number < 0 ? ~number : number];
    const length = line.length / 2;
    const begin = number < 0 ? line[line.length - 2] : line[0];
    const worlds = points.length ? Math.round(points[points.length - 2] - begin) : 0; // across the date line
    for (let i = points.length ? 1 : 0; i < length; i += 1) {
      const at = number < 0 ? length - 1 - i : i;
      points.push(line[2 * at] + worlds, line[2 * at + 1]);
    }
  }
  const [x, end] = [points[0], points[points.length - 2]];
  if (Math.abs(end - x) > 0.5) points.push(end, 1, x, 1); // Antarctica goes around the world
  return points;
}

/** Add the bounds to the points (x, y, x, y, ...). */
function shape(points) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let i = 0; i < points.length; i += 2) {
    bounds.left = Math.min(bounds.left, points[i]);
    bounds.right = Math.max(bounds.right, points[i]);
    bounds.top = Math.min(bounds.top, points[i + 1]);
    bounds.bottom = Math.max(bounds.bottom, points[i + 1]);
  }
  return { points: Float64Array.from(points), ...bounds };
}

/** Draw everything that is visible. `colors` has sea, land, coast, border, ink and halo. */
export function draw(context, camera, colors) {
  context.fillStyle = colors.sea;
  context.fillRect(0, 0, camera.width, camera.height);
  if (!isLoaded()) return;
  const [first] = camera.toWorld(0, 0);
  const [last] = camera.toWorld(camera.width, 0);
  for (let copy = Math.floor(first) - 1; copy <= Math.floor(last) + 1; copy += 1) drawCopy(context, camera, copy, colors);
  drawNames(context, camera, colors);
}

function drawCopy(context, camera, copy, colors) {
  const [left, top] = camera.toWorld(-MARGIN, -MARGIN);
  const [right, bottom] = camera.toWorld(camera.width + MARGIN, camera.height + MARGIN);
  const view = { left: left - copy, top, right: right - copy, bottom };
  const isSeen = (each) => each.right >= view.left && each.left <= view.right && each.bottom >= view.top && each.top <= view.bottom;
  const rings = world.rings.filter(isSeen);
  context.beginPath();
  for (const { points } of rings) trace(context, clipped(points, view), camera, copy, true);
  context.fillStyle = colors.land;
  context.fill("evenodd");
  context.beginPath();
  for (const { points } of rings) strokePath(context, points, view, camera, copy);
  context.strokeStyle = colors.coast;
  context.lineWidth = 1;
  context.stroke();
  context.beginPath();
  for (const { points } of world.lines.filter(isSeen)) strokePath(context, points, view, camera, copy);
  context.strokeStyle = colors.border;
  context.stroke();
}

/** Clip a ring to the view, side after side (Sutherland and Hodgman, 1974): huge coordinates are drawn wrongly. */
function clipped(points, view) {
  let ring = points;
  for (const [axis, limit, sign] of [[0, view.left, 1], [0, view.right, -1], [1, view.top, 1], [1, view.bottom, -1]]) {
    const kept = [];
    const count = ring.length;
    for (let i = 0; i < count; i += 2) {
      const next = (i + 2) % count;
      const here = sign * (ring[i + axis] - limit);
      const there = sign * (ring[next + axis] - limit);
      if (here >= 0) kept.push(ring[i], ring[i + 1]);
      if (here >= 0 !== there >= 0) {
        const share = here / (here - there);
        kept.push(ring[i] + share * (ring[next] - ring[i]), ring[i + 1] + share * (ring[next + 1] - ring[i + 1]));
      }
    }
    ring = kept;
  }
  return ring;
}

function trace(context, points, camera, copy, closed) {
  let before = null;
  for (let i = 0; i < points.length; i += 2) {
    const [left, top] = camera.toScreen(points[i] + copy, points[i + 1]);
    if (before === null) context.moveTo(left, top);
    else if (Math.abs(left - before[0]) + Math.abs(top - before[1]) > 0.7 || i + 2 >= points.length) context.lineTo(left, top);
    else continue;
    before = [left, top];
  }
  if (closed && before) context.closePath();
}

/** Draw the parts of a line in view, but not the southern end of the world. */
function strokePath(context, points, view, camera, copy) {
  let before = null;
  for (let i = 0; i + 3 < points.length; i += 2) {
    const [x, y, nextX, nextY] = [points[i], points[i + 1], points[i + 2], points[i + 3]];
    const isEnd = y >= 1 || nextY >= 1;
    const isAway = Math.max(x, nextX) < view.left || Math.min(x, nextX) > view.right || Math.max(y, nextY) < view.top || Math.min(y, nextY) > view.bottom;
    if (isEnd || isAway) {
      before = null;
      continue;
    }
    if (before === null) {
      before = camera.toScreen(x + copy, y);
      context.moveTo(...before);
    }
    const [left, top] = camera.toScreen(nextX + copy, nextY);
    if (Math.abs(left - before[0]) + Math.abs(top - before[1]) < 0.7 && i + 5 < points.length) continue;
    context.lineTo(left, top);
    before = [left, top];
  }
}

let spoken = null; // the language of `named`
let named = null; // code of a country -> its name

function nameOf(code) {
  if (spoken !== language) [spoken, named] = [language, new Intl.DisplayNames([language], { type: "region" })];
  return named.of(code);
}

/** Write the names of the countries that are large enough for them. */
function drawNames(context, camera, colors) {
  context.font = `${NAME}px ${colors.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const { code, x, y, radius } of world.names) {
    const room = 2 * radius * camera.scale;
    if (room < 24) break; // sorted by radius
    const name = nameOf(code);
    if (context.measureText(name).width > room * 1.15) continue;
    for (const left of camera.copies(x, 100)) {
      const top = camera.toScreen(0, y)[1];
      context.lineWidth = 3;
      context.strokeStyle = colors.halo;
      context.strokeText(name, left, top);
      context.fillStyle = colors.ink;
      context.fillText(name, left, top);
    }
  }
}
