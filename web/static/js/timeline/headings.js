// The elements of months and days that are near the visible area. Their headings stay in view while they are scrolled.

import { make } from "../dom.js";
import { dayName, monthName } from "./dates.js";

export const MONTH = 46; // height of the heading of a month
export const DAY = 30; // and of a day

/** The blocks of a timeline for `arrange`: one for each day, in groups by month. */
export function blocksOf({ days, months }) {
  return months.flatMap((month) => {
    const group = { heading: MONTH, month: month.month };
    return days.slice(month.first, month.first + month.days).map((day) => ({ start: day.start, count: day.count, heading: day.day ? DAY : 0, group }));
  });
}

/** Makes and removes the elements of months and days within `grid`. */
export class Headings {
  constructor(grid, { days }, arrangement) {
    Object.assign(this, { grid, days, arrangement });
    this.months = new Map(); // number -> element
    this.drawn = new Map(); // number of the day -> element
  }

  /** Keep exactly the elements of these days, in their order. */
  draw(numbers) {
    const wanted = new Set(numbers);
    const months = new Set(numbers.map((number) => this.arrangement.blocks[number].group));
    for (const [number, element] of this.drawn) if (!wanted.has(number)) this.drop(this.drawn, number, element);
    for (const [number, element] of this.months) if (!months.has(number)) this.drop(this.months, number, element);
    let before = null;
    for (const number of months) {
      const element = this.months.get(number) ?? this.month(number);
      if (!element.isConnected) before ? before.after(element) : this.grid.prepend(element);
      before = element;
    }
    const last = new Map(); // element of a month -> its last day so far
    for (const number of numbers) {
      const element = this.drawn.get(number) ?? this.day(number);
      const month = this.months.get(this.arrangement.blocks[number].group);
      if (!element.isConnected) (last.get(month) ?? month.firstElementChild).after(element);
      last.set(month, element);
    }
  }

  drop(elements, number, element) {
    element.remove();
    elements.delete(number);
  }

  month(number) {
    const { top, height, of } = this.arrangement.groups[number];
    const element = make("section.month", {}, make("h2", {}, monthName(of.month)));
    element.style.setProperty("top", `${top}px`);
    element.style.setProperty("height", `${height}px`);
    this.months.set(number, element);
    return element;
  }

  day(number) {
    const { top, left, width, height, group } = this.arrangement.blocks[number];
    const { day } = this.days[number];
    const element = make("section.day", {}, day ? make("h3", {}, dayName(day)) : null, make("div.shots", { role: "list" }));
    element.style.setProperty("top", `${top - this.arrangement.groups[group].top}px`);
    element.style.setProperty("inset-inline-start", `${left}px`);
    element.style.setProperty("width", `${width}px`);
    element.style.setProperty("height", `${height}px`);
    this.drawn.set(number, element);
    return element;
  }

  /** The list of the pictures of a day, and its position in the grid. */
  listOf(number) {
    return this.drawn.get(number).querySelector(".shots");
  }

  remove() {
    for (const element of this.months.values()) element.remove();
  }
}
