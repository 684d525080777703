// The HTTP API. Every error becomes a Problem.

const API = "/api/v1";

/** An error response of the server; `title` is its stable name. */
export class Problem extends Error {
  constructor(title, detail, status) {
    super(detail);
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
    throw new Problem("Unreachable", "", 0);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Problem(said.title ?? "Unknown", said.detail ?? response.statusText, response.status);
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
  highlight: (id, prompt, frame) => json(`/pictures/${id}/highlight?${new URLSearchParams({ prompt, frame })}`),
  facets: (where, query, signal) => json(`/facets?${new URLSearchParams({ where, query })}`, { signal }),
  status: () => json("/status"),
  models: () => json("/models"),
  failures: () => json("/failures"),
  jobs: () => json("/jobs"),
  start: (job) => json("/jobs", send("POST", job)),
  cancel: (id) => json(`/jobs/${id}`, { method: "DELETE" }),
  activate: (name) => json("/spaces/active", send("PUT", { name })),
  judge: (query, picture, grade) => json("/judgements", send("PUT", { query, picture, grade })),
  judgements: (query, ids) => json(`/judgements?${new URLSearchParams([["query", query], ...ids.map((id) => ["picture", id])])}`),
  tag: (tag, pictures) => json("/tags", send("POST", { tag, pictures })),
  albums: () => json("/albums"),
  keepAlbum: (name, question) => json(`/albums/${encodeURIComponent(name)}`, send("PUT", question)),
  dropAlbum: (name) => json(`/albums/${encodeURIComponent(name)}`, { method: "DELETE" }),
  export: async (pictures, format) => (await ask("/export", send("POST", { pictures, format }))).blob(),
};

/** The address of a small version of a picture; `frame` is the number of a page or moment, from 0. */
export const thumbnail = (id, size, frame = 0) => `${API}/pictures/${id}/thumbnail?${frame ? `frame=${frame}&` : ""}size=${size}`;
export const frameImage = (id, frame) => `${API}/pictures/${id}/frames/${frame}`;
export const original = (id) => `${API}/pictures/${id}/original`;
export const heatMap = (id, prompt, frame) => `${API}/pictures/${id}/highlight.png?${new URLSearchParams({ prompt, frame, kind: "heat" })}`;
export const jobEvents = (id) => new EventSource(`${API}/jobs/${id}/events`);
