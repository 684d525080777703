// The query language and the keyboard shortcuts, as examples that can be tried.

import { byId, iconButton, make } from "../dom.js";
import { t } from "../i18n.js";
import { change } from "../state.js";

const dialog = byId("help");

const FILTERS = [["help_filter", "year:2023"], ["help_span", "after:2023-06 before:2023-09"], ["help_either", "camera:x100 or tag:cats"]];
const KEYS = [["/", "key_box"], ["← ↑ ↓ →", "key_arrows"], ["Enter", "key_open"], ["Space", "key_pick"], ["H", "key_why"], ["Page ↑ ↓", "key_frame"],
  ["+ − Z", "key_zoom"], ["I F S", "key_viewer"], ["1 2 3 4 5", "key_rate"], ["Ctrl + Z", "key_undo"], ["Shift + Enter", "key_part"]];

function row([meaning, example]) {
  const ask = () => {
    dialog.close();
    change({ words: example });
    byId("words").focus();
  };
  return make("li", {}, make("button.example", { type: "button", onclick: ask, dir: "auto" }, example), make("span", {}, meaning));
}

export function open() {
  const words = ["help_words", "help_away", "help_weight"].map((key) => [t(key), t(`${key}_example`)]);
  const filters = FILTERS.map(([key, example]) => [t(key), example]);
  dialog.replaceChildren(
    make("div.head", {}, make("h2", {}, t("help")), iconButton("close", t("close"), () => dialog.close())),
    make("ul.rows", {}, ...[...words, ...filters].map(row)),
    make("p", {}, t("helpPictures")),
    make("h3", {}, t("keys")),
    make("ul.rows", {}, ...KEYS.map(([key, meaning]) => make("li", {}, make("kbd", { dir: "ltr" }, key), make("span", {}, t(meaning))))));
  dialog.showModal();
}

export function start() {
  byId("show-help").addEventListener("click", open);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
