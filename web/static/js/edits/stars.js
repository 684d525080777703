// Five stars to give a rating with.

import { icon, make } from "../dom.js";
import { t } from "../i18n.js";

/** Stars that show `rating`, if it is known. `rate` is called with 1 to 5, or with 0 for the star that is the rating already. */
export function stars(rating, rate) {
  const star = (number) => make("button.quiet.star", { type: "button", title: t("starsOf", { n: number }), "aria-label": t("starsOf", { n: number }),
    "aria-pressed": String(rating === number), "data-full": String(number <= (rating ?? 0)), "data-key": `star${number}`,
    onclick: () => rate(rating === number ? 0 : number) }, icon("star"));
  return make("div.stars", { role: "group", "aria-label": t("rating") }, ...[1, 2, 3, 4, 5].map(star));
}
