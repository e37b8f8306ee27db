// One map view: holds the props, chooses the engine, and passes changes on; made once and alive as long as the page.
import { element, fill } from "./dom.mjs";
import { makeChrome } from "./chrome.mjs";
import { same } from "./reconcile.mjs";

const records = { maps: [], idle: false, errors: [], made: 0 };

function hasWebgl2() {
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(context);
}

let engineModule = null;

/** Fetch the engine this browser can run; once, and before the page asks for its map. */
export function warm() {
  engineModule ??= import(hasWebgl2() ? "./gl.mjs" : "./flat.mjs");
  return engineModule;
}

function makeView(root, base, read) {
  const stage = element("div", { class: "om-stage" });
  root.replaceChildren(stage);
  const view = { root, stage, base, records, props: read(), engine: null };
  view.emit = (values) => read().setProps(values);
  view.word = (key, values) => fill(view.props.words[key] ?? key, values);
  return view;
}

function changed(before, now) {
  return new Set(Object.keys({ ...before, ...now }).filter((key) => key !== "setProps" && !same(before[key], now[key])));
}

async function start(view) {
  const { makeEngine } = await warm();
  const engine = await makeEngine(view);
  view.engine = engine;
  view.chrome.attach(engine);
  if (engine.isFlat) view.chrome.say("flat", view.word("flat"));
}

/** Make the map inside `root` as soon as it has a style; rejects when the built libraries are missing. */
export async function mount(root, base, read, fail) {
  window.__onemap = records;
  const view = makeView(root, base, read);
  view.chrome = makeChrome(view);
  let started = null;
  let gone = false;
  const begin = async () => {
    await start(view);
    if (gone) view.engine.destroy();
    else handle.update(read());
  };
  const handle = {
    update(props) {
      const fresh = changed(view.props, props);
      view.props = props;
      if (!started && props.mapStyle) started = begin().catch(fail);
      if (!fresh.size || !view.engine) return;
      view.engine.update(fresh);
      view.chrome.update(fresh);
    },
    destroy() {
      gone = true;
      view.chrome.destroy();
      view.engine?.destroy();
      root.replaceChildren();
    },
  };
  await warm();
  return handle;
}
