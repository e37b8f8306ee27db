// What every part of the page shares: the one state, the words, and the smallest helpers.

export const app = {
  boot: null, // what the server told when the page opened
  isOpen: false, // whether Dash has drawn the page around the map
  state: null, // what the page shows
  asOf: "", // the moment as of which it shows it, as the address has it
  pushed: {}, // what the map was last given, by prop
  stars: new Set(), // favourite layers
  expanded: new Set(), // folded-out themes
  starsOnly: false,
  styleAt: "",
  inView: {},
  box: null, // the rectangle the map shows, degrees
  ground: null, // what lies in it, by layer, draw and class
  deck: { spec: null, about: null }, // what stands on the map in 3D, as pydeck wrote it
  deckFor: "",
  opener: null, // where the focus returns to
  unknown: [], // layers that the address names and nobody knows
  fitList: false,
  narrowList: false,
  fitFeature: false,
};

export const language = window.onemap_page.language;
export const $ = (id) => document.getElementById(id);
export const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
export const set = (id, props) => window.dash_clientside.set_props(id, props);
export const E = (e, a, ...c) => ({ e, a, c });
export const PHONE = window.matchMedia("(max-width: 699px)");
export const DOCKED = window.matchMedia("(min-width: 1440px)");
export const SHEETS = ["6rem", "50%", "calc(100% - 7.25rem)"];

/* The wording of a key, the one for a single thing where there is one. */
function wording(lang, key, values) {
  const words = app.boot.words[lang];
  return (values && String(values.n) === "1" && words[`${key}.one`]) || words[key];
}
export function t(key, values) {
  const text = wording(language.now, key, values);
  return text.replace(/\{(\w+)\}/g, (_, name) => (values && name in values ? values[name] : ""));
}
export const both = (key, values) => {
  const fill = (lang) =>
    wording(lang, key, values).replace(/\{(\w+)\}/g, (_, n) => {
      const v = values ? values[n] : "";
      return v && typeof v === "object" ? v[lang] : v;
    });
  return { zh: fill("zh"), en: fill("en") };
};
export const number = (value) => new Intl.NumberFormat(language.now === "en" ? "en" : "zh-CN").format(value);
export const layerOf = (id) => app.boot.layers.find((x) => x.id === id);
export const title = (id) => layerOf(id).title[language.now];

export const press = (el, on) => el && el.setAttribute("aria-pressed", String(Boolean(on)));
export const say = (id, text) => {
  const el = $(id);
  if (el && el.textContent !== text) el.textContent = text;
};

export function keep(name, value) {
  try {
    localStorage.setItem("onemap." + name, JSON.stringify(value));
  } catch (error) {
    if (error.name !== "SecurityError" && error.name !== "QuotaExceededError") throw error;
  }
}
export function kept(name, otherwise) {
  try {
    const text = localStorage.getItem("onemap." + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch (error) {
    return otherwise;
  }
}
