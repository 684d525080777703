// Filters with counts. What they mean is the server's: each value brings the term that goes into `where`.

import { api } from "./api.js";
import { byId, make } from "./dom.js";
import { count, t } from "./i18n.js";
import { change, onChange, state, where } from "./state.js";

const SHOWN = 8;
const FIELDS = ["folder", "year", "camera", "tag", "lens", "orientation", "format"];
const open = new Set();
let facets = {};
let asked = null;
let under = null;

function choose(field, value, on) {
  const filters = new Map(state.filters);
  on ? filters.set(value.term, { field, label: value.label, term: value.term }) : filters.delete(value.term);
  change({ filters });
}

function option(field, value) {
  return make("li", {},
    make("label.option", {},
      make("input", { type: "checkbox", checked: state.filters.has(value.term), onchange: (event) => choose(field, value, event.target.checked) }),
      make("span.name", { dir: "auto", title: value.label }, value.label),
      make("span.count", {}, value.count === undefined ? "" : count(value.count))));
}

function section(field) {
  const values = facets[field] ?? [];
  const known = new Set(values.map((value) => value.term));
  const held = [...state.filters.values()].filter((filter) => filter.field === field && !known.has(filter.term));
  const all = [...held, ...values];
  if (!all.length || (all.length === 1 && !state.filters.has(all[0].term))) return null;
  const few = open.has(field) ? all : all.filter((value, i) => i < SHOWN || state.filters.has(value.term));
  return make("fieldset", {},
    make("legend", {}, t(`field_${field}`)),
    make("ul", {}, ...few.map((value) => option(field, value))),
    all.length > SHOWN
      ? make("button.link", { type: "button", "aria-expanded": String(open.has(field)), onclick: () => {
          open.has(field) ? open.delete(field) : open.add(field);
          draw();
        } }, open.has(field) ? t("fewer") : t("allOf", { n: all.length }))
      : null);
}

function draw() {
  const panel = byId("filters");
  const held = document.activeElement?.closest?.("label.option")?.querySelector(".name")?.textContent;
  const sections = FIELDS.map(section).filter(Boolean);
  const reset = state.filters.size
    ? [make("button.link", { type: "button", onclick: () => change({ filters: new Map() }) }, t("noFilters"))]
    : [];
  panel.replaceChildren(...reset, ...sections);
  panel.classList.toggle("bare", sections.length === 0);
  if (held) [...panel.querySelectorAll("label.option")].find((label) => label.querySelector(".name").textContent === held)?.querySelector("input").focus();
}

/** Counts anew, for the filters there are. */
export async function refresh() {
  under?.abort();
  under = new AbortController();
  const wanted = where();
  try {
    const answer = await api.facets(wanted, under.signal);
    facets = answer.facets;
    asked = wanted;
  } catch (problem) {
    if (problem.name === "AbortError") return;
    facets = {};
  }
  draw();
}

export function start() {
  const toggle = byId("show-filters");
  toggle.addEventListener("click", () => {
    const on = document.body.classList.toggle("filtering");
    toggle.setAttribute("aria-expanded", String(on));
  });
  onChange(() => (where() === asked ? draw() : refresh()));
}
