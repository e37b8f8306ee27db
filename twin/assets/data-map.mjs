/* A small map beside a list: the layer it speaks of, or what changed, on the product's own ground. */
const CHANGE = ["match", ["get", "change"], "added", "#0b7a3b", "removed", "#c0262d", "#8a4600"];
const FONTS = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif";
const drawn = new WeakSet();

/* Keep of the product's style the ground, flat, and, where one is asked for, one table of a layer; its year is the present one. */
function only(style, { layer, table, ground }) {
  const flat = (x) => ["fill", "line"].includes(x.type) && ground && x.metadata?.["onemap:layer"] === ground;
  const ours = (x) => x.type === "background" || flat(x) || (layer && x.metadata?.["onemap:layer"] === layer && x.metadata["onemap:table"] === table);
  const layers = style.layers.filter(ours).map(({ metadata, ...x }) => ({ ...x, layout: { ...x.layout, visibility: "visible" } }));
  const named = new Set(layers.map((x) => x.source).filter(Boolean));
  const sources = {};
  for (const [id, source] of Object.entries(style.sources)) {
    if (!named.has(id)) continue;
    const tiles = source.tiles?.map((t) => new URL(t.replace("year={year}&", ""), location.origin).href.replace(/%7B/g, "{").replace(/%7D/g, "}"));
    sources[id] = tiles ? { ...source, tiles } : source;
  }
  const glyphs = style.glyphs ? { glyphs: new URL(style.glyphs, location.origin).href } : {};
  return { version: 8, sources, layers: layers.filter((x) => x.type !== "symbol"), ...glyphs };
}

function extentOf(features) {
  const box = [180, 90, -180, -90];
  const take = (at) => {
    if (typeof at[0] === "number") {
      [box[0], box[1], box[2], box[3]] = [Math.min(box[0], at[0]), Math.min(box[1], at[1]), Math.max(box[2], at[0]), Math.max(box[3], at[1])];
    } else at.forEach(take);
  };
  for (const f of features) if (f.geometry) take(f.geometry.coordinates);
  return box[0] <= box[2] ? box : null;
}

function changes(map, data) {
  map.addSource("changes", { type: "geojson", data });
  map.addLayer({ id: "areas", type: "fill", source: "changes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": CHANGE, "fill-opacity": 0.35 } });
  map.addLayer({ id: "lines", type: "line", source: "changes", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": CHANGE, "line-width": 2.5 } });
  map.addLayer({ id: "points", type: "circle", source: "changes", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": CHANGE, "circle-radius": 6, "circle-stroke-width": 1.5, "circle-stroke-color": "#fff" } });
}

/* Draw the map of a box once. What cannot be drawn leaves the box away: the list beside it says the same. */
export async function draw(box) {
  if (!box || drawn.has(box)) return;
  drawn.add(box);
  try {
    const [library, style, data] = await Promise.all([
      import(box.dataset.library),
      fetch(box.dataset.style).then((r) => r.json()),
      box.dataset.geojson ? fetch(box.dataset.geojson).then((r) => (r.ok ? r.json() : Promise.reject(new TypeError(r.status)))) : null,
    ]);
    if (!document.querySelector(`link[href="${box.dataset.sheet}"]`)) {
      document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: box.dataset.sheet }));
    }
    const bounds = data ? extentOf(data.features) : box.dataset.extent.split(",").map(Number);
    if (!bounds || !box.isConnected) return box.closest("section")?.remove();
    box.replaceChildren();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const map = new library.Map({
      container: box, style: only(style, box.dataset), bounds: [bounds.slice(0, 2), bounds.slice(2)], fitBoundsOptions: { padding: 28, maxZoom: 17 },
      attributionControl: false, fadeDuration: still ? 0 : 100, renderWorldCopies: false, localIdeographFontFamily: FONTS, cooperativeGestures: false, scrollZoom: false,
    });
    box.addEventListener("gone", () => map.remove(), { once: true });
    map.getCanvas().setAttribute("aria-label", box.dataset.title);
    map.once("load", () => {
      if (data) changes(map, data);
      map.once("idle", () => (box.dataset.drawn = "yes"));
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; /* the line is cut, or there is no such file */
    box.closest("section")?.remove();
  }
}

if (document.querySelector("main.diff")) draw(document.getElementById("map"));
