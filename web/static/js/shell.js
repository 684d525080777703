// The page as an app: its service worker, and the offer of browsers to install it.

import { make } from "./dom.js";
import { t } from "./i18n.js";

const WAIT = 4000; // milliseconds after the page was loaded: its first pictures come before files for later

let offer = null; // the browser's event, while the page can be installed
const button = make("button", { type: "button", hidden: true, onclick: install });

async function install() {
  const asked = offer;
  offer = null;
  button.hidden = true;
  await asked?.prompt();
}

/** A button that installs the page as an app, where the browser offers that. */
export function installer() {
  button.textContent = t("installPage");
  button.hidden = offer === null;
  return button;
}

/** Register the service worker. Browsers have it only on this machine and over HTTPS. */
export function start() {
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault(); // no banner of the browser
    offer = event;
    button.hidden = false;
  });
  addEventListener("appinstalled", () => { button.hidden = true; });
  if (navigator.serviceWorker) setTimeout(() => navigator.serviceWorker.register("/service-worker.js").catch(() => {}), WAIT);
}
