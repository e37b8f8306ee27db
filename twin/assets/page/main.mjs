// The opening of the page, and Back and Forward.
import { speak } from "./acts.mjs";
import { read } from "./address.mjs";
import { notice, restore, standing, watch } from "./asking.mjs";
import { app, both, kept, language, layerOf } from "./common.mjs";
import { fly, fromMap, loadStyle } from "./map.mjs";
import { paint } from "./paint.mjs";

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

/* Open the page with what the server told of the village. */
export function open(data) {
  if (!data || app.boot) return;
  app.boot = data;
  app.stars = new Set(kept("stars", []));
  document.documentElement.dataset.elder = kept("elder", false) ? "on" : "off";
  const found = read(location.search);
  app.state = found.next;
  const dark = kept("theme", window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const root = document.documentElement;
  root.dataset.theme = dark === "dark" ? "dark" : "light";
  const lang = found.lang || kept("lang", "zh");
  language.set(lang === "en" ? "en" : "zh");
  root.lang = lang === "en" ? "en" : "zh-CN";
  app.expanded = new Set(app.state.layers.map((x) => layerOf(x.id).theme).slice(0, 1));
  window.addEventListener("resize", () => requestAnimationFrame(paint));
  paint();
  app.fitFeature = Boolean(app.state.selection && !app.state.view);
  loadStyle();
  restore();
  if (found.unknown.length) notice("unknown", "plain", both("unknown", { ids: found.unknown.join(", ") }));
  watch();
  root.dataset.started = "yes";
}

/* Take up what the map tells: `prop` is one of its outgoing props. */
export function hear(prop, value) {
  if (app.state) fromMap[prop](value);
}

/* Take up what stands on the map in 3D. */
export function stand(answer) {
  standing();
  if (!app.state || !answer) return;
  app.deck = answer;
  paint();
}
