// One map view: holds the props, chooses the engine, and passes changes on; made once and alive as long as the page.
// A page may open it before Dash is there (`open`); the Dash component then takes it over as it stands (`mount`).
import { element, fill } from "./dom.mjs";
import { makeChrome } from "./chrome.mjs";
import { same } from "./reconcile.mjs";

const records = { maps: [], idle: false, errors: [], made: 0 };

let engineModule = null;

/** Fetch the WebGL engine; once, and before the page asks for its map. */
export function warm() {
  engineModule ??= import("./gl.mjs");
  return engineModule;
}

/** Make the WebGL engine, or the flat one where the browser gives no WebGL: asking beforehand would take a second context. */
async function makeEngine(view) {
  const { makeEngine: make, isWithoutGpu } = await warm();
  try {
    return await make(view);
  } catch (error) {
    if (!isWithoutGpu(error)) throw error;
    view.stage.querySelector(".om-map")?.remove();
    const flat = await import("./flat.mjs");
    return flat.makeEngine(view);
  }
}

function makeView(root, base, read, fail) {
  const stage = element("div", { class: "om-stage om-opening" });
  root.replaceChildren(stage);
  const view = { root, stage, base, records, props: read(), engine: null, read, fail };
  view.emit = (values) => view.read().setProps(values);
  view.word = (key, values) => fill(view.props.words[key] ?? key, values);
  return view;
}

function changed(before, now) {
  return new Set(Object.keys({ ...before, ...now }).filter((key) => key !== "setProps" && !same(before[key], now[key])));
}

async function start(view) {
  const engine = await makeEngine(view);
  view.engine = engine;
  view.chrome.attach(engine);
  if (engine.isFlat) view.chrome.say("flat", view.word("flat"));
}

async function make(root, base, read, fail) {
  window.__onemap = records;
  const view = makeView(root, base, read, fail);
  view.chrome = makeChrome(view);
  let started = null;
  let gone = false;
  let showed;
  const drawn = new Promise((resolve) => (showed = resolve));
  drawn.then(() => view.stage.classList.remove("om-opening"));
  const begin = async () => {
    await start(view);
    if (gone) view.engine.destroy();
    else handle.update(view.read());
    view.engine.drawn.then(showed);
  };
  const handle = {
    drawn, // settled when a layer is to be seen, or none will be
    update(props) {
      if (view.props.mapStyle && !props.mapStyle) return; // a component just born, that has not been told yet
      const fresh = changed(view.props, props);
      view.props = props;
      if (!started && props.mapStyle) started = begin().catch((error) => (showed(), view.fail((view.failed = error))));
      if (!fresh.size || !view.engine) return;
      view.engine.update(fresh);
      view.chrome.update(fresh);
    },
    move(to, asked, failed) {
      to.replaceChildren(view.stage);
      Object.assign(view, { root: to, read: asked, fail: failed });
      if (view.failed) failed(view.failed);
    },
    destroy() {
      gone = true;
      view.chrome.destroy();
      view.engine?.destroy();
      view.root.replaceChildren();
    },
  };
  await warm();
  return handle;
}

let opened = null;

/** Make the map inside `root` before anybody else has asked for it; whoever mounts one next is given this one. */
export function open(root, base, read, fail) {
  opened = make(root, base, read, fail);
  return opened;
}

/** Give the map that stands open, moved into `root`, or make one there as soon as it has a style; rejects when the
    built libraries are missing. */
export async function mount(root, base, read, fail) {
  const waiting = opened;
  opened = null;
  if (!waiting) return make(root, base, read, fail);
  const handle = await waiting;
  handle.move(root, read, fail);
  return handle;
}
