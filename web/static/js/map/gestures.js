// Moving the map: dragging, wheel, two fingers, double click, and keys; or drawing a box on it.

const FAR = 5; // pixels after which a press is a drag
const STEP = 90; // pixels of an arrow key
const WHEEL = 1 / 300; // zoom for each pixel of the wheel
const PINCH = 1 / 60; // the same when a touchpad reports two fingers

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Listen to the element `stage`. `hooks` has: isDrawing(), pan(x, y), zoom(steps, left, top, animated), all(), drag(box)
 * while a box is drawn, and drawn(box) or drawn(null) afterwards; boxes are {left, top, right, bottom} in pixels.
 */
export function listen(stage, hooks) {
  const fingers = new Map(); // pointer ID -> [left, top]
  let start = null; // of a press: [left, top]
  let dragged = false;
  let apart = 0;

  const at = (event) => {
    const { left, top } = stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const boxTo = ([left, top]) => ({ left: Math.min(start[0], left), top: Math.min(start[1], top), right: Math.max(start[0], left), bottom: Math.max(start[1], top) });

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, at(event));
    if (fingers.size > 1) apart = distance([...fingers.values()]);
    else {
      start = at(event);
      dragged = false;
    }
  });
  stage.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    fingers.set(event.pointerId, now);
    if (fingers.size > 1) {
      dragged = true;
      spread(before, now);
      return;
    }
    if (!dragged && Math.hypot(now[0] - start[0], now[1] - start[1]) < FAR) return;
    if (!dragged) stage.setPointerCapture(event.pointerId);
    dragged = true;
    if (hooks.isDrawing()) hooks.drag(boxTo(now));
    else hooks.pan(before[0] - now[0], before[1] - now[1]);
  });

  function spread(before, now) {
    const points = [...fingers.values()];
    const wide = distance(points);
    hooks.pan((before[0] - now[0]) / points.length, (before[1] - now[1]) / points.length);
    if (apart > 0 && wide > 0) hooks.zoom(Math.log2(wide / apart), ...middle(points), false);
    apart = wide;
  }

  const end = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (hooks.isDrawing() && fingers.size === 0) hooks.drawn(dragged && event.type === "pointerup" ? boxTo(at(event)) : null);
    if (fingers.size === 1) start = [...fingers.values()][0];
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener("click", (event) => { // the end of a drag is no click on what is below it
    if (dragged) event.stopPropagation();
    dragged = false;
  }, { capture: true });
  stage.addEventListener("dblclick", (event) => hooks.zoom(1, ...at(event), true));
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    hooks.zoom(Math.max(-1, Math.min(1, -pixels * (event.ctrlKey ? PINCH : WHEEL))), ...at(event), false);
  }, { passive: false });
  stage.addEventListener("keydown", (event) => onKey(event, hooks));
}

function onKey(event, hooks) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in STEPS) hooks.pan(...STEPS[event.key].map((side) => side * STEP));
  else if (event.key === "+" || event.key === "=") hooks.zoom(1, undefined, undefined, true);
  else if (event.key === "-" || event.key === "_") hooks.zoom(-1, undefined, undefined, true);
  else if (event.key === "0" || event.key === "Home") hooks.all();
  else return;
  event.preventDefault();
}

const distance = ([[left, top], [right, bottom]]) => Math.hypot(right - left, bottom - top);
const middle = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
