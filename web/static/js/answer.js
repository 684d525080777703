// The last answer of a search, without its hits: how the query was read.

import { t } from "./i18n.js";
import { state } from "./state.js";

let parts = []; // [{ title, kind, weight }]

export const rememberAnswer = (found) => { parts = found.parts ?? []; };

/** The parts of the query with names for people, as chips show them. The parts in the text of the query come first. */
export function namedParts() {
  const first = parts.length - state.parts.length;
  return parts.map((part, i) => ({ ...part, name: name(part, state.parts[i - first]) }));
}

function name(part, chip) {
  if (part.kind === "text") return part.title;
  return chip?.label ?? (part.kind === "picture" ? t("picture") : t("vectorPart"));
}
