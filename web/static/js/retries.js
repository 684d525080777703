// Thumbnails that did not arrive over a bad connection are requested again, later each time.

const PATIENCE = 6; // tries
const FIRST = 1000; // milliseconds until the first one, doubled each time
const LATER = [408, 429, 502, 503, 504]; // statuses that pass

const tries = new WeakMap(); // image -> number of tries
const final = new WeakSet(); // images whose next error is for the rest of the page
const waiting = new Set();

const isThumbnail = (element) => element instanceof HTMLImageElement && /\/pictures\/\d+\/thumbnail\?/.test(element.src);

async function failed(event) {
  const image = event.target;
  if (!isThumbnail(image) || final.delete(image)) return;
  event.stopImmediatePropagation(); // before the image itself learns of it
  const { src } = image;
  const answer = await fetch(src, { method: "HEAD" }).catch(() => null);
  if (image.src !== src) return; // it shows another picture now
  const count = tries.get(image) ?? 0;
  if ((answer && !answer.ok && !LATER.includes(answer.status)) || count >= PATIENCE) {
    tries.delete(image);
    final.add(image);
    image.dispatchEvent(new Event("error"));
    return;
  }
  tries.set(image, count + 1);
  const again = () => {
    clearTimeout(timer);
    waiting.delete(again);
    if (image.src === src && image.isConnected) image.src = src;
  };
  const timer = setTimeout(again, answer?.ok ? 0 : FIRST * 2 ** count);
  waiting.add(again);
}

export function start() {
  document.addEventListener("error", failed, true);
  document.addEventListener("load", (event) => tries.delete(event.target), true);
  addEventListener("reachable", () => [...waiting].forEach((again) => again()));
}
