// A question that has to be confirmed before something is lost.

import { make } from "../dom.js";
import { t } from "../i18n.js";

/** Ask, and return a promise of the answer. `label` names the button that says yes. */
export function confirm(title, lines, label) {
  return new Promise((answer) => {
    let isSure = false;
    const dialog = make("dialog.panel.confirm", { "aria-label": title, onclose: () => { dialog.remove(); answer(isSure); } },
      make("h2", { dir: "auto" }, title),
      ...lines.map((line) => make("p", {}, line)),
      make("div.buttons", {},
        make("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, t("cancel")),
        make("button.primary.danger", { type: "button", onclick: () => { isSure = true; dialog.close(); } }, label)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
