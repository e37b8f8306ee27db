// The opening of the page, first its map and then the rest, and Back and Forward.
import { speak } from "./acts.mjs";
import { read } from "./address.mjs";
import { notice, restore, standing, watch } from "./asking.mjs";
import { $, all, app, both, kept, language, layerOf } from "./common.mjs";
import "./listen.mjs";
import { catchUp, fly, fromMap, handOver, hold, loadStyle, openMap } from "./map.mjs";
import { paint } from "./paint.mjs";

const MAP_FIRST_MS = 2500; // a map that takes longer than this no longer holds up the page

window.onemap = { state: () => app.state, inView: () => app.inView };

window.addEventListener("popstate", () => {
  if (!app.state) return;
  const before = JSON.stringify([app.state.selection, app.state.list, app.state.year]);
  const found = read(location.search);
  const { view } = found.next;
  app.state = found.next;
  const lang = found.lang === "en" ? "en" : "zh";
  if (lang !== language.now) speak(lang);
  paint();
  if (view) fly({ kind: "jump", center: view.center, zoom: view.zoom, pitch: view.pitch, bearing: view.bearing });
  if (JSON.stringify([app.state.selection, app.state.list, app.state.year]) !== before) restore();
});

/* Take up what the HTML carries of the village, and make its map. */
function begin() {
  app.boot = JSON.parse($("first").textContent);
  app.stars = new Set(kept("stars", []));
  document.documentElement.dataset.elder = kept("elder", false) ? "on" : "off";
  app.asOf = app.boot.below ? new URLSearchParams(location.search).get("as_of") || "" : "";
  const found = read(location.search);
  app.state = found.next;
  app.unknown = found.unknown;
  const dark = kept("theme", window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const root = document.documentElement;
  root.dataset.theme = dark === "dark" ? "dark" : "light";
  const lang = found.lang || kept("lang", "zh");
  language.set(lang === "en" ? "en" : "zh");
  root.lang = lang === "en" ? "en" : "zh-CN";
  app.expanded = new Set(app.state.layers.map((x) => layerOf(x.id).theme).slice(0, 1));
  const early = $("early");
  const place = early.querySelector(".onemap");
  place.dataset.theme = root.dataset.theme;
  new MutationObserver(() => place.childElementCount || early.remove()).observe(place, { childList: true }); // the map has moved
  const shown = openMap(place).catch(() => {}); // told by the component, which meets the same
  const late = new Promise((resolve) => setTimeout(resolve, MAP_FIRST_MS));
  Promise.race([shown, late]).then(bringDash);
}

/* Run Dash's scripts, which have arrived meanwhile: first its files in their order, then what calls them. */
function bringDash() {
  const copies = all("script", $("dash").content).map((script) => {
    const copy = document.createElement("script");
    for (const { name, value } of script.attributes) copy.setAttribute(name, value);
    copy.textContent = script.textContent;
    copy.async = false;
    return copy;
  });
  const files = copies.filter((x) => x.src);
  files.at(-1).addEventListener("load", () => document.body.append(...copies.filter((x) => !x.src)));
  document.body.append(...files);
}

/* Open the page around the map: Dash has drawn it. */
export function open() {
  if (app.isOpen) return;
  handOver();
  window.addEventListener("resize", () => requestAnimationFrame(paint));
  paint();
  app.fitFeature = Boolean(app.state.selection && !app.state.view);
  loadStyle();
  restore();
  if (app.unknown.length) notice("unknown", "plain", both("unknown", { ids: app.unknown.join(", ") }));
  watch();
  catchUp();
  document.documentElement.dataset.started = "yes";
}

/* Take up what the map tells: `prop` is one of its outgoing props. */
export function hear(prop, value) {
  if (app.isOpen) fromMap[prop](value);
  else hold({ [prop]: value });
}

/* Take up what stands on the map in 3D. */
export function stand(answer) {
  standing();
  if (!app.isOpen || !answer) return;
  app.deck = answer;
  paint();
}

begin();
