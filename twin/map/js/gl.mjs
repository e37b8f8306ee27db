// The map drawn with WebGL2: one MapLibre map for as long as the page lives, a second beside it while comparing.
import { element, settled, stylesheet } from "./dom.mjs";
import { look, tellView, viewState } from "./camera.mjs";
import { countInView, under } from "./identify.mjs";
import { makeFaults } from "./faults.mjs";
import { makeSwipe } from "./swipe.mjs";
import { makeTools } from "./draw.mjs";
import { makeScene } from "./scene.mjs";
import { reconcile, same } from "./reconcile.mjs";
import { absolute, desired, firstOf, shownSources } from "./state.mjs";
import { drawSymbol, symbolsLoaded } from "./symbols.mjs";

const FONTS = "'PingFang SC','HarmonyOS Sans SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC','WenQuanYi Micro Hei',sans-serif";
const STYLED = ["mapStyle", "layers", "year", "basemap", "threeD", "selection", "compare"];
const library = import("../vendor/maplibre-gl.mjs");
library.then((gl) => gl.prewarm()).catch(() => {}); // what fails is told when the map is made
const HELP = "onemap-keys-help";
const FIRST_MS = 1500;
const ASK_FRAMES = 4; // a style without tiles asks for none
const NUDGE_MS = 400; // MapLibre 6.17 says nothing of a tile that came back unchanged, and would never be idle after it
const STRONG = 8; // processors from which the edges of buildings are smoothed too: without a GPU it doubles every frame

function mapOptions(view, container, style, camera) {
  return {
    container, style, ...camera, attributionControl: false, fadeDuration: 0, maxPitch: 75, renderWorldCopies: false,
    localIdeographFontFamily: FONTS, doubleClickZoom: true, transformRequest: (url) => ({ url: absolute(url, location.origin) }),
    canvasContextAttributes: { antialias: devicePixelRatio < 2 && navigator.hardwareConcurrency >= STRONG }, // lines and areas are smoothed anyway
  };
}

/** Settle at the first picture with a tile in it; no later than FIRST_MS after the style, for a tile may never come. */
function firstPicture(map) {
  return new Promise((resolve) => {
    map.once("style.load", () => setTimeout(resolve, FIRST_MS));
    const seen = (e) => {
      if (!e.tile) return;
      map.off("sourcedata", seen);
      map.once("render", () => resolve());
    };
    map.on("sourcedata", seen);
  });
}

/** Let the map draw nothing until it has asked for tiles: MapLibre asks when a frame is over, and one that compiles
    shaders, with nothing yet to draw, is over when the tiles could have been here. */
function askFirst(map) {
  const { painter } = map;
  const { render } = painter;
  let waits = ASK_FRAMES;
  map.on("dataloading", (e) => e.tile && (waits = 0));
  painter.render = () => {
    if (!waits) painter.render = render; // from the next frame on
    waits = Math.max(0, waits - 1);
    map.triggerRepaint();
  };
}

/** Make one MapLibre map that follows the props; `year` tells which year this side shows. */
function makeSide(view, gl, container, camera, year) {
  const kept = new Set();
  const wanted = () => desired(view.props, year(), location.origin, kept);
  let had = firstOf(wanted());
  const map = new gl.Map(mapOptions(view, container, had, camera));
  askFirst(map);
  view.records.maps.push(map);
  view.records.made += 1;
  map.setMissingStyleImageResolver((id) => drawSymbol(map, id));
  const drawn = firstPicture(map);
  const side = {
    map, drawn, settled: false,
    layers: () => had.layers,
    follow() {
      if (!side.settled) return;
      for (const id of shownSources(had)) kept.add(id);
      const want = wanted();
      reconcile(map, had, want, view.faults?.isBroken);
      had = want;
    },
    remove() {
      view.records.maps.splice(view.records.maps.indexOf(map), 1);
      map.remove();
    },
  };
  map.on("movestart", () => {
    if (![...kept].some((id) => !shownSources(had).has(id))) return;
    kept.clear();
    const want = wanted();
    reconcile(map, had, want);
    had = want;
  });
  side.ready = Promise.all([drawn, symbolsLoaded]).then(() => {
    side.settled = true;
    side.follow();
    map.triggerRepaint(); // where nothing more is to be drawn, it comes to rest once more
  });
  return side;
}

function startCamera(view) {
  const { center = [0, 0], zoom = 2, pitch = 0, bearing = 0, bbox } = view.props.view ?? view.props.home ?? {};
  return bbox ? { bounds: [bbox.slice(0, 2), bbox.slice(2)], fitBoundsOptions: { padding: 40 }, pitch, bearing } : { center, zoom, pitch, bearing };
}

function makeClicks(view, sides, scene, tools) {
  const tell = (features, lngLat, extra) => view.emit({ click: { features, lngLat, t: Date.now(), ...extra } });
  return {
    at(side, point, lngLat) {
      const picked = scene.pick(point);
      const isMesh = picked && !picked.feature; // what lies beneath on the screen is not what the roof stands on
      const found = isMesh ? [] : under(side.map, side.layers(), point);
      if (picked?.feature) found.unshift(picked.feature);
      const place = picked?.coordinate ?? [lngLat.lng, lngLat.lat];
      tell(found, place, picked && { deck: picked.what });
    },
    clear() {
      if (view.props.tool) return tools.cancel();
      tell([], null);
      if (view.props.selection) view.emit({ selection: null });
      return undefined;
    },
  };
}

