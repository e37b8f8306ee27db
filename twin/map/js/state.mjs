// What the map should look like, from the style and the props: pure, so that the browser and the tests ask the same.
// A style layer says by its metadata which one-map layer it belongs to ("onemap:layer"); see twin/style.

const BANDS = {
  background: 0, raster: 0, hillshade: 0, "color-relief": 0, fill: 0, heatmap: 0, line: 1, "fill-extrusion": 2, circle: 3, symbol: 4,
};
const OPACITIES = {
  fill: ["fill-opacity"], line: ["line-opacity"], circle: ["circle-opacity", "circle-stroke-opacity"],
  symbol: ["icon-opacity", "text-opacity"], "fill-extrusion": ["fill-extrusion-opacity"], raster: ["raster-opacity"],
  heatmap: ["heatmap-opacity"], hillshade: ["hillshade-exaggeration"], "color-relief": ["color-relief-opacity"],
};
const DEFAULTS = { "hillshade-exaggeration": 0.5 };
const TERRAIN = "terrain";
export const DRAWING = "onemap-draw";
export const MARK = "onemap-selected";
const KEEP = "onemap-keep";

export const tag = (layer, name) => layer.metadata?.[`onemap:${name}`];
export const absolute = (url, origin) => (url.startsWith("/") ? origin + url : url);

/** Give a tile address for another year; an address that names no year stays as it is. */
export function withYear(url, year) {
  return url.replace(/([?&]year=)([^&]*)/, (whole, start, stated) => start + (year ?? (stated === "{year}" ? "" : stated)));
}

/** Multiply an opacity by `factor`, keeping zoom curves at the top of the expression where MapLibre wants them. */
export function scaled(value, factor) {
  if (factor === 1 || typeof value === "number") return typeof value === "number" ? value * factor : value;
  if (value?.stops) return { ...value, stops: value.stops.map(([at, v]) => [at, scaled(v, factor)]) };
  const [operator] = value;
  if (operator.startsWith("interpolate")) return value.map((v, i) => (i > 3 && i % 2 === 0 ? scaled(v, factor) : v));
  if (operator === "step") return value.map((v, i) => (i > 1 && i % 2 === 0 ? scaled(v, factor) : v));
  return ["*", value, factor];
}

/** Give the expression that finds the legend class of a feature, or null where the layer has no classes. */
export function classOf(layer) {
  const found = tag(layer, "class");
  if (!found) return null;
  const { column, digits = 0 } = typeof found === "string" ? { column: found } : found;
  const text = ["to-string", ["get", column]];
  return digits ? ["slice", text, 0, digits] : text;
}

/** Give the same class in plain JavaScript, for a feature that was queried. */
export function classValue(layer, properties) {
  const found = tag(layer, "class");
  const { column, digits = 0 } = typeof found === "string" ? { column: found } : found;
  const text = String(properties[column] ?? "");
  return digits ? text.slice(0, digits) : text;
}

function hiding(layer, hidden) {
  const expression = classOf(layer);
  if (!expression || !hidden?.length) return layer.filter;
  const rule = ["!", ["in", expression, ["literal", hidden.map(String)]]];
  return layer.filter ? ["all", layer.filter, rule] : rule;
}

function onStage(layer, props, listed) {
  const base = tag(layer, "base");
  if (base && ![base].flat().includes(props.basemap ?? [base].flat()[0])) return false;
  const three = Boolean(props.threeD?.on);
  if (!three && (layer.type === "fill-extrusion" || tag(layer, "3d"))) return false;
  if (three && tag(layer, "2d")) return false;
  const id = tag(layer, "layer");
  return id && props.layers ? Boolean(listed.get(id)?.entry.visible) : layer.layout?.visibility !== "none";
}

function staged(layer, props, listed) {
  const entry = listed.get(tag(layer, "layer"))?.entry;
  const visibility = onStage(layer, props, listed) ? "visible" : "none";
  const out = { ...layer, layout: { ...layer.layout, visibility }, paint: { ...layer.paint } };
  const filter = hiding(layer, entry?.hidden);
  if (filter) out.filter = filter;
  const factor = entry?.opacity ?? 1;
  for (const name of OPACITIES[layer.type] ?? []) {
    const value = layer.paint?.[name] ?? DEFAULTS[name] ?? 1;
    if (factor !== 1 || layer.paint?.[name] !== undefined) out.paint[name] = scaled(value, factor);
  }
  return out;
}

/** Order style layers: areas, lines, buildings, points, words; within each as the person ordered their layers. */
export function ordered(layers, listed) {
  const place = (layer) => listed.get(tag(layer, "layer"))?.index ?? Infinity;
  const band = (layer) => tag(layer, "band") ?? BANDS[layer.type] ?? 0;
  return layers
    .map((layer, index) => ({ layer, index, band: band(layer), place: place(layer) }))
    .sort((a, b) => a.band - b.band || (a.place === b.place ? 0 : b.place - a.place) || a.index - b.index)
    .map((x) => x.layer);
}

function sourcesFor(style, props, year, origin) {
  const address = (url) => withYear(absolute(url, origin), year);
  const out = {};
  for (const [id, source] of Object.entries(style.sources)) {
    out[id] = source.tiles ? { ...source, tiles: source.tiles.map(address) } : source;
  }
  const ground = props.threeD?.terrain;
  if (props.threeD?.on && ground !== false && !out[TERRAIN]) {
    const { url = "/tiles/terrain/{z}/{x}/{y}.png", maxzoom = 15, bounds } = typeof ground === "object" ? ground ?? {} : {};
    out[TERRAIN] = {
      type: "raster-dem", tiles: [absolute(url, origin)], tileSize: 256, maxzoom, encoding: "mapbox", ...(bounds && { bounds }),
    };
  }
  out[DRAWING] = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  return out;
}

