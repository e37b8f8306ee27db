// The bridge to the map component: what it is given, and what it tells.
import { open, select } from "./acts.mjs";
import { change, remember } from "./address.mjs";
import { ask, notice, ping } from "./asking.mjs";
import { $, DOCKED, PHONE, app, both, language, layerOf, set, t, title } from "./common.mjs";
import { rest } from "./inview.mjs";
import { paintLegend } from "./paint.mjs";

/* Before Dash is there the map is held here, by the same props; when the page opens Dash is given what has come together. */
const held = { props: {}, handle: null };

export function give(props) {
  if (app.isOpen) return set("map", props);
  held.props = { ...held.props, ...props };
  held.handle?.then((handle) => app.isOpen || handle.update(held.props)).catch(() => {});
}

/* Make the map in `root` from what the HTML carries, while Dash's own scripts still arrive. */
export async function openMap(root) {
  held.props = { setProps: give, words: app.boot.mapWords[language.now] };
  const styled = loadStyle();
  const view = await import(`${app.boot.mapAssets}js/view.mjs`);
  if (app.isOpen) return;
  held.handle = view.open(root, new URL(app.boot.mapAssets, location.href).href, () => held.props, () => {});
  const handle = await held.handle;
  if (!app.isOpen) handle.update(held.props); // its style may have been the first to arrive
  await styled;
  await handle.drawn;
}

/* Dash has drawn the page: it takes over the map's props, and with them what the map has told so far. */
export function handOver() {
  const { setProps, ...props } = held.props;
  app.isOpen = true;
  set("map", props);
}

/* Keep what the map tells while the page is not open yet: the component may hear it before. */
export function hold(told) {
  held.props = { ...held.props, ...told };
}

/* Take up what the map has told of itself so far; heard twice it says the same. */
export function catchUp() {
  for (const prop of ["ready", "viewState", "inView"]) if (held.props[prop]) fromMap[prop](held.props[prop]);
}

export function toMap(props) {
  const changed = {};
  for (const name in props) {
    const text = JSON.stringify(props[name]);
    if (app.pushed[name] !== text) {
      app.pushed[name] = text;
      changed[name] = props[name];
    }
  }
  if (Object.keys(changed).length) give(changed);
}

export function mapProps() {
  const off = app.boot.layers.filter((x) => !x.base && !app.state.layers.some((y) => y.id === x.id));
  const hidden = off.map((x) => ({ id: x.id, visible: false, opacity: x.opacity, hidden: [] }));
  const bases = app.boot.layers.filter((x) => x.base);
  const base = bases.map((x) => ({ id: x.id, visible: x.id === app.state.base, opacity: x.opacity, hidden: [] }));
  const aside = app.isOpen && app.state.side && !DOCKED.matches && !PHONE.matches ? $("side").offsetWidth : 0;
  const below = PHONE.matches && app.state.sheet !== "map" ? [96, 0.5, 0.5][app.state.height] : 0;
  return {
    layers: [...app.state.layers, ...hidden, ...base],
    year: app.state.year,
    compare: app.state.compare,
    threeD: { on: app.state.three, terrain: true, exaggeration: 1.4, deck: app.state.three ? app.deck.spec : null },
    tool: app.state.tool,
    selection: app.state.selection,
    words: app.boot.mapWords[language.now],
    theme: document.documentElement.dataset.theme,
    basemap: app.state.base,
    padding: { left: 0, top: 0, right: aside, bottom: below > 1 ? below : Math.round(below * window.innerHeight) },
    stamp: stamp(),
    controls: PHONE.matches ? ["home"] : ["zoom", "home", "north", "three", "compare", "full"],
  };
}

export function stamp() {
  const visible = app.state.layers.filter((x) => x.visible);
  if (app.state.three && app.deck.about) return { title: String(app.state.year || ""), note: app.deck.about[language.now] };
  const old = visible.filter((x) => older(x.id)).map((x) => `${title(x.id)}${t("shows", { year: older(x.id) })}`);
  return { title: String(app.state.year || ""), note: (old.length ? old : stale(visible)).join(t("comma")) };
}

