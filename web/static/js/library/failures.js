// Files that could not be read, by reason, with what can be done; and files of types that are not read.

import { api } from "../api.js";
import { icon, make } from "../dom.js";
import { count, knows, t } from "../i18n.js";

const SHOWN = 50; // files of one reason
const TYPES = 12; // types of files that were passed over
const NEEDS = "needs-"; // begins a reason that names an extra to install

const opened = new Set(); // reasons whose files are listed, also when the section is drawn again

/** The section, or null if all files were read. */
export function section(status, acts) {
  const types = Object.entries(status.passed_over);
  if (!status.failed && !types.length) return null;
  const reasons = make("ul.reasons", {});
  const element = make("section.card.problems", { "aria-labelledby": "problems-title" },
    make("h2", { id: "problems-title" }, t("notRead")),
    reasons,
    status.failed ? make("div.buttons", {}, make("button", { type: "button", onclick: () => acts.attempt(retry) }, icon("refresh"), t("retryFailed"))) : null,
    passedOver(types));
  if (status.failed) api.reasons().then((found) => reasons.replaceChildren(...found.map(row))).catch(() => {});
  return element;
}

const retry = () => api.start({ kind: "index", parameters: { retry_failed: true } });

function row({ reason, files }) {
  const list = make("ul.files", {});
  const details = make("details", { open: opened.has(reason), ontoggle: () => {
    if (details.open) opened.add(reason);
    else opened.delete(reason);
    if (details.open && !list.firstChild) fill(list, reason, files);
  } },
    make("summary", {}, make("span", {}, said(reason)), make("span.number", {}, t("filesOf", { n: files }))),
    advice(reason), list);
  return make("li", {}, details);
}

function said(reason) {
  if (reason.startsWith(NEEDS)) return t("reason_needs", { extra: reason.slice(NEEDS.length) });
  const key = `reason_${reason}`;
  return knows(key) ? t(key) : reason;
}

/** What can be done about it. */
function advice(reason) {
  if (reason.startsWith(NEEDS)) {
    return make("p.soft", {}, t("reason_needs_do"), " ", make("code", { dir: "ltr" }, `pip install 'sightline[${reason.slice(NEEDS.length)}]'`));
  }
  const key = `reason_${reason}_do`;
  return knows(key) ? make("p.soft", {}, t(key)) : null;
}

async function fill(list, reason, files) {
  const found = await api.failures(reason, SHOWN).catch(() => []);
  const rows = found.map((failure) => make("li", {}, make("b", {}, make("bdi", {}, failure.path)), make("span.soft", { dir: "auto" }, failure.detail)));
  if (files > SHOWN) rows.push(make("li.soft", {}, t("moreFiles", { n: files - SHOWN })));
  list.replaceChildren(...rows);
}

/** The number of files that are not supported pictures, with their types. */
function passedOver(types) {
  if (!types.length) return null;
  const all = types.reduce((sum, [, files]) => sum + files, 0);
  const pills = types.slice(0, TYPES).map(([type, files]) => make("li.type", {}, make("bdi", {}, type || t("withoutSuffix")), make("span.soft", {}, count(files))));
  const rest = types.slice(TYPES).reduce((sum, [, files]) => sum + files, 0);
  if (rest) pills.push(make("li.type", {}, t("otherTypes"), make("span.soft", {}, count(rest))));
  return make("details.passed-over", {},
    make("summary", {}, t("passedOver", { n: all })),
    make("p.soft", {}, t("passedOverDo")),
    make("ul.types", {}, ...pills));
}
