// What MapLibre cannot draw: pydeck's own JSON, drawn by deck.gl inside the same map; fetched when first needed.
import { TILT } from "./camera.mjs";
import { still } from "./dom.mjs";
import { absolute } from "./state.mjs";

const NUDGE_MS = 250;
const NUDGES = 240;
const PLACE = "deck-maplibre-layer-group-last";

async function loadDeck() {
  const deck = await import("../vendor/deck.mjs");
  const classes = Object.fromEntries(Object.entries(deck).filter(([name]) => /(Layer|Extension)$/.test(name)));
  const configuration = new deck.JSONConfiguration({ classes, enumerations: { COORDINATE_SYSTEM: deck.COORDINATE_SYSTEM } });
  return { deck, converter: new deck.JSONConverter({ configuration }) };
}

function withAddresses(spec) {
  const parsed = typeof spec === "string" ? JSON.parse(spec) : structuredClone(spec);
  for (const layer of parsed.layers ?? []) if (typeof layer.data === "string") layer.data = absolute(layer.data, location.origin);
  return parsed;
}

function tilt(view, map, was) {
  const on = Boolean(view.props.threeD?.on);
  if (on === was) return on;
  const pitch = on ? TILT : 0;
  if ((on && map.getPitch() < 10) || !on) map[still() ? "jumpTo" : "easeTo"]({ pitch, ...(on ? {} : { bearing: 0 }) });
  return on;
}

function featureOf(object) {
  const properties = object?.properties ?? object ?? {};
  if (!properties.id || !properties.table) return null;
  return { layer: properties.layer ?? "", table: properties.table, id: String(properties.id), title: String(properties.title ?? properties.id) };
}

/** Follow the prop `threeD` on the main map: tilt, and deck layers over the terrain. */
export function makeScene(view, main, faults) {
  let overlay = null;
  let shown = null;
  let nudging = 0;
  let on = Boolean(view.props.threeD?.on) && main.map.getPitch() >= 10;
  // deck repaints only with the map, and takes its place among the map's layers (and so its depth) only when asked at a
  // moment when the style has loaded; until then it would draw over, or be hidden by, the wrong things.
  const nudge = (layers) => {
    clearInterval(nudging);
    let left = NUDGES;
    nudging = setInterval(() => {
      const isPlaced = main.map.getLayer(PLACE);
      if (!isPlaced && main.map.isStyleLoaded()) overlay.setProps({ layers: [...layers] });
      main.map.triggerRepaint();
      left -= 1;
      if (!left || (isPlaced && layers.every((layer) => layer.isLoaded))) clearInterval(nudging);
    }, NUDGE_MS);
  };
  const draw = async (spec) => {
    shown = spec;
    if (!spec) return void overlay?.setProps({ layers: [] });
    const { deck, converter } = await loadDeck();
    if (shown !== spec) return undefined;
    const failed = (layer, error) => {
      const message = String(error?.message ?? error);
      if (/\(404\)/.test(message)) return; // a mesh delivered without some of its parts is thin, not broken
      faults.report(`scene:${layer.id}`, { kind: "scene", status: 0, message }, () => again(spec));
    };
    const layers = converter.convert(withAddresses(spec)).layers.map((layer) =>
      layer.clone({ onTilesetError: (e) => failed(layer, e), onTileError: (tile, message) => failed(layer, message), onError: (e) => failed(layer, e) }));
    if (!overlay) main.map.addControl((overlay = new deck.MapLibreOverlay({ interleaved: true, layers: [], pickingRadius: 3 })));
    overlay.setProps({ layers });
    nudge(layers);
    view.records.deck = overlay;
    return undefined;
  };
  function again(spec) {
    overlay?.setProps({ layers: [] });
    requestAnimationFrame(() => shown === spec && draw(spec));
  }
  return {
    follow() {
      on = tilt(view, main.map, on);
      const spec = on ? view.props.threeD.deck ?? null : null;
      if (spec !== shown) draw(spec).catch((error) => faults.report("scene", { kind: "scene", status: 0, message: String(error) }, () => draw(spec)));
    },
    pick(point) {
      const found = shown && overlay?.pickObject({ x: point.x, y: point.y, radius: 3, unproject3D: true });
      if (!found?.layer) return null;
      const coordinate = found.coordinate?.slice(0, 2) ?? null;
      return { coordinate, feature: featureOf(found.object), what: { layer: found.layer.id, index: found.index } };
    },
    stop: () => clearInterval(nudging),
  };
}
