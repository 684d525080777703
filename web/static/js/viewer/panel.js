// The facts about the picture in the viewer, in groups.

import { write } from "../address.js";
import { api, companion, thumbnail } from "../api.js";
import { icon, make } from "../dom.js";
import { clock } from "../grid/frames.js";
import { bytes, t } from "../i18n.js";
import { state, visit } from "../state.js";
import { dayOf, exposureOf, megapixels, position, timeOf, zoneName } from "./facts.js";
import { nameButtons } from "./people.js";
import { reasons } from "./reasons.js";

const CLOSE = 14; // zoom of the map at the place of a picture

const bdi = (text) => make("bdi", {}, text);
const between = (parts) => parts.flatMap((part, i) => [i ? " · " : "", typeof part === "string" ? bdi(part) : part]);
const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** A link to an address of this page. */
export const pageLink = (url, attributes, ...children) => make("a", { href: url, ...attributes, onclick: (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  visit(url, { parts: state.parts });
} }, ...children);

/** A row: its name and symbol, the first line, and lines in smaller print below. */
function row(key, drawing, first, ...more) {
  const lines = more.filter((line) => line && (!Array.isArray(line) || line.length));
  return make("div.fact", {}, make("dt", { title: t(key) }, icon(drawing), make("span.unseen", {}, t(key))),
    make("dd", {}, make("div", {}, ...[first].flat()), ...lines.map((line) => make("div.soft", {}, ...[line].flat()))));
}

const group = (title, ...rows) => {
  const shown = rows.filter(Boolean);
  return shown.length ? make("section.group", {}, make("h3", {}, t(title)), make("dl", {}, ...shown)) : null;
};

function taken(known) {
  if (!known.taken_at) return null;
  const isDay = known.date_source === "name" && known.taken_at.slice(11, 19) === "00:00:00"; // the name has no time
  const time = isDay ? [] : [timeOf(known.taken_at), ...(known.utc_offset === null ? [] : [zoneName(known.utc_offset)])];
  return row("fact_taken", "calendar", bdi(dayOf(known.taken_at)), between([...time, ...(known.date_source === "original" ? [] : [t(`date_${known.date_source}`)])]));
}

function camera(known) {
  const exposure = exposureOf(known);
  if (!known.camera && !known.lens && !exposure.length) return null;
  const first = known.camera ?? known.lens ?? exposure.join("  ");
  const exposed = make("bdi.exposure", { dir: "ltr" }, ...exposure.map((each) => make("span", {}, each)));
  return row("fact_camera", "camera", bdi(first), first === known.camera && known.lens ? bdi(known.lens) : null, exposure.length && (known.camera || known.lens) ? exposed : null);
}

function place(known) {
  const names = [known.sublocation, known.city, known.region, known.country].filter(Boolean);
  const isThere = known.latitude !== null && known.longitude !== null;
  if (!names.length && !isThere) return null;
  const at = isThere ? [known.latitude, known.longitude].map((value) => value.toFixed(5)).join(",") : null;
  const link = isThere ? pageLink(`/?view=map&at=${at},${CLOSE}`, { title: t("showOnMap") }, bdi(position(known.latitude, known.longitude))) : null;
  return names.length ? row("fact_place", "pin", bdi(names.join(", ")), link) : row("fact_place", "pin", link);
}

function file(known) {
  const folder = known.path.slice(0, known.path.lastIndexOf("/")) || "/";
  const isPlain = !known.path.includes("\\x"); // of bytes that are not text
  const link = isPlain ? pageLink(`/?${new URLSearchParams({ filter: `in:${quoted(folder)}` })}`, { title: t("showFolder"), className: "folder" }, bdi(folder)) : bdi(folder);
  return row("fact_path", "folder", bdi(known.name), link);
}

const size = (known) => row("fact_size", "picture",
  between([`${known.width} × ${known.height}`, ...(known.width ? [megapixels(known.width, known.height)] : [])]),
  between([known.format, bytes(known.size), ...(known.duration === null ? [] : [clock(known.duration)])]));

/** Links to the other files of the same shot. */
const companions = (known) => known.companions.map((path, number) =>
  make("a", { href: companion(known.id, number), download: "", title: path }, bdi(path.split("/").pop())));

/** Fill `box` with what is known about a picture; `hit` has its scores. */
export function drawFacts(box, known, hit, stage) {
  const people = known.people.length ? row("fact_people", "person", between(nameButtons(known.people, stage))) : null;
  const failures = known.failures.map((each) => row("fact_failure", "warning", bdi(each.space ? t("notEmbedded", { model: each.space }) : t("textUnread")), bdi(each.detail)));
  box.replaceChildren(...[
    reasons(hit),
    known.title || known.description ? make("div.captions", {}, known.title ? make("p", { dir: "auto" }, make("strong", {}, known.title)) : null,
      known.description ? make("p", { dir: "auto" }, known.description) : null) : null,
    group("group_shot", taken(known), camera(known), place(known), people),
    group("group_file", file(known), size(known),
      known.copies.length ? row("fact_copies", "alike", bdi(t("fact_copies")), ...known.copies.map(bdi)) : null,
      known.companions.length ? row("fact_companions", "companion", t("fact_companions"), between(companions(known))) : null,
      ...failures),
  ].filter(Boolean));
}

/** Fill `near` with the near-duplicates of a hit; `isNow` tells whether it is still shown. */
export async function drawStack(hit, near, isNow) {
  if (hit.stack !== undefined && !(hit.stack > 1)) return;
  const answer = await api.stack(hit.id).catch(() => null);
  if (!answer || answer.pictures.length < 2 || !isNow()) return;
  near.replaceChildren(make("h3", {}, t("stackOf", { n: answer.pictures.length })),
    make("div.strip", {}, ...answer.pictures.map((picture) => pageLink(write({ ...state, picture: { id: picture.id, frame: 0 } }), {
      title: picture.path, "aria-current": picture.id === hit.id ? "true" : null }, make("img", { src: thumbnail(picture.id, 192), alt: picture.name })))));
}
