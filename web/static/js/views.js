// The views of the page. One of them is visible: the pictures, or a map, the folders, albums and so on.

import { byId, icon, make } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { change, onChange, state } from "./state.js";

const views = new Map(); // name -> { element, icon, show, hide, refresh }
const scrolled = new Map(); // name -> how far the page was scrolled when the view was left
let visible = null;

/**
 * Add a view. Its name is also the key of its label, `view_NAME`. `show(again)` is called when the view becomes visible,
 * and for each change of the query while it is visible (`again` is true then); `hide()` when another view replaces it.
 * `refresh()` is called when pictures have been added to the library while the view is visible.
 */
export function addView(name, { element, icon: drawing, show = () => {}, hide = () => {}, refresh = () => {} }) {
  views.set(name, { element, icon: drawing, show, hide, refresh });
}

/** Go to a view. The query is kept. */
export const go = (name) => change({ view: name });

/** The name of the visible view. */
export const current = () => (views.has(state.view) ? state.view : "pictures");

/** The library has new pictures. */
export const refresh = () => views.get(current()).refresh();

function draw() {
  const name = current();
  const again = visible === name;
  if (!again) {
    views.get(visible)?.hide();
    scrolled.set(visible, scrollY);
    for (const [other, { element }] of views) element.hidden = other !== name;
    document.body.dataset.view = name;
    visible = name;
    scrollTo({ top: scrolled.get(name) ?? 0 });
  }
  for (const button of byId("views").children) {
    if (button.dataset.view === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  views.get(name).show(again);
}

function drawNames() {
  byId("views").replaceChildren(...[...views].map(([name, view]) => make("button.view-button", { type: "button", "data-view": name,
    "aria-current": name === current() ? "page" : null, onclick: () => go(name) }, icon(view.icon), make("span", {}, t(`view_${name}`)))));
}

export function start() {
  history.scrollRestoration = "manual"; // views remember where they were scrolled to
  drawNames();
  onLanguage(drawNames);
  onChange(draw);
}
