// Measuring and drawing: distance, area, polygon, box; by mouse, finger or keys alone.
import { element } from "./dom.mjs";
import { area, distance, length, MU_M2 } from "./geodesic.mjs";
import { DRAWING } from "./state.mjs";

const LEAST = { distance: 2, area: 3, polygon: 3, box: 2 };
const TOLD_AS_DRAWN = new Set(["polygon", "box"]);
const SAME_SPOT_M = 0.05;
const CLOSE_PX = 10;

const shape = (type, coordinates, properties = {}) => ({ type: "Feature", properties, geometry: { type, coordinates } });

function boxRing([[west, south], [east, north]]) {
  return [[west, south], [east, south], [east, north], [west, north]];
}

function geometryOf(kind, points) {
  if (points.length < 2) return null;
  if (kind === "distance") return { type: "LineString", coordinates: points };
  const ring = kind === "box" ? boxRing([points[0], points.at(-1)]) : points;
  return ring.length < 3 ? { type: "LineString", coordinates: ring } : { type: "Polygon", coordinates: [[...ring, ring[0]]] };
}

function measure(kind, geometry) {
  if (!geometry) return { length_m: 0, area_m2: 0 };
  if (geometry.type === "LineString") return { length_m: length(geometry.coordinates), area_m2: 0 };
  const [ring] = geometry.coordinates;
  return { length_m: length(ring), area_m2: area(ring.slice(0, -1)) };
}

/** Word a measure: metres below 1 km; m² and 亩, hectares beyond 1 ha. */
export function say(view, kind, { length_m: metres, area_m2: squares }) {
  const format = (value, digits) => new Intl.NumberFormat(view.word("language"), { maximumFractionDigits: digits }).format(value);
  const long = metres >= 1000 ? `${format(metres / 1000, 3)} ${view.word("kilometres")}` : `${format(metres, 1)} ${view.word("metres")}`;
  if (kind === "distance") return long;
  const hectares = squares >= 10000 ? ` · ${format(squares / 10000, 2)} ${view.word("hectares")}` : "";
  return `${format(squares / MU_M2, squares < MU_M2 ? 3 : 2)} ${view.word("mu")} · ${format(squares, squares < 100 ? 1 : 0)} ${view.word("square_metres")}${hectares}`;
}

function makePanel(view, act) {
  const title = element("b", {});
  const live = element("span", { class: "om-live", "aria-hidden": "true" });
  const told = element("span", { class: "om-hidden", role: "status" });
  const keys = element("span", { class: "om-tool-keys" });
  const buttons = Object.fromEntries(["undo", "done", "cancel"].map((name) => [name, element("button", { type: "button", on: { click: act[name] } })]));
  const box = element("div", { class: "om-tool", hidden: "" }, title, live, told, element("div", { class: "om-tool-buttons" }, ...Object.values(buttons)), keys);
  view.stage.append(box);
  return {
    show(kind) {
      box.hidden = !kind;
      if (!kind) return;
      title.textContent = view.word(`tool_${kind}`);
      keys.textContent = view.word("tool_keys");
      for (const [name, button] of Object.entries(buttons)) button.textContent = view.word(name);
    },
    write(text, aloud) {
      live.textContent = text;
      if (aloud) told.textContent = text;
    },
    allow(done, undo) {
      buttons.done.disabled = !done;
      buttons.undo.disabled = !undo;
    },
  };
}

function features(state) {
  const points = state.ended || !state.cursor ? state.points : [...state.points, state.cursor];
  const geometry = geometryOf(state.kind, points);
  const dots = state.points.map((point) => shape("Point", point));
  return { geometry, collection: { type: "FeatureCollection", features: [...(geometry ? [shape(geometry.type, geometry.coordinates)] : []), ...dots] } };
}

/** Make the drawing tools over `sides`; the prop `tool` says which is in the hand. */
export function makeTools(view, sides) {
  const state = { kind: null, points: [], cursor: null, ended: false };
  const panel = makePanel(view, { undo: () => tools.undo(), done: () => tools.finish(), cancel: () => tools.cancel() });
  const render = (aloud) => {
    const { geometry, collection } = features(state);
    for (const { map } of sides) map.getSource(DRAWING)?.setData(collection);
    const sizes = measure(state.kind, geometry);
    panel.write(state.points.length ? say(view, state.kind, sizes) : "", aloud);
    panel.allow(state.points.length >= LEAST[state.kind] && !state.ended, state.points.length > 0 && !state.ended);
    return { geometry, ...sizes };
  };
  const tellMeasure = (done) => {
    const { geometry, length_m, area_m2 } = render(true);
    view.emit({ measured: { kind: state.kind, length_m, area_m2, area_mu: area_m2 / MU_M2, geometry, done, t: Date.now() } });
    return geometry;
  };
  const restart = () => Object.assign(state, { points: [], cursor: null, ended: false });
  const closes = (e) => {
    const [first] = state.points;
    if (!first || !e.point || state.kind === "distance" || state.points.length < 3) return false;
    const at = e.target.project(first);
    return Math.hypot(at.x - e.point.x, at.y - e.point.y) < CLOSE_PX;
  };
  const doubled = (e) => {
    const [a, b] = state.points.slice(-2).map((point) => e.target.project(point));
    return b && Math.hypot(a.x - b.x, a.y - b.y) < CLOSE_PX;
  };
  const tools = {
    add(point) {
      if (state.ended) restart();
      const last = state.points.at(-1);
      if (last && distance(last, point) < SAME_SPOT_M) return false;
      state.points.push(point);
      state.cursor = null;
      if (state.kind === "box" && state.points.length === 2) tools.finish();
      else tellMeasure(false);
      return true;
    },
    click(e) {
      if (closes(e)) tools.finish();
      else tools.add([e.lngLat.lng, e.lngLat.lat]);
    },
    enter({ lng, lat }) {
      if (!tools.add([lng, lat])) tools.finish();
    },
    move(e) {
      if (!state.points.length || state.ended) return;
      state.cursor = [e.lngLat.lng, e.lngLat.lat];
      render(false);
    },
    undo() {
      state.points.pop();
      tellMeasure(false);
    },
    finish(e) {
      if (e && doubled(e)) state.points.pop();
      if (state.ended || state.points.length < LEAST[state.kind]) return;
      Object.assign(state, { ended: true, cursor: null });
      const geometry = tellMeasure(true);
      if (TOLD_AS_DRAWN.has(state.kind)) view.emit({ drawn: { geometry, kind: state.kind, t: Date.now() }, tool: null });
    },
    cancel: () => view.emit({ tool: null, drawn: null }),
    follow() {
      const { tool, drawn } = view.props;
      panel.show(tool);
      for (const { map } of sides) map.getCanvas().classList.toggle("om-drawing", Boolean(tool));
      view.stage.classList.toggle("om-has-tool", Boolean(tool));
      const keeps = !tool && drawn && state.ended && TOLD_AS_DRAWN.has(state.kind);
      if (keeps || (tool && tool === state.kind && !state.ended)) return;
      state.kind = tool ?? state.kind;
      restart();
      render(false);
    },
  };
  return tools;
}
