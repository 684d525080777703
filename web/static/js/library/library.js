// The library, a view: folders, jobs, files that were not read, text in pictures, models and settings.

import { api } from "../api.js";
import { byId, make } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { describe } from "../summary.js";
import { current, go } from "../views.js";
import * as failures from "./failures.js";
import * as firstRun from "./first_run.js";
import * as folders from "./folders.js";
import * as jobs from "./jobs.js";
import * as models from "./models.js";
import * as settings from "./settings.js";
import * as texts from "./texts.js";
import * as working from "./working.js";

const element = byId("view-library");

let hooks = { changed: () => {}, advanced: () => {} };
let drawn = 0; // number of the drawing in progress or shown

export const open = () => go("library");
export { outdated } from "./models.js";
export { paint } from "./settings.js";

/** The view becomes visible. A change of the query while it is visible changes nothing here. */
export function show(again) {
  if (!again) draw();
}

async function draw() {
  const mine = ++drawn;
  if (!element.querySelector(".said")) {
    element.replaceChildren(make("h1", {}, t("library")), make("p.said", { role: "status" }), make("div.cards", {}));
  }
  element.querySelector("h1").textContent = t("library");
  const [status] = await Promise.all([api.status(), jobs.look()]).catch((problem) => [problem]);
  if (mine !== drawn) return;
  if (!status.roots) return say(describe(status));
  const acts = { attempt, say, changed: hooks.changed };
  const held = element.contains(document.activeElement) ? document.activeElement : null;
  element.querySelector(".cards").replaceChildren(
    make("div.column", {}, folders.section(status, acts), jobs.section(), failures.section(status, acts), texts.section(status, acts)),
    make("div.column", {}, models.section(status, acts), settings.section(draw), settings.about(status)));
  if (held?.isConnected) held.focus(); // the list of jobs is kept
}

function say(text) {
  const said = element.querySelector(".said");
  if (said && said.textContent !== text) said.textContent = text;
}

/** Do something that may fail. If it adds a job, follow that. */
async function attempt(act) {
  try {
    const job = await act();
    say("");
    if (job?.id) await jobs.follow(job); // it may have finished already; show its result anyway
    else await draw();
  } catch (problem) {
    say(describe(problem));
  }
}

export function start(given) {
  hooks = given;
  firstRun.start();
  working.start(open);
  onLanguage(() => {
    hooks.changed(); // what the page says about the pictures is in the language it was asked in
    if (current() === "library") draw();
  });
  jobs.start({
    advanced: (job) => hooks.advanced(job),
    failed: (problem) => say(describe(problem)),
    ended: async (job) => {
      hooks.changed();
      if (current() !== "library") return;
      await draw();
      say(jobs.outcome(job));
    },
  });
}
