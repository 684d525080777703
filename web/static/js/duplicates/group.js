// One group of near-duplicates: its files side by side, the best first, and why.

import { api, thumbnail } from "../api.js";
import { breakable, icon, make } from "../dom.js";
import { toast } from "../edits/toast.js";
import { offerUndo } from "../edits/undo.js";
import { bytes, count, t } from "../i18n.js";
import { change } from "../state.js";
import { describe } from "../summary.js";

const SHOWN = 12; // files of a group, until all are asked for
const MOST_TOLD = 100; // pictures that can be told apart from each other at once

const size = ({ width, height }) => `${count(width)} × ${count(height)}`;

/** Why the best file is better than the next one. */
function reason({ files, reason: why }) {
  const best = files[0].picture;
  const other = files.find((file) => file.picture.id !== best.id)?.picture ?? best;
  const values = {
    pixels: (picture) => size(picture),
    size: (picture) => bytes(picture.size),
    lossless: (picture) => picture.format,
  }[why] ?? (() => "");
  return t(`dup_${why}`, { best: values(best), other: values(other) });
}

/** Make the element of a group; `renew` shows all groups again, after undoing. */
export function drawGroup(group, number, renew) {
  const ids = [...new Set(group.files.map((file) => file.picture.id))];
  const files = make("ul.dup-files", {});
  const element = make("li.dup-group", {},
    make("div.dup-top", {},
      make("h2", {}, t("dupGroup", { n: number }), " ", make("span.soft", {}, `${t("dupFiles", { n: group.count })} · ${bytes(group.spare)}`)),
      ids.length > 1 ? make("button", { type: "button", onclick: () => tell(ids) }, icon("apart"), t("dupNot")) : null),
    make("p.dup-why", {}, icon("star"), reason(group)),
    files);

  async function tell(pictures, others) {
    if (!others && pictures.length > MOST_TOLD) return toast(t("dupTooMany", { name: t("dupNotThis") }));
    try {
      await api.tellApart(pictures, others);
    } catch (problem) {
      return toast(describe(problem));
    }
    const next = element.nextElementSibling ?? element.previousElementSibling;
    if (!others || ids.length === 2) element.remove();
    else await renew();
    next?.querySelector("button")?.focus();
    return offerUndo(t("dupTold"), async () => {
      await api.withdraw(pictures, others);
      await renew();
    });
  }

  const fill = (most) => {
    const rest = group.count - Math.min(most, group.files.length);
    files.replaceChildren(...group.files.slice(0, most).map((file, i) => drawFile(file, i === 0, ids, tell)),
      ...(rest > 0 && most < group.files.length ? [make("li.dup-rest-files", {}, make("button.link", { type: "button", onclick: () => fill(group.files.length) }, t("dupAndMore", { n: rest })))]
        : rest > 0 ? [make("li.dup-rest-files.soft", {}, t("dupAndMore", { n: rest }))] : []));
  };
  fill(SHOWN);
  return element;
}

function drawFile({ path, picture }, isBest, ids, tell) {
  const name = path.split("/").pop();
  const others = ids.filter((id) => id !== picture.id);
  return make("li.dup-file", { className: isBest ? "dup-file best" : "dup-file" },
    make("button.dup-shot", { type: "button", "aria-label": name, title: path,
      onclick: () => change({ words: "", parts: [], filters: new Map(), picture: { id: picture.id, frame: 0 } }) },
      make("img", { src: thumbnail(picture.id, 384), alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() }),
      isBest ? make("span.dup-mark", {}, icon("star"), t("dupBest")) : null),
    make("bdi.name", { title: path }, name),
    make("span.soft", {}, `${size(picture)} · ${picture.format} · ${bytes(picture.size)}`),
    make("bdi.soft.dup-path", { title: path }, ...breakable(path.slice(0, -name.length))),
    others.length > 1 ? make("button.link", { type: "button", onclick: () => tell([picture.id], others) }, t("dupNotThis")) : null);
}
