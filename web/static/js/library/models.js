// Models: those that the library has vectors of, and those to change to, with their languages, size and licence.

import { api } from "../api.js";
import { icon, make } from "../dom.js";
import { bytes, language, t } from "../i18n.js";
import { describe } from "../summary.js";
import { download } from "./download.js";
import * as jobs from "./jobs.js";
import { licence } from "./licences.js";

const SHOWN = 6; // number of languages listed by name

// Kept when the section is drawn again: whether the list is open, and what was typed.
let isListOpen = false;
const field = make("input", { name: "model", type: "text", dir: "auto", spellcheck: false });

/** Return the active space if a newer version of its model is installed. */
export const outdated = (status) => status.spaces.find((space) => space.active && space.newer);

/** The section of models. `acts` are the callbacks attempt, say and changed. */
export function section(status, acts) {
  const used = status.spaces.map((space) => usedRow(space, status, acts));
  const others = make("div.others", {});
  const element = make("section.card.model-list", { "aria-labelledby": "models-title" },
    make("h2", { id: "models-title" }, t("spaces")),
    newer(status, acts),
    used.length ? make("ul.used", {}, ...used) : null,
    others);
  offer(others, status, acts);
  return element;
}

function usedRow(space, status, acts) {
  const use = make("button", { type: "button", onclick: () => acts.attempt(async () => {
    await api.activate(space.fingerprint);
    acts.changed();
  }) }, t("useSpace"));
  const documents = space.vectors && !space.embedded;
  const covered = documents ? t("vectorsOf", { n: space.vectors }) : t("picturesOf", { n: space.embedded, all: status.texts.contents });
  return make("li", {},
    make("div", {}, make("strong", {}, make("bdi", {}, space.title)), make("span.soft", {}, covered), calibration(space)),
    space.active ? make("span.active", {}, icon("right"), t("answers")) : use);
}

function calibration(space) {
  if (space.calibrating) return make("p.calibration", {}, t("calibrating"));
  return space.calibration_failure ? make("p.calibration", {}, t("calibrationFailed", { reason: space.calibration_failure })) : null;
}

/** Offer to change to the newest version of the active model, unless a job is running. */
function newer(status, acts) {
  const old = outdated(status);
  if (!old || jobs.anyRunning()) return null;
  return make("p.newer", {}, t("newerModel", { old: old.title, newer: old.newer }), " ",
    make("button", { type: "button", onclick: () => acts.attempt(() => api.start({ kind: "space", model: old.model })) }, t("useNewer", { newer: old.newer })));
}

// Other models --------------------------------------------------------------------------------------------------------

async function offer(element, status, acts) {
  let models;
  try {
    models = await api.models(language);
  } catch (problem) {
    element.replaceChildren(make("p.bad", {}, describe(problem)));
    return;
  }
  const active = status.spaces.find((space) => space.active)?.model;
  const best = models.find((model) => model.recommended && model.name !== active);
  const rest = models.filter((model) => model !== best && model.name !== active);
  element.replaceChildren(
    best ? make("ul.models", {}, row(best, acts)) : "",
    make("details", { open: isListOpen, ontoggle: (event) => { isListOpen = event.target.open; } }, make("summary", {}, t("modelsToChoose")), make("ul.models", {}, ...rest.map((model) => row(model, acts))), another(acts)));
}

function row(model, acts) {
  const marks = [model.recommended ? make("span.mark-good", {}, t("recommendedFor", { name: nameOf(language) })) : null,
    model.weak ? make("span.mark-weak", {}, t("weakIn", { name: nameOf(language) })) : null];
  return make("li.model", { "data-model": model.name },
    make("div", {},
      make("strong", {}, make("bdi", {}, model.name)), ...marks.filter(Boolean),
      make("span.soft", {}, ...facts(model).flatMap((fact, i) => [i ? " · " : "", make("bdi", {}, fact)]))),
    action(model, acts));
}

/** What can be done with a model now: use it, download it, or how to install what is missing. */
function action(model, acts) {
  if (model.usable) return make("button", { type: "button", onclick: () => acts.attempt(() => api.start({ kind: "space", model: model.name })) }, t("useSpace"));
  if (model.can_download) return make("button", { type: "button", onclick: () => download(model, acts) }, icon("download"), t("downloadModel"));
  return make("p.soft", {}, t("needsFirst"), " ", make("code", { dir: "ltr" }, model.missing));
}

/** A field for the name of a model that is not listed. */
function another(acts) {
  field.placeholder = t("otherModel");
  field.setAttribute("aria-label", t("otherModel"));
  return make("form.row", { onsubmit: (event) => {
    event.preventDefault();
    const model = field.value.trim();
    if (model) acts.attempt(() => api.start({ kind: "space", model }));
  } }, field, make("button", { type: "submit" }, t("buildSpace")));
}

const nameOf = (code) => new Intl.DisplayNames(language, { type: "language" }).of(code);

function facts(model) {
  const size = model.size === null ? null : bytes(model.size);
  const dim = model.dim === null ? null : t("dimension", { n: model.dim });
  return [languages(model), size, dim, licence(model)].filter(Boolean);
}

/** The names of the languages it is good at, in the page's language, and the total number. */
function languages({ languages: codes, breadth }) {
  const own = codes.includes(language) ? [language] : []; // the page's language first
  const first = [...own, ...codes.filter((code) => code !== language)].slice(0, SHOWN);
  const said = new Intl.ListFormat(language, { type: "unit", style: "short" }).format(first.map(nameOf));
  return breadth > Math.min(codes.length, SHOWN) ? t("languagesAmong", { names: said, n: breadth }) : said;
}
