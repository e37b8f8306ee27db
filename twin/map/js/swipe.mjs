// Two years side by side: a second, camera-locked map uncovered by a handle that mouse, finger and keys can move.
import { element, settled } from "./dom.mjs";
import { icon } from "./icons.mjs";

const STEP = 5;
const MOVES = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -2 * STEP, PageUp: 2 * STEP, Home: -100, End: 100 };

function lock(a, b) {
  let busy = false;
  const tie = (from, to) => from.on("move", () => {
    if (busy) return;
    busy = true;
    to.jumpTo({ center: from.getCenter(), zoom: from.getZoom(), bearing: from.getBearing(), pitch: from.getPitch() });
    busy = false;
  });
  tie(a, b);
  tie(b, a);
}

function makeHandle(view, move) {
  const at = () => view.props.compare?.at ?? 50;
  const fromPointer = (e) => {
    const { left, width } = view.stage.getBoundingClientRect();
    move(((e.clientX - left) / width) * 100);
  };
  const handle = element("div", {
    class: "om-handle", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal",
    on: {
      keydown(e) {
        if (!(e.key in MOVES)) return;
        e.preventDefault();
        move(Number(handle.getAttribute("aria-valuenow") ?? at()) + MOVES[e.key]);
      },
      pointerdown(e) {
        handle.setPointerCapture(e.pointerId);
        handle.focus({ preventScroll: true });
        e.preventDefault();
      },
      pointermove: (e) => handle.hasPointerCapture(e.pointerId) && fromPointer(e),
    },
  }, element("span", { class: "om-grip" }, icon("drag")));
  return handle;
}

function makeParts(view, move) {
  const box = element("div", { class: "om-map om-second" });
  const handle = makeHandle(view, move);
  const left = element("div", { class: "om-year om-year-left" });
  const right = element("div", { class: "om-year om-year-right" });
  view.stage.querySelector(".om-map").after(box, left, right, handle);
  return { box, handle, left, right };
}

function place({ box, handle, left, right }, at) {
  box.style.clipPath = `inset(0 0 0 ${at}%)`;
  for (const part of [handle, left, right]) part.style.setProperty("--at", `${at}%`);
  handle.setAttribute("aria-valuenow", String(Math.round(at)));
}

function name(view, { handle, left, right }) {
  const { compare } = view.props;
  left.textContent = view.word("year", { year: compare.left });
  right.textContent = view.word("year", { year: compare.right });
  handle.setAttribute("aria-label", view.word("handle", compare));
  handle.setAttribute("aria-valuetext", `${handle.getAttribute("aria-valuenow")} %`);
}

/** Follow the prop `compare`; `makeSide(container, year)` makes the second map. */
export function makeSwipe(view, sides, makeSide) {
  let parts = null;
  let side = null;
  let now = 50;
  const tell = settled(() => view.props.compare && view.emit({ compare: { ...view.props.compare, at: now } }), 150);
  const move = (at) => {
    now = Math.min(100, Math.max(0, Math.round(at * 10) / 10));
    place(parts, now);
    name(view, parts);
    tell();
  };
  const open = () => {
    parts = makeParts(view, move);
    side = makeSide(parts.box, () => view.props.compare?.right ?? view.props.year);
    sides.push(side);
    lock(sides[0].map, side.map);
  };
  const close = () => {
    tell.stop();
    sides.splice(sides.indexOf(side), 1);
    side.remove();
    Object.values(parts).forEach((part) => part.remove());
    parts = side = null;
  };
  return {
    follow() {
      const { compare } = view.props;
      if (!compare) return void (side && close());
      if (!side) open();
      now = compare.at ?? 50;
      place(parts, now);
      name(view, parts);
    },
  };
}
