// Small ways to make elements and words; text is always text, never HTML.

/** Make an element: attributes by name, `on` listeners, children as elements or text. */
export function element(name, { on = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== null) made.setAttribute(key, value);
  for (const [type, listener] of Object.entries(on)) made.addEventListener(type, listener);
  made.append(...children);
  return made;
}

/** Put values into a sentence: fill("{year} 年", {year: 2025}). */
export function fill(sentence, values = {}) {
  return (sentence ?? "").replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** Load a style sheet once. */
export function stylesheet(href) {
  if (document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(element("link", { rel: "stylesheet", href }));
}

/** Tell whether the person asked the system for less motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Give a function that calls `call` once, `wait` ms after the last of a row of calls. */
export function settled(call, wait) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(call, wait);
  };
  later.stop = () => clearTimeout(timer);
  return later;
}
