// A line above the pictures that says what is running in the background, with a way to the library.

import { byId, make } from "../dom.js";
import { t } from "../i18n.js";
import * as jobs from "./jobs.js";

const SHOWN = ["index", "space", "model"]; // kinds of jobs

const bar = make("progress");
const text = make("span", { dir: "auto" });
const more = make("button.link", { type: "button" });
const line = make("div.working", { hidden: true }, bar, text, more);

function draw(all) {
  const job = all.find(({ kind, state }) => state === "running" && SHOWN.includes(kind));
  line.hidden = !job || !byId("empty").hidden; // the screen of an empty library says it itself
  if (line.hidden) return;
  if (job.total) Object.assign(bar, { max: job.total, value: job.done });
  else bar.removeAttribute("value");
  const said = `${jobs.title(job)} · ${jobs.state(job)}`;
  bar.setAttribute("aria-label", jobs.title(job));
  if (text.textContent !== said) text.textContent = said;
  more.textContent = t("openLibrary");
}

/** `open` shows the library. */
export function start(open) {
  more.addEventListener("click", open);
  byId("notices").before(line);
  jobs.onJobs(draw);
}
