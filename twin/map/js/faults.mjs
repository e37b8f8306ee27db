// What fails while the page lives: says so in words, tries again by itself and on request, and takes it back when mended.
import { makeLimits, refusalOf } from "./limits.mjs";
import { tag } from "./state.mjs";

const AGAIN_MS = 5000;

function wording(view, broken) {
  const kinds = [...broken.values()];
  if (kinds.some((x) => x.network)) return view.word("fault_network");
  if (kinds.every((x) => x.kind === "scene")) return view.word("fault_scene");
  if (kinds.every((x) => x.kind === "base")) return view.word("fault_base");
  return view.word("fault_tiles", { what: [...new Set(kinds.flatMap((x) => x.titles))].join("、") });
}

function describeSource(view, id) {
  const layers = view.props.mapStyle.layers.filter((x) => x.source === id);
  const ids = [...new Set(layers.map((x) => tag(x, "layer")).filter(Boolean))];
  const titles = ids.map((x) => view.props.layers?.find((entry) => entry.id === x)?.title ?? x);
  const isBase = layers.some((x) => tag(x, "base") || x.type === "raster") || !ids.length;
  return { kind: isBase ? "base" : "layer", titles };
}

/** Ask again for the tiles that failed, by name: MapLibre 6.17 waits for ever when a whole vector source that holds a
    failed tile is reloaded. */
function refresh(source, tiles) {
  for (const [map, ids] of tiles) if (map.getSource(source)) map.refreshTiles(source, ids);
}

/** Keep the list of what is broken; `watch` listens to one more map. */
export function makeFaults(view) {
  const broken = new Map();
  const lost = new Map();
  const failing = new Set();
  let timer = 0;
  const show = () => {
    clearTimeout(timer);
    if (!broken.size) return view.chrome.unsay("fault");
    view.chrome.say("fault", wording(view, broken), retry);
    timer = setTimeout(retry, AGAIN_MS);
    return undefined;
  };
  function retry() {
    failing.clear();
    for (const fault of [...broken.values()]) fault.again();
    clearTimeout(timer);
    timer = setTimeout(retry, AGAIN_MS);
  }
  const faults = {
    report(id, fault, again) {
      failing.add(id);
      const isNew = broken.get(id)?.status !== fault.status;
      view.records.errors.push({ source: id, ...fault });
      broken.set(id, { kind: "layer", titles: [], ...fault, again });
      if (!isNew) return;
      show();
      view.emit({ error: { source: id, status: fault.status, message: fault.message, t: Date.now() } });
    },
    settle() {
      const mended = [...broken.keys()].filter((id) => !failing.has(id));
      mended.forEach((id) => broken.delete(id));
      if (!mended.length) return;
      show();
      if (!broken.size) view.emit({ error: null });
    },
    isBroken: (id) => broken.has(id),
    watch(map) {
      const losing = (id, tile) => {
        const tiles = lost.get(id) ?? lost.set(id, new Map()).get(id);
        tiles.set(map, [...(tiles.get(map) ?? []), tile.tileID.canonical]);
      };
      const again = (id) => {
        const tiles = lost.get(id) ?? new Map();
        lost.delete(id);
        refresh(id, tiles);
      };
      const limits = makeLimits(view, again);
      map.on("error", async ({ error, sourceId, tile }) => {
        const status = error?.status ?? 0;
        const message = String(error?.message ?? error);
        if (!sourceId) return void view.records.errors.push({ message });
        if (tile) losing(sourceId, tile);
        const refusal = status === 403 ? await refusalOf(view, error) : null;
        if (refusal) return void limits.stop(sourceId, refusal);
        const network = !status && error instanceof TypeError;
        faults.report(sourceId, { status, message, network, ...describeSource(view, sourceId) }, () => again(sourceId));
      });
      map.on("idle", () => faults.settle());
    },
    stop: () => clearTimeout(timer),
  };
  return faults;
}
