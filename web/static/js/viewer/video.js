// A video in the viewer, played from the moment that is shown.

import { original } from "../api.js";
import { icon, make } from "../dom.js";
import { t } from "../i18n.js";

/** Add a button to `stage` that plays the video of a hit. `from` returns the time in seconds to begin at. */
export function addPlayer(hit, stage, from) {
  stop(stage);
  const start = make("button.play", { type: "button", title: t("play"), "aria-label": t("play"), "data-key": "play", onclick: () => play(hit, stage, from()) }, icon("play"));
  stage.append(start);
}

/** Show the picture again. */
export function stop(stage) {
  for (const element of stage.querySelectorAll(".play, .player, .unplayable")) element.remove();
}

function play(hit, stage, seconds) {
  stop(stage);
  const player = make("video.player", { controls: true, autoplay: true, playsInline: true, src: `${original(hit.id)}#t=${seconds}` });
  player.addEventListener("error", () => fail(hit, stage));
  player.addEventListener("loadedmetadata", () => {
    if (!player.videoWidth) fail(hit, stage); // only its sound can be played
  });
  stage.append(player);
  player.focus();
}

function fail(hit, stage) {
  stop(stage);
  stage.append(make("p.unplayable", { role: "status" }, t("cannotPlay"), " ",
    make("a", { href: original(hit.id), download: hit.name }, t("openFile"))));
}
