// What happens when the server cannot be reached: a message, and further tries until it answers again.

import { make } from "./dom.js";
import { t } from "./i18n.js";

const FIRST = 1000; // milliseconds until the first try, doubled each time
const LONGEST = 30_000;

const text = make("span");
const bar = make("div.offline", { role: "status", hidden: true }, text, make("button", { type: "button", onclick: look }));

let wait = FIRST;
let timer = null;
let back = () => {};

export const isOffline = () => !bar.hidden;

function lost() {
  if (isOffline()) return;
  text.textContent = t("offline");
  bar.lastChild.textContent = t("tryNow");
  bar.hidden = false;
  wait = FIRST;
  timer = setTimeout(look, wait);
}

async function look() {
  clearTimeout(timer);
  const answer = await fetch("/health", { cache: "no-store" }).catch(() => null);
  if (!isOffline()) return;
  if (answer?.ok) {
    bar.hidden = true;
    dispatchEvent(new Event("reachable"));
    back();
    return;
  }
  wait = Math.min(2 * wait, LONGEST);
  timer = setTimeout(look, wait);
}

/** Watch the connection; `given` is called when the server answers again. */
export function start(given) {
  back = given;
  document.querySelector("header").after(bar);
  addEventListener("unreachable", lost);
  addEventListener("online", () => isOffline() && look());
}
