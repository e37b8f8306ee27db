// The search box: asking while one types, choosing with the keyboard, going there.
import { pickBase, select, toggleLayer } from "./acts.mjs";
import { ask } from "./asking.mjs";
import { $, E, PHONE, all, app, both, kept, layerOf, set } from "./common.mjs";
import { fit } from "./map.mjs";

let typing = 0;
let sought = "";

export function typed(box) {
  clearTimeout(typing);
  const text = box.value.trim();
  if (!text) return hideFound();
  typing = setTimeout(() => {
    if (text !== sought || $("found").hidden) {
      sought = text;
      ask("search", { text });
    }
  }, 280);
}

/* With nothing typed yet, the favourites are offered. */
export function offerStarred() {
  const liked = kept("features", []);
  if (!liked.length) return;
  const option = (x, i) =>
    E(
      "div",
      { role: "option", id: `option-${i}`, "aria-selected": "false", "data-act": "go", "data-kind": "star", "data-layer": x.layer, "data-table": x.table, "data-id": x.id, "data-bbox": x.bbox },
      E("svg", { className: "icon", "aria-hidden": "true" }, E("use", { href: "#i-star" })),
      E("span", { className: "hit" }, x.title),
      E("span", { className: "why" }, x.id),
    );
  const head = E("div", { className: "group", role: "presentation" }, both("starred"));
  set("found", { tree: [E("div", { role: "listbox", "aria-label": both("starred") }, E("div", { role: "group" }, head, ...liked.slice(0, 8).map(option)))] });
}
document.addEventListener("focusin", (event) => {
  if (app.state && event.target.id === "search" && !event.target.value.trim()) offerStarred();
});

export function showFound() {
  const box = $("search");
  const list = $("found");
  const field = $("search-field");
  if (!box || !list) return;
  const offered = box.value.trim() || list.querySelector("[data-kind=star]");
  const shown = Boolean(list.childElementCount && offered && document.activeElement === box);
  list.hidden = !shown;
  box.setAttribute("aria-expanded", String(shown));
  if (!shown) return;
  const at = field.getBoundingClientRect();
  list.style.left = `${at.left}px`;
  list.style.top = `${at.bottom + 4}px`;
  list.style.width = `${Math.max(at.width, Math.min(420, window.innerWidth - 24))}px`;
  mark(0);
}

export function hideFound(keepText) {
  $("found").hidden = true;
  const box = $("search");
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
  sought = "";
  if (!keepText) box.value = "";
  delete document.documentElement.dataset.finding;
}

export const options = () => all("#found [role=option]");
export function mark(index) {
  const found = options();
  if (!found.length) return;
  const at = (index + found.length) % found.length;
  found.forEach((el, i) => el.setAttribute("aria-selected", String(i === at)));
  $("search").setAttribute("aria-activedescendant", found[at].id);
  found[at].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (!app.state || event.target.id !== "search" || $("found").hidden) return;
  const found = options();
  const at = found.findIndex((el) => el.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") mark(at + 1);
  else if (event.key === "ArrowUp") mark(at - 1);
  else if (event.key === "Enter" && found[at]) goTo(found[at]);
  else return;
  event.preventDefault();
});
document.addEventListener("focusout", (event) => {
  if (event.target.id !== "search") return;
  setTimeout(() => {
    if (document.activeElement === $("search") || $("found").contains(document.activeElement)) return;
    $("found").hidden = true;
    delete document.documentElement.dataset.finding;
  }, 150);
});
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("#found")) event.preventDefault();
});

export function goTo(el) {
  const d = el.dataset;
  hideFound();
  if (d.kind === "layer") {
    const layer = layerOf(d.layer);
    if (layer.base) pickBase(d.layer);
    else {
      app.expanded.add(layer.theme);
      toggleLayer(d.layer, true);
      const row = document.querySelector(`[data-layer-row="${d.layer}"] input`);
      if (row && !PHONE.matches) row.focus();
    }
    return;
  }
  if (d.layer && !layerOf(d.layer).base && !app.state.layers.some((x) => x.id === d.layer && x.visible)) {
    app.state.layers = app.state.layers.filter((x) => x.id !== d.layer);
    toggleLayer(d.layer, true);
  }
  if (d.bbox) fit(d.bbox);
  app.opener = $("search");
  select(d, { from: "search" });
  $("tab-feature").focus();
}
