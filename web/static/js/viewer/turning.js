// Turning to the picture before or after the one that is shown: its neighbours are beside it, and a finger moves all three.

import { make } from "../dom.js";
import { frameNumber } from "../grid/frames.js";
import { items } from "../grid/grid.js";
import { large } from "./stage.js";

const TURN = 180; // milliseconds

export const isRightToLeft = () => document.documentElement.dir === "rtl";

/** Whether there is a picture `by` places from the one at `at`; -1 is a picture that is not in the grid. */
const isThere = (at, by) => at >= 0 && at + by >= 0 && at + by < items.count();

/** Draw the pictures beside the one at `at`; they are loaded, and appear while it is dragged. */
export function drawNeighbours(dialog, track, at) {
  for (const [by, side] of [[-1, "before"], [1, "after"]]) {
    dialog.querySelector(by < 0 ? ".previous" : ".next").disabled = !isThere(at, by);
    track.querySelector(`.${side}`)?.remove();
    if (!isThere(at, by)) continue;
    const image = make(`img.beside.${side}`, { alt: "" });
    const fill = (other) => { if (other) image.src = large(other.id, frameNumber(other)); };
    items.at(at + by) ? fill(items.at(at + by)) : items.load(at + by).then(fill, () => {});
    track.append(image);
  }
}

/** Move the picture across with the finger. */
export function slide(track, x) {
  track.classList.remove("turning");
  track.style.transform = x ? `translateX(${x}px)` : "";
}

/** The finger was lifted: turn from the picture at `at` to the one on that side, or back. */
export function turn(track, at, side, step) {
  const by = isRightToLeft() ? -side : side;
  const turns = side && isThere(at, by);
  track.classList.add("turning");
  track.style.transform = turns ? `translateX(${-side * 100}%)` : "";
  if (turns) setTimeout(() => step(by), matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : TURN);
}
