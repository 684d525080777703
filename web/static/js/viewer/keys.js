// The keys of the viewer.

import { rate } from "../edits/changes.js";
import { isUndo, undoLast } from "../edits/undo.js";
import * as sheet from "./sheet.js";
import * as slideshow from "./slideshow.js";
import { toggleFullScreen } from "./toolbar.js";
import { isRightToLeft } from "./turning.js";
import { isZoomed, panBy, toggleZoom, zoomIn, zoomOut } from "./zoom.js";

const PAN = 80; // pixels per key press
const PANS = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };

/**
 * Act on keys while the viewer is open. `step` turns to another picture and `stepFrame` to another page, `showWhere` shows
 * where the picture matches, and `shown` returns its ID.
 */
export function watchKeys(dialog, { step, stepFrame, showWhere, shown }) {
  const keys = {
    "+": zoomIn, "=": zoomIn, "-": zoomOut, z: () => toggleZoom(), i: () => sheet.toggleDetails(), s: () => slideshow.playOrPause(),
    f: () => toggleFullScreen(dialog.querySelector(".screen")), h: showWhere, PageDown: () => stepFrame(1), PageUp: () => stepFrame(-1),
  };
  dialog.addEventListener("keydown", (event) => {
    if (isUndo(event)) {
      if (undoLast()) event.preventDefault();
      return;
    }
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const side = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (event.shiftKey && key in PANS && isZoomed()) panBy(...PANS[key]);
    else if (side) step(isRightToLeft() ? -side : side);
    else if (/^[0-5]$/.test(key)) rate([shown()], Number(key));
    else if (key === " " && slideshow.isOn() && !event.target.closest(".show")) slideshow.playOrPause();
    else if (keys[key]) keys[key]();
    else return;
    event.preventDefault();
  });
}
