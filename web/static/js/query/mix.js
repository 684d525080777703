// What a query with a picture asks for, in words: whether the words count too, and that the picture itself is left out.

import { byId, make } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { change, inPlainWords, onChange, state } from "../state.js";

const line = make("p.mix", { role: "status", dir: "auto", hidden: true });

const isWanted = (part) => (part.picture || part.upload) && part.weight > 0;

function draw() {
  const pictures = state.parts.filter(isWanted);
  const words = inPlainWords();
  const isStored = pictures.some((part) => part.picture);
  line.hidden = !pictures.length || (!words && !isStored);
  if (line.hidden) return line.replaceChildren();
  const names = pictures.map((part) => part.label ?? t("thisPicture")).join(", ");
  const values = { pictures: names, words };
  const likeBoth = () => (isStored ? t("likeBoth", values) : t("likeBothUploaded", values));
  line.replaceChildren(make("span", {}, words ? likeBoth() : t("likeOnly", values)),
    ...(words ? [make("button", { type: "button", onclick: () => change({ words: "", parts: state.parts.filter((part) => !part.text) }) }, t("withoutWords"))] : []));
}

export function start() {
  byId("results").querySelector(".summary").after(line);
  onChange(draw);
  onLanguage(draw);
}
