// The clusters of the map: pictures with a count on it, and a list of them for keyboards and screen readers.

import { thumbnail } from "../api.js";
import { iconButton, make } from "../dom.js";
import { count, t } from "../i18n.js";
import { MAX_ZOOM, TILE, widthOf, xOf, yOf } from "./projection.js";

const SIDE = 52; // pixels of a cluster
const LISTED = 60;
const APART = 64; // pixels between pictures that a larger zoom would separate

let shown = new Map(); // key -> element

/** Return whether a larger zoom would separate the pictures of a cluster. */
export function isSeparable({ count: pictures, south, west, north, east }) {
  return pictures > 1 && Math.max(widthOf({ west, east }), yOf(south) - yOf(north)) * TILE * 2 ** MAX_ZOOM > APART;
}

export const nameOf = (cluster) => cluster.place ?? t("mapPoint", { latitude: degrees(cluster.latitude), longitude: degrees(cluster.longitude) });

const degrees = (value) => value.toFixed(2);

/** Place an element for each visible cluster in `layer`. */
export function draw(layer, clusters, camera, open) {
  const next = new Map();
  for (const cluster of clusters) {
    const top = camera.toScreen(0, yOf(cluster.latitude))[1];
    if (top < -SIDE || top > camera.height + SIDE) continue;
    for (const left of camera.copies(xOf(cluster.longitude), SIDE)) {
      const key = `${cluster.picture} ${cluster.count} ${Math.round(left / camera.scale)} ${cluster.place}`;
      const element = shown.get(key) ?? build(cluster, open);
      element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
      next.set(key, element);
      if (!element.isConnected) layer.append(element);
    }
  }
  for (const [key, element] of shown) if (!next.has(key)) element.remove();
  shown = next;
}

/** Forget the elements, whose texts are in the former language. */
export function forget() {
  for (const element of shown.values()) element.remove();
  shown = new Map();
}

function build(cluster, open) {
  const many = cluster.count > 1;
  return make("button.cluster", { type: "button", tabIndex: -1, title: nameOf(cluster), onclick: () => open(cluster) },
    make("img", { src: thumbnail(cluster.picture, 192), alt: "", draggable: false, decoding: "async", onerror: (event) => event.target.remove() }),
    many ? make("span.cluster-count", {}, count(cluster.count)) : null,
    cluster.place ? make("bdi.cluster-name", {}, cluster.place) : null);
}

/** List the visible clusters, the largest first. `hooks` are open(cluster) and pictures(cluster). */
export function list(element, clusters, camera, hooks) {
  const held = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const visible = clusters.filter((cluster) => isVisible(cluster, camera)).slice(0, LISTED);
  element.replaceChildren(...visible.map((cluster) => row(cluster, hooks)));
  if (held) (element.querySelector(`[data-key="${held}"]`) ?? element.querySelector("button"))?.focus();
}

function isVisible(cluster, camera) {
  const top = camera.toScreen(0, yOf(cluster.latitude))[1];
  return top >= 0 && top <= camera.height && camera.copies(xOf(cluster.longitude)).length > 0;
}

function row(cluster, hooks) {
  const name = nameOf(cluster);
  const number = t("mapPictures", { n: cluster.count });
  return make("li", {},
    make("button.place-row", { type: "button", "data-key": `go ${cluster.picture}`, onclick: () => hooks.open(cluster) },
      make("img", { src: thumbnail(cluster.picture, 192), alt: "", loading: "lazy", onerror: (event) => event.target.remove() }),
      make("span.what", {}, make("bdi.name", {}, name), make("span.soft", {}, number))),
    cluster.count > 1
      ? iconButton("picture", t("mapShow", { name }), () => hooks.pictures(cluster), { "data-key": `show ${cluster.picture}` })
      : null);
}
