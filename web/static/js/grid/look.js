// How the grid is arranged: rows of the pictures' own shapes or squares, in one of three sizes. Kept in the browser.

import { byId, make } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

const KEPT = "sightline.grid";
const SHAPES = ["rows", "squares"];
const SIZES = ["small", "medium", "large"];
const PHONE = 500; // pixels
const HEIGHTS = { small: [76, 140], medium: [118, 200], large: [190, 300] }; // of a row, on a phone and elsewhere

const look = { shape: "rows", size: "medium" };
let changed = () => {};

/** Gap, height of rows, and the ratio of a picture, for a grid of this width. */
export function measures(width, ratio) {
  const gap = width < PHONE ? 3 : 6;
  const wanted = HEIGHTS[look.size][width < PHONE ? 0 : 1];
  if (look.shape === "rows") return { width, gap, target: wanted, ratio };
  const columns = Math.max(2, Math.round((width + gap) / (wanted + gap)));
  return { width, gap, target: (width - gap * (columns - 1)) / columns, ratio: () => 1 };
}

function choose(field, value) {
  look[field] = value;
  localStorage.setItem(KEPT, JSON.stringify(look));
  changed();
}

function group(field, values) {
  return make("fieldset", {}, make("legend", {}, t(`look_${field}`)), ...values.map((value) => make("label.option", {},
    make("input", { type: "radio", name: `look-${field}`, value, checked: look[field] === value, onchange: () => choose(field, value) }),
    make("span", {}, t(`look_${value}`)))));
}

function draw() {
  byId("look").replaceChildren(group("shape", SHAPES), group("size", SIZES));
}

function recall() {
  try {
    const { shape, size } = JSON.parse(localStorage.getItem(KEPT)) ?? {};
    if (SHAPES.includes(shape)) look.shape = shape;
    if (SIZES.includes(size)) look.size = size;
  } catch {
    // What is stored is not from this page.
  }
}

/** `redraw` is called when the arrangement was changed. */
export function start(redraw) {
  changed = redraw;
  recall();
  draw();
  onLanguage(draw);
  const [button, menu] = [byId("show-look"), byId("look")];
  const open = (on) => {
    menu.hidden = !on;
    button.setAttribute("aria-expanded", String(on));
    if (on) menu.querySelector("input:checked").focus();
  };
  button.addEventListener("click", () => open(menu.hidden));
  addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !event.target.closest(".look")) open(false);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
}
