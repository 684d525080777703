// The map: where the pictures of the current filters were taken. A part of it becomes a filter.

import * as address from "../address.js";
import { api } from "../api.js";
import { byId, settled } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { drawKept } from "../query/kept.js";
import { change, state, where } from "../state.js";
import { describe } from "../summary.js";
import { drawScale, paletteOf } from "./appearance.js";
import { AREA, drawAreas, filterOf } from "./areas.js";
import * as clusters from "./clusters.js";
import { buildElements } from "./elements.js";
import { Flight } from "./flight.js";
import { listen } from "./gestures.js";
import * as outline from "./outline.js";
import { around, Camera, contains, latitudeOf, longitudeOf, wrapped, xOf, yOf } from "./projection.js";
import * as tiles from "./tiles.js";

const MARGIN = 0.25; // share of the visible box that is loaded around it
const RESTING = 150; // milliseconds after the last move until clusters are loaded
const NEAR = { latitude: 1e-3, longitude: 1e-3, zoom: 0.01 }; // smaller differences come from rounding in the address
const EMPTY = { south: -60, west: -170, north: 75, east: 170 };

const section = byId("view-map");
let parts = null; // the elements
let camera = new Camera();
let found = { clusters: [], tiles: null };
let loaded = null; // what `found` is the answer to: { zoom, where, query, box }
let under = null;
let isPlaced = false; // whether the map has been moved to its pictures or to the address
let counted = null; // the box whose pictures were counted last, and are offered
let turn = 0; // number of the last count
let isDrawing = false;
let frame = 0;
const flight = new Flight(look);

function build() {
  parts = buildElements(section, {
    draw: () => setDrawing(!isDrawing),
    here: () => showPictures(counted),
    zoomIn: () => zoom(1, undefined, undefined, true),
    zoomOut: () => zoom(-1, undefined, undefined, true),
    all: () => showAll(),
  });
  listen(parts.stage, { isDrawing: () => isDrawing, pan, zoom, all: () => showAll(), drag: drawBox, drawn: finishBox });
  new ResizeObserver(resize).observe(parts.stage);
}

// Moving --------------------------------------------------------------------------------------------------------------

function pan(x, y) {
  flight.stop();
  look(camera.moved({ x: camera.x + x / camera.scale, y: camera.y + y / camera.scale }));
}

function zoom(steps, left, top, isAnimated) {
  const next = camera.zoomed(steps, left, top);
  if (isAnimated) flight.start(camera, next);
  else {
    flight.stop();
    look(next);
  }
}

/** Look at another part of the world. */
function look(next) {
  camera = next;
  redraw();
  rest();
}

const rest = settled(() => {
  if (section.hidden) return;
  remember();
  load();
}, RESTING);

/** Keep the visible part in the address. */
function remember() {
  state.at = camera.place;
  history.replaceState(history.state, "", address.write(state));
}

function resize() {
  const { clientWidth: width, clientHeight: height } = parts.stage;
  if (!width || !height) return;
  const ratio = devicePixelRatio || 1;
  parts.canvas.width = width * ratio;
  parts.canvas.height = height * ratio;
  camera = camera.moved({ width, height });
  if (!isPlaced) place();
  redraw();
  if (isPlaced) rest();
}

/** Move to the place in the address, or else to all pictures. */
function place() {
  isPlaced = true;
  if (!state.at) return showAll({ move: look });
  camera = camera.moved({ x: xOf(state.at.longitude), y: yOf(state.at.latitude), zoom: state.at.zoom });
  load();
}

async function showAll({ move = (to) => flight.start(camera, to) } = {}) {
  try {
    const { clusters: all } = await api.map({ zoom: 2, ...question() });
    move(camera.fitted(all.length ? around(all) : EMPTY));
  } catch (problem) {
    say(describe(problem));
  }
}

// Loading -------------------------------------------------------------------------------------------------------------

/** The filters of the question, but for its area: that is drawn as a box. */
const question = () => ({ where: where(AREA), query: state.words.trim() });

async function load({ again = false } = {}) {
  const wanted = { zoom: Math.max(0, Math.round(camera.zoom)), ...question() };
  if (!again && loaded && contains(loaded.box, camera.box()) && ["zoom", "where", "query"].every((key) => loaded[key] === wanted[key])) {
    tell();
    return;
  }
  under?.abort();
  under = new AbortController();
  const box = camera.box(MARGIN);
  try {
    found = await api.map({ ...wanted, ...box }, under.signal);
    loaded = { ...wanted, box };
  } catch (problem) {
    if (problem.name !== "AbortError") say(describe(problem));
    return;
  }
  redraw();
  tell();
}

