// The service worker: keeps the files of the page itself, so that an installed page opens without its server.
//
// The server puts two constants before this text: VERSION, a digest of these files, and FILES, their addresses. A new
// version of the package therefore has a new worker and a new cache. Requests always go to the server first, and the
// cache answers only if the server cannot be reached, so that the page is never older than its server.
//
// Answers of the API and pictures are not kept here: they depend on the token and on the library, and several libraries
// may have the same address one after another. The HTTP cache of the browser keeps thumbnails.

/* global VERSION, FILES */

const PREFIX = "sightline-shell-";
const CACHE = PREFIX + VERSION;

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" })))));
  skipWaiting();
});

addEventListener("activate", (event) => {
  const old = (name) => name.startsWith(PREFIX) && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
    .then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname, searchParams } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  if (mode === "navigate") {
    // The page is the same for every query. A token must reach the server as it is, and its answer the browser.
    if (pathname === "/" && !searchParams.has("token")) event.respondWith(answer(new Request("/", { cache: "no-cache" }), "/"));
  } else if (FILES.includes(pathname)) {
    event.respondWith(answer(new Request(event.request, { cache: "no-cache" }), pathname));
  }
});

async function answer(request, file) {
  try {
    return await fetch(request);
  } catch (problem) {
    const kept = await (await caches.open(CACHE)).match(file);
    if (kept) return kept;
    throw problem;
  }
}
