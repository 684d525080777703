// What lies over the map: the areas that are filters, and a scale.

import { language } from "../i18n.js";
import { state } from "../state.js";
import { latitudeOf, metresPerPixel, xOf, yOf } from "./projection.js";

const SCALE_BAR = 130; // pixels, at most

/** The filter of an area. */
export const AREA = "box";

/** Draw the areas that are filters. */
export function drawAreas(context, camera, color) {
  for (const { field, term } of state.filters.values()) {
    const [south, west, north, east] = field === AREA ? term.slice(AREA.length + 1).split(",").map(Number) : [];
    if (![south, west, north, east].every(Number.isFinite)) continue;
    const wide = (xOf(east) - xOf(west) + (west > east ? 1 : 0)) * camera.scale;
    const [top, bottom] = [yOf(north), yOf(south)].map((y) => camera.toScreen(0, y)[1]);
    context.strokeStyle = color;
    context.lineWidth = 2;
    for (const left of camera.copies(xOf(west), wide)) context.strokeRect(left, top, wide, bottom - top);
  }
}

/** Draw a bar of 1, 2 or 5 times a power of ten. */
export function drawScale(element, camera) {
  const metres = metresPerPixel(latitudeOf(camera.y), camera.zoom);
  const power = 10 ** Math.floor(Math.log10(SCALE_BAR * metres));
  const length = [5, 2, 1].map((times) => times * power).find((each) => each / metres <= SCALE_BAR) ?? power;
  const isFar = length >= 1000;
  const unit = { style: "unit", unit: isFar ? "kilometer" : "meter" };
  element.style.width = `${Math.round(length / metres)}px`;
  element.textContent = new Intl.NumberFormat(language, unit).format(isFar ? length / 1000 : length);
}

/** The colours of the map in the theme of `element`, and its font. */
export function paletteOf(element) {
  const style = getComputedStyle(element);
  const color = (name) => style.getPropertyValue(`--map-${name}`).trim();
  return { sea: color("sea"), land: color("land"), coast: color("coast"), border: color("border"), ink: color("ink"), halo: color("halo"), area: color("area"), font: style.fontFamily };
}
