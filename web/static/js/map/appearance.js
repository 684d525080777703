// The scale of the map, and its colours.

import { language } from "../i18n.js";
import { latitudeOf, metresPerPixel } from "./projection.js";

const SCALE_BAR = 130; // pixels, at most

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
