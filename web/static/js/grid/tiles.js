// One picture of the grid, as an element.

import { thumbnail } from "../api.js";
import { icon, iconButton, make } from "../dom.js";
import { badge, frameNumber, titleOf } from "./frames.js";
import { t } from "../i18n.js";
import { reasonLines } from "../viewer/reasons.js";

const known = new Map(); // ID and frame -> image that was visible, to be reused without a flicker

/** Keep the images of tiles that are about to be removed. */
export function keepImages(tiles) {
  known.clear();
  for (const tile of tiles) known.set(`${tile.dataset.id} ${tile.dataset.frame}`, tile.querySelector("img"));
}

/** The smallest size of a thumbnail that fills a tile nearly sharply. */
function sizeFor(side) {
  const pixels = side * devicePixelRatio;
  return pixels > 480 ? 768 : pixels > 230 ? 384 : 192;
}

function image(hit, side) {
  const size = sizeFor(side);
  const key = `${hit.id} ${frameNumber(hit)}`;
  const kept = known.get(key);
  known.delete(key);
  if (kept && kept.complete && kept.src.endsWith(`=${size}`)) return kept;
  const made = make("img", { alt: "", decoding: "async", draggable: false, src: thumbnail(hit.id, size, frameNumber(hit)) });
  if (!made.complete) {
    made.className = "coming"; // fades in; its space is reserved already
    made.addEventListener("load", () => { made.className = ""; });
  }
  made.addEventListener("error", () => {
    made.className = "";
    made.closest(".tile")?.classList.add("gone");
  });
  return made;
}

function over(hit, hooks) {
  const quick = { tabIndex: -1, className: "quick" };
  return make("span.over", {},
    iconButton("similar", t("moreLike"), hooks.like, quick),
    hooks.why ? iconButton("heat", t("why"), hooks.why, quick) : null,
    typeof hit.score === "number" ? make("span.score", { title: reasonLines(hit), "aria-hidden": "true" }, hit.score.toFixed(3)) : null);
}

/** Make the tile of a hit. `hooks` are the callbacks open, like, why and choose. */
export function tile(hit, { index, width, height, selected, tabIndex }, hooks) {
  const source = hit.date_source === "name" ? ` (${t("dateOfName")})` : "";
  const name = titleOf(hit) + (hit.taken_at ? `, ${hit.taken_at.slice(0, 10)}${source}` : "");
  const element = make("div.tile", { role: "listitem", "aria-posinset": index + 1, "data-id": hit.id, "data-frame": frameNumber(hit) },
    make("button.shot", { type: "button", "aria-label": name, tabIndex, onclick: hooks.open }, image(hit, Math.max(width, height))),
    make("div.marks", {},
      hit.stack > 1 ? make("span.stack", { title: t("stackOf", { n: hit.stack }) }, icon("alike"), String(hit.stack)) : null,
      badge(hit) ? make(typeof hit.duration === "number" ? "span.which.film" : "span.which", { "aria-hidden": "true" }, badge(hit)) : null),
    make("label.choose", { title: t("select") },
      make("input", { type: "checkbox", "aria-label": t("selectName", { name: hit.name }), tabIndex: -1, checked: selected, onclick: hooks.choose })),
  );
  element.classList.toggle("selected", selected);
  if (hit.color) element.style.setProperty("--color", hit.color);
  // Buttons are made when the pointer enters a tile, so that the first results appear sooner.
  const offer = () => element.querySelector(".over") ?? element.append(over(hit, hooks));
  element.addEventListener("pointerenter", offer);
  element.addEventListener("focusin", offer);
  return element;
}

/** What stands for a picture that is not loaded yet. */
export function placeholder({ index }) {
  return make("div.tile.coming", { role: "listitem", "aria-busy": "true", "aria-posinset": index + 1 }, make("div.shot-coming"));
}
