// Judgements of a picture for the query: relevant, or not.

import { api } from "../api.js";
import { icon, make } from "../dom.js";
import { t } from "../i18n.js";
import { inWords } from "../state.js";
import { describe } from "../summary.js";

/**
 * Fill `group` with the judgement of a picture, if there is a query; `isNow` tells whether the picture is still shown.
 * `first` returns the IDs of the first results in their order, and `go` shows one of them.
 */
export async function drawJudging(hit, group, isNow, { first, go }) {
  const asked = inWords();
  if (!asked) return;
  const show = (grade) => {
    const button = (label, drawing, value) => make("button", { type: "button", "aria-pressed": String(grade === value), "data-key": drawing,
      onclick: () => judge(grade === value ? null : value, drawing) }, icon(drawing), label);
    group.replaceChildren(make("span", {}, t("judge")), button(t("isRight"), "right", 1), button(t("isWrong"), "wrong", 0), ...next());
    group.hidden = false;
  };
  // The picture whose judgement can change the measured values of these results most.
  const next = () => {
    const ids = first();
    if (!ids.length) return [];
    const onward = make("button.quiet", { type: "button", "data-key": "nextUnjudged", onclick: async () => {
      try {
        const { pictures } = await api.unjudged(asked, ids);
        const other = pictures.find((id) => id !== hit.id);
        if (!isNow()) return;
        if (other) go(other);
        else onward.replaceWith(make("span", { role: "status" }, t("allJudged", { count: ids.length })));
      } catch (problem) {
        if (isNow()) group.append(make("p.bad", {}, describe(problem)));
      }
    } }, t("nextUnjudged"));
    return [onward];
  };
  const judge = async (grade, key) => {
    try {
      await api.judge(asked, hit.id, grade);
      if (!isNow()) return;
      show(grade);
      group.querySelector(`[data-key=${key}]`).focus();
    } catch (problem) {
      if (isNow()) group.append(make("p.bad", {}, describe(problem)));
    }
  };
  const known = await api.judgements(asked, [hit.id]).catch(() => null);
  if (known && isNow()) show(known.grades[hit.id] ?? null);
}
