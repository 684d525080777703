// A field for a tag, which suggests the tags of the library.

import { api } from "../api.js";
import { icon, iconButton, make } from "../dom.js";
import { t } from "../i18n.js";

const LONGEST = 200; // characters of a name

const known = make("datalist", { id: "known-tags" });
let asked = null;

/** The tags have changed: ask for them again when they are needed. */
export function forgetTags() {
  asked = null;
}

function suggest() {
  asked ??= api.tags().then((tags) => {
    known.replaceChildren(...tags.map((tag) => make("option", { value: tag.name })));
  }, forgetTags);
}

/** A form for the name of a tag; `add` is called with it, and `remove`, if it is given, by a second button. */
export function tagForm(add, { remove = null, ...attributes } = {}) {
  const field = make("input", { name: "tag", type: "text", maxLength: LONGEST, placeholder: t("newTag"), "aria-label": t("newTag"), dir: "auto",
    autocomplete: "off", onfocus: suggest, ...attributes });
  if (!known.isConnected) document.body.append(known);
  field.setAttribute("list", known.id);
  const use = (act) => {
    const name = field.value.trim();
    if (!name) return field.focus();
    field.value = "";
    act(name);
  };
  return make("form.tag-form", { onsubmit: (event) => {
    event.preventDefault();
    use(add);
  } }, field, make("button.quiet", { type: "submit", title: t("addTag"), "aria-label": t("addTag") }, icon("plus")),
  remove ? iconButton("minus", t("removeThisTag"), () => use(remove)) : null);
}
