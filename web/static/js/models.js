// The models to choose from: languages, size, licence, and what has to be installed first.

import { api } from "./api.js";
import { make } from "./dom.js";
import { bytes, language, t } from "./i18n.js";
import { describe } from "./summary.js";

const SHOWN = 6; // number of languages listed by name

/** Make a collapsed list that is loaded when opened; choosing a model writes its name into `field`. */
export function offered(field) {
  const list = make("ul.models", {});
  const choices = make("details", { ontoggle: () => choices.open && draw() }, make("summary", {}, t("modelsToChoose")), list);
  const choose = (model) => {
    field.value = model.name;
    choices.open = false;
    field.form.querySelector("button").focus();
  };
  const draw = async () => {
    try {
      list.replaceChildren(...(await api.models()).map((model) => row(model, choose)));
    } catch (problem) {
      list.replaceChildren(make("li.bad", {}, describe(problem)));
    }
  };
  return choices;
}

/** An installed model is a button; for others, show how to install them. */
function row(model, choose) {
  const said = [make("span", {}, make("bdi", {}, model.name)), make("span.soft", {}, ...facts(model).flatMap((fact, i) => [i ? " · " : "", make("bdi", {}, fact)]))];
  if (model.usable) return make("li", {}, make("button.model", { type: "button", onclick: () => choose(model) }, ...said));
  return make("li", {}, make("div.model", {}, ...said, make("span.soft", {}, t("needsFirst"), " ", make("code", { dir: "ltr" }, model.missing))));
}

function facts(model) {
  const size = model.size === null ? null : bytes(model.size);
  const dim = model.dim === null ? null : t("dimension", { n: model.dim });
  return [languages(model), size, dim, licence(model)].filter(Boolean);
}

/** The names of the languages it is good at, in the page's language, and the total number. */
function languages({ languages: codes, breadth }) {
  const names = new Intl.DisplayNames(language, { type: "language" });
  const said = new Intl.ListFormat(language, { type: "unit", style: "short" }).format(codes.slice(0, SHOWN).map((code) => names.of(code)));
  return breadth > Math.min(codes.length, SHOWN) ? t("languagesAmong", { names: said, n: breadth }) : said;
}

/** The licence, with a remark unless it is known to allow commercial use. */
function licence({ licence: name, use }) {
  if (use === "commercial") return name;
  if (use === "non-commercial") return t("licenceNot", { name });
  return name === "unknown" ? t("licenceUnknown") : t("licenceRead", { name });
}