/* The oldest of the visible layers, where it is half a year or more behind the newest. */
export function stale(visible) {
  const dated = visible.map((x) => layerOf(x.id)).filter((x) => /^\d{4}-/.test(x.as_of)).sort((a, b) => (a.as_of < b.as_of ? -1 : 1));
  if (dated.length < 2) return [];
  const [first, last] = [dated[0], dated[dated.length - 1]];
  const apart = (new Date(last.as_of) - new Date(first.as_of)) / 86400000;
  return apart > 180 ? [t("as_of", { name: first.title[language.now], date: first.as_of.slice(0, 7) })] : [];
}

/* The year a layer really shows where it has none of the year asked for, else null. */
export function older(id) {
  const years = layerOf(id).years;
  if (!app.state.year || !years.length || years.includes(app.state.year)) return null;
  return years.filter((y) => y < app.state.year).pop() || years[0];
}

export function loadStyle() {
  const address = `${app.boot.style}?language=${language.now === "en" ? "en" : "zh-CN"}&theme=${document.documentElement.dataset.theme}`;
  if (address === app.styleAt) return Promise.resolve();
  app.styleAt = address;
  return fetch(address)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then((mapStyle) => {
      if (address !== app.styleAt) return;
      const village = app.boot.village;
      const view = app.state.view || { center: village.center, zoom: village.zoom, pitch: 0, bearing: 0 };
      app.pushed = {};
      give({
        mapStyle,
        view,
        home: { bbox: village.bbox },
        years: app.boot.years,
        attribution: village.attribution[language.now],
      });
      toMap(mapProps());
    })
    .catch(() => {
      app.styleAt = "";
      if (!app.isOpen) return;
      notice("style", "danger", both("style_failed"), { act: "style", word: both("retry") });
    });
}

/* Show a box so that neither the legend nor the controls lie over it. */
export function fit(text) {
  const [west, south, east, north] = JSON.parse(text);
  const legend = $("legend").getBoundingClientRect();
  const room = $("map").getBoundingClientRect();
  const free = room.width - (app.state.side && !DOCKED.matches && !PHONE.matches ? $("side").offsetWidth : 0);
  const left = app.state.legend && !PHONE.matches && free > 520 ? (legend.width + 16) / free : 0;
  const grow = (east - west) / Math.max(0.2, 1 - left - 72 / free);
  fly({ kind: "fit", bbox: [west - grow * left, south, east + (grow * 72) / free, north], maxZoom: 18 });
}

export const fly = (camera) => give({ camera: Object.assign({ t: Date.now() }, camera) });

/* In 3D the scenes of the base map and the theme's columns are asked for, once for each combination. */
export function askDeck() {
  const wanted = app.state.three ? [app.state.base, app.state.theme, app.state.year].join() : "";
  if (!wanted || wanted === app.deckFor) return;
  app.deckFor = wanted;
  ask("deck", { base: app.state.base, theme: app.state.theme });
}

export const fromMap = {
  click(value) {
    if (!value || app.state.tool) return;
    const features = value.features || [];
    if (!features.length && !value.deck) {
      if (app.state.selection) change({ selection: null }, true);
      return;
    }
    const at = value.lngLat;
    const [first, ...others] = features;
    if (!first) return ask("feature", { point: at });
    select(first, { others, at });
  },
  viewState(value) {
    if (!value) return;
    app.state.view = { center: value.center, zoom: value.zoom, pitch: value.pitch || 0, bearing: value.bearing || 0 };
    rest(value);
    remember();
  },
  drawn(value) {
    if (!value) return;
    change({ tool: null });
    open("feature");
    ask("overlay", { geometry: value.geometry, shown: app.state.layers.filter((x) => x.visible).map((x) => x.id) });
  },
  measured() {},
  ready(value) {
    if (!value) return;
    document.documentElement.dataset.map = value.ok === false ? value.reason || "none" : "ready";
  },
  error(value) {
    if (value && value.status === undefined && /fetch|network/i.test(value.message || "")) ping();
  },
  inView(value) {
    app.inView = value || {};
    paintLegend();
  },
  compare(value) {
    if (JSON.stringify(value) === app.pushed.compare) return;
    app.pushed.compare = JSON.stringify(value);
    change({ compare: value || null });
  },
  threeD(value) {
    const on = Boolean(value && value.on);
    if (on !== app.state.three) change({ three: on }, true);
  },
  selection(value) {
    if (!value && app.state.selection) change({ selection: null }, true);
  },
  tool(value) {
    if (!value && app.state.tool) change({ tool: null });
  },
};
