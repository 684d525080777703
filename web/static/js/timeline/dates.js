// How months and days are written in the language of the page.

import { language, t } from "../i18n.js";

const kept = new Map(); // language and style -> format

function format(style, options) {
  const key = `${language} ${style}`;
  if (!kept.has(key)) kept.set(key, new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" }));
  return kept.get(key);
}

const at = (month, day = 1) => {
  const moment = new Date(0);
  moment.setUTCFullYear(Number(month.slice(0, 4)), Number(month.slice(5, 7)) - 1, day); // `Date.UTC` reads 50 as 1950
  return moment;
};

/** "May 2024", for "2024-05"; null stands for pictures without a date. */
export const monthName = (month) => (month ? format("month", { month: "long", year: "numeric" }).format(at(month)) : t("undated"));

/** "2024", for "2024-05". */
export const yearName = (month) => (month ? format("year", { year: "numeric" }).format(at(month)) : "?");

/** "Sun, 12 May", for "2024-05-12". */
export const dayName = (day) => (day ? format("day", { weekday: "short", day: "numeric", month: "short" }).format(at(day, Number(day.slice(8, 10)))) : "");
