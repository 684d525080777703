// One picture, large: what is known of it, where it matched, and how to go on from it.

import { api, heatMap, original, Problem, thumbnail } from "./api.js";
import { byId, icon, iconButton, make } from "./dom.js";
import { focusOn, shown } from "./grid.js";
import { bytes, date, t } from "./i18n.js";
import { addPart } from "./query.js";
import { inWords, isEmpty } from "./state.js";

const dialog = byId("viewer");
const SMALLEST = 0.03; // of a side: less is a slip of the hand, not a rectangle

let at = 0;
let prompt = null; // what the heat map is of; null while there is none
let cropping = null; // the first corner, while a rectangle is being drawn
let hooks = { judged: () => null, judge: () => {} };

export function open(index) {
  at = index;
  draw();
  if (!dialog.open) dialog.showModal();
}

function step(by) {
  const next = at + by;
  if (next < 0 || next >= shown().length) return;
  at = next;
  draw();
}

function draw() {
  const hit = shown()[at];
  cropping = null;
  const picture = make("img.picture", { src: thumbnail(hit.id, 1536), alt: hit.name, draggable: false });
  const stage = make("div.stage", {}, picture, make("img.heat", { alt: "", hidden: true }), make("div.box", { hidden: true }));
  stage.style.setProperty("--ratio", hit.width / hit.height || 1);
  dialog.replaceChildren(
    make("div.frame", {},
      iconButton("back", t("previous"), () => step(-1), { className: "quiet previous", disabled: at === 0 }),
      stage,
      iconButton("next", t("next"), () => step(1), { className: "quiet next", disabled: at === shown().length - 1 })),
    make("aside.about", {},
      make("div.head", {}, make("h2", { dir: "auto" }, hit.name), iconButton("close", t("close"), () => dialog.close())),
      actions(hit, stage),
      why(hit, stage),
      judging(hit),
      make("div.facts", {}),
      make("div.near", {})),
  );
  drawFacts(hit);
  drawStack(hit);
  if (prompt !== null) showHeat(hit, stage);
  startCropping(hit, stage);
}

function actions(hit, stage) {
  const button = (name, label, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, icon(name), label);
  const ask = (weight) => () => {
    addPart({ picture: hit.id, weight, label: hit.name });
    dialog.close();
  };
  return make("div.actions", {},
    button("plus", t("moreLike"), ask(1)),
    button("minus", t("lessLike"), ask(-0.5)),
    button("crop", t("cropAsk"), (event) => {
      const on = stage.classList.toggle("cropping");
      event.currentTarget.setAttribute("aria-pressed", String(on));
    }, { "aria-pressed": "false" }),
    make("a.button", { href: original(hit.id), target: "_blank", rel: "noopener" }, icon("open"), t("original")),
  );
}

// Where it matched ---------------------------------------------------------------------------------------------------

function why(hit, stage) {
  const field = make("input", { name: "prompt", type: "text", value: prompt ?? inWords(), dir: "auto", maxLength: 500,
    placeholder: t("whereHint"), "aria-label": t("whereHint") });
  return make("form.why", { onsubmit: (event) => {
    event.preventDefault();
    const asked = field.value.trim();
    prompt = asked && asked !== prompt ? asked : null;
    prompt === null ? hideHeat(stage) : showHeat(hit, stage);
  } }, field, make("button", { type: "submit", title: `${t("showWhere")} (H)` }, icon("heat"), t("showWhere")), make("p.said", { role: "status" }));
}

function hideHeat(stage) {
  stage.querySelector(".heat").hidden = true;
  say("");
}

async function showHeat(hit, stage) {
  const heat = stage.querySelector(".heat");
  say(t("looking"));
  try {
    const found = await api.highlight(hit.id, prompt);
    if (shown()[at] !== hit) return;
    heat.src = heatMap(hit.id, prompt);
    heat.hidden = false;
    say(found.boxes.length ? t("matchedHere", { n: found.boxes.length, prompt }) : t("matchedNowhere", { prompt }));
  } catch (problem) {
    heat.hidden = true;
    say(problem instanceof Problem ? problem.message || problem.title : String(problem));
  }
}

