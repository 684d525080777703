// The filters of the current query as chips, for views that have no filters of their own.

import { iconButton, make } from "../dom.js";
import { knows, t } from "../i18n.js";
import { change, state } from "../state.js";

/** The label of a filter, with the name of its field unless its value says enough. */
export function labelOf({ field, label }) {
  return knows(`field_${field}`) ? `${t(`field_${field}`)}: ${label}` : label;
}

/** Draw the filters in `element`. Removing one keeps the view. */
export function drawKept(element, filters = [...state.filters.values()]) {
  const held = element.contains(document.activeElement);
  element.replaceChildren(...(state.words.trim() ? [make("bdi.kept-chip", {}, state.words.trim())] : []), ...filters.map(chip));
  element.hidden = element.children.length === 0;
  if (held) element.querySelector("button")?.focus();
}

function chip(filter) {
  const name = labelOf(filter);
  return make("span.kept-chip", {}, make("bdi", {}, name),
    iconButton("close", t("remove", { name }), () => {
      const filters = new Map(state.filters);
      filters.delete(filter.term);
      change({ filters, view: state.view });
    }));
}
