// A dialog to arrange the pictures of an album by hand: by dragging, with buttons, or with the keyboard.

import { api, thumbnail } from "../api.js";
import { iconButton, make } from "../dom.js";
import { t } from "../i18n.js";
import { describe } from "../summary.js";

const PAGE = 1000;
const MOST = 5000; // pictures that are shown

async function load(album) {
  const hits = [];
  let cursor = null;
  do {
    const page = await api.albumPictures({ album, k: PAGE, ...(cursor ? { cursor } : {}) });
    hits.push(...page.hits);
    cursor = page.next;
  } while (cursor && hits.length < MOST);
  return { hits, more: cursor !== null };
}

/** Arrange an album; `changed` is called at the end if anything was moved. */
export async function arrange(album, changed) {
  let moved = false;
  const said = make("p.said", { role: "status" });
  const list = make("ol.arrange", {});
  const tool = (drawing, label, act) => iconButton(drawing, label, act, { className: "" });
  const dialog = make("dialog.panel.arranging", { "aria-label": t("arrangeAlbum", { name: album }), onclose: () => { dialog.remove(); if (moved) changed(); } },
    make("div.head", {}, make("h2", { dir: "auto" }, t("arrangeAlbum", { name: album })), iconButton("close", t("close"), () => dialog.close())),
    make("p.soft", {}, t("arrangeHow")),
    make("div.arrange-tools", { role: "toolbar", "aria-label": t("arrange") },
      tool("first", t("moveToFront"), () => place(() => 0)), tool("back", t("moveEarlier"), () => place((at) => at - 1)),
      tool("next", t("moveLater"), () => place((at) => at + 1)), tool("last", t("moveToEnd"), () => place(() => items().length - 1))),
    said, list);
  const items = () => [...list.children];
  let held = null; // the chosen item
  let dragged = null;

  function choose(item) {
    held?.firstChild.setAttribute("aria-pressed", "false");
    held = item;
    held.firstChild.setAttribute("aria-pressed", "true");
  }

  /** Move the chosen item to the place that `where` returns for its present one. */
  const place = (where) => {
    if (!held) return;
    const all = items();
    const [from, to] = [all.indexOf(held), Math.max(0, Math.min(all.length - 1, where(all.indexOf(held))))];
    if (from === to) return;
    put(held, to > from ? all[to].nextElementSibling : all[to]);
  };

  let saving = Promise.resolve();

  function put(item, before) {
    const isFocused = item.contains(document.activeElement);
    list.insertBefore(item, before);
    if (isFocused) item.firstChild.focus();
    item.scrollIntoView({ block: "nearest" });
    moved = true;
    said.textContent = t("movedToPlace", { name: item.dataset.name, n: items().indexOf(item) + 1 });
    const next = item.nextElementSibling;
    const move = { pictures: [Number(item.dataset.id)], before: next ? Number(next.dataset.id) : null };
    saving = saving.then(() => api.changeAlbum(album, { move })).catch((problem) => { said.textContent = describe(problem); });
  }

  function onKey(event) {
    const item = event.target.closest("li");
    const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    const wide = Math.max(1, Math.round(list.clientWidth / (item.offsetWidth + 6)));
    const steps = { [forward]: 1, [backward]: -1, ArrowDown: wide, ArrowUp: -wide, Home: -Infinity, End: Infinity };
    const by = steps[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const all = items();
    if (event.altKey) {
      choose(item);
      place((at) => at + by);
    } else all[Math.max(0, Math.min(all.length - 1, all.indexOf(item) + by))].firstChild.focus();
  }

  const drop = (event) => {
    const target = event.target.closest("li");
    if (!dragged || !target) return;
    event.preventDefault();
    if (event.type === "dragover") return;
    const { left, width } = target.getBoundingClientRect();
    const isBefore = (event.clientX < left + width / 2) === (document.documentElement.dir !== "rtl");
    const before = isBefore ? target : target.nextElementSibling;
    if (before !== dragged && target !== dragged) put(dragged, before);
  };

  const shot = (hit) => {
    const item = make("li", { draggable: true, "data-id": hit.id, "data-name": hit.name, ondragstart: () => { dragged = item; choose(item); }, ondragend: () => { dragged = null; } },
      make("button", { type: "button", "aria-label": hit.name, "aria-pressed": "false", onclick: () => choose(item) },
        make("img", { src: thumbnail(hit.id, 192), alt: "", loading: "lazy", decoding: "async", draggable: false })));
    return item;
  };

  list.addEventListener("keydown", onKey);
  list.addEventListener("dragover", drop);
  list.addEventListener("drop", drop);
  document.body.append(dialog);
  dialog.showModal();
  try {
    const { hits, more } = await load(album);
    list.replaceChildren(...hits.map(shot));
    if (more) said.textContent = t("arrangeFirst", { n: hits.length });
    list.querySelector("button")?.focus();
  } catch (problem) {
    said.textContent = describe(problem);
  }
}
