// Where everything comes together: what is asked goes to the server, and what comes back to the grid.

import { api } from "./api.js";
import { byId, make } from "./dom.js";
import * as facets from "./facets.js";
import * as grid from "./grid.js";
import { speak, t } from "./i18n.js";
import * as library from "./library.js";
import * as query from "./query.js";
import { change, inWords, isEmpty, onChange, recall, request, state } from "./state.js";
import { clearNotices, notice, summarise } from "./summary.js";
import * as viewer from "./viewer.js";

let under = null; // the question under way; a newer one ends it
let next = null; // where the answer goes on
let loading = false;
let grades = new Map();

async function answer() {
  under?.abort();
  under = new AbortController();
  const { signal } = under;
  document.body.classList.add("asking");
  try {
    const found = await api.search(request(), signal);
    clearNotices();
    for (const text of found.notices) notice(text);
    next = found.next;
    grades = new Map();
    grid.show(found.hits);
    tell(found);
    recallGrades(signal);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    clearNotices();
    next = null;
    if (problem.title === "NothingIndexed" || (await isNew())) welcome();
    else {
      notice(problem);
      summarise("");
    }
  } finally {
    if (under?.signal === signal) document.body.classList.remove("asking");
  }
}

async function more() {
  if (!next || loading) return;
  loading = true;
  const { signal } = under;
  try {
    const found = await api.search(request(next), signal);
    next = found.next;
    grid.show([...grid.shown(), ...found.hits], { keep: true });
  } catch (problem) {
    if (problem.name !== "AbortError") next = null;
  } finally {
    loading = false;
  }
}

function tell(found) {
  byId("empty").hidden = true;
  if (!found.hits.length) {
    summarise(t("nothing"));
    return;
  }
  const likely = found.hits.filter((hit) => hit.is_relevant).length;
  const known = !isEmpty() && found.hits.some((hit) => hit.is_relevant !== null && hit.is_relevant !== undefined);
  const all = t("among", { n: found.searched });
  if (!known) summarise(all);
  else if (likely === 0) summarise(`${t("noneLikely")} ${all}`);
  else summarise(`${t("likely", { n: likely, more: likely === found.hits.length && found.next ? "+" : "" })} ${all}`);
}

// A library without pictures -----------------------------------------------------------------------------------------

async function isNew() {
  const status = await api.status().catch(() => null);
  return status !== null && status.present === 0;
}

function welcome() {
  grid.show([]);
  summarise("");
  const empty = byId("empty");
  empty.hidden = false;
  empty.replaceChildren(make("h1", {}, t("welcome")), make("p", {}, t("welcomeHow")),
    make("button.primary", { type: "button", onclick: library.open }, t("openLibrary")));
}

// Judgements ---------------------------------------------------------------------------------------------------------

async function recallGrades(signal) {
  const ids = grid.shown().map((hit) => hit.id);
  if (!inWords() || !ids.length) return;
  const judged = await api.judgements(inWords(), ids).catch(() => null);
  if (judged && !signal.aborted) grades = new Map(Object.entries(judged.grades ?? {}).map(([id, grade]) => [Number(id), grade]));
}

async function judge(id, grade) {
  try {
    await api.judge(inWords(), id, grade);
    grade === null ? grades.delete(id) : grades.set(id, grade);
  } catch (problem) {
    notice(problem);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function drawOrder() {
  byId("sort").value = state.sort;
  document.title = inWords() ? `${inWords()} · Sightline` : "Sightline";
}

function keys(event) {
  if (event.key === "/" && !event.target.matches("input, textarea, select") && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    byId("words").focus();
  }
}

async function start() {
  library.paint();
  await speak();
  query.start();
  facets.start();
  grid.start({ open: viewer.open, more });
  viewer.start({ judged: (id) => grades.get(id) ?? null, judge });
  library.start({ changed: () => { facets.refresh(); change({}, { silent: true }); } });
  byId("sort").addEventListener("change", (event) => change({ sort: event.target.value }));
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    change({ words: "", parts: [], filters: new Map(), sort: "relevance" });
  });
  addEventListener("popstate", recall);
  addEventListener("keydown", keys);
  onChange(drawOrder);
  onChange(answer);
  recall();
  if (!matchMedia("(pointer: coarse)").matches) byId("words").focus();
}

start();