function say(text) {
  dialog.querySelector(".said").textContent = text;
}

// Right or wrong -----------------------------------------------------------------------------------------------------

function judging(hit) {
  if (isEmpty() || !inWords()) return null;
  const grade = hooks.judged(hit.id);
  const button = (label, name, value) => make("button", { type: "button", "aria-pressed": String(grade === value),
    onclick: async () => {
      await hooks.judge(hit.id, grade === value ? null : value);
      draw();
    } }, icon(name), label);
  return make("div.judging", { role: "group", "aria-label": t("judge") },
    make("span", {}, t("judge")), button(t("isRight"), "right", 1), button(t("isWrong"), "close", 0));
}

// What is known ------------------------------------------------------------------------------------------------------

async function drawFacts(hit) {
  const known = await api.picture(hit.id).catch(() => null);
  if (!known || shown()[at] !== hit) return;
  const rows = [
    ["fact_score", hit.score === null || hit.score === undefined ? null : hit.score.toFixed(4)],
    ["fact_relevance", hit.relevance === null || hit.relevance === undefined ? null : `${Math.round(hit.relevance * 100)} %`],
    ["fact_path", known.path],
    ["fact_taken", known.taken_at && date(known.taken_at)],
    ["fact_size", `${known.width} × ${known.height}, ${known.format}, ${bytes(known.size)}`],
    ["fact_camera", [known.camera, known.lens].filter(Boolean).join(", ")],
    ["fact_place", known.latitude === null ? null : `${known.latitude.toFixed(4)}, ${known.longitude.toFixed(4)}`],
    ["fact_copies", known.copies.join("\n")],
  ];
  const list = rows.filter(([, value]) => value).flatMap(([key, value]) => [make("dt", {}, t(key)), make("dd", { dir: "auto" }, value)]);
  dialog.querySelector(".facts").replaceChildren(make("dl", {}, ...list));
}

async function drawStack(hit) {
  if (!(hit.stack > 1)) return;
  const answer = await api.stack(hit.id).catch(() => null);
  if (!answer || shown()[at] !== hit) return;
  dialog.querySelector(".near").replaceChildren(make("h3", {}, t("stackOf", { n: hit.stack })),
    make("div.strip", {}, ...answer.pictures.map((picture) => make("a", { href: original(picture.id), target: "_blank", rel: "noopener", title: picture.path },
      make("img", { src: thumbnail(picture.id, 192), alt: picture.name })))));
}

// A rectangle as a question: drag it, or click two corners -----------------------------------------------------------

function startCropping(hit, stage) {
  const picture = stage.querySelector(".picture");
  const box = stage.querySelector(".box");
  const where = (event) => {
    const frame = picture.getBoundingClientRect();
    const clamp = (value) => Math.min(1, Math.max(0, value));
    return [clamp((event.clientX - frame.left) / frame.width), clamp((event.clientY - frame.top) / frame.height)];
  };
  const rectangle = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
  const drawBox = ([x, y, w, h]) => {
    box.hidden = false;
    Object.assign(box.style, { left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * w}%`, height: `${100 * h}%` });
  };
  const finish = (crop) => {
    cropping = null;
    addPart({ picture: hit.id, weight: 1, crop, label: hit.name });
    dialog.close();
  };
  stage.addEventListener("pointerdown", (event) => {
    if (!stage.classList.contains("cropping")) return;
    event.preventDefault();
    cropping ??= where(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (cropping) drawBox(rectangle(cropping, where(event)));
  });
  stage.addEventListener("pointerup", (event) => {
    if (!cropping) return;
    const crop = rectangle(cropping, where(event));
    if (crop[2] >= SMALLEST && crop[3] >= SMALLEST) finish(crop);
  });
}

export function start(given) {
  hooks = given;
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    if (event.key === forward) step(1);
    else if (event.key === backward) step(-1);
    else if (event.key.toLowerCase() === "h") dialog.querySelector(".why").requestSubmit();
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    prompt = null;
    focusOn(at);
  });
}
