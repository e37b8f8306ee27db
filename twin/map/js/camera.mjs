// Where the map looks: commands in, the view out.
import { settled, still } from "./dom.mjs";

function target(view, map, command) {
  const home = view.props.home ?? view.props.view ?? {};
  const wanted = command.kind === "home" ? { pitch: view.props.threeD?.on ? 55 : 0, bearing: 0, ...home } : command;
  const { center, zoom, pitch, bearing, bbox, maxZoom } = wanted;
  const padding = { top: 0, right: 0, bottom: 0, left: 0, ...view.props.padding };
  if (!bbox) return { ...(center && { center }), ...(zoom !== undefined && { zoom }), ...(pitch !== undefined && { pitch }), ...(bearing !== undefined && { bearing }), padding, retainPadding: false };
  const air = { top: padding.top + 40, right: padding.right + 40, bottom: padding.bottom + 40, left: padding.left + 40 };
  const fitted = map.cameraForBounds([bbox.slice(0, 2), bbox.slice(2)], { padding: air, maxZoom: maxZoom ?? 18, bearing: bearing ?? map.getBearing() });
  return { ...fitted, padding: undefined, ...(pitch !== undefined && { pitch }) };
}

/** Carry out one camera command: fly, fit, jump, home, north. */
export function look(view, map, command) {
  const wanted = command.kind === "north" ? { bearing: 0 } : target(view, map, command);
  if (command.kind === "jump" || still()) map.jumpTo(wanted);
  else if (command.kind === "fly" || command.kind === "home") map.flyTo({ ...wanted, maxDuration: 1200 });
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
