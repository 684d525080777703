// Choose folders of the server's machine, and index them.

import { api } from "../api.js";
import { icon, iconButton, make } from "../dom.js";
import { t } from "../i18n.js";
import { describe } from "../summary.js";

/**
 * Make a list of folders to walk through. `added(job)` is called for each folder that is being indexed; with `mayType`, a
 * path can be typed as well.
 */
export function chooser({ added, mayType }) {
  const place = make("div.place", {});
  const list = make("ul.server-folders", {});
  const said = make("p.said", { role: "status", dir: "auto" });
  const element = make("div.chooser", {}, place, list, said, mayType ? typing((path) => add(path)) : null);
  let shown = 0;

  async function open(uri, { focus = true } = {}) {
    const mine = ++shown;
    list.setAttribute("aria-busy", "true");
    try {
      const found = await api.serverFolders(uri);
      if (mine !== shown) return;
      if (!uri && found.folders.length === 1) return open(found.folders[0].uri, { focus });
      said.textContent = "";
      draw(found);
      if (focus) (place.querySelector("button") ?? list.querySelector("button"))?.focus();
    } catch (problem) {
      if (mine === shown) said.textContent = describe(problem);
    }
    list.removeAttribute("aria-busy");
  }

  function draw({ folder, parent, folders, truncated }) {
    place.replaceChildren(...(folder ? here(folder, parent) : [make("p.soft", {}, t("whereToLook"))]));
    const rows = folders.map(row);
    if (truncated) rows.push(make("li.soft", {}, t("moreFolders")));
    if (!rows.length) rows.push(make("li.soft", {}, t("noMoreFolders")));
    list.replaceChildren(...rows);
  }

  function here(folder, parent) {
    const back = iconButton("back", t("folderAbove"), () => open(parent), { className: "quiet turned" });
    const use = folder.in_library ? known() : make("button.primary", { type: "button", onclick: () => add(folder.uri) }, t("addThis"));
    return [back, make("div", {}, make("strong", {}, make("bdi", {}, folder.name || folder.path)), make("span.soft", {}, contents(folder))), use];
  }

  function row(folder) {
    const name = folder.name || folder.path;
    const enter = make("button.enter", { type: "button", onclick: () => open(folder.uri) },
      icon("folder"), make("span", {}, make("bdi", {}, name)), make("span.soft", {}, contents(folder)));
    const use = folder.in_library ? known() : iconButton("plus", t("addNamed", { name }), () => add(folder.uri));
    return make("li", {}, enter, use);
  }

  const known = () => make("span.known", { title: t("inLibrary") }, icon("right"), make("span.hidden-text", {}, t("inLibrary")));

  async function add(folder) {
    try {
      const job = await api.start({ kind: "index", folders: [folder] });
      said.textContent = t("folderAdded", { name: job.parameters.folders[0] });
      added(job);
    } catch (problem) {
      said.textContent = describe(problem);
    }
  }

  open(null, { focus: false });
  return element;
}

/** What is directly in a folder, as far as it was counted. */
function contents({ pictures, folders }) {
  if (pictures === null) return "";
  const parts = [pictures ? t("picturesIn", { n: pictures }) : null, folders ? t("folderCount", { n: folders }) : null];
  return parts.filter(Boolean).join(" · ") || t("noPicturesIn");
}

function typing(add) {
  const field = make("input", { name: "folder", type: "text", placeholder: t("folderHint"), "aria-label": t("folderPath"), dir: "auto", spellcheck: false });
  return make("form.row", { onsubmit: (event) => {
    event.preventDefault();
    if (field.value.trim()) add(field.value.trim());
  } }, field, make("button", { type: "submit" }, t("addFolder")));
}
