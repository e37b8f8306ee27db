// Brings a living map from one wanted style to the next by the fewest steps; nothing is made anew that can stay.

export const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);
const keys = (a, b) => new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})]);
const FIXED = ["type", "source", "source-layer"];

function changeSource(map, id, had, want, isBroken) {
  const { tiles: old, ...rest } = had;
  const { tiles, ...others } = want;
  const source = map.getSource(id);
  if (same(rest, others) && tiles && source?.setTiles && !isBroken(id)) return source.setTiles(tiles);
  if (want.type === "geojson" && had.type === "geojson") return source.setData(want.data);
  return "remake";
}

function changeLayer(map, had, want) {
  const { id } = want;
  for (const [part, set] of [["layout", "setLayoutProperty"], ["paint", "setPaintProperty"]]) {
    for (const key of keys(had[part], want[part])) {
      if (!same(had[part]?.[key], want[part]?.[key])) map[set](id, key, want[part]?.[key]);
    }
  }
  if (!same(had.filter, want.filter)) map.setFilter(id, want.filter ?? null);
  if (had.minzoom !== want.minzoom || had.maxzoom !== want.maxzoom) {
    map.setLayerZoomRange(id, want.minzoom ?? 0, want.maxzoom ?? 24);
  }
}

function reorder(map, had, want) {
  const names = want.map((x) => x.id);
  if (same(had, names)) return;
  for (let i = names.length - 1; i >= 0; i -= 1) map.moveLayer(names[i], names[i + 1]);
}

function remadeSources(map, had, want, isBroken) {
  const gone = new Set(Object.keys(had.sources).filter((id) => !want.sources[id]));
  for (const [id, source] of Object.entries(want.sources)) {
    const before = had.sources[id];
    if (before && !same(before, source) && changeSource(map, id, before, source, isBroken) === "remake") gone.add(id);
  }
  return gone;
}

/** Apply `want` to `map`, which shows `had`; both are whole styles as state.mjs gives them. A source that `isBroken`
    says has failed tiles is made anew when its address changes. */
export function reconcile(map, had, want, isBroken = () => false) {
  if (had.terrain && !want.terrain) map.setTerrain(null);
  const gone = remadeSources(map, had, want, isBroken);
  const wanted = new Map(want.layers.map((x) => [x.id, x]));
  const kept = new Map();
  for (const layer of had.layers) {
    const next = wanted.get(layer.id);
    if (next && !gone.has(next.source) && FIXED.every((k) => layer[k] === next[k])) kept.set(layer.id, layer);
    else map.removeLayer(layer.id);
  }
  for (const id of gone) map.removeSource(id);
  for (const [id, source] of Object.entries(want.sources)) if (!map.getSource(id)) map.addSource(id, source);
  for (const layer of want.layers) {
    if (kept.has(layer.id)) changeLayer(map, kept.get(layer.id), layer);
    else map.addLayer(layer);
  }
  const added = want.layers.filter((x) => !kept.has(x.id)).map((x) => x.id);
  reorder(map, [...kept.keys(), ...added], want.layers);
  if (want.terrain && !same(had.terrain, want.terrain)) map.setTerrain(want.terrain);
  for (const [part, set] of [["light", "setLight"], ["sky", "setSky"], ["projection", "setProjection"]]) {
    if (want[part] && !same(had[part], want[part])) map[set](want[part]);
  }
}
