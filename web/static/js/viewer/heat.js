// Where it is: a map over the picture for the query or for any other text, its contours, and one colour for each word.

import { api, heatMap } from "../api.js";
import { icon, make } from "../dom.js";
import { t } from "../i18n.js";
import { inPlainWords } from "../state.js";
import { describe } from "../summary.js";

const KEPT = "sightline.strength";
const STRENGTH = 80; // percent
const SVG = "http://www.w3.org/2000/svg";

/** Colours that stand out from photos and from each other; a word after the last one starts again. */
const COLOURS = ["#ffe433", "#4cc9ff", "#ff7ad1", "#7dff6b", "#ffa024", "#b9a0ff", "#2ee6c5", "#ff7b7b"];

let prompt = null; // what the map shows, or null; kept from picture to picture

export const forget = () => { prompt = null; };

/** Make a form that shows and hides the map of a frame on `stage`. With `now`, it shows the map for the query at once. */
export function why(hit, stage, { frame = 0, now = false } = {}) {
  if (now) prompt = inPlainWords() || null;
  const shown = { hit, frame, layer: stage.querySelector(".heat"), said: make("p.said", { role: "status" }), legend: make("div.legend", { hidden: true }) };
  const field = make("input", { name: "prompt", type: "text", value: prompt ?? inPlainWords(), dir: "auto", maxLength: 500,
    placeholder: t("whereHint"), "aria-label": t("whereHint") });
  const button = make("button", { type: "submit", title: `${t("showWhere")} (H)`, "aria-pressed": "false", "aria-keyshortcuts": "h" }, icon("heat"), t("showWhere"));
  const draw = () => {
    button.setAttribute("aria-pressed", String(prompt !== null));
    prompt === null ? hide(shown) : show(shown);
  };
  const form = make("form.why", { onsubmit: (event) => {
    event.preventDefault();
    const asked = field.value.trim();
    prompt = asked && asked !== prompt ? asked : null;
    if (!asked) field.focus();
    draw();
  } }, field, button, shown.said, shown.legend);
  if (prompt !== null) draw();
  return form;
}

function hide({ layer, said, legend }) {
  layer.hidden = true;
  layer.replaceChildren();
  legend.hidden = true;
  said.textContent = "";
}

async function show(shown) {
  const { hit, frame, layer, said, legend } = shown;
  const asked = prompt;
  const isNow = () => prompt === asked && said.isConnected; // no other text, and no other frame
  said.textContent = t("looking");
  legend.hidden = true;
  try {
    const found = await api.highlight(hit.id, asked, frame);
    if (!isNow()) return;
    draw(layer, found, heatMap(hit.id, asked, frame));
    drawLegend(legend, layer, found);
    const places = found.boxes.length;
    said.textContent = places ? t("matchedHere", { n: places, prompt: asked }) : t("matchedNowhere", { prompt: asked });
    const { words } = await api.highlightWords(hit.id, asked, frame);
    if (isNow() && words.length > 1) drawWords(legend, layer, words);
  } catch (problem) {
    if (!isNow()) return;
    hide(shown);
    said.textContent = describe(problem);
  }
}

// On the picture -----------------------------------------------------------------------------------------------------

/** Show the map of everything that was asked, its contours, and the point of each region. */
function draw(layer, found, source) {
  layer.replaceChildren(make("img.map", { alt: "", src: source }), group("whole", found, "#ffffff"));
  layer.hidden = false;
}

/** The contours and points of one thing, in one colour. */
function group(name, { contours, peaks }, colour) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 1 1");
  svg.setAttribute("preserveAspectRatio", "none");
  const d = contours.map((line) => `M${line.map((corner) => corner.join(" ")).join("L")}Z`).join("");
  for (const kind of ["inside", "edge", "outline"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", kind);
    path.setAttribute("d", d);
    svg.append(path);
  }
  const points = peaks.map(([x, y]) => {
    const point = make("span.point");
    point.style.left = `${100 * x}%`;
    point.style.top = `${100 * y}%`;
    return point;
  });
  const made = make("div.found", { "data-name": name }, svg, ...points);
  made.style.setProperty("--colour", colour);
  return made;
}

// Beside it ----------------------------------------------------------------------------------------------------------

function drawLegend(legend, layer, found) {
  const strength = make("input", { type: "range", min: 0, max: 100, value: localStorage.getItem(KEPT) ?? STRENGTH, "aria-label": t("strength") });
  const set = () => layer.style.setProperty("--strength", String(strength.value / 100));
  strength.addEventListener("input", () => {
    set();
    localStorage.setItem(KEPT, strength.value);
  });
  set();
  const scale = make("div.scale", { "aria-hidden": "true" }, make("span.tick"));
  scale.style.setProperty("--threshold", String(found.threshold));
  legend.replaceChildren(scale, make("div.ends", {}, make("span", {}, t("legendLow")), make("span", {}, t("legendHigh"))),
    make("p.soft", {}, t(`legend_${found.engine}`)), make("label.strength", {}, t("strength"), strength));
  legend.hidden = false;
}

/** Add a button for each word. Its part of the picture is shown alone while it is pointed at, focused or pressed. */
function drawWords(legend, layer, words) {
  words.forEach((word, i) => layer.append(group(`word ${i}`, word, COLOURS[i % COLOURS.length])));
  let pressed = null;
  const choose = (name) => {
    layer.dataset.alone = name ?? "";
    for (const found of layer.querySelectorAll(".found")) found.classList.toggle("alone", found.dataset.name === name);
  };
  const button = (word, i) => {
    const name = `word ${i}`;
    const places = word.peaks.length;
    const label = places ? t("wordHere", { n: places, word: word.text }) : t("wordNowhere", { word: word.text });
    const swatch = make("span.swatch", { "aria-hidden": "true" });
    swatch.style.setProperty("--colour", COLOURS[i % COLOURS.length]);
    const made = make("button.word", { type: "button", title: label, "aria-label": label, "aria-pressed": "false", "data-places": places,
      onpointerenter: () => choose(name), onpointerleave: () => choose(pressed), onfocus: () => choose(name), onblur: () => choose(pressed),
      onclick: () => {
        pressed = pressed === name ? null : name;
        for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === made && pressed !== null));
        choose(pressed);
      } }, swatch, make("bdi", {}, word.text));
    return make("li", {}, made);
  };
  const list = make("ul.words-of", { "aria-label": t("eachWord") });
  list.append(...words.map(button));
  legend.append(make("p.soft", {}, t("eachWord")), list);
}
