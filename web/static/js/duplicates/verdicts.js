// The pictures that were told apart, so that this can be undone later.

import { api, thumbnail } from "../api.js";
import { make } from "../dom.js";
import { toast } from "../edits/toast.js";
import { t } from "../i18n.js";
import { describe } from "../summary.js";

/** Fill `box` with a list that is loaded when it is opened. `renew` shows the groups again. */
export function drawVerdicts(box, number, renew) {
  box.hidden = number === 0;
  const list = make("ul");
  box.replaceChildren(make("details", { ontoggle: (event) => { if (event.target.open && !list.children.length) load(list, renew); } },
    make("summary", {}, t("dupVerdicts", { n: number })), list));
}

async function load(list, renew) {
  try {
    const { pairs } = await api.verdicts();
    list.replaceChildren(...pairs.map(({ pictures }) => row(pictures, renew)));
  } catch (problem) {
    toast(describe(problem));
  }
}

const row = (pictures, renew) => make("li", {},
  ...pictures.map((picture) => make("span.dup-told", { title: picture.path },
    make("img", { src: thumbnail(picture.id, 192), alt: "", loading: "lazy", onerror: (event) => event.target.remove() }), make("bdi", {}, picture.name))),
  make("button", { type: "button", onclick: async () => {
    try {
      await api.withdraw(pictures.map((picture) => picture.id));
      await renew();
    } catch (problem) {
      toast(describe(problem));
    }
  } }, t("dupWithdraw")));
