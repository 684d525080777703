// New pictures while a job indexes: the results are renewed, or offered where that would disturb.

import { byId } from "../dom.js";
import { t } from "../i18n.js";
import { isAnySelected } from "./selection.js";
import { clearNotices, notice } from "../summary.js";

const INTERVAL = 2500; // milliseconds between two renewals
const AT_TOP = 40; // pixels scrolled

let renewed = -INTERVAL;
let later = null;
let offered = false;

/** Whether the list may change without anyone losing what they are doing. */
function isIdle() {
  if (document.body.dataset.view !== "pictures") return !document.hidden; // the list is not visible
  return !byId("viewer").open && !isAnySelected() && scrollY < AT_TOP
    && !byId("grid").contains(document.activeElement) && !document.hidden;
}

/** Some pictures have been written: show them with `renew`, at most every few seconds. */
export function arrived(renew) {
  clearTimeout(later);
  const wait = renewed + INTERVAL - performance.now();
  if (wait > 0) {
    later = setTimeout(() => arrived(renew), wait);
    return;
  }
  renewed = performance.now();
  if (isIdle()) {
    offered = false;
    renew();
  } else if (!offered) {
    offered = true;
    notice(t("newPictures"), { again: () => { forget(); clearNotices(); renew(); }, label: t("showThem") });
  }
}

/** Show the results again, with the pictures that have arrived. */
export function forget() {
  offered = false;
}
