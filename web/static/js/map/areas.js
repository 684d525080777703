// Areas of the map that are filters: boxes in degrees, which a filter names as "box:south,west,north,east".

import { state } from "../state.js";
import { widthOf, xOf, yOf } from "./projection.js";

const STEPS = 1e5; // of a degree in the numbers of a filter: about a metre

/** The filter of an area. */
export const AREA = "box";

/** The filter for the pictures in a box. Its numbers are rounded so that nothing in the box is left out. */
export function filterOf({ south, west, north, east }) {
  const below = (value, limit) => Math.max(-limit, Math.floor(value * STEPS - 0.5) / STEPS);
  const above = (value, limit) => Math.min(limit, Math.ceil(value * STEPS + 0.5) / STEPS);
  return `${AREA}:${[below(south, 90), below(west, 180), above(north, 90), above(east, 180)].join(",")}`;
}

/** Draw the areas that are filters now. */
export function drawAreas(context, camera, color) {
  for (const { field, term } of state.filters.values()) {
    const [south, west, north, east] = field === AREA ? term.slice(AREA.length + 1).split(",").map(Number) : [];
    if (![south, west, north, east].every(Number.isFinite)) continue;
    const wide = widthOf({ west, east }) * camera.scale;
    const [top, bottom] = [yOf(north), yOf(south)].map((y) => camera.toScreen(0, y)[1]);
    context.strokeStyle = color;
    context.lineWidth = 2;
    for (const left of camera.copies(xOf(west), wide)) context.strokeRect(left, top, wide, bottom - top);
  }
}
