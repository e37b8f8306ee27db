// How much ground of each class is in view: asked once the map has come to rest, for every layer, so that a toggle asks nothing.
import { app } from "./common.mjs";
import { paintLegend } from "./paint.mjs";

const REST_MS = 250;
const MU_M2 = 2000 / 3;
let timer = 0;
let wanted = "";

/* The map has come to rest and shows `view`; turned or tilted it shows no rectangle. */
export function rest(view) {
  app.box = view.pitch || view.bearing ? null : view.bbox;
  askInView();
}

/* Ask where the answer at hand is not for what the map shows: moved, another year, the legend just unfolded. */
export function askInView() {
  const at = address();
  if (at === wanted) return;
  wanted = at;
  clearTimeout(timer);
  if (at) timer = setTimeout(() => fetchAreas(at), REST_MS);
}

/* The question for what the map shows; none where there is no legend to answer in, or two maps, or no rectangle. */
function address() {
  const { legend, compare, three, year } = app.state;
  if (!app.box || !legend || compare || three) return "";
  const [west, south, east, north] = app.box;
  return `${app.boot.below || ""}/api/v1/analysis/in-view?west=${west}&south=${south}&east=${east}&north=${north}${year ? `&year=${year}` : ""}`;
}

async function fetchAreas(at) {
  let areas = null; // where the server cannot say, the legend counts as before
  try {
    const answer = await fetch(at);
    if (answer.ok) ({ areas } = await answer.json());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  if (at !== wanted) return;
  app.ground = { at, areas };
  paintLegend();
}

/* The sums of a draw in view, by class: null where areas are not told, or are told for another year. */
function sumsOf(layer, draw) {
  const known = app.ground;
  if (!known || !known.areas || !wanted || yearOf(known.at) !== yearOf(wanted)) return null;
  return known.areas[layer]?.[draw] ?? null;
}

/* What is known of a class in view, {count, area_m2}, else null. */
export const groundOf = (layer, draw, value) => sumsOf(layer, draw)?.[value] ?? null;

/* Whether the ground of a draw is told, so that a class without any is not there. */
export const isTold = (layer, draw) => Boolean(sumsOf(layer, draw));

const yearOf = (at) => new URLSearchParams(at).get("year");

/* Whether the map has moved since the areas at hand were summed. */
export const isBehind = () => Boolean(app.ground && wanted && app.ground.at !== wanted);

/* An area as the legend has room for it: whole units from ten on. */
export function inUnits(areaM2) {
  const value = areaM2 / (app.boot.village.unit === "ha" ? 10000 : MU_M2);
  const places = value >= 10 ? 0 : value >= 1 ? 1 : 2;
  return Number(value.toFixed(places));
}
