// The address of the page: a question as a readable URL, so that it can be shared and bookmarked.
//
//   /?q=a+beach&filter=year:2023&part=-0.5:people&part=like:42%233&sort=date&picture=42%233
//   /?view=map&at=48.137,11.575,12         the map around a latitude and a longitude, at a zoom
//   /?view=folders&folder=1/2023/Rome      a folder, by its ID
//
// A part is a text or a stored picture, with its weight before a colon, as the query language writes it. `picture` is
// open in the viewer, here its page 3.

const PICTURE = /^like:(\d+)(?:#(\d+))?(?:\[([\d.]+)%,([\d.]+)%,([\d.]+)%,([\d.]+)%\])?$/;
const OPENED = /^(\d{1,18})(?:#(\d{1,9}))?$/;
const WEIGHTED = /^(-?\d+(?:\.\d+)?):(.+)$/s;
const SORTS = ["date", "text"];
const FOLDER_FIELD = "in";

/** Return the path and query of `state`. Uploaded pictures are left out: they exist for a short time only. */
export function write({ words, parts, filters, sort, view, at, folder, picture }) {
  const said = new URLSearchParams();
  if (words.trim()) said.append("q", words.trim());
  for (const term of filters.keys()) said.append("filter", term);
  for (const part of parts) if (!part.upload) said.append("part", writePart(part));
  if (sort !== "relevance") said.append("sort", sort);
  if (view !== "pictures") said.append("view", view);
  if (view === "map" && at) said.append("at", `${at.latitude.toFixed(5)},${at.longitude.toFixed(5)},${Number(at.zoom.toFixed(2))}`);
  if (view === "folders" && folder) said.append("folder", folder);
  if (picture) said.append("picture", picture.frame ? `${picture.id}#${picture.frame + 1}` : picture.id);
  const query = said.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
  return query ? `/?${query}` : "/";
}

/** Return the state that an address stands for. What is not understood is ignored. */
export function read(search) {
  const said = new URLSearchParams(search);
  return {
    words: said.get("q") ?? "",
    parts: said.getAll("part").map(readPart).filter(Boolean),
    filters: new Map(said.getAll("filter").filter(isTerm).map((term) => [term, readFilter(term)])),
    sort: SORTS.includes(said.get("sort")) ? said.get("sort") : "relevance",
    view: said.get("view") ?? "pictures",
    at: readPoint(said.get("at") ?? ""),
    folder: said.get("folder"),
    picture: readPicture(said.get("picture") ?? ""),
  };
}

function writePart({ text, picture, frame, crop, weight }) {
  const region = crop ? `[${crop.map((share) => `${Math.round(share * 1000) / 10}%`).join(",")}]` : "";
  const what = picture ? `like:${picture}${frame ? `#${frame + 1}` : ""}${region}` : text;
  return weight === 1 && !WEIGHTED.test(what) ? what : `${weight}:${what}`;
}

function readPart(written) {
  const [, weight, what] = written.match(WEIGHTED) ?? [null, "1", written];
  if (!what.trim() || !Number.isFinite(Number(weight)) || Number(weight) === 0) return null;
  const [found, picture, number, ...region] = what.match(PICTURE) ?? [];
  if (!found) return { text: what, weight: Number(weight) };
  const crop = region[0] === undefined ? undefined : region.map((percent) => Number(percent) / 100);
  return { picture: Number(picture), frame: number > 1 ? Number(number) - 1 : undefined, crop, weight: Number(weight) };
}

function readPoint(written) {
  const numbers = written.split(",").map(Number);
  const [latitude, longitude, zoom = 12] = numbers;
  const isPoint = written && numbers.length <= 3 && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && zoom >= 0 && zoom <= 22;
  return isPoint ? { latitude, longitude, zoom } : null;
}

function readPicture(written) {
  const [found, id, number] = written.match(OPENED) ?? [];
  return found ? { id: Number(id), frame: number > 1 ? Number(number) - 1 : 0 } : null;
}

/** Two corners: `41.8° 12.3° – 42° 12.6°`. */
function boxLabel(value) {
  const [south, west, north, east] = value.split(/[,;]/).map((side) => `${Number(Number(side).toFixed(2))}°`);
  return east === undefined ? value : `${south} ${west} – ${north} ${east}`;
}

const isTerm = (term) => /^[a-z]+:./.test(term);

/** The name and label of a filter, from its term: `camera:"=X100"` is shown as X100, `in:"/photos/2023"` as 2023. */
export function readFilter(term) {
  const [, name, value] = term.match(/^([a-z]+):(.*)$/s);
  const plain = value.replace(/^"(.*)"$/s, "$1").replace(/\\(["\\])/g, "$1").replace(/^=/, "");
  const isFolder = name === FOLDER_FIELD;
  if (name === "box") return { field: name, label: boxLabel(plain), term };
  return { field: isFolder ? "folder" : name, label: isFolder ? plain.split("/").filter(Boolean).pop() ?? plain : plain, term };
}
