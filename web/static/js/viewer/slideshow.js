// A slideshow of the pictures in the viewer.

import { make } from "../dom.js";
import { count, t } from "../i18n.js";

const KEPT = "sightline.interval"; // seconds
const INTERVALS = [3, 5, 10, 30];
const IDLE = 2500; // milliseconds without a pointer until the controls are hidden

let hooks = {};
let timer = null;
let state = "off"; // "off", "playing" or "paused"
let idle = null;

const interval = () => (INTERVALS.includes(Number(localStorage.getItem(KEPT))) ? Number(localStorage.getItem(KEPT)) : 5);

export const isOn = () => state !== "off";
export const isPlaying = () => state === "playing";

function turn(next) {
  state = next;
  clearTimeout(timer);
  hooks.changed(state);
  if (isPlaying()) plan();
}

/** Show the next picture after the interval. It begins when the picture that is shown has been loaded. */
export function plan() {
  clearTimeout(timer);
  if (isPlaying()) timer = setTimeout(async () => {
    if (await hooks.next()) plan();
    else turn("off");
  }, 1000 * interval());
}

export const play = () => turn("playing");
export const stop = () => isOn() && turn("off");

/** Begin a slideshow, pause it, or go on. */
export const playOrPause = () => turn(isPlaying() ? "paused" : "playing");

/** A list of intervals to choose from. */
export function intervalChoice() {
  const choice = make("select.interval", { "aria-label": t("interval"), title: t("interval"), onchange: () => {
    localStorage.setItem(KEPT, choice.value);
    plan();
  } }, ...INTERVALS.map((seconds) => make("option", { value: seconds, selected: seconds === interval() }, t("seconds", { n: count(seconds) }))));
  return choice;
}

/** Hide the controls of `dialog` while the pointer rests during a slideshow or in full screen. */
function watchPointer(dialog) {
  const wake = () => {
    dialog.classList.remove("idle");
    clearTimeout(idle);
    idle = setTimeout(() => {
      const isBusy = dialog.querySelector(".toolbar :focus-visible, .toolbar :hover");
      dialog.classList.toggle("idle", !isBusy && (isPlaying() || document.fullscreenElement !== null));
    }, IDLE);
  };
  for (const name of ["pointermove", "pointerdown", "keydown"]) dialog.addEventListener(name, wake);
}

/** `next` shows the next picture, and resolves to whether there was one; `changed` is called with the new state. */
export function start(dialog, given) {
  hooks = given;
  watchPointer(dialog);
}
