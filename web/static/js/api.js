// The HTTP API. Every error becomes a Problem.

const API = "/api/v1";

/** An error response of the server; `title` is its stable name, and `fault` says why a query cannot be parsed. */
export class Problem extends Error {
  constructor(title, detail, status, fault = null) {
    super(detail);
    this.fault = fault;
    this.title = title;
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(API + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    dispatchEvent(new Event("unreachable"));
    throw new Problem("Unreachable", "", 0);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Problem(said.title ?? "Unknown", said.detail ?? response.statusText, response.status, said.fault);
}

async function json(path, options) {
  const response = await ask(path, options);
  return response.status === 204 ? null : response.json();
}

const send = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export const api = {
  search: (request, signal) => json("/search", { ...send("POST", request), signal }),
  upload: (file) => json("/uploads", { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } }),
  picture: (id) => json(`/pictures/${id}`),
  stack: (id) => json(`/pictures/${id}/stack`),
  highlightWords: (id, prompt, frame) => json(`/pictures/${id}/highlight/words?${new URLSearchParams({ prompt, frame })}`),
  highlight: (id, prompt, frame) => json(`/pictures/${id}/highlight?${new URLSearchParams({ prompt, frame })}`),
  facets: (where, query, signal) => json(`/facets?${new URLSearchParams({ where, query })}`, { signal }),
  map: (section, signal) => json(`/map?${new URLSearchParams(section)}`, { signal }),
  folders: (parent) => json(parent ? `/folders?${new URLSearchParams({ parent })}` : "/folders"),
  timeline: (where, query, signal) => json(`/timeline?${new URLSearchParams({ where, query })}`, { signal }),
  timelinePictures: ({ day, ...rest }) => json(`/timeline/pictures?${new URLSearchParams(day ? { day, ...rest } : rest)}`),
  status: () => json("/status"),
  models: (language) => json(`/models?${new URLSearchParams({ language })}`),
  planDownload: (name) => json("/models/download-plan", send("POST", { name })),
  failures: (reason, k) => json(`/failures?${new URLSearchParams({ reason, k })}`),
  reasons: () => json("/failures/reasons"),
  serverFolders: (folder) => json(`/server-folders${folder ? `?${new URLSearchParams({ folder })}` : ""}`),
  jobs: () => json("/jobs"),
  start: (job) => json("/jobs", send("POST", job)),
  act: (id, action) => json(`/jobs/${id}/${action}`, { method: "POST" }),
  activate: (name) => json("/spaces/active", send("PUT", { name })),
  judge: (query, picture, grade) => json("/judgements", send("PUT", { query, picture, grade })),
  unjudged: (query, ids) => json(`/judgements/unjudged?${new URLSearchParams([["query", query], ...ids.map((id) => ["picture", id])])}`),
  judgements: (query, ids) => json(`/judgements?${new URLSearchParams([["query", query], ...ids.map((id) => ["picture", id])])}`),
  tags: () => json("/tags"),
  tag: (tag, pictures) => json("/tags", send("POST", { tag, pictures })),
  untag: (tag, pictures) => json("/tags", send("DELETE", { tag, pictures })),
  rate: (rating, pictures) => json("/ratings", send("PUT", { rating, pictures })),
  albums: () => json("/albums"),
  album: (name, signal) => json(`/albums/${encodeURIComponent(name)}`, { signal }),
  makeAlbum: (name, pictures) => json("/albums", send("POST", { name, pictures })),
  keepAlbum: (name, question) => json(`/albums/${encodeURIComponent(name)}`, send("PUT", question)),
  changeAlbum: (name, what) => json(`/albums/${encodeURIComponent(name)}`, send("PATCH", what)),
  dropAlbum: (name) => json(`/albums/${encodeURIComponent(name)}`, { method: "DELETE" }),
  albumPictures: (asked, signal) => json(`/pictures?${new URLSearchParams(asked)}`, { signal }),
  duplicates: (asked) => json(`/duplicates?${new URLSearchParams(asked)}`),
  tellApart: (pictures, others) => json("/duplicates/verdicts", send("POST", { pictures, others })),
  withdraw: (pictures, others) => json("/duplicates/verdicts", send("DELETE", { pictures, others })),
  verdicts: () => json("/duplicates/verdicts?k=200"),
  export: async (pictures, format) => (await ask("/export", send("POST", { pictures, format, bom: format === "csv" }))).blob(),
};

/** Images are kept by the browser for long, and libraries that are served at the same address have the same IDs. */
const KEY = document.documentElement.dataset.library;

/** The address of a small version of a picture; `frame` is the number of a page or moment, from 0. */
export const thumbnail = (id, size, frame = 0) => `${API}/pictures/${id}/thumbnail?library=${KEY}&${frame ? `frame=${frame}&` : ""}size=${size}`;
export const frameImage = (id, frame) => `${API}/pictures/${id}/frames/${frame}?library=${KEY}`;
/** The same as JPEG, which is smaller and made faster. */
export const fastFrameImage = (id, frame) => `${frameImage(id, frame)}&format=jpeg`;
/** The address of a list of all files but the best of each group of near-duplicates. */
export const restOfDuplicates = (format, where) => `${API}/duplicates/rest?${new URLSearchParams({ format, where, ...(format === "csv" ? { bom: true } : {}) })}`;
export const original = (id) => `${API}/pictures/${id}/original`;

export const companion = (id, number) => `${API}/pictures/${id}/companions/${number}`;
export const heatMap = (id, prompt, frame) => `${API}/pictures/${id}/highlight.png?${new URLSearchParams({ prompt, frame, kind: "heat" })}`;
