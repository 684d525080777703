// What was changed last, so that it can be undone.

import { t } from "../i18n.js";
import { describe } from "../summary.js";
import { toast } from "./toast.js";

const MOST = 50; // changes remembered

const changes = [];
let undoing = Promise.resolve(); // the end of those that are being undone

/** Say in `text` what was changed, and offer to call `undo`, an asynchronous function. */
export function offerUndo(text, undo) {
  changes.push(undo);
  if (changes.length > MOST) changes.shift();
  toast(text, { act: undoLast, label: t("undo") });
}

/** Undo the last change that has not been undone; return whether there was one. */
export function undoLast() {
  if (!changes.length) return false;
  undoing = undoing.then(undoOne); // one after the other: a change may build on an earlier one
  return true;
}

async function undoOne() {
  const undo = changes.pop();
  if (!undo) return;
  try {
    await undo();
    toast(t("undone"));
  } catch (problem) {
    const again = isGone(problem) ? {} : { act: undoLast, label: t("undo") };
    if (again.act) changes.push(undo);
    toast(describe(problem), again);
  }
}

/** Whether an album or a picture of a change is not there any more: to try again would fail, and block earlier changes. */
const isGone = ({ status, title }) => status === 404 || title === "NotInAlbum";

/** Whether a key press means to undo a change, not to undo typing. */
export const isUndo = (event) => event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey
  && !(event.target.matches("input, textarea") && event.target.value);
