// The main module: sends the query to the server and shows the results.

import * as address from "./address.js";
import * as albums from "./albums/albums.js";
import * as opened from "./albums/opened.js";
import { rememberAnswer } from "./answer.js";
import { api } from "./api.js";
import { arrived, forget } from "./grid/arrivals.js";
import { byId, settled } from "./dom.js";
import * as duplicates from "./duplicates/duplicates.js";
import * as facets from "./query/facets.js";
import { frameNumber, titleOf } from "./grid/frames.js";
import { everything } from "./grid/everything.js";
import { toast } from "./edits/toast.js";
import * as folders from "./folders/folders.js";
import * as grid from "./grid/grid.js";
import * as help from "./query/help.js";
import * as hints from "./query/hints.js";
import * as selection from "./grid/selection.js";
import { speak, t } from "./i18n.js";
import * as library from "./library/library.js";
import * as map from "./map/map.js";
import * as offline from "./offline.js";
import { showNotices, start as startNotices } from "./query/notices.js";
import * as mix from "./query/mix.js";
import * as query from "./query/query.js";
import * as retries from "./retries.js";
import * as shell from "./shell.js";
import { change, inPlainWords, inWords, isEmpty, onChange, recall, request, state } from "./state.js";
import { clearNotices, lastingNotice, notice, notYet, summarise, tell } from "./summary.js";
import * as timelines from "./timeline/timeline.js";
import * as viewer from "./viewer/viewer.js";
import * as views from "./views.js";

const PATIENCE = 1000; // milliseconds after which a newer query no longer waits for the previous one
const CHANGED = 500; // milliseconds after the library was seen to have changed until the pictures are counted again
const TOLD = "sightline.newer"; // the newer version whose notice was dismissed
const DOUBT = 900; // milliseconds after the last key press until a syntax error is shown

let under = null; // the request in progress: { ends, since }
let behind = false; // whether a newer query waits for it
let turn = 0; // number of the result that is shown
let next = null; // the request for its next page
let loading = false;
let asked = null; // the question that is shown or in progress
let answered = null; // the question whose answer is shown
let isStale = false; // whether its answer may have changed while another view was visible
let lastView = null;

const doubt = settled((problem, words) => { if (words === state.words) notYet(problem); }, DOUBT);

/**
 * Ask the question, unless its answer is there already: after another view, or when the viewer is closed.
 *
 * While typing, the newest query waits for the request in progress, so that every result is shown.
 */
function ask({ typing = false } = {}) {
  const isVisible = views.current() === "pictures";
  const isBack = isVisible && lastView !== "pictures";
  lastView = views.current();
  if (!isVisible) return;
  if (asked === JSON.stringify(request()) && !(isBack && isStale)) return;
  if (typing && under && performance.now() - under.since < PATIENCE) behind = true;
  else answer(typing);
}

async function answer(typing) {
  under?.ends.abort();
  const mine = { ends: new AbortController(), since: performance.now() };
  under = mine;
  behind = false;
  document.body.classList.add("asking");
  const words = state.words;
  const sent = request();
  asked = JSON.stringify(sent);
  isStale = false;
  try {
    show(await find(sent, mine.ends.signal), sent, { typing });
    performance.mark("sightline.shown", { detail: words });
  } catch (problem) {
    if (problem.name === "AbortError") return;
    asked = null;
    // The query may be incomplete while typing: keep the previous results.
    if (typing && problem.status === 400) doubt(problem, words);
    else await complain(problem);
  } finally {
    if (under === mine) {
      under = null;
      document.body.classList.remove("asking");
      if (behind) answer(true);
    }
  }
}

/** The answer to a question: all pictures by date if it has only filters, or else the hits of a search. */
async function find(sent, signal) {
  const ordered = await opened.find(sent.where, signal);
  if (ordered) return ordered;
  const found = isEmpty() ? { notices: [] } : await api.search(sent, signal);
  if (!isEmpty() && found.space !== null) return found;
  const timeline = await timelines.load(sent.where, sent.query, signal);
  return { timeline, hits: timeline.hits, searched: timeline.count, space: null, next: null, notices: found.notices };
}

/** Ask the same question again: the library has changed. */
function askAgain() {
  isStale = true;
  change({}, { silent: true }); // texts may be in another language
  if (views.current() === "pictures") answer(false);
}

/** Show pictures that have been added while a job runs. */
function renew() {
  isStale = true;
  facets.refresh();
  views.refresh();
}

