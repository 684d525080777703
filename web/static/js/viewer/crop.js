// A region of a picture as a query: drag it, click two corners, or move it with the arrow keys.

const SMALLEST = 0.03; // fraction of a side; anything smaller is a click, not a rectangle
const STEP = 0.04; // fraction of a side per arrow key
const MIDDLE = [0.25, 0.25, 0.5, 0.5];

const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));

/** Let the user draw a rectangle on `stage`; `finish` gets it as fractions of the picture's width and height.
 * Returns functions to `begin` and to `end` drawing. */
export function startCropping(stage, finish) {
  const picture = stage.querySelector(".picture");
  const box = stage.querySelector(".box");
  let corner = null; // the first corner, while a rectangle is being drawn
  let held = MIDDLE; // the rectangle that the arrow keys move
  const where = (event) => {
    const frame = picture.getBoundingClientRect();
    return [clamp((event.clientX - frame.left) / frame.width), clamp((event.clientY - frame.top) / frame.height)];
  };
  const rectangle = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
  const draw = ([x, y, w, h]) => {
    box.hidden = false;
    Object.assign(box.style, { left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * w}%`, height: `${100 * h}%` });
  };
  stage.addEventListener("pointerdown", (event) => {
    if (!stage.classList.contains("cropping")) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    corner ??= where(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (corner) draw(rectangle(corner, where(event)));
  });
  stage.addEventListener("pointerup", (event) => {
    if (!corner) return;
    const crop = rectangle(corner, where(event));
    if (crop[2] < SMALLEST || crop[3] < SMALLEST) return; // a click: wait for the other corner
    corner = null;
    finish(crop);
  });
  stage.addEventListener("keydown", (event) => {
    if (!stage.classList.contains("cropping") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") finish(held);
    else if (event.key in ARROWS) draw((held = moved(held, ARROWS[event.key], event.shiftKey)));
    else return;
    event.preventDefault();
    event.stopPropagation(); // the arrow keys must not go to the next picture
  });
  return {
    begin: () => {
      draw((held = MIDDLE));
      stage.tabIndex = 0;
      stage.focus();
    },
    end: () => {
      corner = null;
      box.hidden = true;
      stage.removeAttribute("tabindex");
    },
  };
}

const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

/** Return a rectangle moved by an arrow key, or resized by an arrow key with Shift. */
function moved([x, y, w, h], [across, down], resize) {
  if (resize) return [x, y, clamp(w + across, SMALLEST, 1 - x), clamp(h + down, SMALLEST, 1 - y)];
  return [clamp(x + across, 0, 1 - w), clamp(y + down, 0, 1 - h), w, h];
}
