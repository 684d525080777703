// Zooming and moving the picture in the viewer. A scale of 1 fits the picture into the window.

const MOST = 8; // screen pixels per pixel of the picture
const STEP = 1.5; // of the keys and buttons
const TWICE = 2; // a double click on a picture that is small
const SMOOTH = 3; // screen pixels per pixel from which pixels are shown as squares

const still = { scale: 1, x: 0, y: 0 };
let stage = null;
let natural = { width: 1, height: 1 }; // pixels of the whole picture
let at = { ...still };
let changed = () => {};

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Zoom `element` from now on, which shows a picture of this size. `tell` is called after each change. */
export function zoomOn(element, size, tell) {
  stage = element;
  natural = size;
  changed = tell;
  at = { ...still };
}

/** The picture has another size than was assumed. */
export function resize(size) {
  natural = size;
  apply();
}

export const isZoomed = () => Math.abs(at.scale - 1) > 0.001;

/** The scale at which a pixel of the picture is a pixel of the screen. */
export const realScale = () => natural.width / (Math.max(1, stage.offsetWidth) * devicePixelRatio);

/** Screen pixels per pixel of the picture, in percent. */
export const percentage = () => Math.round((100 * at.scale) / realScale());

/** How many pixels wide the picture is on the screen. */
export const pixelsWide = () => stage.offsetWidth * at.scale * devicePixelRatio;

const least = () => Math.min(1, realScale());
const most = () => Math.max(MOST * realScale(), 4);

/** The middle of the stage before it was moved, on the screen. */
function middle() {
  const box = stage.getBoundingClientRect();
  return { x: box.left + box.width / 2 - at.x, y: box.top + box.height / 2 - at.y };
}

/** Zoom to a scale; the point of the picture at `point` on the screen stays there. */
export function zoomTo(scale, point = middle(), { smoothly = false } = {}) {
  const next = clamp(scale, least(), most());
  const centre = middle();
  const [dx, dy] = [point.x - centre.x, point.y - centre.y];
  const by = next / at.scale;
  at = { scale: next, x: dx - (dx - at.x) * by, y: dy - (dy - at.y) * by };
  apply(smoothly);
}

export const zoomBy = (factor, point, how) => zoomTo(at.scale * factor, point, how);
export const zoomIn = () => zoomBy(STEP, undefined, { smoothly: true });
export const zoomOut = () => zoomBy(1 / STEP, undefined, { smoothly: true });

/** Change between the whole picture and its real pixels. */
export function toggleZoom(point) {
  const real = realScale();
  if (isZoomed()) zoomTo(1, point, { smoothly: true });
  else zoomTo(Math.abs(real - 1) < 0.05 ? TWICE : real, point, { smoothly: true });
}

/** Show the real pixels. */
export const zoomToPixels = () => zoomTo(realScale(), undefined, { smoothly: true });
export const zoomToFit = () => zoomTo(1, undefined, { smoothly: true });

export function panBy(x, y) {
  at = { ...at, x: at.x + x, y: at.y + y };
  apply();
}

/** Keep the picture over the middle of its frame: it cannot be moved further than to its edges. */
function bounded({ scale, x, y }) {
  const frame = stage.closest(".frame");
  const over = (side, whole) => Math.max(0, (side * scale - whole) / 2);
  const [across, down] = [over(stage.offsetWidth, frame.clientWidth), over(stage.offsetHeight, frame.clientHeight)];
  return { scale, x: clamp(x, -across, across), y: clamp(y, -down, down) };
}

function apply(smoothly = false) {
  at = bounded(at);
  stage.classList.toggle("easing", smoothly);
  if (!isZoomed()) at = { ...still };
  put();
  if (Math.abs(at.scale / realScale() - 1) < 0.001 && !smoothly) onPixels();
  stage.classList.toggle("pixels", at.scale / realScale() >= SMOOTH);
  stage.closest(".frame").classList.toggle("zoomed", isZoomed());
  changed();
}

function put() {
  stage.style.transform = isZoomed() ? `translate(${at.x}px, ${at.y}px) scale(${at.scale})` : "";
}

/** Move the picture by less than a pixel, so that its pixels are exactly those of the screen. */
function onPixels() {
  if (stage.getAnimations().length) return; // still on its way; `settle` follows
  const box = stage.getBoundingClientRect();
  const rest = (value) => (Math.round(value * devicePixelRatio) / devicePixelRatio) - value;
  at = { ...at, x: at.x + rest(box.left), y: at.y + rest(box.top) };
  put();
}

/** The smooth change has ended. */
export function settle() {
  stage.classList.remove("easing");
  if (isZoomed()) apply();
}
