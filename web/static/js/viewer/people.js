// The people in a picture: their names, and where their faces are.

import { make } from "../dom.js";
import { t } from "../i18n.js";
import { change, state } from "../state.js";

const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** Show only pictures of a person. */
function choose(name) {
  const term = `person:${quoted("=" + name)}`;
  change({ filters: new Map(state.filters).set(term, { field: "person", label: name, term }) });
}

/** Return a button for each person, which shows the face in `stage` while it is pointed at. */
export function nameButtons(people, stage) {
  const box = stage.querySelector(".face");
  const show = (area) => {
    box.hidden = !area;
    if (area) Object.assign(box.style, Object.fromEntries(["left", "top", "width", "height"].map((side) => [side, `${100 * area[side]}%`])));
  };
  const over = (area) => ({ onpointerenter: () => show(area), onpointerleave: () => show(null), onfocus: () => show(area), onblur: () => show(null) });
  return people.map((person) => make("button.link.person", { type: "button", title: t("onlyPerson", { name: person.name }), ...over(person.area),
    onclick: () => choose(person.name) }, make("bdi", {}, person.name)));
}
