// Facts about a picture as people read them.

import { language, t } from "../i18n.js";

/** A time without a time zone, as the clock of the camera showed it. */
const local = (iso) => new Date(`${iso.slice(0, 19)}Z`);

/** The date in words. */
export const dayOf = (iso) => new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone: "UTC" }).format(local(iso));

/** The time of day. */
export const timeOf = (iso) => new Intl.DateTimeFormat(language, { timeStyle: "medium", timeZone: "UTC" }).format(local(iso));

/** Minutes ahead of UTC, as "UTC+2" or "UTC−3:30". */
export function zoneName(minutes) {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const sign = minutes < 0 ? "−" : "+";
  return minutes ? `UTC${sign}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}` : "UTC";
}

const number = (value, most = 1) => new Intl.NumberFormat(language, { maximumFractionDigits: most, useGrouping: false }).format(value);

/** An exposure time: "1/250 s", "0.5 s", "30 s". */
export function shutter(seconds) {
  return seconds < 0.3 ? `1/${number(1 / seconds, 0)} s` : `${number(seconds)} s`;
}

/** How the picture was exposed, for example ["1/250 s", "ƒ/2", "ISO 200", "23 mm"]. */
export function exposureOf({ exposure, aperture, iso, focal_length }) {
  return [
    exposure ? shutter(exposure) : null,
    aperture ? `ƒ/${number(aperture)}` : null,
    iso ? `ISO ${number(iso)}` : null,
    focal_length ? `${number(focal_length)} mm` : null,
  ].filter(Boolean);
}

/** The number of pixels, for example "12 MP". */
export function megapixels(width, height) {
  const millions = (width * height) / 1e6;
  return t("megapixels", { n: number(millions, millions < 10 ? 1 : 0) });
}

/** A position with degrees, north or south, and east or west. */
export function position(latitude, longitude) {
  const side = (value, positive, negative) => `${number(Math.abs(value), 4)}° ${value < 0 ? negative : positive}`;
  return `${side(latitude, "N", "S")}, ${side(longitude, "E", "W")}`;
}
