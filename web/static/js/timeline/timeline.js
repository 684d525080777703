// All pictures by date: the number of each day and the shape of each picture, and the pictures themselves in parts.

import { api } from "../api.js";

const PART = 100; // pictures of one request
const KEPT = 60; // parts in memory
const SOUGHT = 20; // parts of a day in which a picture is looked for
const REST = 40; // milliseconds without scrolling until parts are requested,
const PATIENCE = 160; // or as many since the first one was needed
const SQUARE = 71; // how a shape is encoded: see TimelineResponse in web/api/timeline.py
const STEPS = 18;

const RATIOS = Float32Array.from({ length: 128 }, (_, code) => (code >= SQUARE ? 1 + (code - SQUARE) / STEPS : 1 / (1 + (SQUARE - code) / STEPS)));

/** Load the days of all pictures that the filters keep. */
export async function load(where, query, signal) {
  return new Timeline(await api.timeline(where, query, signal), where, query);
}

class Timeline {
  constructor({ count, days, shapes }, where, query) {
    this.count = count;
    this.where = where;
    this.query = query;
    this.shapes = shapes;
    this.hits = new Array(count); // empty where pictures are not loaded
    this.days = [];
    let start = 0;
    for (const { day, count: number } of days) {
      this.days.push({ day, start, count: number });
      start += number;
    }
    this.months = monthsOf(this.days);
    this.parts = new Map(); // number -> the promise of its pictures, the most recently used last
    this.loaded = () => {};
    this.lost = () => {};
  }

  /** Take over the pictures that an earlier count has loaded, if nothing has changed since. */
  adopt(other) {
    if (this.shapes !== other.shapes || JSON.stringify(this.days) !== JSON.stringify(other.days)) return;
    [this.hits, this.parts] = [other.hits, other.parts];
  }

  ratio(index) {
    return RATIOS[this.shapes.charCodeAt(index)];
  }

  /** Load the pictures from `first` to before `end` soon, unless others are needed before. `loaded` is called for each part. */
  need(first, end) {
    this.wanted = [first, end];
    clearTimeout(this.timer);
    this.since ??= performance.now();
    const wait = Math.max(0, Math.min(REST, this.since + PATIENCE - performance.now()));
    if (this.parts.size) this.timer = setTimeout(() => this.fetchWanted(), wait);
    else this.fetchWanted();
  }

  fetchWanted() {
    this.since = undefined;
    const [first, end] = this.wanted;
    for (let part = Math.floor(first / PART); part * PART < Math.min(end, this.count); part += 1) this.fetch(part).catch(() => {});
  }

  /** Resolve to a picture, or to undefined if it has vanished. */
  async load(index) {
    if (index < 0 || index >= this.count) return undefined;
    if (!this.hits[index]) await this.fetch(Math.floor(index / PART));
    return this.hits[index];
  }

  /** Resolve to all pictures between two indices, both included. */
  async collect(from, to) {
    const found = [];
    for (let part = Math.floor(from / PART); part * PART <= to; part += 1) {
      const start = part * PART;
      found.push(...(await this.fetch(part)).slice(Math.max(0, from - start), to - start + 1));
    }
    return found;
  }

  /** Resolve to the index of a picture whose ID and date are known, or to -1. */
  async locate({ id, taken_at: taken }) {
    const day = taken?.slice(0, 10) ?? null;
    const found = this.days.find((each) => each.day === day);
    if (!found) return -1;
    const last = Math.min(found.start + found.count, found.start + SOUGHT * PART) - 1;
    const place = (await this.collect(found.start, last)).findIndex((hit) => hit.id === id);
    return place < 0 ? -1 : found.start + place;
  }

  fetch(part) {
    const known = this.parts.get(part);
    this.parts.delete(part);
    const asked = known ?? this.request(part);
    this.parts.set(part, asked);
    if (!known) asked.catch(() => this.parts.delete(part));
    this.forgetOthers();
    return asked;
  }

  async request(part) {
    const start = part * PART;
    const day = this.days[this.dayOf(start)];
    const { pictures } = await api.timelinePictures({ day: day.day, offset: start - day.start, k: Math.min(PART, this.count - start), where: this.where, query: this.query });
    if (!this.fits(start, pictures)) this.lost();
    pictures.forEach((hit, i) => { this.hits[start + i] = hit; });
    this.loaded(start, start + pictures.length);
    return pictures;
  }

  /** Whether pictures are still of the days that were counted. They are not if the library has changed since. */
  fits(start, pictures) {
    const dayAt = (index) => this.days[this.dayOf(index)].day;
    const isAt = (hit, index) => (hit.taken_at?.slice(0, 10) ?? null) === dayAt(index);
    return pictures.length === Math.min(PART, this.count - start) && isAt(pictures[0], start) && isAt(pictures.at(-1), start + pictures.length - 1);
  }

  forgetOthers() {
    for (const part of this.parts.keys()) {
      if (this.parts.size <= KEPT) return;
      this.parts.delete(part);
      for (let index = part * PART; index < Math.min((part + 1) * PART, this.count); index += 1) delete this.hits[index];
    }
  }

  /** The number of the day of a picture. */
  dayOf(index) {
    let [low, high] = [0, this.days.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.days[middle].start <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Group days to months: [{ month: "2024-05" or null, first, days }], with the number of the first day. */
function monthsOf(days) {
  const months = [];
  days.forEach(({ day }, number) => {
    const month = day && day.slice(0, 7);
    if (months.at(-1)?.month !== month || !months.length) months.push({ month, first: number, days: 0 });
    months.at(-1).days += 1;
  });
  return months;
}
