// The main module: sends the query to the server and shows the results.

import * as albums from "./albums.js";
import { api } from "./api.js";
import { byId, settled } from "./dom.js";
import * as facets from "./facets.js";
import { frameNumber, titleOf } from "./frames.js";
import * as grid from "./grid.js";
import * as help from "./help.js";
import * as hints from "./hints.js";
import { speak, t } from "./i18n.js";
import * as library from "./library.js";
import * as query from "./query.js";
import { change, inPlainWords, inWords, isEmpty, onChange, recall, request, state } from "./state.js";
import { clearNotices, lastingNotice, notice, notYet, summarise, tell } from "./summary.js";
import * as viewer from "./viewer.js";

const PATIENCE = 1000; // milliseconds after which a newer query no longer waits for the previous one
const TOLD = "sightline.newer"; // the newer version whose notice was dismissed
const DOUBT = 900; // milliseconds after the last key press until a syntax error is shown

let under = null; // the request in progress: { ends, since }
let behind = false; // whether a newer query waits for it
let turn = 0; // number of the result that is shown
let next = null; // the request for its next page
let loading = false;

const doubt = settled((problem, asked) => { if (asked === state.words) notYet(problem); }, DOUBT);

/** While typing, the newest query waits for the request in progress, so that every result is shown. */
function ask({ typing = false } = {}) {
  if (typing && under && performance.now() - under.since < PATIENCE) behind = true;
  else answer(typing);
}

async function answer(typing) {
  under?.ends.abort();
  const mine = { ends: new AbortController(), since: performance.now() };
  under = mine;
  behind = false;
  document.body.classList.add("asking");
  const asked = state.words;
  const sent = request();
  try {
    show(await api.search(sent, mine.ends.signal), sent);
    performance.mark("sightline.shown", { detail: asked });
  } catch (problem) {
    if (problem.name === "AbortError") return;
    // The query may be incomplete while typing: keep the previous results.
    if (typing && problem.status === 400) doubt(problem, asked);
    else await complain(problem);
  } finally {
    if (under === mine) {
      under = null;
      document.body.classList.remove("asking");
      if (behind) answer(true);
    }
  }
}

function show(found, sent = null) {
  turn += 1;
  next = found.next && { ...sent, cursor: found.next };
  clearNotices();
  found.notices.forEach((text) => notice(text));
  grid.show(found.hits);
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
  if (problem.title === "NothingIndexed" || (await isNew())) {
    show({ hits: [], next: null, notices: [], searched: 0 });
    return;
  }
  clearNotices();
  if (problem.title === "NotThere" && state.parts.some((part) => part.upload)) {
    change({ parts: state.parts.filter((part) => !part.upload) }, { silent: true });
    notice(t("uploadGone"));
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
    const found = await api.search(next); // not the query that has been typed since
    if (mine !== turn) return;
    next = found.next && { ...next, cursor: found.next };
    grid.append(found.hits);
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
  await speak();
  query.start({ down: () => grid.focusOn(0) });
  facets.start();
  albums.start();
  help.start();
  grid.start({
    open: viewer.open,
    more,
    like: (hit) => query.addPart({ picture: hit.id, frame: frameNumber(hit) || undefined, weight: 1, label: titleOf(hit) }),
    why: (index) => (inPlainWords() ? () => viewer.open(index, { why: true }) : null),
  });
  viewer.start();
  library.start({ changed: () => { facets.refresh(); change({}, { silent: true }); sayNewer(); } });
  byId("sort").addEventListener("change", (event) => change({ sort: event.target.value }));
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    change({ words: "", parts: [], filters: new Map(), sort: "relevance" });
  });
  addEventListener("popstate", recall);
  addEventListener("keydown", keys);
  onChange(drawOrder);
  onChange(ask);
  recall();
  sayNewer();
  if (!matchMedia("(pointer: coarse)").matches) byId("words").focus();
}

start();
