// Where the map looks: commands in, the view out.
import { settled, still } from "./dom.mjs";

const AIR_PX = 40;
export const TILT = 55;

const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

function fitted(map, { bbox, maxZoom = 18, pitch, bearing }, { top, right, bottom, left }) {
  const air = { top: top + AIR_PX, right: right + AIR_PX, bottom: bottom + AIR_PX, left: left + AIR_PX };
  const found = map.cameraForBounds([bbox.slice(0, 2), bbox.slice(2)], { padding: air, maxZoom, bearing: bearing ?? map.getBearing() });
  return given({ ...found, pitch });
}

/** Give MapLibre's camera options; panels over the map shift its centre by `offset`, for MapLibre keeps a padding. */
function target(view, map, command) {
  const home = view.props.home ?? view.props.view ?? {};
  const wanted = command.kind === "home" ? { pitch: view.props.threeD?.on ? TILT : 0, bearing: 0, ...home } : command;
  const padding = { top: 0, right: 0, bottom: 0, left: 0, ...view.props.padding };
  if (wanted.bbox) return fitted(map, wanted, padding);
  const { center, zoom, pitch, bearing } = wanted;
  const offset = [(padding.left - padding.right) / 2, (padding.top - padding.bottom) / 2];
  return { ...given({ center, zoom, pitch, bearing }), offset };
}

/** Carry out one camera command: fly, fit, jump, home, north. */
export function look(view, map, command) {
  const wanted = command.kind === "north" ? { bearing: 0 } : target(view, map, command);
  const flies = command.kind === "fly" || command.kind === "home";
  if (command.kind === "jump" || still()) map.easeTo({ ...wanted, duration: 0 });
  else if (flies) map.flyTo({ ...wanted, maxDuration: 1200 });
  else map.easeTo({ ...wanted, duration: 400 });
}

/** Describe the view for the page and its address. */
export function viewState(map) {
  const { lng, lat } = map.getCenter();
  const round = (value, digits) => Number(value.toFixed(digits));
  const [[west, south], [east, north]] = map.getBounds().toArray();
  return {
    center: [round(lng, 6), round(lat, 6)], zoom: round(map.getZoom(), 2), pitch: round(map.getPitch(), 1),
    bearing: round(map.getBearing(), 1), bbox: [west, south, east, north].map((v) => round(v, 6)),
  };
}

/** Tell the page where the map looks, a moment after it came to rest. */
export function tellView(view, map) {
  const tell = settled(() => view.emit({ viewState: viewState(map) }), 150);
  map.on("moveend", tell);
  return tell;
}
