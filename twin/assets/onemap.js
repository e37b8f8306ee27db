/* What only the browser knows of the one-map page: which layers are on, in what order, which year, which thing is
   selected, in which language. It lives in `state`, is written into the address, and is painted by `paint`.
   Nothing here asks the server but `ask`, `ping` and the map style. */
(function () {
  "use strict";
  const language = window.onemap_page.language;
  const $ = (id) => document.getElementById(id);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const E = (e, a, ...c) => ({ e, a, c });
  const PHONE = window.matchMedia("(max-width: 699px)");
  const DOCKED = window.matchMedia("(min-width: 1440px)");
  const SHEETS = ["6rem", "50%", "calc(100% - 7.25rem)"];

  let boot = null;
  let state = null;
  let pushed = {}; // what the map was last given, by prop
  let stars = new Set();
  let expanded = new Set(); // folded-out themes
  let starsOnly = false;
  let styleAt = "";
  let inView = {};
  let deck = { spec: null, about: null }; // what stands on the map in 3D, as pydeck wrote it
  let deckFor = "";

  // ---- words ----------------------------------------------------------------------------------------------------

  function t(key, values) {
    const text = boot.words[language.now][key];
    return text.replace(/\{(\w+)\}/g, (_, name) => (values && name in values ? values[name] : ""));
  }
  const both = (key, values) => {
    const fill = (lang) =>
      boot.words[lang][key].replace(/\{(\w+)\}/g, (_, n) => {
        const v = values ? values[n] : "";
        return v && typeof v === "object" ? v[lang] : v;
      });
    return { zh: fill("zh"), en: fill("en") };
  };
  const number = (value) => new Intl.NumberFormat(language.now === "en" ? "en" : "zh-CN").format(value);
  const layerOf = (id) => boot.layers.find((x) => x.id === id);
  const title = (id) => layerOf(id).title[language.now];

  // ---- state and address ----------------------------------------------------------------------------------------

  function fresh() {
    const bases = boot.layers.filter((x) => x.base);
    const on = boot.layers.filter((x) => !x.base && x.on);
    return {
      view: null,
      base: (bases.find((x) => x.on) || bases[0] || {}).id || "",
      layers: on.reverse().map((x) => ({ id: x.id, visible: true, opacity: x.opacity, hidden: [] })),
      year: boot.years[boot.years.length - 1] || null,
      compare: null,
      three: false,
      tool: null,
      theme: "",
      tab: "feature",
      side: false,
      selection: null,
      list: null,
      legend: window.innerWidth >= 700 && window.innerHeight >= 700 && document.documentElement.dataset.elder !== "on",
      sheet: "map",
      height: 0,
    };
  }

  function written() {
    const p = new URLSearchParams();
    const round = (n, d) => Number(n).toFixed(d).replace(/\.?0+$/, "");
    if (state.view) {
      const v = state.view;
      const turned = v.pitch || v.bearing ? `,${round(v.pitch, 0)},${round(v.bearing, 0)}` : "";
      p.set("v", `${round(v.center[0], 5)},${round(v.center[1], 5)},${round(v.zoom, 2)}${turned}`);
    }
    p.set("b", state.base);
    const one = (x) => {
      const more = x.hidden.length ? `:${x.hidden.map(encodeURIComponent).join("~")}` : "";
      return `${x.visible ? "" : "!"}${x.id}:${round(x.opacity, 2)}${more}`;
    };
    p.set("l", state.layers.map(one).join(",") || "-");
    if (state.year) p.set("y", state.year);
    if (state.compare) p.set("c", `${state.compare.left}|${state.compare.right}|${Math.round(state.compare.at)}`);
    if (state.three) p.set("d", "3");
    if (state.theme) p.set("t", state.theme);
    if (state.selection) p.set("s", [state.selection.layer || "", state.selection.table, state.selection.id].join("/"));
    if (state.side && state.tab !== "feature") p.set("p", state.tab);
    if (state.list) p.set("q", [state.list.kind, state.list.id].join(":"));
    if (language.now !== "zh") p.set("lang", "en");
    const text = p.toString();
    return "?" + text.replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%7C/g, "|").replace(/%21/g, "!");
  }

  function read(search) {
    const p = new URLSearchParams(search);
    const next = fresh();
    const unknown = [];
    const numbers = (p.get("v") || "").split(",").map(Number);
    if (numbers.length >= 3 && numbers.every(Number.isFinite)) {
      next.view = { center: numbers.slice(0, 2), zoom: numbers[2], pitch: numbers[3] || 0, bearing: numbers[4] || 0 };
    }
    const known = (id) => boot.layers.some((x) => x.id === id) || (unknown.push(id), false);
    if (p.get("b") && known(p.get("b"))) next.base = p.get("b");
    if (p.has("l")) {
      const items = p.get("l").split(",").filter((x) => x && x !== "-");
      next.layers = items.map(layerIn).filter((x) => known(x.id) && !layerOf(x.id).base);
    }
    if (boot.years.includes(Number(p.get("y")))) next.year = Number(p.get("y"));
    const [left, right, at] = (p.get("c") || "").split("|").map(Number);
    if (boot.years.includes(left) && boot.years.includes(right)) next.compare = { left, right, at: at || 50 };
    next.three = p.get("d") === "3";
    next.theme = p.get("t") || "";
    if (p.get("s")) {
      const [layer, table, ...id] = p.get("s").split("/");
      next.selection = { layer, table, id: id.join("/") };
    }
    if (["charts", "list"].includes(p.get("p"))) next.tab = p.get("p");
    if (p.get("q")) {
      const [kind, ...id] = p.get("q").split(":");
      next.list = { kind, id: id.join(":"), page: 0, sort: "" };
    }
    next.side = Boolean(next.selection || next.list || p.get("p"));
    if (PHONE.matches && next.side) Object.assign(next, { sheet: next.tab, height: 1 });
    return { next, unknown, lang: p.get("lang") };
  }

  function layerIn(text) {
    const [head, opacity, hidden] = text.split(":");
    const value = Number(opacity);
    return {
      id: head.replace(/^!/, ""),
      visible: !head.startsWith("!"),
      opacity: opacity && value >= 0 && value <= 1 ? value : 1,
      hidden: hidden ? hidden.split("~").map(decodeURIComponent) : [],
    };
  }

  let addressTimer = 0;
  function remember(push) {
    clearTimeout(addressTimer);
    if (push) return history.pushState(null, "", written());
    addressTimer = setTimeout(() => history.replaceState(null, "", written()), 250);
  }

  /* Change the state, paint it, and write it into the address; `push` makes a step that Back undoes. */
  function change(values, push) {
    Object.assign(state, values);
    paint();
    remember(push);
  }

  function keep(name, value) {
    try {
      localStorage.setItem("onemap." + name, JSON.stringify(value));
    } catch (error) {
      if (error.name !== "SecurityError" && error.name !== "QuotaExceededError") throw error;
    }
  }
  function kept(name, otherwise) {
    try {
      const text = localStorage.getItem("onemap." + name);
      return text === null ? otherwise : JSON.parse(text);
    } catch (error) {
      return otherwise;
    }
  }

  // ---- the map --------------------------------------------------------------------------------------------------

  function toMap(props) {
    const changed = {};
    for (const name in props) {
      const text = JSON.stringify(props[name]);
      if (pushed[name] !== text) {
        pushed[name] = text;
        changed[name] = props[name];
      }
    }
    if (Object.keys(changed).length) set("map", changed);
  }

  function mapProps() {
    const off = boot.layers.filter((x) => !x.base && !state.layers.some((y) => y.id === x.id));
    const hidden = off.map((x) => ({ id: x.id, visible: false, opacity: x.opacity, hidden: [] }));
    const bases = boot.layers.filter((x) => x.base);
    const base = bases.map((x) => ({ id: x.id, visible: x.id === state.base, opacity: x.opacity, hidden: [] }));
    const aside = state.side && !DOCKED.matches && !PHONE.matches ? $("side").offsetWidth : 0;
    const below = PHONE.matches && state.sheet !== "map" ? [96, 0.5, 0.5][state.height] : 0;
    return {
      layers: [...state.layers, ...hidden, ...base],
      year: state.year,
      compare: state.compare,
      threeD: { on: state.three, terrain: true, exaggeration: 1.4, deck: state.three ? deck.spec : null },
      tool: state.tool,
      selection: state.selection,
      words: boot.mapWords[language.now],
      theme: document.documentElement.dataset.theme,
      basemap: state.base,
      padding: { left: 0, top: 0, right: aside, bottom: below > 1 ? below : Math.round(below * window.innerHeight) },
      stamp: stamp(),
      controls: PHONE.matches ? ["home"] : ["zoom", "home", "north", "three", "compare", "full"],
    };
  }

  function stamp() {
    const visible = state.layers.filter((x) => x.visible);
    if (state.three && deck.about) return { title: String(state.year || ""), note: deck.about[language.now] };
    const old = visible.filter((x) => older(x.id)).map((x) => `${title(x.id)}${t("shows", { year: older(x.id) })}`);
    return { title: String(state.year || ""), note: (old.length ? old : stale(visible)).join(t("comma")) };
  }

  /* The oldest of the visible layers, where it is half a year or more behind the newest. */
  function stale(visible) {
    const dated = visible.map((x) => layerOf(x.id)).filter((x) => /^\d{4}-/.test(x.as_of)).sort((a, b) => (a.as_of < b.as_of ? -1 : 1));
    if (dated.length < 2) return [];
    const [first, last] = [dated[0], dated[dated.length - 1]];
    const apart = (new Date(last.as_of) - new Date(first.as_of)) / 86400000;
    return apart > 180 ? [t("as_of", { name: first.title[language.now], date: first.as_of.slice(0, 7) })] : [];
  }

  /* The year a layer really shows where it has none of the year asked for, else null. */
  function older(id) {
    const years = layerOf(id).years;
    if (!state.year || !years.length || years.includes(state.year)) return null;
    return years.filter((y) => y < state.year).pop() || years[0];
  }

  function loadStyle() {
    const address = `${boot.style}?language=${language.now === "en" ? "en" : "zh-CN"}&theme=${document.documentElement.dataset.theme}`;
    if (address === styleAt) return Promise.resolve();
    styleAt = address;
    return fetch(address)
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((mapStyle) => {
        if (address !== styleAt) return;
        const village = boot.village;
        const view = state.view || { center: village.center, zoom: village.zoom, pitch: 0, bearing: 0 };
        pushed = {};
        set("map", {
          mapStyle,
          view,
          home: { bbox: village.bbox },
          years: boot.years,
          attribution: village.attribution[language.now],
        });
        toMap(mapProps());
      })
      .catch(() => {
        styleAt = "";
        notice("style", "danger", both("style_failed"), { act: "style", word: both("retry") });
      });
  }

  /* Show a box so that neither the legend nor the controls lie over it. */
  function fit(text) {
    const [west, south, east, north] = JSON.parse(text);
    const legend = $("legend").getBoundingClientRect();
    const room = $("map").getBoundingClientRect();
    const free = room.width - (state.side && !DOCKED.matches && !PHONE.matches ? $("side").offsetWidth : 0);
    const left = state.legend && !PHONE.matches && free > 520 ? (legend.width + 16) / free : 0;
    const grow = (east - west) / Math.max(0.2, 1 - left - 72 / free);
    fly({ kind: "fit", bbox: [west - grow * left, south, east + (grow * 72) / free, north], maxZoom: 18 });
  }

  const fly = (camera) => set("map", { camera: Object.assign({ t: Date.now() }, camera) });

  /* In 3D the scenes of the base map and the theme's columns are asked for, once for each combination. */
  function askDeck() {
    const wanted = state.three ? [state.base, state.theme, state.year].join() : "";
    if (!wanted || wanted === deckFor) return;
    deckFor = wanted;
    ask("deck", { base: state.base, theme: state.theme });
  }

  const fromMap = {
    click(value) {
      if (!value || state.tool) return;
      const features = value.features || [];
      if (!features.length && !value.deck) {
        if (state.selection) change({ selection: null }, true);
        return;
      }
      const at = value.lngLat;
      const [first, ...others] = features;
      if (!first) return ask("feature", { point: at });
      select(first, { others, at });
    },
    viewState(value) {
      if (!value) return;
      state.view = { center: value.center, zoom: value.zoom, pitch: value.pitch || 0, bearing: value.bearing || 0 };
      remember();
    },
    drawn(value) {
      if (!value) return;
      change({ tool: null });
      open("feature");
      ask("overlay", { geometry: value.geometry });
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
      inView = value || {};
      paintLegend();
    },
    compare(value) {
      if (JSON.stringify(value) === pushed.compare) return;
      pushed.compare = JSON.stringify(value);
      change({ compare: value || null });
    },
    threeD(value) {
      const on = Boolean(value && value.on);
      if (on !== state.three) change({ three: on }, true);
    },
    selection(value) {
      if (!value && state.selection) change({ selection: null }, true);
    },
    tool(value) {
      if (!value && state.tool) change({ tool: null });
    },
  };

  // ---- asking the server ----------------------------------------------------------------------------------------

  const asked = {};
  const waiting = {};
  let asks = 0;

  function ask(name, question) {
    asks += 1;
    const data = Object.assign({}, question, {
      language: language.now === "en" ? "en" : "zh-CN",
      year: state.year,
      dark: document.documentElement.dataset.theme === "dark",
      seq: asks,
    });
    asked[name] = question;
    busy(name, true);
    clearTimeout(waiting[name]);
    waiting[name] = setTimeout(() => late(name), 10000);
    set("ask-" + name, { data });
  }

  const PLACES = { feature: "feature", overlay: "feature", list: "list", charts: "charts", search: "found" };

  function busy(name, on) {
    const place = $(PLACES[name]);
    if (!place) return;
    place.setAttribute("aria-busy", String(on));
  }

  function late(name) {
    busy(name, false);
    ping();
    if (!PLACES[name]) return;
    const again = E("button", { type: "button", className: "button", "data-act": "retry", "data-ask": name }, both("retry"));
    const said = E("div", { className: "state failed", role: "alert" }, E("p", { className: "state-why" }, both("late")), again);
    if (name === "charts") set("charts-head", { tree: [said] });
    else set(PLACES[name], { tree: [said] });
  }

  document.addEventListener("onemap:drawn", (event) => {
    const id = event.detail === "charts-head" ? "charts" : event.detail;
    for (const name in PLACES) {
      if (PLACES[name] === id) {
        clearTimeout(waiting[name]);
        busy(name, false);
      }
    }
    if (!state) return;
    if (event.detail === "found") showFound();
    else if (event.detail === "list") paintList();
    else if (event.detail === "feature") paintFeature();
    else if (["menu", "bar", "foot", "legend", "tabs", "phone-tabs"].includes(event.detail)) paint();
  });

  /* Ask again for what is open, after the language, the year or the theme of colours has changed. */
  function askAgain() {
    if (state.selection) ask("feature", asked.feature || state.selection);
    if (state.side && state.tab === "charts") askCharts();
    if (state.list && (state.tab === "list" || asked.list)) ask("list", state.list);
  }

  const askCharts = () => ask("charts", { theme: state.theme });

  // ---- what a person can do -------------------------------------------------------------------------------------

  function open(tab, focus) {
    const values = { side: true, tab };
    if (PHONE.matches) Object.assign(values, { sheet: tab, height: Math.max(1, state.height) });
    change(values);
    if (focus) requestAnimationFrame(() => $("panel-" + tab).focus());
  }

  function select(feature, more) {
    const selection = { layer: feature.layer || "", table: feature.table, id: feature.id };
    change({ selection }, true);
    open("feature");
    ask("feature", Object.assign({}, selection, more));
  }

  function toggleLayer(id, on) {
    const layers = state.layers.filter((x) => x.id !== id);
    if (on) layers.unshift({ id, visible: true, opacity: layerOf(id).opacity, hidden: [] });
    if (layers.length > 6 && on) notice("many", "plain", both("many", { n: layers.length }), null, 8000);
    change({ layers, theme: on ? state.theme : state.theme }, true);
  }

  function move(id, by) {
    const layers = state.layers.slice();
    const from = layers.findIndex((x) => x.id === id);
    const to = from + by;
    if (to < 0 || to >= layers.length) return;
    layers.splice(to, 0, layers.splice(from, 1)[0]);
    change({ layers }, true);
    say("list-said", t("moved", { name: title(id), n: to + 1 }));
  }

  const edit = (id, values, push) =>
    change({ layers: state.layers.map((x) => (x.id === id ? Object.assign({}, x, values) : x)) }, push);

  function pickTheme(theme) {
    if (state.theme === theme) return change({ theme: "" }, true);
    const of = boot.layers.filter((x) => x.theme === theme).reverse();
    const layers = of.map((x) => ({ id: x.id, visible: true, opacity: x.opacity, hidden: [] }));
    expanded = new Set([theme]);
    change({ theme, layers }, true);
    if (state.side && state.tab === "charts") askCharts();
  }

  function pickYear(year) {
    if (!year || year === state.year) return;
    change({ year }, true);
    askAgain();
  }

  function pickBase(id) {
    const three = layerOf(id).scene ? true : layerOf(state.base).scene ? false : state.three;
    change({ base: id, three }, true);
  }

  function speak(lang) {
    document.documentElement.lang = lang === "en" ? "en" : "zh-CN";
    language.set(lang);
    document.title = `${boot.village.name[lang]} · ${t("page_title")}`;
    keep("lang", lang);
    paint();
    loadStyle();
    remember();
    askAgain();
  }

  function dress(theme) {
    document.documentElement.dataset.theme = theme;
    keep("theme", theme);
    paint();
    loadStyle();
    if (state.side && state.tab === "charts") askCharts();
  }

  let opener = null;
  function openDialog(name, from) {
    opener = from;
    $("dialog-" + name).showModal();
  }

  function sheetTo(sheet, height) {
    const values = { sheet, height: sheet === "map" ? 0 : height };
    if (["feature", "charts", "list"].includes(sheet)) Object.assign(values, { side: true, tab: sheet });
    change(values);
    if (sheet === "charts") askCharts();
    if (sheet === "list" && !asked.list) firstList();
  }

  /* The list without a question behind it is that of the topmost visible layer. */
  function firstList() {
    const top = state.layers.find((x) => x.visible);
    if (!top) return;
    state.list = { kind: "layer", id: top.id, page: 0, sort: "" };
    ask("list", state.list);
  }

  const acts = {
    skip: (el) => {
      const target = $(el.getAttribute("href").slice(1));
      if (target.id === "side" && !state.side) open("feature");
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
      starsOnly = false;
      $("filter").value = "";
      change({ layers, base, year, compare: null, three: false, theme: "", tool: null }, true);
      fly({ kind: "home" });
    },
    star: (el) => {
      const id = el.dataset.layer;
      if (!stars.delete(id)) stars.add(id);
      keep("stars", [...stars]);
      paint();
    },
    "only-stars": () => {
      starsOnly = !starsOnly;
      paint();
    },
    fold: (el) => {
      if (!expanded.delete(el.dataset.theme)) expanded.add(el.dataset.theme);
      paint();
    },
    theme: (el) => pickTheme(el.dataset.theme),
    filter: () => paint(),
    kpi: (el) => {
      const id = el.dataset.indicator;
      if (state.list && state.list.id === id && state.side && state.tab === "list") return change({ list: null, side: Boolean(state.selection), tab: "feature" }, true);
      change({ list: { kind: "indicator", id, page: 0, sort: "" } }, true);
      open("list", true);
      fitList = true;
      ask("list", state.list);
    },
    tab: (el) => {
      open(el.dataset.tab);
      remember(true);
      if (el.dataset.tab === "charts") askCharts();
      if (el.dataset.tab === "list" && !asked.list) (state.list ? ask("list", state.list) : firstList());
    },
    "close-side": () => change({ side: false, sheet: "map", height: 0, selection: null, list: null }, true),
    year: (el) => pickYear(Number(el.dataset.year)),
    earlier: () => pickYear(boot.years.filter((y) => y < state.year).pop()),
    later: () => pickYear(boot.years.find((y) => y > state.year)),
    compare: () => {
      const [left, right] = [boot.years[0], boot.years[boot.years.length - 1]];
      change({ compare: state.compare ? null : { left, right, at: 50 } }, true);
    },
    three: () => change({ three: !state.three }, true),
    tool: (el) => change({ tool: state.tool === el.dataset.tool ? null : el.dataset.tool, sheet: PHONE.matches ? "map" : state.sheet }),
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
      change({ legend: on ? false : state.legend });
    },
    lang: () => speak(language.now === "zh" ? "en" : "zh"),
    dark: () => dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
    legend: () => change({ legend: !state.legend }),
    class: (el) => {
      const layer = state.layers.find((x) => x.id === el.dataset.layer);
      if (!layer) return;
      const value = el.dataset.value;
      const hidden = layer.hidden.includes(value) ? layer.hidden.filter((x) => x !== value) : [...layer.hidden, value];
      edit(layer.id, { hidden }, true);
    },
    pick: (el) => select(el.dataset, { others: asked.feature.others, at: asked.feature.at, kept: true }),
    row: (el) => {
      opener = el;
      select(el.dataset, { from: "list" });
      if (el.dataset.bbox) fit(el.dataset.bbox);
      requestAnimationFrame(() => $("tab-feature").focus());
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
    page: (el) => ask("list", (state.list = Object.assign({}, state.list, { page: Number(el.dataset.page) }))),
    sort: (el) => ask("list", (state.list = Object.assign({}, state.list, { sort: el.dataset.sort, page: 0 }))),
    indicator: (el) => acts.kpi(el),
    "list-table": (el) => ask("list", (state.list = Object.assign({}, state.list, { table: el.dataset.table, page: 0, sort: "" }))),
    "chart-theme": (el) => {
      state.theme = el.dataset.theme;
      change({ theme: el.dataset.theme }, true);
      askCharts();
    },
    retry: (el) => ask(el.dataset.ask, asked[el.dataset.ask] || {}),
    style: () => (hush("style"), loadStyle()),
    hush: (el) => hush(el.dataset.notice),
    sheet: (el) => sheetTo(el.dataset.sheet, el.dataset.sheet === state.sheet ? (state.height === 2 ? 1 : 2) : 1),
    grip: () => change({ height: (state.height + 1) % 3 }),
    find: () => {
      document.documentElement.dataset.finding = "on";
      $("search").focus();
    },
    go: (el) => goTo(el),
  };

  const CHANGES = new Set(["layer", "base"]);
  const INPUTS = new Set(["opacity", "filter", "search"]);

  document.addEventListener("click", (event) => {
    const el = event.target.closest && event.target.closest("[data-act]");
    if (!state || !el || CHANGES.has(el.dataset.act) || INPUTS.has(el.dataset.act)) return;
    if (el.tagName === "A") event.preventDefault();
    acts[el.dataset.act](el);
  });
  document.addEventListener("change", (event) => {
    const el = event.target;
    if (state && CHANGES.has(el.dataset.act)) acts[el.dataset.act](el);
  });
  document.addEventListener("input", (event) => {
    const el = event.target;
    if (!state || !INPUTS.has(el.dataset.act)) return;
    if (el.dataset.act === "search") typed(el);
    else acts[el.dataset.act](el);
  });
  document.addEventListener(
    "close",
    (event) => {
      if (event.target.tagName === "DIALOG" && opener) opener.focus();
    },
    true,
  );

  document.addEventListener("keydown", (event) => {
    if (!state) return;
    const tab = event.target.closest && event.target.closest("[role=tab]");
    if (tab && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      const tabs = all("[role=tab]");
      const next = tabs[(tabs.indexOf(tab) + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length];
      next.click();
      next.focus();
      event.preventDefault();
    }
    if (event.key === "Escape") escape(event);
  });

  /* Esc closes the topmost thing only: results, then a filter, then a tool, then the panel. */
  function escape(event) {
    if (document.querySelector("dialog[open]")) return;
    if (!$("found").hidden && $("found").childElementCount) return hideFound(true);
    if (event.target.id === "filter" && event.target.value) {
      event.target.value = "";
      return paint();
    }
    if (event.target.closest("#map")) return;
    if (state.tool) return change({ tool: null });
    if (event.target.closest("#side") || state.side) {
      acts["close-side"]();
      if (opener && opener.isConnected) opener.focus();
      else $("map-region").focus();
    }
  }

  // ---- search ---------------------------------------------------------------------------------------------------

  let typing = 0;
  let sought = "";

  function typed(box) {
    clearTimeout(typing);
    const text = box.value.trim();
    if (!text) return hideFound();
    typing = setTimeout(() => {
      if (text !== sought || $("found").hidden) {
        sought = text;
        ask("search", { text });
      }
    }, 280);
  }

  /* With nothing typed yet, the favourites are offered. */
  function offerStarred() {
    const liked = kept("features", []);
    if (!liked.length) return;
    const option = (x, i) =>
      E(
        "div",
        { role: "option", id: `option-${i}`, "aria-selected": "false", "data-act": "go", "data-kind": "star", "data-layer": x.layer, "data-table": x.table, "data-id": x.id, "data-bbox": x.bbox },
        E("svg", { className: "icon", "aria-hidden": "true" }, E("use", { href: "#i-star" })),
        E("span", { className: "hit" }, x.title),
        E("span", { className: "why" }, x.id),
      );
    const head = E("div", { className: "group", role: "presentation" }, both("starred"));
    set("found", { tree: [E("div", { role: "listbox", "aria-label": both("starred") }, E("div", { role: "group" }, head, ...liked.slice(0, 8).map(option)))] });
  }
  document.addEventListener("focusin", (event) => {
    if (state && event.target.id === "search" && !event.target.value.trim()) offerStarred();
  });

  function showFound() {
    const box = $("search");
    const list = $("found");
    const field = $("search-field");
    if (!box || !list) return;
    const offered = box.value.trim() || list.querySelector("[data-kind=star]");
    const shown = Boolean(list.childElementCount && offered && document.activeElement === box);
    list.hidden = !shown;
    box.setAttribute("aria-expanded", String(shown));
    if (!shown) return;
    const at = field.getBoundingClientRect();
    list.style.left = `${at.left}px`;
    list.style.top = `${at.bottom + 4}px`;
    list.style.width = `${Math.max(at.width, Math.min(420, window.innerWidth - 24))}px`;
    mark(0);
  }

  function hideFound(keepText) {
    $("found").hidden = true;
    const box = $("search");
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
    sought = "";
    if (!keepText) box.value = "";
    delete document.documentElement.dataset.finding;
  }

  const options = () => all("#found [role=option]");
  function mark(index) {
    const found = options();
    if (!found.length) return;
    const at = (index + found.length) % found.length;
    found.forEach((el, i) => el.setAttribute("aria-selected", String(i === at)));
    $("search").setAttribute("aria-activedescendant", found[at].id);
    found[at].scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (!state || event.target.id !== "search" || $("found").hidden) return;
    const found = options();
    const at = found.findIndex((el) => el.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if (event.key === "Enter" && found[at]) goTo(found[at]);
    else return;
    event.preventDefault();
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.id !== "search") return;
    setTimeout(() => {
      if (document.activeElement === $("search") || $("found").contains(document.activeElement)) return;
      $("found").hidden = true;
      delete document.documentElement.dataset.finding;
    }, 150);
  });
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("#found")) event.preventDefault();
  });

  function goTo(el) {
    const d = el.dataset;
    hideFound();
    if (d.kind === "layer") {
      const layer = layerOf(d.layer);
      if (layer.base) pickBase(d.layer);
      else {
        expanded.add(layer.theme);
        toggleLayer(d.layer, true);
        const row = document.querySelector(`[data-layer-row="${d.layer}"] input`);
        if (row && !PHONE.matches) row.focus();
      }
      return;
    }
    if (d.layer && !layerOf(d.layer).base && !state.layers.some((x) => x.id === d.layer && x.visible)) {
      state.layers = state.layers.filter((x) => x.id !== d.layer);
      toggleLayer(d.layer, true);
    }
    if (d.bbox) fit(d.bbox);
    opener = $("search");
    select(d, { from: "search" });
    requestAnimationFrame(() => $("tab-feature").focus());
  }

  // ---- painting -------------------------------------------------------------------------------------------------

  const press = (el, on) => el && el.setAttribute("aria-pressed", String(Boolean(on)));
  const say = (id, text) => {
    const el = $(id);
    if (el && el.textContent !== text) el.textContent = text;
  };

  function paint() {
    if (!state || !$("active")) return;
    const root = document.documentElement;
    root.dataset.side = state.side ? "open" : "closed";
    root.dataset.tab = state.tab;
    root.dataset.sheet = state.sheet;
    root.style.setProperty("--sheet", state.sheet === "map" ? "0px" : SHEETS[state.height]);
    paintMenu();
    paintActive();
    paintFoot();
    paintTabs();
    paintLegend();
    fitBars();
    press(document.querySelector("[data-act=elder]"), root.dataset.elder === "on");
    press(document.querySelector("[data-act=dark]"), root.dataset.theme === "dark");
    const listed = state.side && state.tab === "list" && state.list ? state.list.id : "";
    all("[data-act=kpi]").forEach((el) => press(el, el.dataset.indicator === listed));
    askDeck();
    toMap(mapProps());
  }

  /* Leave out what the bar and the foot can spare until they fit: words before numbers, numbers before buttons. */
  function fitBars() {
    const root = document.documentElement;
    const bar = document.querySelector(".bar");
    const foot = document.querySelector(".foot");
    const over = (el) => el.scrollWidth > el.clientWidth + 1 || Array.from(el.children).some((x) => x.scrollWidth > x.clientWidth + 1);
    delete root.dataset.tight;
    delete root.dataset.snug;
    if (PHONE.matches) return;
    const narrow = () => over(bar) || $("search-field").offsetWidth < 190;
    for (let step = 1; step <= 6 && narrow(); step += 1) root.dataset.tight = String(step);
    if (over(foot)) root.dataset.snug = "1";
  }

  function paintMenu() {
    const on = new Set(state.layers.map((x) => x.id));
    const wanted = ($("filter").value || "").trim().toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (x) => wanted.every((w) => x.find.includes(w)) && (!starsOnly || stars.has(x.id));
    const narrowed = wanted.length > 0 || starsOnly;
    all("[data-act=base]").forEach((el) => (el.checked = el.dataset.layer === state.base));
    all("[data-act=theme]").forEach((el) => press(el, el.dataset.theme === state.theme));
    press(document.querySelector("[data-act=only-stars]"), starsOnly);
    let left = 0;
    for (const layer of boot.layers.filter((x) => !x.base)) {
      const row = document.querySelector(`[data-layer-row="${layer.id}"]`);
      const match = matches(layer);
      left += match ? 1 : 0;
      row.hidden = !match;
      row.querySelector("input").checked = on.has(layer.id);
      const star = row.querySelector("[data-act=star]");
      press(star, stars.has(layer.id));
    }
    for (const group of all("[data-group]")) {
      const theme = group.dataset.group;
      const rows = all("[data-layer-row]", group);
      const open = narrowed ? rows.some((r) => !r.hidden) : expanded.has(theme);
      group.hidden = narrowed && !rows.some((r) => !r.hidden);
      const head = group.querySelector("[data-act=fold]");
      head.setAttribute("aria-expanded", String(open));
      $("theme-" + theme).hidden = !open;
      const n = rows.filter((r) => on.has(r.dataset.layerRow)).length;
      group.querySelector("[data-shown]").textContent = n ? t("shown", { n }) : "";
    }
    $("none-found").hidden = !narrowed || left > 0;
    say("filter-said", narrowed ? t("found", { n: left }) : "");
  }

  function paintActive() {
    const list = $("active");
    state.layers.forEach((x, i) => {
      const row = document.querySelector(`[data-row="${x.id}"]`);
      if (list.children[i] !== row) {
        const had = row.contains(document.activeElement) ? document.activeElement : null;
        list.insertBefore(row, list.children[i] || null);
        if (had) had.focus();
      }
      row.hidden = false;
      row.classList.toggle("off", !x.visible);
      press(row.querySelector("[data-act=eye]"), x.visible);
      row.querySelector("[data-act=eye] use").setAttribute("href", x.visible ? "#i-eye" : "#i-eye-off");
      const slider = row.querySelector("[data-act=opacity]");
      const percent = Math.round(x.opacity * 100);
      if (Number(slider.value) !== percent) slider.value = percent;
      slider.style.setProperty("--at", `${percent}%`);
      row.querySelector("output").textContent = `${percent}%`;
      row.querySelector("[data-act=raise]").disabled = i === 0;
      row.querySelector("[data-act=lower]").disabled = i === state.layers.length - 1;
      const note = row.querySelector("[data-note]");
      const year = older(x.id);
      note.hidden = !year;
      note.textContent = year ? t("no_edition", { asked: state.year, shown: year }) : "";
    });
    const on = new Set(state.layers.map((x) => x.id));
    all("[data-row]").forEach((row) => (row.hidden = !on.has(row.dataset.row)));
    $("active-count").textContent = String(state.layers.length);
    $("active-none").hidden = state.layers.length > 0;
    all("[data-act=clear]").forEach((el) => (el.disabled = !state.layers.length));
  }

  function paintFoot() {
    say("year", state.year ? String(state.year) : "–");
    const shown = state.layers.filter((x) => x.visible);
    all("[data-act=year]").forEach((el) => {
      const year = Number(el.dataset.year);
      press(el, year === state.year);
      el.classList.toggle("has", shown.some((x) => layerOf(x.id).years.includes(year)) || layerOf(state.base).years.includes(year));
    });
    all("[data-act=earlier]").forEach((el) => (el.disabled = !boot.years.some((y) => y < state.year)));
    all("[data-act=later]").forEach((el) => (el.disabled = !boot.years.some((y) => y > state.year)));
    all("[data-act=tool]").forEach((el) => press(el, el.dataset.tool === state.tool));
    press(document.querySelector("[data-act=compare]"), state.compare);
    press(document.querySelector("[data-act=three]"), state.three);
  }

  function paintTabs() {
    all("[role=tab]").forEach((el) => {
      const on = el.dataset.tab === state.tab;
      el.setAttribute("aria-selected", String(on));
      el.tabIndex = on ? 0 : -1;
      $("panel-" + el.dataset.tab).hidden = !on;
    });
    all("[data-act=sheet]").forEach((el) => press(el, el.dataset.sheet === state.sheet));
  }

  function paintLegend() {
    if (!state || !$("legend-body")) return;
    $("legend-head").setAttribute("aria-expanded", String(state.legend));
    $("legend-body").hidden = !state.legend;
    const visible = state.layers.filter((x) => x.visible);
    all("[data-legend]").forEach((section) => {
      const layer = visible.find((x) => x.id === section.dataset.legend);
      section.hidden = !layer;
      if (!layer) return;
      const counts = inView[layer.id];
      all("[data-class]", section).forEach((row) => paintClass(row, layer, counts));
      all("[data-draw]", section).forEach((group) => (group.hidden = !all("li", group).some((li) => !li.hidden)));
    });
    $("legend-none").hidden = visible.length > 0;
  }

  function paintClass(row, layer, counts) {
    const value = row.dataset.class;
    const off = layer.hidden.includes(value);
    const n = counts ? counts[value] || 0 : null;
    row.hidden = value !== "" && n === 0 && !off;
    row.classList.toggle("off", off);
    row.querySelector(".amount").textContent = n && value !== "" ? number(n) : "";
    const eye = row.querySelector("[data-act=class]");
    if (!eye) return;
    press(eye, !off);
    eye.querySelector("use").setAttribute("href", off ? "#i-eye-off" : "#i-eye");
  }

  /* The list behind a number is on the map too: its layer is switched on and all its rows are in view. */
  let fitList = false;
  function showAll(d) {
    if (d.layer && !layerOf(d.layer).base && !state.layers.some((x) => x.id === d.layer && x.visible)) toggleLayer(d.layer, true);
    fit(d.fit);
  }

  function paintList() {
    const count = $("list-count");
    const told = document.querySelector("#list [data-total]");
    if (count) count.textContent = told ? number(Number(told.dataset.total)) : "";
    const box = document.querySelector("#list [data-fit]");
    if (box && fitList) showAll(box.dataset);
    fitList = false;
    const chosen = state.selection;
    all("#list [data-act=row]").forEach((el) => {
      const same = chosen && el.dataset.table === chosen.table && el.dataset.id === chosen.id;
      el.closest("tr").classList.toggle("chosen", Boolean(same));
    });
  }

  let fitFeature = false;
  function paintFeature() {
    const place = document.querySelector("#feature [data-act=locate]");
    if (place && fitFeature) fit(place.dataset.bbox);
    if (place) fitFeature = false;
    const liked = kept("features", []);
    all("[data-act=star-feature]").forEach((el) =>
      press(el, liked.some((x) => x.id === el.dataset.id && x.table === el.dataset.table)),
    );
  }

  // ---- notices and the connection -------------------------------------------------------------------------------

  const notices = new Map();
  function notice(id, tone, text, action, ms) {
    notices.set(id, { id, tone, text, action });
    paintNotices();
    if (ms) setTimeout(() => hush(id), ms);
  }
  function hush(id) {
    if (notices.delete(id)) paintNotices();
  }
  function paintNotices() {
    const icon = (name) => E("svg", { className: "icon", "aria-hidden": "true" }, E("use", { href: "#i-" + name }));
    const tree = [...notices.values()].map((n) =>
      E(
        "div",
        { key: n.id, className: `notice ${n.tone}`, role: n.tone === "danger" ? "alert" : "status" },
        icon(n.tone === "danger" ? "offline" : "info"),
        E("span", {}, n.text),
        n.action ? E("button", { type: "button", className: "button", "data-act": n.action.act }, n.action.word) : null,
        E("button", { type: "button", className: "icon-button", "data-act": "hush", "data-notice": n.id, "aria-label": both("hush") }, icon("close")),
      ),
    );
    set("notices", { tree });
  }

  let down = false;
  let pinging = 0;
  function ping() {
    clearTimeout(pinging);
    const again = () => (pinging = setTimeout(() => (document.hidden && !down ? again() : ping()), down ? 3000 : 30000));
    const lost = () => {
      if (!down) notice("down", "danger", both("down", { at: boot.at }), null);
      down = true;
      again();
    };
    fetch("/health", { cache: "no-store" }).then((answer) => {
      if (answer.status >= 502) return lost();
      if (down) {
        hush("down");
        notice("up", "plain", both("up"), null, 4000);
        down = false;
        askAgain();
      }
      again();
    }, lost);
  }

  // ---- the sheet of a phone can be dragged ----------------------------------------------------------------------

  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest && event.target.closest("#grip");
    if (!grip || !state) return;
    const from = event.clientY;
    const up = (end) => {
      document.removeEventListener("pointerup", up);
      const by = from - end.clientY;
      if (Math.abs(by) < 24) return;
      const height = Math.max(0, Math.min(2, state.height + (by > 0 ? 1 : -1)));
      grip.addEventListener("click", (click) => click.stopPropagation(), { once: true, capture: true });
      change({ height });
    };
    document.addEventListener("pointerup", up);
  });

  // ---- opening --------------------------------------------------------------------------------------------------

  window.addEventListener("popstate", () => {
    const before = JSON.stringify([state.selection, state.list, state.year]);
    const found = read(location.search);
    const { view } = found.next;
    state = found.next;
    const lang = found.lang === "en" ? "en" : "zh";
    if (lang !== language.now) speak(lang);
    paint();
    if (view) fly({ kind: "jump", center: view.center, zoom: view.zoom, pitch: view.pitch, bearing: view.bearing });
    if (JSON.stringify([state.selection, state.list, state.year]) !== before) restore();
  });

  function restore() {
    if (state.selection) ask("feature", state.selection);
    if (state.list) ask("list", state.list);
    if (state.side && state.tab === "charts") askCharts();
    if (state.side && state.tab === "list" && !state.list) firstList();
  }

  function start(data) {
    boot = data;
    stars = new Set(kept("stars", []));
    document.documentElement.dataset.elder = kept("elder", false) ? "on" : "off";
    const found = read(location.search);
    state = found.next;
    const dark = kept("theme", window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const root = document.documentElement;
    root.dataset.theme = dark === "dark" ? "dark" : "light";
    const lang = found.lang || kept("lang", "zh");
    language.set(lang === "en" ? "en" : "zh");
    root.lang = lang === "en" ? "en" : "zh-CN";
    expanded = new Set(state.layers.map((x) => layerOf(x.id).theme).slice(0, 1));
    window.addEventListener("resize", () => requestAnimationFrame(paint));
    paint();
    fitFeature = Boolean(state.selection && !state.view);
    loadStyle();
    restore();
    if (found.unknown.length) notice("unknown", "plain", both("unknown", { ids: found.unknown.join(", ") }));
    pinging = setTimeout(ping, 30000);
    window.addEventListener("offline", ping);
    window.addEventListener("online", ping);
    root.dataset.started = "yes";
  }

  window.onemap = { state: () => state, inView: () => inView, boot: () => boot };
  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    onemap: Object.assign(
      {
        start(data) {
          if (data && !boot) requestAnimationFrame(() => start(data));
          return window.dash_clientside.no_update;
        },
        deck(answer) {
          clearTimeout(waiting.deck);
          if (state && answer) {
            deck = answer;
            paint();
          }
          return window.dash_clientside.no_update;
        },
      },
      Object.fromEntries(
        Object.keys(fromMap).map((name) => [
          "map_" + name,
          (value) => {
            if (state) fromMap[name](value);
            return window.dash_clientside.no_update;
          },
        ]),
      ),
    ),
  });
})();