function listenPointer(view, side, clicks, tools) {
  const { map } = side;
  map.on("click", (e) => (view.props.tool ? tools.click(e) : clicks.at(side, e.point, e.lngLat)));
  map.on("dblclick", (e) => view.props.tool && (e.preventDefault(), tools.finish(e)));
  let waiting = 0;
  map.on("mousemove", (e) => {
    if (view.props.tool) return tools.move(e);
    if (waiting || e.originalEvent.buttons) return undefined;
    waiting = setTimeout(() => {
      waiting = 0;
      const [top] = view.records.idle ? under(map, side.layers(), e.point) : [];
      map.getCanvas().style.cursor = top ? "pointer" : "";
      view.chrome.tip(e.point, top?.title);
    }, 60);
    return undefined;
  });
  for (const type of ["mouseout", "movestart"]) map.on(type, () => view.chrome.tip(null, ""));
}

/** Name the map for those who hear it; again when the language changes. */
function nameCanvas(view, { map }, index) {
  const canvas = map.getCanvas();
  const help = canvas.parentElement.querySelector("p") ?? canvas.parentElement.appendChild(element("p", { class: "om-hidden" }));
  help.id = `${HELP}-${index}`;
  help.textContent = view.word("map_help");
  const { compare } = view.props;
  const name = compare ? `${view.word("map")} ${view.word("year", { year: index ? compare.right : compare.left })}` : view.word("map");
  for (const [key, value] of Object.entries({ role: "application", "aria-label": name, "aria-describedby": help.id })) canvas.setAttribute(key, value);
}

function listenKeys(view, side, clicks, tools) {
  const canvas = side.map.getCanvas();
  canvas.addEventListener("keydown", (e) => {
    const center = side.map.getCenter();
    const keys = {
      Enter: () => (view.props.tool ? tools.enter(center) : clicks.at(side, side.map.project(center), center)),
      Backspace: () => view.props.tool && tools.undo(),
      Escape: () => clicks.clear(),
    };
    if (!keys[e.key]) return;
    e.preventDefault();
    keys[e.key]();
  });
}

function reportIdle(view, sides) {
  const counts = settled(() => {
    const found = countInView(sides[0].map, sides[0].layers());
    if (!same(found, view.props.inView)) view.emit({ inView: found });
  }, 300);
  const nudge = settled(() => {
    for (const { map } of sides) if (map.loaded()) map.triggerRepaint();
    if (sides.length) nudge();
  }, NUDGE_MS);
  const busy = () => {
    if (view.records.idle) view.chrome.busy(true);
    view.records.idle = false;
    nudge();
  };
  return (side) => {
    busy(); // a side that has just come has drawn nothing yet
    side.map.on("render", busy);
    side.map.on("idle", () => {
      if (!sides.every((s) => s.settled && s.map.loaded())) return;
      view.records.idle = true;
      nudge.stop();
      view.chrome.busy(false);
      counts();
    });
  };
}

function engineOf(view, main, sides, swipe, scene, tools, faults) {
  const follow = () => sides.forEach((side) => side.follow());
  const name = () => sides.forEach((side, index) => nameCanvas(view, side, index));
  name();
  return {
    isFlat: false,
    drawn: main.drawn,
    bearing: () => main.map.getBearing(),
    metresPerPixel: () => (40075016.686 * Math.cos((main.map.getCenter().lat * Math.PI) / 180)) / (512 * 2 ** main.map.getZoom()),
    zoomBy: (step) => main.map.easeTo({ zoom: main.map.getZoom() + step, duration: 200 }),
    camera: (command) => look(view, main.map, command),
    update(fresh) {
      if (fresh.has("compare")) swipe.follow();
      if (fresh.has("compare") || fresh.has("words")) name();
      if (STYLED.some((key) => fresh.has(key))) follow();
      if (fresh.has("threeD")) scene.follow();
      if (fresh.has("camera") && view.props.camera) look(view, main.map, view.props.camera);
      if (fresh.has("tool") || fresh.has("drawn") || fresh.has("words")) tools.follow();
    },
    destroy() {
      faults.stop();
      sides.splice(0).forEach((side) => side.remove());
    },
  };
}

/** Tell whether an engine could not be made because the browser gives no WebGL. */
export const isWithoutGpu = (error) => error?.name === "GPUInitializationError";

/** Make the WebGL engine; rejects when MapLibre has not been built, or finds no WebGL. */
export async function makeEngine(view) {
  stylesheet(`${view.base}vendor/maplibre-gl.css`);
  const gl = await library;
  const box = element("div", { class: "om-map" });
  view.stage.prepend(box);
  const leftYear = () => view.props.compare?.left ?? view.props.year;
  const main = makeSide(view, gl, box, startCamera(view), leftYear);
  const sides = [main];
  const faults = (view.faults = makeFaults(view));
  const scene = makeScene(view, main, faults);
  const tools = makeTools(view, sides);
  const clicks = makeClicks(view, sides, scene, tools);
  const watch = reportIdle(view, sides);
  const join = (side) => {
    faults.watch(side.map);
    watch(side);
    listenPointer(view, side, clicks, tools);
    listenKeys(view, side, clicks, tools);
  };
  join(main);
  main.map.on("move", () => view.chrome.moved());
  tellView(view, main.map);
  const swipe = makeSwipe(view, sides, (container, year) => {
    const side = makeSide(view, gl, container, viewState(main.map), year);
    join(side);
    return side;
  });
  main.ready.then(() => {
    main.map.once("idle", () => view.emit({ ready: { ok: true, flat: false, version: gl.getVersion() }, viewState: viewState(main.map) }));
    swipe.follow();
    scene.follow();
    tools.follow();
  });
  return engineOf(view, main, sides, swipe, scene, tools, faults);
}
