// Highlights: a heat map over the picture, for the query or for any other text.

import { api, heatMap } from "./api.js";
import { icon, make } from "./dom.js";
import { t } from "./i18n.js";
import { inPlainWords } from "./state.js";
import { describe } from "./summary.js";

let prompt = null; // what the map shows, or null; kept from picture to picture

export const forget = () => { prompt = null; };

/** Make a form that shows and hides the map of a frame on `stage`. With `now`, it shows the map for the query at once. */
export function why(hit, stage, { frame = 0, now = false } = {}) {
  if (now) prompt = inPlainWords() || null;
  const said = make("p.said", { role: "status" });
  const field = make("input", { name: "prompt", type: "text", value: prompt ?? inPlainWords(), dir: "auto", maxLength: 500,
    placeholder: t("whereHint"), "aria-label": t("whereHint") });
  const button = make("button", { type: "submit", title: `${t("showWhere")} (H)`, "aria-pressed": "false" }, icon("heat"), t("showWhere"));
  const draw = () => {
    button.setAttribute("aria-pressed", String(prompt !== null));
    prompt === null ? hide(stage, said) : show(hit, frame, stage, said);
  };
  const form = make("form.why", { onsubmit: (event) => {
    event.preventDefault();
    const asked = field.value.trim();
    prompt = asked && asked !== prompt ? asked : null;
    if (!asked) field.focus();
    draw();
  } }, field, button, said);
  if (prompt !== null) draw();
  return form;
}

function hide(stage, said) {
  stage.querySelector(".heat").hidden = true;
  said.textContent = "";
}

async function show(hit, frame, stage, said) {
  const heat = stage.querySelector(".heat");
  const asked = prompt;
  said.textContent = t("looking");
  try {
    const found = await api.highlight(hit.id, asked, frame);
    if (prompt !== asked || !said.isConnected) return; // another text, or another frame
    heat.src = heatMap(hit.id, asked, frame);
    heat.hidden = false;
    const places = found.boxes.length;
    said.textContent = places ? t("matchedHere", { n: places, prompt: asked }) : t("matchedNowhere", { prompt: asked });
  } catch (problem) {
    heat.hidden = true;
    said.textContent = describe(problem);
  }
}
