// The download of a model: what it is, the licence to accept, and the job.

import { api } from "../api.js";
import { iconButton, make } from "../dom.js";
import { bytes, t } from "../i18n.js";
import { describe } from "../summary.js";
import { licence } from "./licences.js";

/** Ask the server what the download would be, and show it. Nothing is downloaded before the licence is accepted. */
export async function download(model, acts) {
  const body = make("div.plan", { "aria-busy": "true" }, make("p", { role: "status" }, t("askingHub")));
  const dialog = make("dialog.panel.download", { "aria-label": t("downloadNamed", { name: model.name }), onclose: () => dialog.remove() },
    make("div.head", {}, make("h2", {}, make("bdi", {}, model.name)), iconButton("close", t("close"), () => dialog.close())), body);
  document.body.append(dialog);
  dialog.showModal();
  try {
    const plan = await api.planDownload(model.name);
    body.replaceChildren(form(plan, dialog, acts));
  } catch (problem) {
    body.replaceChildren(make("p.bad", { role: "alert", dir: "auto" }, describe(problem)));
  }
  body.removeAttribute("aria-busy");
}

function form(plan, dialog, acts) {
  const accept = make("input", { type: "checkbox", name: "accept", required: true });
  const use = make("input", { type: "checkbox", name: "use", checked: true });
  const begin = make("button.primary", { type: "submit", disabled: true }, t("downloadOf", { size: bytes(plan.size) }));
  accept.addEventListener("change", () => { begin.disabled = !accept.checked; });
  return make("form", { onsubmit: (event) => {
    event.preventDefault();
    dialog.close();
    acts.attempt(() => api.start({ kind: "model", model: plan.name, parameters: { licence: plan.licence, use: use.checked } }));
  } },
  make("dl.facts", {},
    make("dt", {}, t("fact_size")), make("dd", {}, bytes(plan.size)),
    make("dt", {}, t("licence")), make("dd", {}, make("bdi", {}, licence(plan))),
    make("dt", {}, t("comesFrom")), ...plan.repositories.map((address) => make("dd", {}, make("a", { href: address, target: "_blank", rel: "noreferrer noopener", dir: "ltr" }, address)))),
  make("label.check", {}, accept, make("span", {}, t("acceptLicence", { name: plan.licence }))),
  make("label.check", {}, use, make("span", {}, t("thenUse"))),
  make("p.soft", {}, t("downloadSends")),
  make("div.buttons", {}, make("button", { type: "button", onclick: () => dialog.close() }, t("cancel")), begin));
}
