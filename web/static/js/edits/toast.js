// Short messages at the bottom, with an action or without one. They are shown above an open dialog, too.

import { iconButton, make } from "../dom.js";
import { t } from "../i18n.js";

const SHOWN = 9000; // milliseconds

const region = make("div.toasts", { role: "status" });
let timer = null;

const host = () => [...document.querySelectorAll("dialog[open]")].at(-1)?.querySelector(".screen") ?? [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;

function hide() {
  clearTimeout(timer);
  region.replaceChildren();
}

const hideLater = () => {
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN);
};

/** Show `text` for some seconds, instead of an earlier message; longer while the pointer or the focus is on it. */
export function toast(text, { act = null, label = "" } = {}) {
  if (region.parentElement !== host()) host().append(region);
  const message = make("div.toast", { onpointerenter: () => clearTimeout(timer), onpointerleave: hideLater, onfocusin: () => clearTimeout(timer), onfocusout: hideLater },
    make("p", { dir: "auto" }, text),
    act ? make("button.link", { type: "button", onclick: () => { hide(); act(); } }, label) : null,
    iconButton("close", t("close"), hide));
  region.replaceChildren(message);
  hideLater();
}
