// Hints for empty states: before the first query, without results, and without pictures.

import { byId, make } from "./dom.js";
import { t } from "./i18n.js";
import * as library from "./library.js";
import { change, isEmpty, state } from "./state.js";

const EXAMPLES = ["example_1", "example_2", "example_3", "example_4"];

const button = (label, onclick, what = "button") => make(what, { type: "button", onclick }, label);

/** Draw the hint for a search result, usually none. */
export function draw(found) {
  const nothing = !found.hits.length;
  const asked = !isEmpty() || state.filters.size > 0;
  byId("try").hidden = !isEmpty() || nothing;
  if (isEmpty() && !nothing) drawExamples();
  byId("empty").hidden = !nothing;
  if (nothing) asked ? drawNothing() : drawWelcome();
}

function drawExamples() {
  const ask = (words) => {
    change({ words });
    byId("words").focus();
  };
  byId("try").replaceChildren(make("span", {}, t("tryThis")),
    ...EXAMPLES.map((key) => button(t(key), () => ask(t(key)), "button.pill")), make("span.soft", {}, t("dropHint")));
}

function drawNothing() {
  byId("empty").replaceChildren(make("h1", {}, t("nothing")), make("p", {}, t("nothingHere")),
    state.filters.size ? button(t("noFilters"), () => change({ filters: new Map() }), "button.primary") : "",
    isEmpty() ? "" : button(t("clear"), () => change({ words: "", parts: [] })));
}

function drawWelcome() {
  byId("empty").replaceChildren(make("h1", {}, t("welcome")), make("p", {}, t("welcomeHow")),
    button(t("openLibrary"), library.open, "button.primary"));
}
