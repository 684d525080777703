// The elements of the map.

import { icon, iconButton, make } from "../dom.js";
import { t } from "../i18n.js";

/** Make the elements in `section` and return them by name. `acts` are draw(), here(), zoomIn(), zoomOut() and all(). */
export function buildElements(section, acts) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const layer = make("div.clusters", { "aria-hidden": "true" });
  const drawn = make("div.map-box", { hidden: true });
  const stage = make("div.map-stage", { tabIndex: 0, role: "application", "aria-label": t("mapLabel"), "aria-describedby": "map-keys" }, canvas, layer, drawn);
  const draw = make("button.map-button", { type: "button", "aria-pressed": "false", onclick: acts.draw }, icon("area"), make("span", {}, t("mapDraw")));
  const listed = make("button.map-button.list-button", { type: "button", "aria-expanded": "false", "aria-controls": "map-places", onclick: () => {
    listed.setAttribute("aria-expanded", String(section.classList.toggle("listing")));
  } }, icon("list"), make("span", {}, t("mapList")));
  const parts = {
    canvas, layer, drawn, stage, draw,
    kept: make("div.kept"),
    here: make("button.primary.map-here", { type: "button", hidden: true, onclick: acts.here }),
    status: make("p.map-status", { role: "status" }),
    scale: make("div.map-scale", { "aria-hidden": "true" }),
    credit: make("p.map-credit", { hidden: true }),
    places: make("ul.map-places", { id: "map-places", "aria-label": t("mapPlaces") }),
  };
  section.replaceChildren(
    make("div.map-frame", {}, stage,
      make("div.map-top", {}, parts.kept, parts.here),
      make("div.map-tools", { role: "group", "aria-label": t("mapTools") },
        iconButton("plus", t("mapIn"), acts.zoomIn),
        iconButton("minus", t("mapOut"), acts.zoomOut),
        iconButton("fit", t("mapAll"), acts.all)),
      make("div.map-actions", {}, draw, listed),
      parts.scale, parts.credit,
      make("p.map-keys", { id: "map-keys", hidden: true }, t("mapKeys"))),
    make("aside.map-side", {}, make("h2", {}, t("mapPlaces")), parts.status, parts.places));
  return parts;
}
