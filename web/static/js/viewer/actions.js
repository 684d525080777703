// The buttons below the name of a picture: searches with the picture, or with a region of it.

import { icon, make } from "../dom.js";
import { t } from "../i18n.js";
import { addPart } from "../query/query.js";
import { startCropping } from "./crop.js";
import { isSheet, showDetails } from "./sheet.js";

/** Draw the buttons into `box`. `asPart` returns what is shown on the stage, as a part of a query. */
export function drawActions(box, stage, asPart) {
  const crop = startCropping(stage, (region) => addPart({ ...asPart(), weight: 1, crop: region }));
  const button = (name, label, onclick, attributes = {}) => make("button", { type: "button", onclick, "data-key": name, ...attributes }, icon(name), label);
  box.replaceChildren(
    button("similar", t("moreLike"), () => addPart({ ...asPart(), weight: 1 }), { className: "primary" }),
    button("minus", t("lessLike"), () => addPart({ ...asPart(), weight: -0.5 })),
    button("crop", t("cropAsk"), (event) => {
      const on = stage.classList.toggle("cropping");
      event.currentTarget.setAttribute("aria-pressed", String(on));
      event.currentTarget.lastChild.textContent = t(on ? "cropHow" : "cropAsk");
      on ? crop.begin() : crop.end();
      if (on && isSheet()) showDetails(false);
    }, { "aria-pressed": "false" }));
}
