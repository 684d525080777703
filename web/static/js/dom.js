// Elements, made in one line. Text is always set as text: nothing that comes from a library is ever read as HTML.

/** `make("button.quiet", { type: "button", onclick }, child, ...)`; a string child becomes text. */
export function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** One of the drawings in icons.svg; it says nothing, so whatever it stands in needs words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows a drawing, and says `label` to those who do not see it. */
export function iconButton(name, label, onclick, attributes = {}) {
  return make("button.quiet", { type: "button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

/** Calls `act` once no call has come for `wait` milliseconds. */
export function settled(act, wait) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...args), wait);
  };
}

/** Saves `blob` as a file of the user's. */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const byId = (id) => document.getElementById(id);
