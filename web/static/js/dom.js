// Helpers to create elements. Text is always set as text: nothing from the library is parsed as HTML.

/** `make("button.quiet", { type: "button", onclick }, child, ...)`; a string child becomes text. */
export function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || (value === false && typeof element[name] !== "boolean")) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The children of an element that shows a path: its lines end after slashes rather than within names. */
export const breakable = (path) => path.split(/(?<=\/)/).flatMap((part) => [part, make("wbr")]);

const SVG = "http://www.w3.org/2000/svg";

/** An icon of icons.svg, hidden from screen readers: the element around it needs a label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon, and `label` for screen readers. */
export function iconButton(name, label, onclick, attributes = {}) {
  return make("button.quiet", { type: "button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

/** Debounce `act`: call it once there was no call for `wait` milliseconds. */
export function settled(act, wait) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...args), wait);
  };
}

/** Download `blob` as a file. */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const byId = (id) => document.getElementById(id);
