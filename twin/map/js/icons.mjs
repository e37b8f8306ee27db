// The pictures on the map's own buttons, drawn for this product on a 24 × 24 grid.

const STROKES = {
  plus: ["M12 5v14", "M5 12h14"],
  minus: ["M5 12h14"],
  home: ["M3.5 11.5 12 4.5l8.5 7", "M6 9.8V19.5h4.2v-5.2h3.6v5.2H18V9.8"],
  north: ["M12 3 6.5 19 12 15.6 17.5 19Z"],
  cube: ["M12 3.2 19.5 7.4v9.2L12 20.8 4.5 16.6V7.4Z", "M4.8 7.6 12 11.7l7.2-4.1", "M12 11.7v8.8"],
  split: ["M12 3.5v17", "M9 6H4.5v12H9", "M15 6h4.5v12H15", "M6.5 12H9", "M15 12h2.5"],
  full: ["M4.5 9V4.5H9", "M15 4.5h4.5V9", "M19.5 15v4.5H15", "M9 19.5H4.5V15"],
  leave: ["M9 4.5V9H4.5", "M19.5 9H15V4.5", "M15 19.5V15h4.5", "M4.5 15H9v4.5"],
  drag: ["M9 7 4.5 12 9 17", "M15 7l4.5 5L15 17"],
};
const SVG = "http://www.w3.org/2000/svg";

/** Give one button picture as an SVG element that takes the colour of its text. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const shape = { viewBox: "0 0 24 24", width: 22, height: 22, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-linecap": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(shape)) svg.setAttribute(key, value);
  for (const d of STROKES[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
