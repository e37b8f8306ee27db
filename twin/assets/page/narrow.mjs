// A list narrows the map: the classes that hold none of its rows are hidden, and what was there before comes back.
import { edit, open, toggleLayer } from "./acts.mjs";
import { change } from "./address.mjs";
import { ask } from "./asking.mjs";
import { $, app } from "./common.mjs";

let before = null; // what the layer hid before: { layer, hidden }

const chip = () => document.querySelector("#list [data-hide]");
const shown = (layer) => app.state.layers.find((x) => x.id === layer);

/* Open a list and let the map follow it; `fit` brings all its rows into view. */
export function lookInto(list, fit) {
  widen();
  change({ list: Object.assign({ page: 0, sort: "" }, list) }, true);
  open("list", true);
  app.fitList = Boolean(fit);
  app.narrowList = true;
  ask("list", app.state.list);
}

/* Hide what the list at hand leaves out; its layer is switched on. */
export function narrow() {
  const found = chip();
  if (!found) return;
  const { layer, hide } = found.dataset;
  if (!shown(layer)) toggleLayer(layer, true);
  before = { layer, hidden: shown(layer).hidden };
  edit(layer, { visible: true, hidden: JSON.parse(hide) });
}

/* Give the map back what the list had hidden: what was hidden before, nothing where that is not known. */
export function widen() {
  const found = chip();
  if (found && inForce(found)) {
    const { layer } = found.dataset;
    edit(layer, { hidden: before && before.layer === layer ? before.hidden : [] });
  }
  before = null;
}

function inForce(found) {
  const now = shown(found.dataset.layer);
  return Boolean(now && JSON.parse(found.dataset.hide).every((x) => now.hidden.includes(x)));
}

/* The way back stands there while the map is narrowed. */
export function paintNarrow() {
  const found = chip();
  if (found && found.dataset.act === "widen") found.hidden = !inForce(found);
}

// ---- bars

const heard = new WeakSet(); // charts whose bars can be pressed

/* A chart comes when it likes; it is taken up when the pointer first meets it. */
document.addEventListener("pointerover", (event) => {
  const plot = event.target.closest && event.target.closest(".js-plotly-plot");
  if (!plot || !plot.on || heard.has(plot)) return;
  heard.add(plot);
  plot.on("plotly_click", ({ points }) => pressBar(plot.closest("[data-bars]").dataset, points[0]));
});

/* A bar does what its line in the table does. */
function pressBar({ bars, indicator }, point) {
  const code = point && point.customdata;
  if (!code) return;
  const line = bars === "year" ? `[data-act=year][data-year="${code}"]` : `[data-act=bar][data-indicator="${indicator}"][data-of="${CSS.escape(code)}"]`;
  document.querySelector(`#charts ${line}`).click();
}
