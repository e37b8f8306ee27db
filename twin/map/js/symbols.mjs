// Draws map symbols from their names ("icon-tree-1b6e3c", "hatch-diagonal-c8102e"); there is no sprite to fetch.

const RATIO = 2;
const ICON_PX = 24;
const INKS = ["#FFFFFF", "#0E1A1F"];
const LEAST = 3;
const NAME = /^(icon|hatch)-([a-z]+)-([0-9a-f]{6})$/i;
let symbols = { plates: {}, icons: {}, hatches: {} };

/** Settled when the drawings' data are there; nothing is drawn from them before. */
export const symbolsLoaded = fetch(new URL("../symbols.json", import.meta.url))
  .then((answer) => answer.json())
  .then((found) => (symbols = found));

function canvasOf(size) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(size * RATIO);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.scale(RATIO, RATIO);
  pen.lineCap = "round";
  pen.lineJoin = "round";
  return [canvas, pen];
}

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Give the ink that is seen on a plate of `colour`: white as far as it can be read (3 : 1), else dark. */
export const inkOn = (colour) => INKS[1.05 / (luminance(colour) + 0.05) >= LEAST ? 0 : 1];

function drawIcon(shape, colour) {
  const [plate, ...strokes] = symbols.icons[shape] ?? symbols.icons.circle;
  const [canvas, pen] = canvasOf(ICON_PX + 2);
  pen.translate(1, 1);
  const ground = new Path2D(symbols.plates[plate]);
  pen.strokeStyle = inkOn(colour);
  pen.lineWidth = 2.4;
  pen.stroke(ground);
  pen.fillStyle = colour;
  pen.fill(ground);
  pen.lineWidth = 1.7;
  for (const d of strokes) pen.stroke(new Path2D(d));
  return canvas;
}

function drawHatch(kind, colour) {
  const { size, width, paths } = symbols.hatches[kind] ?? symbols.hatches.diagonal;
  const [canvas, pen] = canvasOf(size);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  for (const d of paths) pen.stroke(new Path2D(d));
  return canvas;
}

/** Add the image called `id` to `map`; a name of another form gets an empty image, so that nothing waits for it. */
export function drawSymbol(map, id) {
  if (map.hasImage(id)) return;
  const [, form, shape, colour] = NAME.exec(id) ?? [];
  const canvas = !form ? canvasOf(1)[0] : (form === "icon" ? drawIcon : drawHatch)(shape, `#${colour}`);
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  map.addImage(id, { width, height, data }, { pixelRatio: RATIO });
}