const CASING = [["rgba(4,32,38,0.85)", 7], ["#00E5FF", 4.5], ["#FFFFFF", 1.4]];

/** Give the layers that mark the selected thing, on sources that are shown already, so that nothing is requested. */
export function markLayers(layers, selection) {
  if (!selection) return [];
  const { layer: id, table } = selection;
  const carries = (x) => x.layout.visibility === "visible" && x["source-layer"] === table && (!id || tag(x, "layer") === id);
  const from = layers.filter(carries);
  if (!from.length) return [];
  const { source } = from[0];
  const shared = { source, "source-layer": table };
  const filter = ["==", ["to-string", ["get", "id"]], String(selection.id)];
  const is = (...kinds) => ["all", filter, ["in", ["geometry-type"], ["literal", kinds]]];
  const areas = is("Polygon", "MultiPolygon", "LineString", "MultiLineString");
  const out = CASING.map(([colour, width], i) => ({
    id: `${MARK}-line-${i}`, type: "line", ...shared, filter: areas,
    layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": colour, "line-width": width },
  }));
  out.push({
    id: `${MARK}-point`, type: "circle", ...shared, filter: is("Point", "MultiPoint"),
    paint: { "circle-radius": 15, "circle-opacity": 0, "circle-stroke-color": "#00E5FF", "circle-stroke-width": 3.5 },
  });
  const solid = from.find((x) => x.type === "fill-extrusion");
  if (solid) {
    out.push({ ...solid, id: `${MARK}-solid`, filter, paint: { ...solid.paint, "fill-extrusion-color": "#00E5FF", "fill-extrusion-pattern": undefined } });
  }
  return out.map(({ metadata, ...x }) => x);
}

function drawLayers() {
  const shape = (id, type, kinds, paint) => ({
    id: `${DRAWING}-${id}`, type, source: DRAWING, filter: ["in", ["geometry-type"], ["literal", kinds]], paint,
  });
  const lines = ["LineString", "Polygon"];
  return [
    shape("area", "fill", ["Polygon"], { "fill-color": "#0B5CAD", "fill-opacity": 0.18 }),
    shape("halo", "line", lines, { "line-color": "#FFFFFF", "line-width": 5 }),
    shape("line", "line", lines, { "line-color": "#0B5CAD", "line-width": 2.5 }),
    shape("point", "circle", ["Point"], {
      "circle-radius": 5, "circle-color": "#FFFFFF", "circle-stroke-color": "#0B5CAD", "circle-stroke-width": 2.5,
    }),
  ];
}

/** Give the vector sources that at least one shown layer draws from. */
export function shownSources(style) {
  const isShown = (x) => x.layout?.visibility === "visible" && !x.id.startsWith(KEEP);
  return new Set(style.layers.filter((x) => isShown(x) && style.sources[x.source]?.type === "vector").map((x) => x.source));
}

/** Give layers that draw nothing but hold the tiles of sources hidden a moment ago, so that showing them asks nothing. */
function keepLayers(layers, sources, kept) {
  const held = [...kept].filter((id) => sources[id]).map((id) => layers.find((x) => x.source === id)).filter(Boolean);
  return held.map((x) => ({
    id: `${KEEP}-${x.source}`, type: "line", source: x.source, "source-layer": x["source-layer"], filter: ["literal", false],
    layout: { visibility: "visible" },
  }));
}

/** Give how much steeper the ground is drawn; under meshes, whose heights are true, it is drawn true. */
function steepness({ exaggeration = 1, deck }) {
  return deck && JSON.stringify(deck).includes("Tile3DLayer") ? 1 : exaggeration;
}

/** Give the whole wanted style for one map: `props` as the component has them, `year` of this side, `kept` the sources
    whose tiles stay although nothing of them is shown. */
export function desired(props, year, origin, kept = new Set()) {
  const style = props.mapStyle;
  const listed = new Map((props.layers ?? []).map((entry, index) => [entry.id, { entry, index }]));
  const layers = ordered(style.layers.map((layer) => staged(layer, props, listed)), listed);
  const want = { ...style, sources: sourcesFor(style, props, year, origin) };
  want.layers = [...layers, ...keepLayers(layers, want.sources, kept), ...markLayers(layers, props.selection), ...drawLayers()];
  const lifted = props.threeD?.on && props.threeD?.terrain !== false;
  want.terrain = lifted ? { source: TERRAIN, exaggeration: steepness(props.threeD) } : undefined;
  return JSON.parse(JSON.stringify(want));
}

/** Give the part of a wanted style that is drawn first: the areas that are shown, the topmost asked for first, without
    edges, words, hatches and relief, which take three times as long, and without the ground, whose colour the map's
    place has anyway (`--om-ground`): drawing it would hold up asking for the tiles. The whole of it where no areas are shown. */
export function firstOf(want) {
  const isArea = (x) => x.type === "fill" && x.layout?.visibility === "visible" && !x.paint?.["fill-pattern"] && want.sources[x.source]?.type === "vector";
  const areas = want.layers.filter(isArea);
  if (!areas.length) return want;
  const { terrain, ...rest } = want;
  const sources = Object.fromEntries([...new Set(areas.map((x) => x.source).reverse())].map((id) => [id, want.sources[id]]));
  const plain = (x) => ({ ...x, paint: { ...x.paint, "fill-antialias": false } });
  return { ...rest, sources, layers: areas.map(plain) };
}
