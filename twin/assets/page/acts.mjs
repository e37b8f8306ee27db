// What a person can do: every data-act of the page.
import { at, change, fresh, remember, written } from "./address.mjs";
import { ask, askAgain, askCharts, asked, hush, notice } from "./asking.mjs";
import { $, PHONE, all, app, both, keep, kept, language, layerOf, say, t, title } from "./common.mjs";
import { fit, fly, loadStyle } from "./map.mjs";
import { lookInto, widen } from "./narrow.mjs";
import { paint, paintFeature } from "./paint.mjs";
import { goTo } from "./search.mjs";

export function open(tab, focus) {
  const values = { side: true, tab };
  if (PHONE.matches) Object.assign(values, { sheet: tab, height: Math.max(1, app.state.height) });
  change(values);
  if (focus) $("panel-" + tab).focus();
}

export function select(feature, more) {
  const selection = { layer: feature.layer || "", table: feature.table, id: feature.id };
  change({ selection }, true);
  open("feature");
  ask("feature", Object.assign({}, selection, more));
}

export function toggleLayer(id, on) {
  const layers = app.state.layers.filter((x) => x.id !== id);
  if (on) layers.unshift({ id, visible: true, opacity: layerOf(id).opacity, hidden: [] });
  if (layers.length > 6 && on) notice("many", "plain", both("many", { n: layers.length }), null, 8000);
  change({ layers }, true);
}

export function move(id, by) {
  const layers = app.state.layers.slice();
  const from = layers.findIndex((x) => x.id === id);
  const to = from + by;
  if (to < 0 || to >= layers.length) return;
  layers.splice(to, 0, layers.splice(from, 1)[0]);
  change({ layers }, true);
  say("list-said", t("moved", { name: title(id), n: to + 1 }));
}

export const edit = (id, values, push) =>
  change({ layers: app.state.layers.map((x) => (x.id === id ? Object.assign({}, x, values) : x)) }, push);

export function pickTheme(theme) {
  if (app.state.theme === theme) return change({ theme: "" }, true);
  const of = app.boot.layers.filter((x) => x.theme === theme).reverse();
  const layers = of.map((x) => ({ id: x.id, visible: true, opacity: x.opacity, hidden: [] }));
  app.expanded = new Set([theme]);
  change({ theme, layers }, true);
  if (app.state.side && app.state.tab === "charts") askCharts();
}

export function pickYear(year) {
  if (!year || year === app.state.year) return;
  change({ year }, true);
  askAgain();
}

export function pickBase(id) {
  const isScene = (base) => Boolean(layerOf(base) && layerOf(base).scene);
  const three = isScene(id) || (!isScene(app.state.base) && app.state.three);
  change({ base: id, three }, true);
}

export function speak(lang) {
  document.documentElement.lang = lang === "en" ? "en" : "zh-CN";
  language.set(lang);
  document.title = `${app.boot.village.name[lang]} · ${t("page_title")}`;
  keep("lang", lang);
  paint();
  loadStyle();
  remember();
  askAgain();
}

export function dress(theme) {
  document.documentElement.dataset.theme = theme;
  keep("theme", theme);
  paint();
  loadStyle();
  if (app.state.side && app.state.tab === "charts") askCharts();
}

export function openDialog(name, from) {
  app.opener = from;
  $("dialog-" + name).showModal();
}

export function sheetTo(sheet, height) {
  const values = { sheet, height: sheet === "map" ? 0 : height };
  if (["feature", "charts", "list"].includes(sheet)) Object.assign(values, { side: true, tab: sheet });
  change(values);
  if (sheet === "charts") askCharts();
  if (sheet === "list" && !asked.list) firstList();
}

/* The list without a question behind it is that of the topmost visible layer. */
export function firstList() {
  const top = app.state.layers.find((x) => x.visible);
  if (!top) return;
  app.state.list = { kind: "layer", id: top.id, page: 0, sort: "" };
  ask("list", app.state.list);
}

