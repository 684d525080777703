// Text in pictures: lines marked on the picture, and all that was read.

import { make } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";

/** An empty layer over the picture, for `markLines`. */
export function makeLayer() {
  const layer = document.createElementNS(SVG, "svg");
  layer.setAttribute("class", "lines");
  layer.setAttribute("viewBox", "0 0 1 1");
  layer.setAttribute("preserveAspectRatio", "none");
  layer.setAttribute("aria-hidden", "true"); // the details say the same as text
  return layer;
}

/** Outline the lines of a frame that the search found. */
export function markLines(layer, lines, frame) {
  layer.replaceChildren(...lines.filter((line) => line.frame === frame).flatMap((line) => ["edge", "outline"].map((name) => {
    const outline = document.createElementNS(SVG, "polygon");
    outline.setAttribute("class", name);
    outline.setAttribute("points", line.corners.map((corner) => corner.join(",")).join(" "));
    return outline;
  })));
}

/** The lines of a frame as elements; those that the search found are marked. */
export function written(lines, found, frame) {
  const key = (line) => `${line.frame} ${line.text} ${line.corners.join()}`;
  const marked = new Set(found.map(key));
  return lines.filter((line) => line.frame === frame).map((line) => make(marked.has(key(line)) ? "mark" : "bdi", { dir: "auto" }, line.text));
}
