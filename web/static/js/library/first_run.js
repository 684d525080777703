// The screen of an empty library: choose folders, and watch their pictures arrive.

import { api } from "../api.js";
import { byId, icon, make } from "../dom.js";
import { t } from "../i18n.js";
import { chooser } from "./chooser.js";
import * as jobs from "./jobs.js";

const progress = make("div.arriving", { role: "status", hidden: true }, make("progress"), make("p"));
let isShown = false;

/** Show the screen in `element`. */
export async function show(element) {
  if (isShown && element.querySelector(".first-run")) return; // someone may be choosing
  isShown = true;
  const status = await api.status().catch(() => null);
  if (!isShown) return;
  element.replaceChildren(make("div.first-run", {},
    icon("picture"),
    make("h1", {}, t("welcome")),
    make("p", {}, t("welcomeHow")),
    progress,
    status?.may_index_folders ? chooser({ added: (job) => jobs.follow(job), mayType: status.may_use_any_folder }) : byTerminal()));
}

/** The library has pictures, or another screen takes its place. */
export function hide() {
  isShown = false;
}

const byTerminal = () => make("p", {}, t("foldersByTerminal"), " ", make("code", { dir: "ltr" }, "sightline index ~/Pictures"));

/** Show how far the first job is. */
export function start() {
  jobs.onJobs((all) => {
    const job = all.find(({ kind, state }) => kind === "index" && state === "running") ?? all.find(({ kind, state }) => kind === "index" && state === "queued");
    progress.hidden = !job;
    if (!job || byId("empty").hidden) return;
    const [bar, text] = progress.children;
    if (job.total) Object.assign(bar, { max: job.total, value: job.done });
    else bar.removeAttribute("value");
    bar.setAttribute("aria-label", t("job_index"));
    text.textContent = jobs.state(job);
  });
}
