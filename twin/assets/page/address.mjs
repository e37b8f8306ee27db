// The state as it opens, and how it is written into and read from the address.
import { $, PHONE, app, language, layerOf } from "./common.mjs";
import { paint } from "./paint.mjs";

export function fresh() {
  const bases = app.boot.layers.filter((x) => x.base);
  const on = app.boot.layers.filter((x) => !x.base && x.on);
  return {
    view: null,
    base: (bases.find((x) => x.on) || bases[0] || {}).id || "",
    layers: on.reverse().map((x) => ({ id: x.id, visible: true, opacity: x.opacity, hidden: [] })),
    year: app.boot.years[app.boot.years.length - 1] || null,
    compare: null,
    three: false,
    tool: null,
    theme: "",
    tab: "feature",
    side: false,
    selection: null,
    list: null,
    legend: window.innerWidth >= 700 && window.innerHeight >= 700 && document.documentElement.dataset.elder !== "on",
    sheet: app.boot.layers.length ? "map" : "layers", // who sees no map is told so
    height: app.boot.layers.length ? 0 : 1,
  };
}

/* The address of what is shown as it was known at another moment, "" for the present. */
export function at(asOf) {
  const p = new URLSearchParams(written());
  p.delete("as_of");
  if (asOf) p.set("as_of", asOf);
  return "/?" + p.toString();
}

export function written() {
  const p = new URLSearchParams();
  const round = (n, d) => Number(n).toFixed(d).replace(/\.?0+$/, "");
  if (app.state.view) {
    const v = app.state.view;
    const turned = v.pitch || v.bearing ? `,${round(v.pitch, 0)},${round(v.bearing, 0)}` : "";
    p.set("v", `${round(v.center[0], 5)},${round(v.center[1], 5)},${round(v.zoom, 2)}${turned}`);
  }
  p.set("b", app.state.base);
  const one = (x) => {
    const more = x.hidden.length ? `:${x.hidden.map(encodeURIComponent).join("~")}` : "";
    return `${x.visible ? "" : "!"}${x.id}:${round(x.opacity, 2)}${more}`;
  };
  p.set("l", app.state.layers.map(one).join(",") || "-");
  if (app.state.year) p.set("y", app.state.year);
  if (app.state.compare) p.set("c", `${app.state.compare.left}|${app.state.compare.right}|${Math.round(app.state.compare.at)}`);
  if (app.state.three) p.set("d", "3");
  if (app.state.theme) p.set("t", app.state.theme);
  if (app.state.selection) p.set("s", [app.state.selection.layer || "", app.state.selection.table, app.state.selection.id].join("/"));
  if (app.state.side && app.state.tab !== "feature") p.set("p", app.state.tab);
  if (app.state.list) p.set("q", [app.state.list.kind, app.state.list.id, ...(app.state.list.of ? [app.state.list.of] : [])].join(":"));
  if (app.asOf) p.set("as_of", app.asOf);
  if (language.now !== "zh") p.set("lang", "en");
  const text = p.toString();
  return "?" + text.replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%7C/g, "|").replace(/%21/g, "!");
}

export function read(search) {
  const p = new URLSearchParams(search);
  const next = fresh();
  const unknown = [];
  const numbers = (p.get("v") || "").split(",").map(Number);
  if (numbers.length >= 3 && numbers.every(Number.isFinite)) {
    next.view = { center: numbers.slice(0, 2), zoom: numbers[2], pitch: numbers[3] || 0, bearing: numbers[4] || 0 };
  }
  const known = (id) => app.boot.layers.some((x) => x.id === id) || (unknown.push(id), false);
  const base = p.get("b");
  if (base && (app.boot.foreign.includes(base) || (known(base) && layerOf(base).base))) next.base = base;
  if (p.has("l")) {
    const items = p.get("l").split(",").filter((x) => x && x !== "-");
    next.layers = items.map(layerIn).filter((x) => known(x.id) && !layerOf(x.id).base);
  }
  if (app.boot.years.includes(Number(p.get("y")))) next.year = Number(p.get("y"));
  const [left, right, at] = (p.get("c") || "").split("|").map(Number);
  if (app.boot.years.includes(left) && app.boot.years.includes(right)) next.compare = { left, right, at: at || 50 };
  next.three = p.get("d") === "3";
  next.theme = p.get("t") || "";
  if (p.get("s")) {
    const [layer, table, ...id] = p.get("s").split("/");
    next.selection = { layer, table, id: id.join("/") };
  }
  if (["charts", "list"].includes(p.get("p"))) next.tab = p.get("p");
  if (p.get("q")) {
    const [kind, id, ...of] = p.get("q").split(":");
    next.list = { kind, id, of: of.join(":"), page: 0, sort: "" };
  }
  next.side = Boolean(next.selection || next.list || p.get("p"));
  if (PHONE.matches && next.side) Object.assign(next, { sheet: next.tab, height: 1 });
  return { next, unknown, lang: p.get("lang") };
}

/* What an address says of a class; one that was cut off in the middle of a letter is taken as it stands. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}

export function layerIn(text) {
  const [head, opacity, hidden] = text.split(":");
  const value = Number(opacity);
  return {
    id: head.replace(/^!/, ""),
    visible: !head.startsWith("!"),
    opacity: opacity && value >= 0 && value <= 1 ? value : 1,
    hidden: hidden ? hidden.split("~").map(decoded) : [],
  };
}

let addressTimer = 0;
export function remember(push) {
  clearTimeout(addressTimer);
  if (push) return history.pushState(null, "", written());
  addressTimer = setTimeout(() => history.replaceState(null, "", written()), 250);
}

/* Change the app.state, paint it, and write it into the address; `push` makes a step that Back undoes. */
export function change(values, push) {
  Object.assign(app.state, values);
  paint();
  remember(push);
}
