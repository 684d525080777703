// Licences of models, in words.

import { t } from "../i18n.js";

/** The licence, with a remark unless it is known to allow commercial use. */
export function licence({ licence: name, use }) {
  if (use === "commercial") return name;
  if (use === "non-commercial") return t("licenceNot", { name });
  return name === "unknown" ? t("licenceUnknown") : t("licenceRead", { name });
}
