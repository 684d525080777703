// The folders of the library: how many pictures they have, and buttons to check, add and remove them.

import { api } from "../api.js";
import { icon, iconButton, make } from "../dom.js";
import { t } from "../i18n.js";
import { chooser } from "./chooser.js";
import { confirm } from "./confirm.js";
import * as jobs from "./jobs.js";

/** The section of the folders. `acts` are the callbacks attempt and say. */
export function section(status, acts) {
  const rows = status.roots.map((root) => row(root, status, acts));
  const all = rows.length > 1 ? make("button", { type: "button", onclick: () => acts.attempt(() => check([])) }, icon("refresh"), t("indexAgain")) : null;
  return make("section.card.folders", { "aria-labelledby": "folders-title" },
    make("h2", { id: "folders-title" }, t("folders")),
    rows.length ? make("ul.roots", {}, ...rows) : make("p.soft", {}, t("noFolders")),
    make("div.buttons", {},
      status.may_index_folders ? make("button.primary", { type: "button", onclick: () => choose(status, acts) }, icon("plus"), t("addFolder")) : null, all),
    status.may_index_folders ? null : make("p.soft", {}, t("foldersByTerminal"), " ", make("code", { dir: "ltr" }, "sightline index ~/Pictures")));
}

const check = (folders) => api.start({ kind: "index", folders });

function row(root, status, acts) {
  const parts = root.path.split("/");
  const name = parts.pop() || root.path;
  const counts = [t("picturesIn", { n: root.present }),
    root.missing ? t("missingIn", { n: root.missing }) : null, root.failed ? t("failedIn", { n: root.failed }) : null];
  const away = root.away ? make("p.away", {}, t("awayIn", { n: root.away })) : null;
  return make("li.root", { "data-path": root.path },
    icon("folder"),
    make("div", {},
      make("strong", {}, make("bdi", {}, name)),
      make("span.soft.path", {}, make("bdi", {}, root.path)),
      make("span.counts", {}, counts.filter(Boolean).join(" · ")), away),
    root.uri ? iconButton("refresh", t("checkFolder", { name }), () => acts.attempt(() => check([root.uri]))) : null,
    root.uri && status.may_index_folders ? iconButton("trash", t("removeFolder", { name }), () => remove(root, name, acts)) : null);
}

async function remove(root, name, acts) {
  const isSure = await confirm(t("reallyRemove", { name }), [t("removeKeeps"), t("removeLoses")], t("removeIt"));
  if (isSure) acts.attempt(() => api.start({ kind: "forget", folders: [root.uri] }));
}

/** Open a dialog to choose folders; each is indexed at once. */
function choose(status, acts) {
  const dialog = make("dialog.panel.choose-folder", { "aria-label": t("addFolder"), onclose: () => dialog.remove() });
  const added = (job) => jobs.follow(job).catch(() => acts.say(""));
  dialog.append(
    make("div.head", {}, make("h2", {}, t("addFolder")), iconButton("close", t("close"), () => dialog.close())),
    chooser({ added, mayType: status.may_use_any_folder }));
  document.body.append(dialog);
  dialog.showModal();
}
