// What MapLibre cannot draw: pydeck's own JSON, drawn by deck.gl inside the same map; fetched when first needed.
import { TILT } from "./camera.mjs";
import { still } from "./dom.mjs";
import { absolute } from "./state.mjs";

const PLACE = "deck-maplibre-layer-group-last";

/** A tileset that tells when its first file cannot be had: deck.gl only lets that promise fail unheard. */
const telling = (Tile3DLayer) =>
  class SceneLayer extends Tile3DLayer {
    static layerName = "SceneLayer";

    async _loadTileset(address) {
      await super._loadTileset(address).catch((error) => this.raiseError(error));
    }
  };

async function loadDeck() {
  const deck = await import("../vendor/deck.mjs");
  const classes = Object.fromEntries(Object.entries(deck).filter(([name]) => /(Layer|Extension)$/.test(name)));
  classes.Tile3DLayer = telling(deck.Tile3DLayer);
  const configuration = new deck.JSONConfiguration({ classes, enumerations: { COORDINATE_SYSTEM: deck.COORDINATE_SYSTEM } });
  return { deck, converter: new deck.JSONConverter({ configuration }) };
}

function withAddresses(spec) {
  const parsed = typeof spec === "string" ? JSON.parse(spec) : structuredClone(spec);
  for (const layer of parsed.layers ?? []) if (typeof layer.data === "string") layer.data = absolute(layer.data, location.origin);
  return parsed;
}

/** Convert a spec but not the rows in it: the converter would read a row's own words as expressions where they begin with "@@". */
function converted(converter, spec) {
  const parsed = withAddresses(spec);
  const rows = (parsed.layers ?? []).map((layer) => (Array.isArray(layer.data) ? layer.data.splice(0) : null));
  return converter.convert(parsed).layers.map((layer, n) => (rows[n] ? layer.clone({ data: rows[n] }) : layer));
}

/** A texture is a photograph and brings its light with it: show it as it is. A grey in front of it is what converters
    write who know nothing of the material, and would only darken it; a colour is meant. */
function asPhotographed(tile) {
  for (const material of tile.content?.gltf?.materials ?? []) {
    const surface = material.pbrMetallicRoughness;
    if (!surface?.baseColorTexture) continue;
    material.unlit = true;
    const [red, green, blue, alpha] = surface.baseColorFactor ?? [1, 1, 1, 1];
    if (red === green && green === blue) surface.baseColorFactor = [1, 1, 1, alpha];
  }
}

/** Nobody says when a point cloud has been drawn, and until then deck.gl would keep what it takes the place of. */
function asDrawn(tile) {
  if (tile.type !== "scenegraph") tile.tileDrawn = true;
}

/** Give the layer listening: deck.gl looks at a tileset only when the camera moves, and so for ever past one that comes
    between two frames of a camera at rest; a part that never came (404) makes a mesh thin, not broken. */
function listening(layer, isShown, failed) {
  const tell = (message) => isShown(heard) && failed(layer.id, message);
  const heard = layer.clone({
    onTilesetLoad: (tileset) => isShown(heard) && tileset.selectTiles(heard.context.viewport),
    onTileLoad(tile) {
      asPhotographed(tile);
      asDrawn(tile);
    },
    onTileError: (tile, message) => /\(404\)/.test(message) || tell(message),
    onError(error) {
      tell(error.message);
      return true;
    },
  });
  return heard;
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
  const { map } = main;
  let overlay = null;
  let shown = null;
  let layers = [];
  let on = Boolean(view.props.threeD?.on) && map.getPitch() >= 10;
  // deck takes and leaves its place among the map's layers (and so its depth) only when asked while the style is
  // loaded; until then it draws over everything, and a layer that came later lies over it.
  const place = () => {
    const order = map.getLayersOrder();
    const isPlaced = layers.length ? order.at(-1) === PLACE : !order.includes(PLACE);
    if (isPlaced || !map.isStyleLoaded()) return;
    if (layers.length) overlay.setProps({ layers });
    else map.removeLayer(PLACE);
  };
  const put = (next) => {
    layers = next;
    overlay?.setProps({ layers });
  };
  const open = (deck) => {
    overlay = new deck.MapLibreOverlay({ interleaved: true, layers: [], pickingRadius: 3 });
    map.addControl(overlay);
    map.on("render", place);
    view.records.deck = overlay;
  };
  const draw = async (spec) => {
    shown = spec;
    if (!spec) return put([]);
    const { deck, converter } = await loadDeck();
    if (shown !== spec) return undefined;
    if (!overlay) open(deck);
    const isShown = (layer) => layers.includes(layer);
    const failed = (id, message) => faults.report(`scene:${id}`, { kind: "scene", status: 0, message }, () => again(spec));
    return put(converted(converter, spec).map((layer) => listening(layer, isShown, failed)));
  };
  function again(spec) {
    put([]);
    requestAnimationFrame(() => shown === spec && draw(spec));
  }
  return {
    follow() {
      on = tilt(view, map, on);
      const spec = on ? view.props.threeD.deck ?? null : null;
      if (spec !== shown) draw(spec).catch((error) => faults.report("scene", { kind: "scene", status: 0, message: String(error) }, () => draw(spec)));
    },
    pick(point) {
      const found = shown && overlay?.pickObject({ x: point.x, y: point.y, radius: 3, unproject3D: true });
      if (!found?.layer) return null;
      const coordinate = found.coordinate?.slice(0, 2) ?? null;
      return { coordinate, feature: featureOf(found.object), what: { layer: found.layer.id, index: found.index } };
    },
  };
}
