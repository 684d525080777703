// Jobs: a list in the library, and news of their progress for the rest of the page.

import { api } from "../api.js";
import { byId, make } from "../dom.js";
import { bytes, duration, knows, t } from "../i18n.js";
import { describe } from "../summary.js";
import { current } from "../views.js";
import { forgetRates, rate } from "./rates.js";

const OFTEN = 400; // milliseconds between two looks at jobs that are running or queued
const SELDOM = 3000; // and otherwise, while the list is visible: other programs may add jobs
const IDLE = 10_000; // and while it is not
const EARLIER = 8; // finished jobs that are listed

const list = make("section.card.jobs", { hidden: true });
const listeners = new Set();
let known = new Map(); // id -> job
let timer = null;
let hooks = { ended: () => {}, advanced: () => {}, failed: () => {} };

const isActive = (job) => job.state === "running" || job.state === "queued";
const isFinished = (job) => ["done", "failed", "cancelled"].includes(job.state);

/** The list, which follows the jobs. */
export const section = () => list;

/** Call `listener` with all jobs after each look at them. */
export const onJobs = (listener) => listeners.add(listener);

export const anyRunning = () => [...known.values()].some((job) => job.state === "running");

/** Look at the jobs now, and again as long as there is something to see. */
export async function look() {
  clearTimeout(timer);
  let jobs;
  try {
    jobs = document.hidden && known.size ? [...known.values()] : await api.jobs();
  } catch (problem) {
    jobs = [...known.values()];
  }
  const before = known;
  known = new Map(jobs.map((job) => [job.id, job]));
  draw(jobs);
  byId("views").querySelector('[data-view="library"]')?.classList.toggle("busy", jobs.some(isActive));
  forgetRates(jobs.map((job) => job.id));
  for (const listener of listeners) listener(jobs);
  for (const job of jobs) report(job, before.get(job.id));
  clearTimeout(timer); // another look may have begun
  timer = setTimeout(look, jobs.some(isActive) ? OFTEN : current() === "library" ? SELDOM : IDLE);
}

function report(job, before) {
  if (!before) return;
  if (isFinished(job) && !isFinished(before)) hooks.ended(job);
  else if (job.state === "running" && job.done > before.done && job.phase === "embedding") hooks.advanced(job);
}

/** Remember a job that was just added, so that its end is reported even if it comes before the next look. */
export function follow(job) {
  known.set(job.id, { ...job, state: "queued" });
  return look();
}

// The list ------------------------------------------------------------------------------------------------------------

function draw(jobs) {
  const open = jobs.filter((job) => !isFinished(job));
  const again = new Set(open.map(same));
  const failed = [];
  for (const job of jobs.filter(isFinished)) {
    if (job.state === "failed" && !again.has(same(job))) failed.push(job);
    again.add(same(job)); // an earlier failure no longer matters
  }
  const earlier = jobs.filter((job) => isFinished(job) && !failed.includes(job)).slice(0, EARLIER);
  list.hidden = open.length + failed.length + earlier.length === 0;
  const rows = [...open, ...failed].map((job) => keep(job, list.querySelector(`li[data-id="${job.id}"]`)) ?? row(job));
  if (!list.firstChild) list.append(make("h2"), make("ul.work"), make("details.earlier", {}, make("summary"), make("ul")));
  const [head, work, details] = list.children;
  head.textContent = t("jobs");
  arrange(work, rows);
  details.hidden = earlier.length === 0;
  details.firstChild.textContent = t("earlierJobs");
  const ended = earlier.map((job) => `${heading(job)} · ${outcome(job)}`);
  if (details.lastChild.textContent !== ended.join("")) details.lastChild.replaceChildren(...ended.map((text) => make("li", { dir: "auto" }, text)));
}

/** What distinguishes the task of a job from that of another. */
const same = (job) => JSON.stringify([job.kind, job.parameters]);

/** Put the rows in place without moving those that are: the focus may be in one of them. */
function arrange(parent, rows) {
  for (const child of [...parent.children]) if (!rows.includes(child)) child.remove();
  rows.forEach((each, index) => {
    if (parent.children[index] !== each) parent.insertBefore(each, parent.children[index] ?? null);
  });
}

