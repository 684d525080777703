// The line below the pictures of a list that are relevant.

import { make } from "../dom.js";
import { t } from "../i18n.js";

const HEIGHT = 76; // of the line, in pixels

/** Divides a list where the relevant pictures end, and draws the line there. */
export class RelevanceLine {
  constructor(grid) {
    this.grid = grid;
    this.element = null;
    this.isShown = false;
    this.isFirst = false; // no picture is relevant
  }

  /** The blocks of a list for `arrange`: the relevant pictures, and those below the line. */
  blocksOf(hits) {
    const first = hits.findIndex((hit) => hit.is_relevant === false);
    this.isShown = first >= 0 && hits.slice(first).every((hit) => hit.is_relevant === false); // not so by date
    this.isFirst = first === 0;
    const border = this.isShown ? first : hits.length;
    const before = border ? [{ start: 0, count: border, heading: 0 }] : [];
    return this.isShown ? [...before, { start: border, count: hits.length - border, heading: HEIGHT }] : before;
  }

  /** Draw the line above the last block of an arrangement of this list. */
  draw(arrangement) {
    if (!this.isShown) {
      this.remove();
      return;
    }
    this.element ??= make("div.line", { role: "presentation" }, make("span"));
    this.element.firstChild.textContent = t(this.isFirst ? "nothingFits" : "lineEnds");
    this.element.style.setProperty("transform", `translateY(${arrangement.blocks.at(-1).top}px)`);
    if (!this.element.isConnected) this.grid.append(this.element);
  }

  remove() {
    this.element?.remove();
    this.element = null;
  }
}
