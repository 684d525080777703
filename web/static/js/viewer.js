// The viewer: one large picture with its metadata, highlights, and related searches.

import { api, original, thumbnail } from "./api.js";
import { startCropping } from "./crop.js";
import { byId, icon, iconButton, make } from "./dom.js";
import { drawStrip, frameNumber, titleOf } from "./frames.js";
import { focusOn, shown } from "./grid.js";
import * as heat from "./heat.js";
import { bytes, date, percent, t } from "./i18n.js";
import { addPart } from "./query.js";
import { isSelected, toggle } from "./selection.js";
import { inWords, state } from "./state.js";
import { describe } from "./summary.js";

const dialog = byId("viewer");
const SWIPE = 50; // pixels

let at = 0;
let frame = 0; // number of the page or moment that is shown
let frames = []; // all of the file, once they are known; none of a still picture
let showFrame = () => {};

/** Open a picture of the grid; `why` shows at once where it matches. */
export function open(index, { why = false } = {}) {
  at = index;
  frame = frameNumber(shown()[at]);
  draw({ why });
  if (!dialog.open) dialog.showModal();
}

function step(by) {
  const next = at + by;
  if (next < 0 || next >= shown().length) return;
  const held = dialog.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  at = next;
  frame = frameNumber(shown()[at]);
  draw();
  const same = held ? dialog.querySelector(`[data-key="${held}"]:not(:disabled)`) : null;
  (same ?? dialog.querySelector("[data-key=close]")).focus();
}

function draw({ why = false } = {}) {
  const hit = shown()[at];
  frames = [];
  const stage = makeStage(hit);
  const cropping = startCropping(stage, (crop) => goOn({ ...asPart(hit), weight: 1, crop }));
  const ends = (by) => at + by < 0 || at + by >= shown().length;
  dialog.replaceChildren(
    make("div.frame", {},
      iconButton("back", t("previous"), () => step(-1), { className: "quiet previous", disabled: ends(-1), "data-key": "previous" }),
      stage, make("p.lost", { hidden: true }, t("gone")),
      iconButton("next", t("next"), () => step(1), { className: "quiet next", disabled: ends(1), "data-key": "next" })),
    make("aside.about", {},
      make("div.head", {}, make("h2", { dir: "auto", title: hit.name }, hit.name),
        make("a.button.quiet", { href: original(hit.id), target: "_blank", rel: "noopener", title: t("original"), "aria-label": t("original") }, icon("open")),
        iconButton("close", t("close"), () => dialog.close(), { "data-key": "close" })),
      actions(hit, stage, cropping),
      heat.why(hit, stage, { frame, now: why }),
      make("div.frames", { hidden: true }),
      make("div.judging", { role: "group", "aria-label": t("judge"), hidden: true }),
      make("div.facts", {}),
      make("div.near", {})),
  );
  drawPicture(hit, stage);
  drawDetails(hit, stage);
  drawStack(hit);
  drawJudging(hit);
}

// The picture, or one of its frames ----------------------------------------------------------------------------------

function makeStage(hit) {
  const picture = make("img.picture", { draggable: false });
  const stage = make("div.stage", {}, picture, make("img.heat", { alt: "", hidden: true }), make("div.box", { hidden: true }));
  const lost = (is) => {
    stage.hidden = is;
    stage.parentElement.querySelector(".lost").hidden = !is;
  };
  stage.style.setProperty("--ratio", hit.width / hit.height || 1);
  picture.addEventListener("error", () => lost(true));
  picture.addEventListener("load", () => {
    lost(false);
    const own = frame ? picture.naturalWidth / picture.naturalHeight : hit.width / hit.height; // pages differ in size
    stage.style.setProperty("--ratio", own || 1);
  });
  return stage;
}

function drawPicture(hit, stage) {
  const size = Math.max(innerWidth, innerHeight) * devicePixelRatio > 900 ? 1536 : 768;
  const small = thumbnail(hit.id, 384, frame); // cached already; shown until the large one has loaded
  stage.style.backgroundImage = `url("${small}")`;
  stage.querySelector(".picture").src = thumbnail(hit.id, size, frame);
  stage.querySelector(".picture").alt = title(hit);
}

/** The name of the file and of the frame that is shown. */
const title = (hit) => titleOf(hit, frames.find((each) => each.number === frame) ?? hit.frame);

/** What is shown, as a part of a query. */
const asPart = (hit) => ({ picture: hit.id, frame: frame || undefined, label: title(hit) });

function drawFrames(hit, stage, box) {
  if (!frames.length) return;
  const mark = drawStrip(box, hit, frames, (number) => showFrame(number));
  showFrame = (number) => {
    frame = number;
    stage.querySelector(".heat").hidden = true;
    drawPicture(hit, stage);
    dialog.querySelector(".why").replaceWith(heat.why(hit, stage, { frame }));
    mark(number);
  };
  mark(frame);
}

function stepFrame(by) {
  const next = frames[frames.findIndex((each) => each.number === frame) + by];
  if (next) showFrame(next.number);
}

/** Add a part for more (or less) like this to the query, and close the viewer. */
function goOn(part) {
  dialog.close();
  addPart(part);
}

