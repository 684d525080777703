// The details beside the picture: a panel that can be hidden, or on a phone a sheet that is pulled up.

import { t } from "../i18n.js";

const KEPT = "sightline.info"; // "hidden" if the panel is hidden
const FAR = 40; // pixels

const small = matchMedia("(max-width: 56rem)");
let dialog = null;

export const isSheet = () => small.matches;

/** Whether the details are shown. */
export const isShown = () => (isSheet() ? dialog.classList.contains("up") : !dialog.classList.contains("bare"));

/** Show or hide the details. For a panel, this is kept. */
export function showDetails(on) {
  if (isSheet()) dialog.classList.toggle("up", on);
  else {
    dialog.classList.toggle("bare", !on);
    localStorage.setItem(KEPT, on ? "shown" : "hidden");
  }
  draw();
}

export const toggleDetails = () => showDetails(!isShown());

/** Say on the buttons whether the details are shown; what is below the screen cannot be reached by keyboard. */
export function draw() {
  const label = isShown() ? t("hideDetails") : t("showDetails");
  for (const button of dialog.querySelectorAll("[data-key=info], .handle")) {
    button.setAttribute("aria-expanded", String(isShown()));
    button.setAttribute("aria-label", label);
    button.title = `${label} (I)`;
  }
  dialog.querySelector(".details").inert = isSheet() && !isShown();
}

/** The sheet follows the finger on its handle. */
function watchHandle(about) {
  let from = null;
  const bar = about.querySelector(".grip");
  bar.addEventListener("pointerdown", (event) => {
    if (!isSheet() || event.target.closest("a")) return;
    from = event.clientY;
    bar.setPointerCapture(event.pointerId);
    about.classList.add("held");
  });
  bar.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const y = event.clientY - from;
    about.style.setProperty("--pull", `${isShown() ? Math.max(0, y) : Math.min(0, y)}px`);
  });
  const end = (event) => {
    if (from === null) return;
    const y = event.clientY - from;
    from = null;
    about.classList.remove("held");
    about.style.removeProperty("--pull");
    if (event.type === "pointerup") showDetails(Math.abs(y) < 6 ? !isShown() : Math.abs(y) > FAR ? y < 0 : isShown());
  };
  bar.addEventListener("pointerup", end);
  bar.addEventListener("pointercancel", end);
}

/** Watch the handle of a new panel, and show or hide the panel as it was. */
export function begin() {
  dialog.classList.toggle("bare", localStorage.getItem(KEPT) === "hidden");
  dialog.classList.remove("up");
  watchHandle(dialog.querySelector(".about"));
}

export function start(element) {
  dialog = element;
  small.addEventListener("change", () => dialog.open && draw());
}
