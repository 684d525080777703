// A dialog that asks for the name of an album.

import { make } from "../dom.js";
import { t } from "../i18n.js";
import { describe } from "../summary.js";

/**
 * Ask for a name. `save(name)` is called with it; if it throws a problem, the dialog shows it and stays. Resolves to the
 * name, or to null.
 */
export function askName(title, { value = "", label, about = null, save }) {
  return new Promise((answer) => {
    let given = null;
    const field = make("input", { type: "text", value, maxLength: 100, required: true, placeholder: t("albumName"), "aria-label": t("albumName"), dir: "auto", autofocus: true });
    const said = make("p.bad", { role: "alert", hidden: true });
    const submit = async (event) => {
      event.preventDefault();
      const name = field.value.trim();
      if (!name) return;
      try {
        await save(name);
        given = name;
        dialog.close();
      } catch (problem) {
        said.hidden = false;
        said.textContent = describe(problem);
        field.focus();
      }
    };
    const dialog = make("dialog.panel.naming", { "aria-label": title, onclose: () => { dialog.remove(); answer(given); } },
      make("h2", { dir: "auto" }, title), about,
      make("form", { onsubmit: submit }, field, said, make("div.buttons", {},
        make("button", { type: "button", onclick: () => dialog.close() }, t("cancel")),
        make("button.primary", { type: "submit" }, label))));
    document.body.append(dialog);
    dialog.showModal();
    field.select();
  });
}