export const acts = {
  skip: (el) => {
    const target = $(el.getAttribute("href").slice(1));
    if (target.id === "side" && !app.state.side) open("feature");
    target.focus();
  },
  layer: (el) => toggleLayer(el.dataset.layer, el.checked),
  base: (el) => pickBase(el.dataset.layer),
  opacity: (el) => edit(el.dataset.layer, { opacity: Number(el.value) / 100 }),
  eye: (el) => edit(el.dataset.layer, { visible: el.getAttribute("aria-pressed") !== "true" }, true),
  raise: (el) => (move(el.dataset.layer, -1), el.focus()),
  lower: (el) => (move(el.dataset.layer, 1), el.focus()),
  remove: (el) => {
    const row = el.closest("li");
    const next = row.nextElementSibling;
    toggleLayer(el.dataset.layer, false);
    const target = next && !next.hidden ? next.querySelector("[data-act=remove]") : $("filter");
    target.focus();
  },
  about: (el) => {
    const box = document.querySelector(`[data-about="${el.dataset.layer}"]`);
    box.hidden = !box.hidden;
    el.setAttribute("aria-expanded", String(!box.hidden));
  },
  clear: () => change({ layers: [], theme: "" }, true),
  reset: () => {
    const { layers, base, year } = fresh();
    app.starsOnly = false;
    $("filter").value = "";
    change({ layers, base, year, compare: null, three: false, theme: "", tool: null }, true);
    fly({ kind: "home" });
  },
  star: (el) => {
    const id = el.dataset.layer;
    if (!app.stars.delete(id)) app.stars.add(id);
    keep("stars", [...app.stars]);
    paint();
  },
  "only-stars": () => {
    app.starsOnly = !app.starsOnly;
    paint();
  },
  fold: (el) => {
    if (!app.expanded.delete(el.dataset.theme)) app.expanded.add(el.dataset.theme);
    paint();
  },
  theme: (el) => pickTheme(el.dataset.theme),
  filter: () => paint(),
  kpi: (el) => {
    const id = el.dataset.indicator;
    const { list, side, tab, selection } = app.state;
    if (!list || list.id !== id || list.of || !side || tab !== "list") return lookInto({ kind: "indicator", id }, true);
    widen();
    change({ list: null, side: Boolean(selection), tab: "feature" }, true);
  },
  bar: (el) => lookInto({ kind: "indicator", id: el.dataset.indicator, of: el.dataset.of }),
  "list-all": () => lookInto({ kind: "indicator", id: app.state.list.id }),
  widen: () => widen(),
  tab: (el) => {
    open(el.dataset.tab);
    remember(true);
    if (el.dataset.tab === "charts") askCharts();
    if (el.dataset.tab === "list" && !asked.list) (app.state.list ? ask("list", app.state.list) : firstList());
  },
  "close-side": () => {
    widen();
    change({ side: false, sheet: "map", height: 0, selection: null, list: null }, true);
  },
  year: (el) => pickYear(Number(el.dataset.year)),
  earlier: () => pickYear(app.boot.years.filter((y) => y < app.state.year).pop()),
  later: () => pickYear(app.boot.years.find((y) => y > app.state.year)),
  compare: () => {
    const [left, right] = [app.boot.years[0], app.boot.years[app.boot.years.length - 1]];
    change({ compare: app.state.compare ? null : { left, right, at: 50 } }, true);
  },
  three: () => change({ three: !app.state.three }, true),
  tool: (el) => change({ tool: app.state.tool === el.dataset.tool ? null : el.dataset.tool, sheet: PHONE.matches ? "map" : app.state.sheet }),
  today: () => location.assign(at("")),
  past: () => {
    const day = $("past-day");
    if (day.value && day.reportValidity()) location.assign(at(day.value));
  },
  share: (el) => {
    history.replaceState(null, "", written());
    $("share-link").value = location.href;
    $("share-said").textContent = "";
    openDialog("share", el);
    $("share-link").select();
  },
  copy: () => {
    const link = $("share-link");
    link.select();
    const done = () => ($("share-said").textContent = t("copied"));
    const other = () => ($("share-said").textContent = document.execCommand("copy") ? t("copied") : t("copy_by_hand"));
    if (navigator.clipboard) navigator.clipboard.writeText(link.value).then(done, other);
    else other();
  },
  open: (el) => openDialog(el.dataset.open, el),
  shut: (el) => el.closest("dialog").close(),
  elder: () => {
    const on = document.documentElement.dataset.elder !== "on";
    document.documentElement.dataset.elder = on ? "on" : "off";
    keep("elder", on);
    change({ legend: on ? false : app.state.legend });
  },
  lang: () => speak(language.now === "zh" ? "en" : "zh"),
  dark: () => dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
  legend: () => change({ legend: !app.state.legend }),
  class: (el) => {
    const layer = app.state.layers.find((x) => x.id === el.dataset.layer);
    if (!layer) return;
    const value = el.dataset.value;
    const hidden = layer.hidden.includes(value) ? layer.hidden.filter((x) => x !== value) : [...layer.hidden, value];
    edit(layer.id, { hidden }, true);
  },
  pick: (el) => select(el.dataset, { others: asked.feature.others, at: asked.feature.at, kept: true }),
  row: (el) => {
    app.opener = el;
    select(el.dataset, { from: "list" });
    if (el.dataset.bbox) fit(el.dataset.bbox);
    $("tab-feature").focus();
  },
  entity: (el) => {
    ask("feature", { entity: el.dataset.entity });
    open("feature", true);
  },
  locate: (el) => fit(el.dataset.bbox),
  "star-feature": (el) => {
    const liked = kept("features", []).filter((x) => x.id !== el.dataset.id || x.table !== el.dataset.table);
    const was = el.getAttribute("aria-pressed") === "true";
    if (!was) liked.unshift({ table: el.dataset.table, id: el.dataset.id, layer: el.dataset.layer, title: el.dataset.title, bbox: el.dataset.bbox });
    keep("features", liked.slice(0, 50));
    paintFeature();
  },
  page: (el) => ask("list", (app.state.list = Object.assign({}, app.state.list, { page: Number(el.dataset.page) }))),
  sort: (el) => ask("list", (app.state.list = Object.assign({}, app.state.list, { sort: el.dataset.sort, page: 0 }))),
  indicator: (el) => acts.kpi(el),
  "list-table": (el) => ask("list", (app.state.list = Object.assign({}, app.state.list, { table: el.dataset.table, page: 0, sort: "" }))),
  "chart-theme": (el) => {
    app.state.theme = el.dataset.theme;
    change({ theme: el.dataset.theme }, true);
    askCharts();
  },
  retry: (el) => ask(el.dataset.ask, asked[el.dataset.ask] || {}),
  style: () => (hush("style"), loadStyle()),
  hush: (el) => hush(el.dataset.notice),
  sheet: (el) => sheetTo(el.dataset.sheet, el.dataset.sheet === app.state.sheet ? (app.state.height === 2 ? 1 : 2) : 1),
  grip: () => change({ height: (app.state.height + 1) % 3 }),
  find: () => {
    document.documentElement.dataset.finding = "on";
    $("search").focus();
  },
  go: (el) => goTo(el),
};
