// The map where there is no WebGL2: Leaflet over tiles that the server has drawn; the same props, in and out.
import { element, settled, stylesheet, still } from "./dom.mjs";
import { makeLimits, refusalOf } from "./limits.mjs";
import { absolute } from "./state.mjs";

const ADDRESS = "/tiles/drawn/{layer}/{z}/{x}/{y}.png";
const AGAIN_MS = 5000;

/** Make a grid layer that tells an empty tile (204) from a failed one; an <img> cannot. */
function makeTiles(leaflet, address, failed) {
  const Tiles = leaflet.GridLayer.extend({
    createTile(at, done) {
      const img = element("img", { alt: "", role: "presentation" });
      const url = leaflet.Util.template(address, { x: at.x, y: at.y, z: at.z });
      fetch(url)
        .then(async (answer) => {
          if (!answer.ok) throw Object.assign(new Error(`${answer.status}`), { status: answer.status, body: await answer.blob() });
          if (answer.status === 204) img.style.visibility = "hidden"; // an image of nothing has a border
          else img.src = URL.createObjectURL(await answer.blob());
          done(null, img);
        })
        .catch((error) => {
          failed(error);
          done(error, img);
        });
      return img;
    },
  });
  const tiles = new Tiles({ tileSize: 256, maxZoom: 20 });
  tiles.on("tileunload", ({ tile }) => URL.revokeObjectURL(tile.src));
  return tiles;
}

function makeStack(view, leaflet, map) {
  const made = new Map();
  let mending = 0;
  let failures = 0;
  const redraw = () => {
    failures = 0;
    made.forEach(({ tiles }) => tiles.redraw());
  };
  const limits = makeLimits(view, () => redraw());
  const failed = async (error) => {
    const refusal = await refusalOf(view, error);
    if (refusal) return limits.stop("drawn", refusal);
    failures += 1;
    view.chrome.say("fault", view.word(error.status ? "fault_base" : "fault_network"), redraw);
    if (failures === 1) view.emit({ error: { source: "drawn", status: error.status ?? 0, message: error.message, t: Date.now() } });
    clearTimeout(mending);
    mending = setTimeout(redraw, AGAIN_MS);
    return undefined;
  };
  const mended = () => {
    if (failures || limits.isStopped()) return;
    view.chrome.unsay("fault");
    if (view.props.error) view.emit({ error: null });
  };
  const below = () => view.props.mapStyle?.metadata?.["onemap:below"] ?? ""; // where the addresses of a past moment lie
  const show = (entry, order, year) => {
    const address = `${absolute(below() + ADDRESS, location.origin).replace("{layer}", encodeURIComponent(entry.id))}?year=${year ?? ""}&theme=${view.props.theme ?? "light"}`;
    const known = made.get(entry.id);
    if (known && known.address !== address) known.tiles.remove();
    const tiles = known?.address === address ? known.tiles : makeTiles(leaflet, address, failed).on("load", mended).addTo(map);
    tiles.setOpacity(entry.opacity ?? 1);
    tiles.setZIndex(order);
    made.set(entry.id, { tiles, address });
  };
  return {
    follow() {
      const entries = (view.props.layers ?? []).filter((x) => x.visible);
      const wanted = new Set(entries.map((x) => x.id));
      for (const [id, { tiles }] of made) if (!wanted.has(id)) tiles.remove() && made.delete(id);
      entries.forEach((entry, i) => show(entry, entries.length - i, view.props.compare?.right ?? view.props.year));
    },
    stop: () => clearTimeout(mending),
  };
}

function look(view, map, command) {
  const { bbox, center, zoom } = command.kind === "home" ? view.props.home ?? view.props.view ?? {} : command;
  const options = { animate: command.kind !== "jump" && !still() };
  if (bbox) map.fitBounds([[bbox[1], bbox[0]], [bbox[3], bbox[2]]], options);
  else if (center) map.setView([center[1], center[0]], zoom ? Math.round(zoom + 1) : map.getZoom(), options);
}

function viewState(map) {
  const { lng, lat } = map.getCenter();
  const bounds = map.getBounds();
  return { center: [lng, lat], zoom: map.getZoom() - 1, pitch: 0, bearing: 0, bbox: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()] };
}

function listen(view, map, box) {
  const tell = (at) => view.emit({ click: { features: [], lngLat: at && [at.lng, at.lat], flat: true, t: Date.now() } });
  map.on("click", (e) => tell(e.latlng));
  map.on("moveend zoomend", settled(() => view.emit({ viewState: viewState(map) }), 150));
  map.on("move zoom", () => view.chrome.moved());
  box.addEventListener("keydown", (e) => {
    if (e.key === "Enter") tell(map.getCenter());
    if (e.key === "Escape") tell(null);
  });
}

/** Make the Leaflet engine; rejects when it has not been built. */
export async function makeEngine(view) {
  stylesheet(`${view.base}vendor/leaflet.css`);
  const leaflet = await import("../vendor/leaflet.mjs");
  const box = element("div", { class: "om-map", role: "application", tabindex: "0", "aria-label": view.word("map") });
  view.stage.prepend(box);
  const map = new leaflet.Map(box, { zoomControl: false, attributionControl: false, zoomSnap: 1, maxZoom: 20, fadeAnimation: false, zoomAnimation: !still() });
  view.records.maps.push(map);
  view.records.made += 1;
  look(view, map, { kind: "jump", ...(view.props.view ?? view.props.home) });
  const stack = makeStack(view, leaflet, map);
  stack.follow();
  listen(view, map, box);
  view.chrome.busy(false);
  view.records.idle = true;
  view.emit({ ready: { ok: true, flat: true }, viewState: viewState(map) });
  return {
    isFlat: true,
    drawn: Promise.resolve(),
    bearing: () => 0,
    metresPerPixel: () => (40075016.686 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * 2 ** map.getZoom()),
    zoomBy: (step) => map.setZoom(map.getZoom() + step),
    camera: (command) => look(view, map, command),
    update(fresh) {
      if (["mapStyle", "layers", "year", "compare", "theme"].some((key) => fresh.has(key))) stack.follow();
      if (fresh.has("camera") && view.props.camera) look(view, map, view.props.camera);
    },
    destroy() {
      stack.stop();
      view.records.maps.splice(view.records.maps.indexOf(map), 1);
      map.remove();
    },
  };
}