/** Update the row of a job and return it, unless it must be built again. */
function keep(job, element) {
  if (!element || element.dataset.look !== looks(job)) return null;
  follows(element, job);
  return element;
}

const looks = (job) => [job.state, job.wish, t("jobs")].join();

function row(job) {
  const button = (label, action) => make("button", { type: "button", onclick: () => attempt(job, action) }, label);
  const pause = button(t("pause"), "pause");
  const stop = button(t("stop"), "cancel");
  const buttons = {
    running: [job.wish === null && pause, job.wish !== "cancel" && stop],
    queued: [pause, stop],
    paused: [button(t("resume"), "resume"), stop],
    failed: [button(t("tryAgain"), "retry")],
  }[job.state];
  const element = make("li.job", { "data-id": job.id, "data-look": looks(job) },
    make("strong", { dir: "auto" }, heading(job)),
    ["running", "paused"].includes(job.state) ? make("progress", { "aria-label": heading(job) }) : null,
    make(job.state === "failed" ? "p.bad" : "p.progress", { dir: "auto" }),
    make("div.buttons", {}, ...buttons.filter(Boolean)));
  follows(element, job);
  return element;
}

/** Show how far a job is. */
function follows(element, job) {
  const bar = element.querySelector("progress");
  if (bar && job.total) Object.assign(bar, { max: job.total, value: job.done });
  else bar?.removeAttribute("value");
  const text = element.querySelector("p");
  const said = [state(job), pace(job)].filter(Boolean).join(" · ");
  if (text.textContent !== said) text.textContent = said;
}

/** How fast a running job is, and how long it will take. */
function pace(job) {
  if (job.state !== "running" || job.wish || !job.total) return "";
  const speed = rate(job, performance.now() / 1000);
  if (!speed) return "";
  const parts = [job.phase === "downloading" ? t("bytesPerSecond", { size: bytes(speed) }) : t("perSecond", { n: Math.max(1, Math.round(speed)) })];
  const left = (job.total - job.done) / speed;
  if (left >= 5) parts.push(t("timeLeft", { time: duration(left) }));
  return parts.join(" · ");
}

/** What a job does, without what it does that to. */
export function title(job) {
  if (job.parameters.retry_failed) return t("jobRetries");
  return knows(`job_${job.kind}`) ? t(`job_${job.kind}`) : job.kind;
}

function heading(job) {
  const name = title(job);
  const about = [job.parameters.folders ?? [], job.parameters.model ?? []].flat();
  return about.length ? `${name}: \u2068${about.join(", ")}\u2069` : name; // isolated from the direction of the page
}

/** How far a job is, in words. */
export function state(job) {
  if (job.state === "failed") return describe({ title: job.problem, message: job.error });
  if (job.state === "queued") return t("jobQueued");
  if (job.wish === "pause") return t("jobPausing");
  if (job.wish === "cancel") return t("jobStopping");
  const reads = job.kind === "texts" && job.phase === "embedding";
  const doing = job.state === "paused" ? t("jobPaused") : t(`phase_${reads ? "reading" : job.phase}`);
  if (!job.total) return doing;
  const amount = job.kind === "model" ? bytes : (n) => n;
  return t("progress", { done: amount(job.done), total: amount(job.total), phase: doing });
}

/** What became of a finished job. */
export function outcome(job) {
  if (job.state === "failed") return describe({ title: job.problem, message: job.error });
  if (job.state === "cancelled") return t("jobStopped");
  if (job.summary?.forgotten !== undefined) return t("removed", { n: job.summary.forgotten });
  return t("jobDone");
}

async function attempt(job, action) {
  try {
    await api.act(job.id, action);
  } catch (problem) {
    hooks.failed(problem); // it has ended in the meantime
  }
  await look();
  list.querySelector(`li[data-id="${job.id}"] button`)?.focus();
}

export function start(given) {
  hooks = given;
  look();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
}
