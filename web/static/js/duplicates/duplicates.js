// Near-duplicates: groups side by side, the best picture first. Files are never changed.

import { api, restOfDuplicates } from "../api.js";
import { byId, icon, make } from "../dom.js";
import { bytes, onLanguage, t } from "../i18n.js";
import { drawKept } from "../query/kept.js";
import { where } from "../state.js";
import { describe } from "../summary.js";
import { current } from "../views.js";
import { drawGroup } from "./group.js";
import { drawVerdicts } from "./verdicts.js";

const PAGE = 20;
const MARGIN = "800px"; // below the visible area, from which the next page is loaded

const section = byId("view-duplicates");
let turn = 0;
let next = null;
let loading = false;

/** Show the first groups; the others follow while the page is scrolled. */
export async function show() {
  turn += 1;
  const mine = turn;
  if (!section.children.length) section.replaceChildren(make("h1", {}, t("view_duplicates")));
  try {
    const found = await api.duplicates({ where: where(), k: PAGE });
    if (mine === turn) draw(found);
  } catch (problem) {
    if (mine === turn) section.replaceChildren(make("h1", {}, t("view_duplicates")), make("p.bad", { role: "alert" }, describe(problem)));
  }
}

function draw(found) {
  const kept = make("div.kept");
  drawKept(kept);
  const list = make("ol.dup-groups");
  const verdicts = make("section.dup-verdicts");
  section.replaceChildren(head(found), kept,
    ...(found.waiting ? [make("p.soft", {}, t("dupWaiting", { n: found.waiting }))] : []),
    ...(found.total ? [list] : [make("p.soft.dup-none", {}, t("dupNone"))]),
    more(list), verdicts);
  append(list, found);
  drawVerdicts(verdicts, found.verdicts, show);
}

function head({ total, files, spare }) {
  const numbers = total ? [t("dupGroups", { n: total }), t("dupFiles", { n: files }), t("dupSpare", { bytes: bytes(spare) })].join(" · ") : "";
  const link = (format) => make("a.button", { href: restOfDuplicates(format, where()), download: "" }, t(`as_${format}`));
  return make("div.dup-head", {},
    make("div", {}, make("h1", {}, t("view_duplicates")), make("p.soft", {}, numbers), make("p.soft", {}, t("dupNever"))),
    total ? make("div.dup-rest", { role: "group", "aria-label": t("dupRest") }, make("span.soft", {}, icon("download"), t("dupRest")), ...["paths", "csv", "json"].map(link)) : null);
}

/** The button below the groups, which need not be pressed where scrolling is noticed. */
function more(list) {
  const button = make("button.dup-more", { type: "button", onclick: () => load(list, button) }, t("dupMore"));
  new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) load(list, button); }, { rootMargin: MARGIN }).observe(button);
  button.hidden = true;
  return button;
}

async function load(list, button) {
  if (!next || loading) return;
  loading = true;
  const mine = turn;
  try {
    const found = await api.duplicates({ where: where(), k: PAGE, cursor: next });
    if (mine === turn) append(list, found);
  } catch (problem) {
    if (mine === turn) button.textContent = describe(problem);
  } finally {
    loading = false;
  }
}

function append(list, found) {
  next = found.next;
  const before = list.children.length;
  list.append(...found.groups.map((group, i) => drawGroup(group, before + i + 1, show)));
  section.querySelector(".dup-more").hidden = next === null;
}

export function start() {
  onLanguage(() => { if (current() === "duplicates" && section.children.length) show(); });
}
