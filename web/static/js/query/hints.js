// Hints for empty states: before the first query, without results, and without pictures.

import { api } from "../api.js";
import { byId, make } from "../dom.js";
import { t } from "../i18n.js";
import * as firstRun from "../library/first_run.js";
import { change, isEmpty, state } from "../state.js";
import { summarise } from "../summary.js";

const EXAMPLES = ["example_1", "example_2", "example_3", "example_4"];

const button = (label, onclick, what = "button") => make(what, { type: "button", onclick }, label);

/** Draw the hint above all pictures while they are being loaded, so that they do not move down afterwards. */
export function begin() {
  byId("try").hidden = !isEmpty();
  if (isEmpty()) drawExamples();
}

let turn = 0; // number of the result that a hint is drawn for

/** Draw the hint for a search result, usually none. */
export async function draw(found) {
  const mine = ++turn;
  const nothing = !found.hits.length;
  byId("try").hidden = !isEmpty() || nothing;
  byId("empty").hidden = !nothing;
  if (!nothing) firstRun.hide();
  if (isEmpty() && !nothing) drawExamples();
  if (!nothing) return;
  const isNew = found.isNew || (found.searched === 0 && (await hasNoPictures()));
  if (mine !== turn) return;
  if (isNew) {
    summarise("");
    firstRun.show(byId("empty"));
  } else {
    firstRun.hide();
    drawNothing();
  }
}

async function hasNoPictures() {
  const status = await api.status().catch(() => null);
  return status !== null && status.present === 0;
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
