// The buttons above the picture in the viewer.

import { icon, iconButton, make } from "../dom.js";
import { count, t } from "../i18n.js";
import { toggleDetails } from "./sheet.js";
import { intervalChoice, isOn, isPlaying, playOrPause, stop } from "./slideshow.js";
import { isZoomed, percentage, zoomIn, zoomOut, zoomToFit, zoomToPixels } from "./zoom.js";

/** Whether a part of the page can fill the screen; not on an iPhone. */
export const canFill = () => document.fullscreenEnabled;

/** Fill the screen with the viewer, or stop that. */
export function toggleFullScreen(screen) {
  if (!canFill()) return;
  if (document.fullscreenElement) document.exitFullscreen();
  else screen.requestFullscreen().catch(() => {});
}

/** Make the toolbar; `close` closes the viewer, and `screen` is the element to fill the screen with. */
export function makeToolbar({ close, choose, screen }) {
  const button = (name, key, label, act, attributes = {}) => iconButton(name, label, act, { "data-key": key, ...attributes });
  return make("div.toolbar", { role: "toolbar", "aria-label": t("viewerTools") },
    button("close", "close", t("close"), close),
    make("span.space"),
    make("div.zoom", { role: "group", "aria-label": t("zoom") },
      button("minus", "out", `${t("zoomOut")} (−)`, zoomOut),
      make("button.quiet.percent", { type: "button", dir: "ltr", "data-key": "percent", onclick: () => (isZoomed() ? zoomToFit() : zoomToPixels()) }),
      button("plus", "in", `${t("zoomIn")} (+)`, zoomIn)),
    button("pick", "pick", t("pickThis"), choose, { "aria-pressed": "false" }),
    make("div.show", {}),
    canFill() ? button("fill", "fill", `${t("fullScreen")} (F)`, () => toggleFullScreen(screen), { "aria-pressed": "false" }) : null,
    button("info", "info", t("hideDetails"), toggleDetails));
}

/** Show the zoom of the picture. */
export function drawZoom(toolbar) {
  const button = toolbar.querySelector("[data-key=percent]");
  button.textContent = `${count(percentage())} %`;
  button.title = isZoomed() ? t("zoomFit") : t("zoomReal");
  button.setAttribute("aria-label", `${t("zoom")}: ${count(percentage())} %. ${button.title}`);
}

/** Show the buttons of the slideshow. */
export function drawShow(toolbar) {
  const box = toolbar.querySelector(".show");
  const held = box.contains(document.activeElement);
  const play = iconButton(isPlaying() ? "pause" : "play", isPlaying() ? t("pauseShow") : t("slideshow"), playOrPause, { "data-key": "show" });
  box.replaceChildren(play, ...(isOn() ? [intervalChoice(), make("button.quiet", { type: "button", title: t("stopShow"), "aria-label": t("stopShow"), onclick: stop }, icon("stop"))] : []));
  if (held) play.focus();
}
