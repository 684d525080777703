// Why a picture is here: its relevance where that is calibrated, and the share of each part of the query in its score.

import { namedParts } from "../answer.js";
import { make } from "../dom.js";
import { percent, t } from "../i18n.js";

/** The parts of the query with their shares, from -1 to 1; their sizes add up to 1. Empty for a query of one part. */
export function shares(hit) {
  const parts = namedParts();
  if (!hit.contributions || hit.contributions.length !== parts.length) return [];
  const whole = hit.contributions.reduce((sum, value) => sum + Math.abs(value), 0) || 1;
  return parts.map((part, i) => ({ ...part, share: hit.contributions[i] / whole, similarity: hit.parts[i] }));
}

/** The verdict on a hit, or that there is none. */
export function verdict(hit) {
  if (typeof hit.relevance !== "number") return t("verdictNone");
  const { is_relevant: verdict, relevance } = hit;
  return t(verdict ? "verdictLikely" : verdict === false ? "verdictUnlikely" : "verdictOpen", { relevance: percent(relevance) });
}

function bar({ name, share, similarity, weight }) {
  const away = weight < 0;
  const said = t(away ? "shareAway" : "shareOf", { name, share: percent(Math.abs(share)) });
  const filled = make("span.filled");
  filled.style.setProperty("--share", String(Math.abs(share)));
  return make("li.share", { "data-away": String(away), title: `${said} (${t("fact_score")} ${similarity.toFixed(3)} × ${weight})` },
    make("span.share-name", { dir: "auto" }, away ? t("awayFrom", { name }) : name),
    make("span.share-number", {}, percent(share)),
    make("span.bar-of", { "aria-hidden": "true" }, filled));
}

/** Make the section, or null for a picture that was listed without a query. */
export function reasons(hit) {
  if (typeof hit.score !== "number") return null;
  const read = typeof hit.text_match === "number" && hit.text_match > 0 ? make("p.soft", {}, t("wordsRead", { share: percent(hit.text_match) })) : null;
  const bars = shares(hit);
  return make("section.group.reasons", {}, make("h3", {}, t("whyHere")),
    make("p.verdict", { "data-verdict": String(hit.is_relevant ?? null) }, verdict(hit)),
    bars.length ? make("ul.shares", {}, ...bars.map(bar)) : null, read,
    make("p.soft", { title: t("scoreHint") }, `${t("fact_score")} ${hit.score.toFixed(4)}`));
}

/** The same as lines of text, for a tooltip. */
export function reasonLines(hit) {
  const judged = typeof hit.relevance === "number" ? [verdict(hit)] : [];
  const parts = shares(hit).map(({ name, share, weight }) => t(weight < 0 ? "shareAway" : "shareOf", { name, share: percent(Math.abs(share)) }));
  return [...judged, ...parts, t("scoreHint")].join("\n");
}
