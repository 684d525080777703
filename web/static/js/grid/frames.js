// The pages or moments of a file: their names, and the strip in the viewer to choose one.

import { frameImage, thumbnail } from "../api.js";
import { icon, make } from "../dom.js";
import { count, t } from "../i18n.js";

/** The name of a page or moment, for example "page 3" or "0:07". */
export function frameName({ kind, number, seconds, label }) {
  return kind === "moment" && seconds !== null ? label : t(`frame_${kind}`, { number: number + 1 });
}

/** A time as minutes and seconds, with hours if there are any: "1:05", "2:00:07". */
export function clock(seconds) {
  const [whole, two] = [Math.floor(seconds), (value) => String(value).padStart(2, "0")];
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** What marks a tile: the page, or the moment of a video and its length. */
export function badge(hit) {
  const parts = [hit.frame ? frameName(hit.frame) : null, typeof hit.duration === "number" ? clock(hit.duration) : null];
  return parts.filter(Boolean).join(" / ");
}

/** The number of the frame that was found, from 0. */
export const frameNumber = (hit) => hit.frame?.number ?? 0;

/** The name of a file, with that of the frame that was found or of another one. */
export const titleOf = (hit, frame = hit.frame) => (frame ? `${hit.name}, ${frameName(frame)}` : hit.name);

/** Fill `box` with the frames of a file. `choose` is called with the number of a frame. Returns a function that marks one. */
export function drawStrip(box, hit, frames, choose) {
  const name = make("span", {});
  const position = make("span.soft", {});
  const full = make("a.button.quiet", { target: "_blank", rel: "noopener", title: t("fullSize"), "aria-label": t("fullSize") }, icon("open"));
  const shots = frames.map((frame) => make("button", { type: "button", title: frameName(frame), "aria-label": frameName(frame),
    onclick: () => choose(frame.number) }, make("img", { loading: "lazy", alt: "", src: thumbnail(hit.id, 192, frame.number) })));
  const strip = make("div.strip", {}, ...shots);
  box.replaceChildren(make("div.head", {}, make("h3", { role: "status" }, name, position), full), strip);
  box.hidden = false;
  return (number) => {
    const at = Math.max(0, frames.findIndex((frame) => frame.number === number));
    name.textContent = frameName(frames[at]);
    const isPage = frames[at].kind === "page"; // its name has the number already
    position.textContent = isPage ? `/ ${count(frames.at(-1).number + 1)}` : `${count(at + 1)} / ${count(frames.length)}`;
    full.href = frameImage(hit.id, frames[at].number);
    shots.forEach((shot, i) => shot.setAttribute("aria-pressed", String(i === at)));
    reveal(strip, shots[at]);
  };
}

/** Scroll only the strip, not the panel around it. */
function reveal(strip, shot) {
  const [top, bottom] = [shot.offsetTop, shot.offsetTop + shot.offsetHeight];
  if (top < strip.scrollTop || bottom > strip.scrollTop + strip.clientHeight) strip.scrollTop = top - strip.clientHeight / 3;
}
