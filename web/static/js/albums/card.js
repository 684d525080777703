// An album as a card: its cover, its name and the number of its pictures.

import { api, thumbnail } from "../api.js";
import { icon, make } from "../dom.js";
import { t } from "../i18n.js";

const waiting = new WeakMap(); // cover of a saved search -> its album, until it is visible

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    fill(target, waiting.get(target));
  }
}, { rootMargin: "300px" });

/** Saved searches are run when their card becomes visible. */
async function fill(cover, album) {
  try {
    const known = album.is_ranked ? await firstHit(album) : await api.album(album.name);
    drawCover(cover, known);
    if (known.pictures !== null) cover.parentElement.querySelector(".soft").prepend(t("mapPictures", { n: known.pictures }), " · ");
  } catch {
    // an album whose query cannot be answered now keeps its symbol
  }
}

async function firstHit(album) {
  if (album.cover) return album;
  const { hits } = await api.search({ query: album.query, k: 1 });
  return { cover: hits[0]?.id ?? null, pictures: null };
}

function drawCover(cover, album) {
  if (!album.cover) return;
  cover.prepend(make("img", { src: thumbnail(album.cover, 384), alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() }));
}

/** Make the button of an album; `act` is called when it is chosen. */
export function albumCard(album, act) {
  const cover = make("span.cover", {}, icon(album.by_hand ? "album" : "search"));
  const missing = album.missing ? ` · ${t("albumMissing", { n: album.missing })}` : "";
  const about = album.by_hand ? t("mapPictures", { n: album.pictures }) + missing : t("smartAlbum");
  const button = make("button.folder-card.album-card", { type: "button", title: album.by_hand ? album.name : `${album.name}: ${album.query}`, onclick: act, "data-key": `open ${album.name}` },
    cover, make("bdi.name", {}, album.name), make("span.soft", {}, about));
  if (album.by_hand) drawCover(cover, album);
  else {
    waiting.set(cover, album);
    seen.observe(cover);
  }
  return button;
}
