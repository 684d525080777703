// The tiles that are elements of the page: those of the pictures near the visible area.

import { isSelected } from "./selection.js";
import { keepImages, placeholder, tile } from "./tiles.js";

/** Makes and removes tiles within `grid`. `hooksOf(index)` returns the callbacks of the tile of a picture. */
export class DrawnTiles {
  constructor(grid, hooksOf) {
    Object.assign(this, { grid, hooksOf });
    this.elements = new Map(); // index -> element
    this.focusable = 0; // index of the picture that Tab finds
    this.arrange([], null, null);
  }

  /** Forget all tiles, and draw those of `hits` from now on, at their places in `arrangement`, below `headings` if any. */
  arrange(hits, arrangement, headings) {
    this.clear();
    Object.assign(this, { hits, arrangement, headings });
  }

  clear() {
    for (const element of this.elements.values()) element.remove();
    this.elements.clear();
    this.headings?.remove();
    this.headings = null;
  }

  /** Keep the images of the tiles for those that are drawn next. */
  keepImages() {
    keepImages(this.elements.values());
  }

  /** Keep exactly the tiles of these pictures, in their order, for screen readers. */
  draw(indices) {
    const places = new Map(indices.map((index) => [index, this.arrangement.place(index)]));
    for (const [index, element] of this.elements) {
      if (places.has(index)) continue;
      element.remove();
      this.elements.delete(index);
    }
    if (this.headings) this.headings.draw([...new Set([...places.values()].map((each) => each.block))]);
    const last = new Map(); // parent -> its last tile so far
    for (const [index, where] of places) {
      const parent = this.headings ? this.headings.listOf(where.block) : this.grid;
      const element = this.elements.get(index) ?? this.build(index, where);
      if (!element.isConnected) last.has(parent) ? last.get(parent).after(element) : parent.prepend(element);
      last.set(parent, element);
      if (!this.headings) element.setAttribute("aria-setsize", this.hits.length); // more of a list may have been loaded
    }
  }

  build(index, where) {
    const hit = this.hits[index];
    const given = { index, ...where, selected: hit && isSelected(hit.id), tabIndex: index === this.focusable ? 0 : -1 };
    const element = hit ? tile(hit, given, this.hooksOf(index)) : placeholder(given);
    element.setAttribute("aria-setsize", this.hits.length);
    const block = this.arrangement.blocks[where.block];
    position(element, this.headings ? { ...where, x: where.x - block.left, y: where.y - block.top } : where);
    this.elements.set(index, element);
    return element;
  }

  /** Show pictures that have been loaded in place of their placeholders. */
  replace(first, end) {
    for (const [index, element] of this.elements) {
      if (index < first || index >= end || !this.hits[index] || !element.classList.contains("coming")) continue;
      element.replaceWith(this.build(index, this.arrangement.place(index)));
    }
  }

  /** The index of the picture whose tile contains an element; undefined for any other element. */
  indexOf(inner) {
    return [...this.elements].find(([, element]) => element.contains(inner))?.[0];
  }

  /** The button of a picture that is drawn and loaded. */
  shot(index) {
    return this.elements.get(index)?.querySelector(".shot");
  }

  /** Let Tab find this picture, instead of the one before. */
  makeFocusable(index) {
    const before = this.shot(this.focusable);
    if (before) before.tabIndex = -1;
    this.focusable = index;
    const shot = this.shot(index);
    if (shot) shot.tabIndex = 0;
  }

  markSelected() {
    for (const element of this.elements.values()) {
      const box = element.querySelector("input");
      if (!box) continue;
      box.checked = isSelected(Number(element.dataset.id));
      element.classList.toggle("selected", box.checked);
    }
  }
}

function position(element, { x, y, width, height }) {
  element.style.setProperty("width", `${width}px`);
  element.style.setProperty("height", `${height}px`);
  const isRightToLeft = document.documentElement.dir === "rtl";
  element.style.setProperty("transform", `translate(${isRightToLeft ? -x : x}px, ${y}px)`);
}