function show(found, sent = null, { typing = false } = {}) {
  const keep = sent !== null && answered === JSON.stringify(sent);
  answered = sent && JSON.stringify(sent);
  turn += 1;
  forget();
  next = found.next && { ...sent, album: found.album, cursor: found.next };
  rememberAnswer(found);
  showNotices(found.notices, { typing });
  if (found.timeline) grid.showTimeline(found.timeline, { keep });
  else grid.show(found.hits, { keep });
  viewer.regrouped();
  tell(found);
  hints.draw(found);
}

/** Say that a newer version of the model is installed, until it is used or the notice is dismissed in this browser. */
async function sayNewer() {
  const status = await api.status().catch(() => null);
  if (!status) return;
  const old = library.outdated(status);
  if (!old || localStorage.getItem(TOLD) === old.newer) lastingNotice(null);
  else lastingNotice(t("newerModel", { old: old.title, newer: old.newer }), {
    act: library.open,
    label: t("openLibrary"),
    dismiss: () => localStorage.setItem(TOLD, old.newer),
  });
}

async function complain(problem) {
  if (problem.title === "Unreachable") return; // offline.js shows a message and tries again
  if (problem.title === "NothingIndexed" || (await isNew())) {
    show({ hits: [], next: null, notices: [], searched: 0, space: null, isNew: true });
    return;
  }
  clearNotices();
  if (problem.title === "NotThere" && state.parts.some((part) => part.upload)) {
    change({ parts: state.parts.filter((part) => !part.upload) }, { silent: true });
    history.replaceState({ parts: state.parts }, "", address.write(state)); // or a reload asks for it again
    toast(t("uploadGone"));
    return;
  }
  byId("try").hidden = !isEmpty();
  if (problem.status === 400) notYet(problem);
  else if (problem.title === "SpaceMismatch") notice(t("modelChanged"), { again: library.open, label: t("openLibrary") });
  else notice(problem, { again: () => answer(false) });
}

async function isNew() {
  const status = await api.status().catch(() => null);
  return status !== null && status.present === 0;
}

async function more() {
  if (!next || loading) return;
  loading = true;
  const mine = turn;
  try {
    const found = await (next.album ? opened.findMore(next) : api.search(next)); // not the query that has been typed since
    if (mine !== turn) return;
    next = found.next && { ...next, cursor: found.next };
    grid.append(found.hits);
    tell({ ...found, hits: grid.shown() });
  } catch (problem) {
    if (mine === turn) next = null;
  } finally {
    loading = false;
  }
}

function drawOrder() {
  byId("sort").value = state.sort;
  byId("order").hidden = isEmpty(); // without a query, pictures are always sorted by date
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
  views.addView("pictures", { element: byId("results"), icon: "picture", refresh: () => answer(false) });
  views.addView("map", { element: byId("view-map"), icon: "map", show: map.show, hide: map.hide, refresh: map.refresh });
  views.addView("folders", { element: byId("view-folders"), icon: "folder", show: folders.show });
  views.addView("albums", { element: byId("view-albums"), icon: "album", show: albums.show });
  views.addView("duplicates", { element: byId("view-duplicates"), icon: "apart", show: duplicates.show });
  views.addView("library", { element: byId("view-library"), icon: "library", show: library.show });
  offline.start(() => { facets.refresh(); askAgain(); });
  retries.start();
  shell.start();
  await speak();
  query.start({ down: () => grid.focusOn(0) });
  mix.start();
  views.start();
  facets.start();
  map.start();
  folders.start();
  albums.start({ changed: askAgain });
  duplicates.start();
  help.start();
  startNotices({ openLibrary: library.open });
  grid.start({
    open: viewer.open,
    more,
    like: (hit) => query.addPart({ picture: hit.id, frame: frameNumber(hit) || undefined, weight: 1, label: titleOf(hit) }),
    why: (index) => (inPlainWords() ? () => viewer.open(index, { why: true }) : null),
    lost: settled(askAgain, CHANGED),
  });
  viewer.start();
  selection.start({ all: everything });
  library.start({
    changed: () => { facets.refresh(); askAgain(); sayNewer(); },
    advanced: () => arrived(renew),
  });
  byId("sort").addEventListener("change", (event) => change({ sort: event.target.value }));
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    change({ words: "", parts: [], filters: new Map(), sort: "relevance" });
  });
  addEventListener("popstate", recall);
  addEventListener("keydown", keys);
  onChange(drawOrder);
  onChange(ask);
  const typed = byId("words").value; // while the page was loading
  recall();
  hints.begin();
  if (typed && typed !== state.words) change({ words: typed }, { typing: true });
  sayNewer();
  if (!matchMedia("(pointer: coarse)").matches) byId("words").focus();
}

start();
