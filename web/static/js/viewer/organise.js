// The rating, the tags and the albums of the picture in the viewer, to be changed.

import { addToAlbum } from "../albums/add.js";
import { remove } from "../albums/edits.js";
import { openByName } from "../albums/opened.js";
import { icon, iconButton, make } from "../dom.js";
import { rate, tag, untag } from "../edits/changes.js";
import { stars } from "../edits/stars.js";
import { tagForm } from "../edits/tags.js";
import { t } from "../i18n.js";
import { change, state } from "../state.js";

const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** Show only pictures with a tag. */
function choose(name) {
  const term = `tag:${quoted(name)}`;
  change({ filters: new Map(state.filters).set(term, { field: "tag", label: name, term }) });
}

/** The sources of each tag, by name. */
function bySource(tags) {
  const names = new Map();
  for (const { name, source } of tags) names.set(name, [...(names.get(name) ?? []), source]);
  return [...names];
}

function chip(id, name, sources) {
  const isOwn = sources.includes("user");
  const from = sources.filter((source) => source !== "user").map((source) => t(`source_${source}`)).join(", ");
  return make("li.tag", { title: from }, make("button.link", { type: "button", title: t("onlyTag", { name }), onclick: () => choose(name) }, make("bdi", {}, name)),
    from && !isOwn ? make("span.unseen", {}, from) : null,
    isOwn ? iconButton("close", t("removeTag", { name }), () => untag([id], name), { "data-key": "untag" }) : null);
}

const albumChip = (id, name) => make("li.tag", {},
  make("button.link", { type: "button", onclick: () => openByName(name) }, make("bdi", {}, name)),
  iconButton("close", t("removeFromAlbumNamed", { name }), () => remove(name, [id]), { "data-key": "unalbum" }));

/** Fill `box` with the rating, the tags and the albums of a picture. */
export function drawOrganise(box, known) {
  const from = known.rating !== null && known.rating_source !== "user" ? t(`source_${known.rating_source}`) : known.rating < 0 ? t("rejected") : "";
  box.replaceChildren(
    make("div.rating", {}, stars(known.rating, (rating) => rate([known.id], rating)), make("span.soft", {}, from)),
    make("div.tags", { role: "group", "aria-label": t("field_tag") }, icon("tag"),
      make("ul", {}, ...bySource(known.tags).map(([name, sources]) => chip(known.id, name, sources))),
      tagForm((name) => tag([known.id], name), { "data-key": "tag" })),
    make("div.tags", { role: "group", "aria-label": t("view_albums") }, icon("album"),
      make("ul", {}, ...known.albums.map((name) => albumChip(known.id, name))),
      make("button.link", { type: "button", "data-key": "album", onclick: () => addToAlbum([known.id]) }, t("addToAlbum"))),
  );
}
