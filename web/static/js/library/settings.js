// Settings of the page in this browser, and what is running here.

import { make } from "../dom.js";
import { choose, language, LANGUAGES, t } from "../i18n.js";
import { installer } from "../shell.js";

const THEME = "sightline.theme";

/** Light, dark, or the system's setting. */
export function paint(theme = localStorage.getItem(THEME) ?? "auto") {
  localStorage.setItem(THEME, theme);
  document.documentElement.dataset.theme = theme;
}

/** The section of settings. */
export function section() {
  const select = (label, options, value, onchange) => make("label", {}, make("span", {}, label),
    make("select", { onchange: (event) => onchange(event.target.value) },
      ...Object.entries(options).map(([code, name]) => make("option", { value: code, selected: code === value }, name))));
  const themes = { auto: t("theme_auto"), light: t("theme_light"), dark: t("theme_dark") };
  return make("section.card.settings", { "aria-labelledby": "settings-title" },
    make("h2", { id: "settings-title" }, t("settings")),
    select(t("language"), LANGUAGES, language, choose),
    select(t("theme"), themes, document.documentElement.dataset.theme, paint));
}

/** The section about this program. */
export function about({ version }) {
  return make("section.card.about-page", { "aria-labelledby": "about-title" },
    make("h2", { id: "about-title" }, t("about")),
    make("p", {}, make("bdi", {}, `Sightline ${version}`)),
    make("p.soft", {}, t("aboutPrivacy")),
    make("div.buttons", {}, installer()));
}