function actions(hit, stage, cropping) {
  const button = (name, label, onclick, attributes = {}) => make("button", { type: "button", onclick, "data-key": name, ...attributes }, icon(name), label);
  return make("div.actions", {},
    button("similar", t("moreLike"), () => goOn({ ...asPart(hit), weight: 1 }), { className: "primary" }),
    button("minus", t("lessLike"), () => goOn({ ...asPart(hit), weight: -0.5 })),
    button("crop", t("cropAsk"), (event) => {
      const on = stage.classList.toggle("cropping");
      event.currentTarget.setAttribute("aria-pressed", String(on));
      event.currentTarget.lastChild.textContent = t(on ? "cropHow" : "cropAsk");
      on ? cropping.begin() : cropping.end();
    }, { "aria-pressed": "false" }),
    button("pick", t("pickThis"), (event) => {
      toggle(at, shown(), false);
      event.currentTarget.setAttribute("aria-pressed", String(isSelected(hit.id)));
    }, { "aria-pressed": String(isSelected(hit.id)) }),
  );
}

// Judgements ---------------------------------------------------------------------------------------------------------

async function drawJudging(hit) {
  const asked = inWords();
  if (!asked) return;
  const group = dialog.querySelector(".judging");
  const show = (grade) => {
    const button = (label, drawing, value) => make("button", { type: "button", "aria-pressed": String(grade === value), "data-key": drawing,
      onclick: () => judge(grade === value ? null : value, drawing) }, icon(drawing), label);
    group.replaceChildren(make("span", {}, t("judge")), button(t("isRight"), "right", 1), button(t("isWrong"), "wrong", 0));
    group.hidden = false;
  };
  const judge = async (grade, key) => {
    try {
      await api.judge(asked, hit.id, grade);
      show(grade);
      group.querySelector(`[data-key=${key}]`).focus();
    } catch (problem) {
      group.append(make("p.bad", {}, describe(problem)));
    }
  };
  const known = await api.judgements(asked, [hit.id]).catch(() => null);
  if (known) show(known.grades[hit.id] ?? null);
}

// Metadata -----------------------------------------------------------------------------------------------------------

/** The similarity to each part of the query; nothing if the text of the search box has several parts. */
function parts(hit) {
  const names = [state.words.trim(), ...state.parts.map((part) => part.text ?? part.label ?? t("picture"))].filter(Boolean);
  if (hit.parts?.length !== names.length) return null;
  return names.map((name, i) => `${hit.parts[i].toFixed(3)}  ${name}`).join("\n");
}

async function drawDetails(hit, stage) {
  const [facts, box] = [dialog.querySelector(".facts"), dialog.querySelector(".frames")];
  const known = await api.picture(hit.id).catch(() => null);
  if (!known || !facts.isConnected) return;
  frames = known.frames;
  drawFrames(hit, stage, box);
  const place = known.latitude === null || known.longitude === null ? null : `${known.latitude.toFixed(4)}, ${known.longitude.toFixed(4)}`;
  const rows = [
    ["fact_relevance", typeof hit.relevance === "number" ? percent(hit.relevance) : null],
    ["fact_score", typeof hit.score === "number" ? hit.score.toFixed(4) : null],
    ["fact_parts", parts(hit)],
    ["fact_taken", known.taken_at && date(known.taken_at)],
    ["fact_camera", [known.camera, known.lens].filter(Boolean).join(", ")],
    ["fact_place", place],
    ["fact_size", [`${known.width} × ${known.height}`, known.format, bytes(known.size)]],
    ["fact_path", known.path],
    ["fact_copies", known.copies.join("\n")],
  ];
  const value = (said) => (Array.isArray(said) ? said.flatMap((each, i) => [i ? " · " : "", make("bdi", {}, each)]) : [make("bdi", {}, said)]);
  facts.replaceChildren(make("dl", {}, ...rows.filter(([, said]) => said).flatMap(([key, said]) => [make("dt", {}, t(key)), make("dd", {}, ...value(said))])));
}

async function drawStack(hit) {
  if (!(hit.stack > 1)) return;
  const near = dialog.querySelector(".near");
  const answer = await api.stack(hit.id).catch(() => null);
  if (!answer) return;
  near.replaceChildren(make("h3", {}, t("stackOf", { n: hit.stack })),
    make("div.strip", {}, ...answer.pictures.map((picture) => make("a", { href: original(picture.id), target: "_blank", rel: "noopener", title: picture.path },
      make("img", { src: thumbnail(picture.id, 192), alt: picture.name })))));
}

// Keyboard and touch -------------------------------------------------------------------------------------------------

function onKey(event) {
  if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  if (event.key === forward) step(1);
  else if (event.key === backward) step(-1);
  else if (frames.length && event.key === "PageDown") stepFrame(1);
  else if (frames.length && event.key === "PageUp") stepFrame(-1);
  else if (event.key.toLowerCase() === "h") dialog.querySelector(".why").requestSubmit();
  else return;
  event.preventDefault();
}

function startSwiping() {
  let from = null;
  dialog.addEventListener("touchstart", (event) => {
    const on = event.touches.length === 1 && event.target.closest(".frame") && !event.target.closest(".cropping, button");
    from = on ? event.touches[0] : null;
  }, { passive: true });
  dialog.addEventListener("touchend", (event) => {
    if (!from) return;
    const [to] = event.changedTouches;
    const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY];
    from = null;
    const towards = document.documentElement.dir === "rtl" ? Math.sign(x) : -Math.sign(x);
    if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) step(towards);
  }, { passive: true });
}

export function start() {
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    heat.forget();
    focusOn(at);
  });
  startSwiping();
}
