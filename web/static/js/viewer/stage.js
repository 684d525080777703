// The picture in the viewer: a thumbnail first, and the whole picture when the screen has more pixels than that.

import { api, fastFrameImage, original, thumbnail } from "../api.js";
import { make } from "../dom.js";
import { t } from "../i18n.js";
import { makeLayer, markLines } from "./texts.js";
import { pixelsWide } from "./zoom.js";

const SHOWN = new Set(["JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP"]); // formats that browsers show
const LARGE = 1536; // pixels of the longer side
const ENOUGH = 1.15; // a picture may be stretched this much
const SAME = 0.02; // relative difference of two shapes

/** The address of a large thumbnail for this screen. */
export const large = (id, frame = 0) => thumbnail(id, Math.max(innerWidth, innerHeight) * devicePixelRatio > 900 ? LARGE : 768, frame);

/** Make the stage of a picture. `shown` is called when a picture has been loaded, `lost` if there is none. */
export function makeStage(hit, { shown, lost }) {
  const picture = make("img.picture", { draggable: false, decoding: "sync" });
  const stage = make("div.stage", {}, picture, make("div.heat", { "aria-hidden": "true", hidden: true }), make("div.box", { hidden: true }),
    make("div.face", { hidden: true }), makeLayer());
  stage.style.setProperty("--ratio", hit.width / hit.height || 1);
  picture.addEventListener("error", () => lost());
  picture.addEventListener("load", () => shown(picture));
  return stage;
}

/** Show a frame of a hit on its stage. */
export function drawPicture(stage, hit, frame, title) {
  stage.style.backgroundImage = `url("${thumbnail(hit.id, 384, frame)}")`; // cached already; shown until the large one has loaded
  const picture = stage.querySelector(".picture");
  stage.querySelector(".full")?.remove();
  picture.src = large(hit.id, frame);
  picture.alt = title;
  markLines(stage.querySelector(".lines"), hit.texts ?? [], frame);
}

/** The size of the whole picture that is shown, in pixels. Frames of a file can differ from its first one. */
export function sizeOf(hit, frame, picture) {
  if (!frame || !picture.naturalWidth) return { width: hit.width, height: hit.height };
  const full = picture.closest(".stage")?.querySelector(".full");
  return { width: (full ?? picture).naturalWidth, height: (full ?? picture).naturalHeight };
}

/** Whether the screen shows more pixels than `stage` has loaded. */
function isBlurred(stage, size, frame) {
  const picture = stage.querySelector(".picture");
  const { naturalWidth: width, naturalHeight: height } = picture;
  const isWhole = frame ? !isLarge(width, height) : width >= size.width && size.width > 0;
  return picture.complete && width > 0 && !isWhole && pixelsWide() > width * ENOUGH;
}

/** Whether a thumbnail may have been reduced. */
const isLarge = (width, height) => [768, LARGE].includes(Math.max(width, height));

/**
 * Load the whole picture if it is needed, and show `sign` until then; `isNow` tells whether the stage is still shown.
 * The original file is used if browsers show its format, or else a rendition of it.
 */
export async function sharpen(stage, hit, frame, { sign, isNow, size }) {
  if (stage.querySelector(".full, .coming-full") || stage.classList.contains("blunt") || !isBlurred(stage, size, frame)) return;
  const full = make("img.coming-full", { alt: "", hidden: true });
  stage.querySelector(".picture").after(full);
  sign.textContent = t("loadingFull");
  sign.hidden = false;
  const known = await api.picture(hit.id).catch(() => null);
  const isOriginal = known && SHOWN.has(known.format) && !known.frames.length;
  const isThere = (isOriginal && (await loaded(full, original(hit.id))) && hasShape(full, size)) || (await loaded(full, fastFrameImage(hit.id, frame)));
  if (!full.isConnected || !isNow()) return;
  sign.hidden = isThere;
  full.hidden = false;
  full.className = "full";
  if (isThere) return;
  full.remove();
  stage.classList.add("blunt");
  sign.textContent = t("noFull");
}

/** Load an image; return whether it is one. */
async function loaded(image, source) {
  image.src = source;
  return image.decode().then(() => true, () => false);
}

/** Whether an original file is shown upright: not all browsers turn all formats. */
const hasShape = (image, { width, height }) => Math.abs(image.naturalWidth / image.naturalHeight / (width / height) - 1) < SAME;
