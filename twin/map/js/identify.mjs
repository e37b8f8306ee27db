// Which things lie under the pointer, what they are called, and how many of each class are in view.
import { classOf, classValue, tag } from "./state.mjs";

const NAMES = ["title", "name", "address"];
const NEAR_PX = 5;

function shown(map, styleLayers) {
  return styleLayers.filter((x) => tag(x, "layer") && tag(x, "interactive") !== false && map.getLayer(x.id) && x.layout.visibility === "visible");
}

/** Give what a person calls a feature: its title column, or the best guess the tile carries. */
export function titleOf(layer, properties) {
  const column = tag(layer, "title");
  const found = [column, ...NAMES].find((name) => name && properties[name] !== undefined && properties[name] !== "");
  if (found) return String(properties[found]);
  const named = Object.keys(properties).find((key) => key.endsWith("_name") && properties[key]);
  return String(properties[named] ?? properties.id ?? "");
}

function describe(byId, feature) {
  const layer = byId.get(feature.layer.id);
  const { properties } = feature;
  return { layer: tag(layer, "layer"), table: layer["source-layer"], id: String(properties.id ?? feature.id), title: titleOf(layer, properties) };
}

/** List everything under a point, topmost first, each thing once: areas exactly there, points and lines near it. */
export function under(map, styleLayers, point) {
  const layers = shown(map, styleLayers);
  const byId = new Map(layers.map((x) => [x.id, x]));
  const ids = { layers: [...byId.keys()] };
  const box = [[point.x - NEAR_PX, point.y - NEAR_PX], [point.x + NEAR_PX, point.y + NEAR_PX]];
  const exact = new Set(map.queryRenderedFeatures(point, ids).map((f) => `${f.layer.id}|${f.id ?? f.properties.id}`));
  const isHit = (f) => !f.layer.type.startsWith("fill") || exact.has(`${f.layer.id}|${f.id ?? f.properties.id}`);
  const found = new Map();
  for (const feature of map.queryRenderedFeatures(box, ids)) {
    if (!isHit(feature) || (feature.id === undefined && feature.properties.id === undefined)) continue;
    const thing = describe(byId, feature);
    const key = `${thing.table}|${thing.id}`;
    if (!found.has(key)) found.set(key, thing);
  }
  return [...found.values()];
}

/** Count what is in view by layer and class, each thing once: {"L06": {"01": 12}}. */
export function countInView(map, styleLayers) {
  const layers = styleLayers.filter((x) => tag(x, "layer") && classOf(x) && map.getLayer(x.id) && x.layout.visibility === "visible");
  const byId = new Map(layers.map((x) => [x.id, x]));
  const counts = {};
  const seen = new Set();
  for (const feature of map.queryRenderedFeatures({ layers: [...byId.keys()] })) {
    const layer = byId.get(feature.layer.id);
    const key = `${tag(layer, "layer")}|${layer["source-layer"]}|${feature.id ?? feature.properties.id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const value = classValue(layer, feature.properties);
    const group = (counts[tag(layer, "layer")] ??= {});
    group[value] = (group[value] ?? 0) + 1;
  }
  return counts;
}
