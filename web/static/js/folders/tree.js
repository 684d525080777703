// The tree of folders at the side. The folders in a folder are loaded when it is expanded.

import { api } from "../api.js";
import { icon, make as element } from "../dom.js";
import { count, t } from "../i18n.js";

const expanded = new Set(); // IDs of folders

/** Make the tree; the open folder is marked, and those above it are expanded. `enter(folder)` opens a folder. */
export function make(folder, above, enter) {
  for (const each of [...above, ...(folder?.has_folders ? [folder] : [])]) expanded.add(each.id);
  const list = element("ul.tree");
  const frame = element("nav.folder-tree", { "aria-label": t("foldersTree") },
    element("button.tree-all", { type: "button", "aria-current": folder ? null : "page", onclick: () => enter(null) }, icon("folder"), t("foldersAll")),
    list);
  fill(list, null, { open: folder?.id ?? null, enter });
  return frame;
}

/** Collapse everything. */
export const forget = () => expanded.clear();

async function fill(list, parent, tree) {
  const listing = await api.folders(parent).catch(() => null); // the folder may be gone
  if (listing) list.replaceChildren(...listing.folders.map((folder) => branch(folder, tree)));
}

function branch(folder, tree) {
  const inner = element("ul", { hidden: true });
  const toggle = element("button.quiet.twig", { type: "button", "aria-expanded": "false", "aria-label": t("foldersExpand", { name: folder.name }) }, icon("next"));
  const set = (on) => {
    toggle.setAttribute("aria-expanded", String(on));
    inner.hidden = !on;
    on ? expanded.add(folder.id) : expanded.delete(folder.id);
    if (on && !inner.children.length) fill(inner, folder.id, tree);
  };
  toggle.addEventListener("click", () => set(toggle.getAttribute("aria-expanded") === "false"));
  if (folder.has_folders && expanded.has(folder.id)) set(true);
  const isOpen = folder.id === tree.open;
  return element("li", {},
    element("div.branch", {}, folder.has_folders ? toggle : element("span.twig"),
      element("button.leaf", { type: "button", title: folder.path, "aria-current": isOpen ? "page" : null, onclick: () => tree.enter(folder) },
        element("bdi.name", {}, folder.name), element("span.count", {}, count(folder.below)))),
    inner);
}