/** List the visible clusters, and say how many pictures are in the visible box: a cluster may be in it in part. */
async function tell() {
  clusters.list(parts.places, found.clusters, camera, { open, pictures: showPictures });
  turn += 1;
  const mine = turn;
  const box = camera.box();
  const exact = await api.map({ ...question(), ...box, zoom: 0 }).catch(() => null); // the next move asks again
  if (mine !== turn || !exact) return;
  counted = box;
  const total = exact.count;
  say(total ? t("mapVisible", { n: total }) : t("mapNone"));
  parts.here.hidden = total === 0;
  parts.here.textContent = t("mapHere", { n: total });
  parts.credit.hidden = !found.tiles?.attribution;
  parts.credit.textContent = found.tiles?.attribution ?? "";
}

function say(text) {
  if (parts.status.textContent !== text) parts.status.textContent = text;
}

// Drawing -------------------------------------------------------------------------------------------------------------

function redraw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    if (!section.hidden) draw();
  });
}

function draw() {
  const context = parts.canvas.getContext("2d");
  const ratio = devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const colors = paletteOf(parts.stage);
  if (found.tiles) {
    context.fillStyle = colors.sea;
    context.fillRect(0, 0, camera.width, camera.height);
    tiles.draw(context, camera, found.tiles.template, redraw);
  } else {
    outline.draw(context, camera, colors);
  }
  drawAreas(context, camera, colors.area);
  clusters.draw(parts.layer, found.clusters, camera, open);
  drawScale(parts.scale, camera);
}

// Areas ---------------------------------------------------------------------------------------------------------------

/** Zoom to a cluster, or show its pictures if a larger zoom would not separate them. */
function open(cluster) {
  if (isDrawing) return;
  if (clusters.isSeparable(cluster)) flight.start(camera, further(camera.fitted(cluster, 90)));
  else showPictures(cluster);
}

/** Zoom in by one at least, so that opening a cluster always leads further. */
const further = (next) => (next.zoom >= camera.zoom + 1 ? next : next.moved({ zoom: camera.zoom + 1 }));

/** Show the pictures in a box: it becomes a filter, in place of an earlier one. */
function showPictures(box) {
  const term = filterOf(box);
  const filters = new Map([...state.filters].filter(([, filter]) => filter.field !== AREA));
  filters.set(term, address.readFilter(term));
  change({ filters });
}

function setDrawing(on) {
  isDrawing = on;
  parts.draw.setAttribute("aria-pressed", String(on));
  section.classList.toggle("drawing", on);
  parts.drawn.hidden = true;
  if (on) say(t("mapDrawHow"));
}

function drawBox({ left, top, right, bottom }) {
  parts.drawn.hidden = false;
  Object.assign(parts.drawn.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
}

function finishBox(box) {
  setDrawing(false);
  if (!box) return;
  const [west, north] = camera.toWorld(box.left, box.top);
  const [east, south] = camera.toWorld(box.right, box.bottom);
  showPictures({ south: latitudeOf(south), west: wrapped(longitudeOf(west)), north: latitudeOf(north), east: wrapped(longitudeOf(east)) });
}

// The view ------------------------------------------------------------------------------------------------------------

/** Show the map, or follow a change of the query. */
export function show() {
  if (!parts) build();
  drawKept(parts.kept);
  outline.load().then(redraw);
  if (isPlaced && state.at && isElsewhere(state.at)) place(); // the address has changed: a link, or Back
  redraw();
  if (isPlaced) load({ again: true });
}

/** Whether a place is not the one that is visible. */
function isElsewhere(at) {
  const here = camera.place;
  return Object.entries(NEAR).some(([side, near]) => Math.abs(at[side] - here[side]) > near);
}

/** Count the pictures again: the library has changed. */
export function refresh() {
  if (isPlaced && !isDrawing) load({ again: true });
}

export function hide() {
  flight.stop();
  setDrawing(false);
}

export function start() {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isDrawing) setDrawing(false);
  });
  onLanguage(() => {
    if (!parts) return;
    clusters.forget();
    build();
    drawKept(parts.kept);
    resize();
    if (!section.hidden) load({ again: true });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => parts && redraw());
}
