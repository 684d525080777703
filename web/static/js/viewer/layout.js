// The elements of the viewer that stay while it is open.

import { icon, iconButton, make } from "../dom.js";
import { t } from "../i18n.js";
import { toggleDetails } from "./sheet.js";
import { makeToolbar } from "./toolbar.js";

function frame(parts, step) {
  parts.track = make("div.track");
  parts.sign = make("p.sign", { role: "status", hidden: true });
  return make("div.frame", {}, parts.track, make("p.lost", { hidden: true }, t("gone")),
    iconButton("back", t("previous"), () => step(-1), { className: "quiet previous", "data-key": "previous" }),
    iconButton("next", t("next"), () => step(1), { className: "quiet next", "data-key": "next" }),
    parts.sign, parts.toolbar);
}

/** The name of the picture, and the handle with which the details are pulled up on a phone. */
function grip(parts) {
  parts.title = make("h2", { dir: "auto" });
  parts.link = make("a.button.quiet", { target: "_blank", rel: "noopener", title: t("original"), "aria-label": t("original") }, icon("open"));
  // A pointer on the handle is watched together with those beside it.
  const handle = make("button.handle", { type: "button", onclick: (event) => { if (event.detail === 0) toggleDetails(); } });
  return make("div.grip", {}, handle, make("div.head", {}, parts.title, parts.link));
}

function about(parts) {
  for (const name of ["organise", "actions", "where", "frames", "facts", "written", "near"]) parts[name] = make(`div.${name}`);
  parts.judging = make("div.judging", { role: "group", "aria-label": t("judge") });
  return make("aside.about", { "aria-label": t("details") }, grip(parts),
    make("div.details", {}, parts.organise, parts.actions, parts.where, parts.frames, parts.judging, parts.facts, parts.written, parts.near));
}

/** Fill `dialog` with the elements of the viewer, and return those that change, by name. */
export function buildParts(dialog, { step, choose }) {
  const screen = make("div.screen", { tabIndex: -1, autofocus: true }); // a dialog itself cannot fill the screen
  const parts = { toolbar: makeToolbar({ close: () => dialog.close(), choose, screen }) };
  screen.append(frame(parts, step), about(parts));
  screen.addEventListener("fullscreenchange", () =>
    parts.toolbar.querySelector("[data-key=fill]")?.setAttribute("aria-pressed", String(document.fullscreenElement !== null)));
  dialog.replaceChildren(screen);
  return parts;
}
