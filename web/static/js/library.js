// The library panel: folders, jobs, spaces, failed files, and the settings for language and colours.

import { api, jobEvents } from "./api.js";
import { byId, iconButton, make } from "./dom.js";
import { choose, count, language, LANGUAGES, t } from "./i18n.js";
import { offered } from "./models.js";
import { describe } from "./summary.js";

const dialog = byId("library");
const THEME = "sightline.theme";
const FAILURES = 50;

let watching = null;
let hooks = { changed: () => {} };

export async function open() {
  if (!dialog.open) dialog.showModal();
  await draw();
}

async function draw() {
  const [status, jobs] = await Promise.all([api.status(), api.jobs()]).catch((problem) => [problem, []]);
  const head = make("div.head", {}, make("h2", {}, t("library")), iconButton("close", t("close"), () => dialog.close()));
  if (!status.roots) {
    dialog.replaceChildren(head, make("p.bad", { role: "alert" }, describe(status)));
    return;
  }
  dialog.replaceChildren(head, make("p.said", { role: "status" }), work(jobs), folders(status), spaces(status, jobs), make("div.failures", {}), looks());
  drawFailures(status.failed);
  const running = jobs.find((job) => job.state === "running");
  if (running) watch(running.id);
}

function say(text) {
  const said = dialog.querySelector(".said");
  if (said) said.textContent = text;
}

async function attempt(act) {
  try {
    const job = await act();
    await draw();
    if (job?.id) watch(job.id); // it may have finished already; show its result anyway
  } catch (problem) {
    say(describe(problem));
  }
}

// Folders ------------------------------------------------------------------------------------------------------------

function folders(status) {
  const rows = status.roots.map((root) => make("tr", {},
    make("td", { dir: "auto" }, root.path),
    ...["present", "missing", "failed"].map((state) => make("td.number", {}, count(root[state])))));
  const heads = ["folder", "present", "missing", "failed"].map((key) => make("th", { scope: "col" }, t(`col_${key}`)));
  return make("section", {},
    make("h3", {}, t("folders")),
    rows.length ? make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)) : make("p", {}, t("noFolders")),
    rows.length ? make("button", { type: "button", onclick: () => attempt(() => api.start({ kind: "index", folders: [] })) }, t("indexAgain")) : null,
    status.may_index_folders ? adding("folder", t("folderHint"), t("addFolder"), (folder) => api.start({ kind: "index", folders: [folder] })) : null);
}

/** A field with a button that starts a job. */
function adding(name, hint, label, begin) {
  const field = make("input", { name, type: "text", placeholder: hint, "aria-label": hint, dir: "auto", spellcheck: false });
  return make("form.row", { onsubmit: (event) => {
    event.preventDefault();
    if (field.value.trim()) attempt(() => begin(field.value.trim()));
  } }, field, make("button", { type: "submit" }, label));
}

// Jobs ---------------------------------------------------------------------------------------------------------------

function work(jobs) {
  const job = jobs.find((each) => each.state === "running");
  if (!job) return make("section.work", { hidden: true });
  return make("section.work", {},
    make("h3", {}, t(`job_${job.kind}`)),
    make("progress", { "aria-label": t(`job_${job.kind}`) }),
    make("p.progress", {}),
    make("button", { type: "button", onclick: () => attempt(() => api.cancel(job.id)) }, t("stop")));
}

function watch(id) {
  watching?.close();
  watching = jobEvents(id);
  byId("show-library").classList.add("busy");
  watching.addEventListener("progress", (event) => {
    const { done, total, phase } = JSON.parse(event.data);
    const bar = dialog.querySelector("progress");
    if (!bar) return;
    if (total) Object.assign(bar, { max: total, value: done });
    else bar.removeAttribute("value");
    const doing = t(`phase_${phase}`);
    dialog.querySelector("p.progress").textContent = total ? t("progress", { done, total, phase: doing }) : doing;
  });
  watching.addEventListener("end", async (event) => {
    watching.close();
    byId("show-library").classList.remove("busy");
    const job = JSON.parse(event.data);
    hooks.changed();
    if (!dialog.open) return;
    await draw();
    const stopped = job.state === "cancelled";
    say(job.error ? describe({ title: job.problem, message: job.error }) : t(stopped ? "jobStopped" : "jobDone"));
  });
}

// Spaces -------------------------------------------------------------------------------------------------------------

function spaces(status, jobs) {
  if (!status.spaces.length) return null;
  const rows = status.spaces.map((space) => make("tr", {},
    make("td", {}, space.title, calibration(space)),
    make("td.number", {}, count(space.vectors)),
    make("td", {}, space.active
      ? make("strong", {}, t("answers"))
      : make("button", { type: "button", onclick: () => attempt(async () => {
          await api.activate(space.fingerprint);
          hooks.changed();
        }) }, t("useSpace")))));
  const heads = ["model", "vectors", "use"].map((key) => make("th", { scope: "col" }, t(`col_${key}`)));
  const another = adding("model", t("otherModel"), t("buildSpace"), (model) => api.start({ kind: "space", model }));
  return make("section", {}, make("h3", {}, t("spaces")), newer(status, jobs), make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)),
    another, offered(another.elements.model));
}

function calibration(space) {
  if (space.calibrating) return make("p.calibration", {}, t("calibrating"));
  return space.calibration_failure ? make("p.calibration", {}, t("calibrationFailed", { reason: space.calibration_failure })) : null;
}

/** Offer to change to the newest version of the active model, unless a job is running. */
function newer(status, jobs) {
  const old = outdated(status);
  if (!old || jobs.some((job) => job.state === "running")) return null;
  return make("p.newer", {}, t("newerModel", { old: old.title, newer: old.newer }), " ",
    make("button", { type: "button", onclick: () => attempt(() => api.start({ kind: "space", model: old.model })) }, t("useNewer", { newer: old.newer })));
}

/** Return the active space if a newer version of its model is installed. */
export const outdated = (status) => status.spaces.find((space) => space.active && space.newer);

async function drawFailures(failed) {
  if (!failed) return;
  const failures = await api.failures().catch(() => []);
  dialog.querySelector(".failures")?.replaceChildren(make("details", {},
    make("summary", {}, t("failures", { n: failed })),
    make("ul", {}, ...failures.slice(0, FAILURES).map((failure) => make("li", { dir: "auto" }, make("b", {}, failure.path), ` ${failure.detail}`)))));
}

// Colours ------------------------------------------------------------------------------------------------------------

/** Light, dark, or the system's setting. */
export function paint(theme = localStorage.getItem(THEME) ?? "auto") {
  localStorage.setItem(THEME, theme);
  document.documentElement.dataset.theme = theme;
}

function looks() {
  const select = (label, options, value, onchange) => make("label", {}, label,
    make("select", { onchange: (event) => onchange(event.target.value) },
      ...Object.entries(options).map(([code, name]) => make("option", { value: code, selected: code === value }, name))));
  return make("section.looks", {},
    select(t("language"), LANGUAGES, language, async (code) => {
      await choose(code);
      hooks.changed();
      draw();
    }),
    select(t("theme"), { auto: t("theme_auto"), light: t("theme_light"), dark: t("theme_dark") }, document.documentElement.dataset.theme, paint));
}

export function start(given) {
  hooks = given;
  byId("show-library").addEventListener("click", open);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  api.jobs().then((jobs) => jobs.filter((job) => job.state === "running").forEach((job) => watch(job.id)), () => {});
}
