// Everything around the map picture: buttons, scale, date, notices, the tip beside the pointer.
import { element } from "./dom.mjs";
import { icon } from "./icons.mjs";

const GROUPS = [["zoom_in", "zoom_out", "home"], ["north", "three", "compare", "full"]];
const PICTURES = { zoom_in: "plus", zoom_out: "minus", home: "home", north: "north", three: "cube", compare: "split", full: "full" };
const CONTROL_OF = { zoom_in: "zoom", zoom_out: "zoom" };
const SCALE_WIDTH_PX = 120;
const METRES_PER_CSS_PX = 0.0254 / 96;

function niceLength(limit) {
  const power = 10 ** Math.floor(Math.log10(limit));
  return [5, 2, 1].map((n) => n * power).find((n) => n <= limit);
}

function significant(value, digits) {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(value)) - digits + 1);
  return Math.round(value / power) * power;
}

function actions(view) {
  const whole = view.root.closest("[data-map-fullscreen]") ?? view.root;
  return {
    zoom_in: () => view.engine.zoomBy(1),
    zoom_out: () => view.engine.zoomBy(-1),
    home: () => view.engine.camera({ kind: "home" }),
    north: () => view.engine.camera({ kind: "north" }),
    three: () => view.emit({ threeD: { ...view.props.threeD, on: !view.props.threeD?.on } }),
    compare: () => view.emit({ compare: view.props.compare ? null : { left: Math.min(...view.props.years), right: Math.max(...view.props.years), at: 50 } }),
    full: () => (document.fullscreenElement ? document.exitFullscreen() : whole.requestFullscreen()),
  };
}

function offers(view, name, flat) {
  const wanted = view.props.controls ?? ["zoom", "home", "north", "three", "compare", "full"];
  if (!wanted.includes(CONTROL_OF[name] ?? name)) return false;
  if (flat && ["north", "three", "compare"].includes(name)) return false;
  if (name === "compare") return (view.props.years ?? []).length > 1;
  return name !== "full" || document.fullscreenEnabled;
}

function makeButtons(view, flat) {
  const act = actions(view);
  const buttons = {};
  const groups = GROUPS.map((names) => {
    const made = names.filter((name) => offers(view, name, flat)).map((name) => {
      const picture = icon(PICTURES[name]);
      const parts = name === "north" ? [picture, element("span", { class: "om-north" })] : [picture];
      buttons[name] = element("button", { type: "button", class: `om-button om-${name}`, on: { click: act[name] } }, ...parts);
      return buttons[name];
    });
    return element("div", { class: "om-group", role: "group" }, ...made);
  });
  return { buttons, box: element("div", { class: "om-controls" }, ...groups.filter((g) => g.childElementCount)) };
}

function nameButtons(view, buttons) {
  for (const [name, button] of Object.entries(buttons)) {
    button.setAttribute("aria-label", view.word(name));
    button.title = view.word(name);
  }
  buttons.three?.setAttribute("aria-pressed", String(Boolean(view.props.threeD?.on)));
  buttons.compare?.setAttribute("aria-pressed", String(Boolean(view.props.compare)));
  buttons.north?.querySelector(".om-north").replaceChildren(view.word("north_mark"));
}

function drawScale(view, parts) {
  const perPixel = view.engine.metresPerPixel();
  if (!perPixel) return;
  const length = niceLength(perPixel * SCALE_WIDTH_PX);
  const far = length >= 1000;
  parts.bar.style.width = `${length / perPixel}px`;
  parts.length.textContent = `${far ? length / 1000 : length} ${view.word(far ? "kilometres" : "metres")}`;
  const format = new Intl.NumberFormat(view.word("language"), { useGrouping: true });
  parts.ratio.textContent = `1:${format.format(significant(perPixel / METRES_PER_CSS_PX, 2)).replace(/,/g, " ")}`;
}

function drawTexts(view, parts) {
  const { stamp, year, compare, attribution, padding = {} } = view.props;
  const title = stamp?.title ?? (year ? view.word("year", { year }) : "");
  parts.stamp.hidden = Boolean(compare) || !title;
  parts.stamp.replaceChildren(element("b", {}, title), element("span", {}, stamp?.note ?? ""));
  parts.attribution.textContent = attribution ?? "";
  parts.attribution.hidden = !attribution;
  for (const side of ["left", "right", "top", "bottom"]) view.stage.style.setProperty(`--om-${side}`, `${padding?.[side] ?? 0}px`);
}

function makeParts() {
  const bar = element("i", { class: "om-bar" });
  const length = element("span", { class: "om-length" });
  const ratio = element("span", { class: "om-ratio" });
  return {
    bar, length, ratio,
    stamp: element("div", { class: "om-stamp" }),
    scale: element("div", { class: "om-scale", role: "img" }, bar, length, ratio),
    attribution: element("div", { class: "om-attribution" }),
    notices: element("div", { class: "om-notices", role: "status" }),
    busy: element("div", { class: "om-busy", hidden: "" }),
    tip: element("div", { class: "om-tip", "aria-hidden": "true", hidden: "" }),
    cross: element("div", { class: "om-cross", "aria-hidden": "true" }),
  };
}

function noticeBoard(view, box) {
  const said = new Map();
  return {
    say(kind, text, action) {
      const known = said.get(kind);
      if (known?.dataset.text === text) return;
      const note = element("div", { class: "om-notice", "data-kind": kind, "data-text": text }, element("span", {}, text));
      if (action) note.append(element("button", { type: "button", class: "om-retry", on: { click: action } }, view.word("retry")));
      if (known) known.replaceWith(note);
      else box.append(note);
      said.set(kind, note);
    },
    unsay(kind) {
      said.get(kind)?.remove();
      said.delete(kind);
    },
  };
}

function tipAt(view, tip) {
  return (point, text) => {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const left = point.x + tip.offsetWidth + 24 > view.stage.clientWidth ? point.x - tip.offsetWidth - 14 : point.x + 14;
    tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, point.y - 30)}px)`;
  };
}

/** Make the frame of the map; `attach` joins it to the engine once there is one. */
export function makeChrome(view) {
  const parts = makeParts();
  const corner = element("div", { class: "om-corner" }, parts.scale, parts.attribution);
  const { say, unsay } = noticeBoard(view, parts.notices);
  view.stage.append(parts.stamp, corner, parts.notices, parts.busy, parts.cross, parts.tip);
  let controls = { buttons: {} };
  let waiting = 0;
  const chrome = {
    say, unsay,
    tip: tipAt(view, parts.tip),
    busy(on) {
      clearTimeout(waiting);
      if (on) waiting = setTimeout(() => (parts.busy.hidden = false), 300);
      else parts.busy.hidden = true;
    },
    moved() {
      drawScale(view, parts);
      controls.buttons.north?.firstChild.style.setProperty("transform", `rotate(${-view.engine.bearing()}deg)`);
    },
    attach(engine) {
      controls = makeButtons(view, engine.isFlat);
      view.stage.prepend(controls.box);
      chrome.update();
      chrome.moved();
    },
    update() {
      nameButtons(view, controls.buttons);
      parts.busy.textContent = view.word("loading");
      parts.scale.setAttribute("aria-label", view.word("scale"));
      drawTexts(view, parts);
      if (view.engine) drawScale(view, parts);
    },
    destroy: () => clearTimeout(waiting),
  };
  chrome.busy(true);
  parts.busy.textContent = view.word("loading");
  return chrome;
}
