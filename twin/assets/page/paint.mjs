// The state made visible: one function that may be called at any time.
import { toggleLayer } from "./acts.mjs";
import { $, PHONE, SHEETS, all, app, kept, layerOf, number, press, say, t } from "./common.mjs";
import { askInView, groundOf, inUnits, isBehind, isTold } from "./inview.mjs";
import { askDeck, fit, mapProps, older, toMap } from "./map.mjs";
import { narrow, paintNarrow } from "./narrow.mjs";

export function paint() {
  const isListed = Boolean($("active")); // who may see no layer has a word there instead
  if (!app.isOpen || !(isListed || $("nothing"))) return;
  const root = document.documentElement;
  root.dataset.side = app.state.side ? "open" : "closed";
  root.dataset.tab = app.state.tab;
  root.dataset.sheet = app.state.sheet;
  root.style.setProperty("--sheet", app.state.sheet === "map" ? "0px" : SHEETS[app.state.height]);
  if (isListed) paintMenu();
  if (isListed) paintActive();
  paintFoot();
  paintTabs();
  paintLegend();
  paintNarrow();
  paintChosen();
  fitBars();
  press(document.querySelector("[data-act=elder]"), root.dataset.elder === "on");
  press(document.querySelector("[data-act=dark]"), root.dataset.theme === "dark");
  const listed = app.state.side && app.state.tab === "list" && app.state.list ? app.state.list.id : "";
  all("[data-act=kpi]").forEach((el) => press(el, el.dataset.indicator === listed));
  askDeck();
  toMap(mapProps());
}

/* Leave out what the bar and the foot can spare until they fit: words before numbers, numbers before buttons. */
export function fitBars() {
  const root = document.documentElement;
  const bar = document.querySelector(".bar");
  const foot = document.querySelector(".foot");
  const over = (el) => el.scrollWidth > el.clientWidth + 1 || Array.from(el.children).some((x) => x.scrollWidth > x.clientWidth + 1);
  delete root.dataset.tight;
  delete root.dataset.snug;
  if (PHONE.matches) return;
  const narrow = () => over(bar) || $("search-field").offsetWidth < 190;
  for (let step = 1; step <= 6 && narrow(); step += 1) root.dataset.tight = String(step);
  if (over(foot)) root.dataset.snug = "1";
}

export function paintMenu() {
  const on = new Set(app.state.layers.map((x) => x.id));
  const wanted = ($("filter").value || "").trim().toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (x) => wanted.every((w) => x.find.includes(w)) && (!app.starsOnly || app.stars.has(x.id));
  const narrowed = wanted.length > 0 || app.starsOnly;
  all("[data-act=base]").forEach((el) => (el.checked = el.dataset.layer === app.state.base));
  all("[data-act=theme]").forEach((el) => press(el, el.dataset.theme === app.state.theme));
  press(document.querySelector("[data-act=only-stars]"), app.starsOnly);
  let left = 0;
  for (const layer of app.boot.layers.filter((x) => !x.base)) {
    const row = document.querySelector(`[data-layer-row="${layer.id}"]`);
    const match = matches(layer);
    left += match ? 1 : 0;
    row.hidden = !match;
    row.querySelector("input").checked = on.has(layer.id);
    const star = row.querySelector("[data-act=star]");
    press(star, app.stars.has(layer.id));
  }
  for (const group of all("[data-group]")) {
    const theme = group.dataset.group;
    const rows = all("[data-layer-row]", group);
    const open = narrowed ? rows.some((r) => !r.hidden) : app.expanded.has(theme);
    group.hidden = narrowed && !rows.some((r) => !r.hidden);
    const head = group.querySelector("[data-act=fold]");
    head.setAttribute("aria-expanded", String(open));
    $("theme-" + theme).hidden = !open;
    const n = rows.filter((r) => on.has(r.dataset.layerRow)).length;
    group.querySelector("[data-shown]").textContent = n ? t("shown", { n }) : "";
  }
  $("none-found").hidden = !narrowed || left > 0;
  say("filter-said", narrowed ? t("found", { n: left }) : "");
}

/** Let the buttons that have nowhere to move to rest; who stood on one stands on its neighbour then, for the browser would
    put him at the top of the page. */
function rest(raise, lower, i, last) {
  const had = [raise, lower].find((x) => x === document.activeElement);
  raise.disabled = i === 0;
  lower.disabled = i === last;
  if (had?.disabled) (had === raise ? lower : raise).focus();
}

export function paintActive() {
  const list = $("active");
  app.state.layers.forEach((x, i) => {
    const row = document.querySelector(`[data-row="${x.id}"]`);
    if (list.children[i] !== row) {
      const had = row.contains(document.activeElement) ? document.activeElement : null;
      list.insertBefore(row, list.children[i] || null);
      if (had) had.focus();
    }
    row.hidden = false;
    row.classList.toggle("off", !x.visible);
    press(row.querySelector("[data-act=eye]"), x.visible);
    row.querySelector("[data-act=eye] use").setAttribute("href", x.visible ? "#i-eye" : "#i-eye-off");
    const slider = row.querySelector("[data-act=opacity]");
    const percent = Math.round(x.opacity * 100);
    if (Number(slider.value) !== percent) slider.value = percent;
    slider.style.setProperty("--at", `${percent}%`);
    row.querySelector("output").textContent = `${percent}%`;
    rest(row.querySelector("[data-act=raise]"), row.querySelector("[data-act=lower]"), i, app.state.layers.length - 1);
    const note = row.querySelector("[data-note]");
    const year = older(x.id);
    note.hidden = !year;
    note.textContent = year ? t("no_edition", { asked: app.state.year, shown: year }) : "";
  });
  const on = new Set(app.state.layers.map((x) => x.id));
  all("[data-row]").forEach((row) => (row.hidden = !on.has(row.dataset.row)));
  $("active-count").textContent = String(app.state.layers.length);
  $("active-none").hidden = app.state.layers.length > 0;
  all("[data-act=clear]").forEach((el) => (el.disabled = !app.state.layers.length));
}

export function paintFoot() {
  say("year", app.state.year ? String(app.state.year) : "–");
  const shown = app.state.layers.filter((x) => x.visible);
  all("[data-act=year]").forEach((el) => {
    const year = Number(el.dataset.year);
    press(el, year === app.state.year);
    el.classList.toggle("has", shown.some((x) => layerOf(x.id).years.includes(year)) || (layerOf(app.state.base) || { years: [] }).years.includes(year));
  });
  all("[data-act=earlier]").forEach((el) => (el.disabled = !app.boot.years.some((y) => y < app.state.year)));
  all("[data-act=later]").forEach((el) => (el.disabled = !app.boot.years.some((y) => y > app.state.year)));
  all("[data-act=tool]").forEach((el) => press(el, el.dataset.tool === app.state.tool));
  press(document.querySelector("[data-act=compare]"), app.state.compare);
  press(document.querySelector("[data-act=three]"), app.state.three);
}

export function paintTabs() {
  all("[role=tab]").forEach((el) => {
    const on = el.dataset.tab === app.state.tab;
    el.setAttribute("aria-selected", String(on));
    el.tabIndex = on ? 0 : -1;
    $("panel-" + el.dataset.tab).hidden = !on;
  });
  all("[data-act=sheet]").forEach((el) => press(el, el.dataset.sheet === app.state.sheet));
}

export function paintLegend() {
  if (!app.state || !$("legend-body")) return;
  $("legend-head").setAttribute("aria-expanded", String(app.state.legend));
  $("legend-body").hidden = !app.state.legend;
  askInView();
  $("legend-body").classList.toggle("behind", isBehind());
  const visible = app.state.layers.filter((x) => x.visible);
  all("[data-legend]").forEach((section) => {
    const layer = visible.find((x) => x.id === section.dataset.legend);
    section.hidden = !layer;
    if (!layer) return;
    const counts = app.inView[layer.id];
    all("[data-class]", section).forEach((row) => paintClass(row, layer, counts));
    all("[data-draw]", section).forEach((group) => (group.hidden = !all("li", group).some((li) => !li.hidden)));
  });
  $("legend-none").hidden = visible.length > 0;
}

export function paintClass(row, layer, counts) {
  const value = row.dataset.class;
  const off = layer.hidden.includes(value);
  const n = counts ? counts[value] || 0 : null;
  const draw = row.closest("[data-draw]").dataset.draw;
  const ground = groundOf(layer.id, draw, value);
  const isThere = (off || n !== 0) && (ground || !isTold(layer.id, draw));
  row.hidden = value !== "" && !isThere;
  row.classList.toggle("off", off);
  paintAmount(row.querySelector(".amount"), value === "" ? 0 : n, ground);
  const eye = row.querySelector("[data-act=class]");
  if (!eye) return;
  press(eye, !off);
  eye.querySelector("use").setAttribute("href", off ? "#i-eye-off" : "#i-eye");
}

/* Ground is told by its area, things by their number. */
export function paintAmount(box, n, ground) {
  const unit = app.boot.village.unit === "ha" ? "ha" : "mu";
  box.textContent = ground ? t(unit, { n: number(inUnits(ground.area_m2)) }) : n ? number(n) : "";
  box.title = ground ? t("pieces", { n: number(ground.count) }) : "";
}

/* The list behind a number is on the map too: its layer is switched on and all its rows are in view. */
export function showAll(d) {
  if (d.layer && !layerOf(d.layer).base && !app.state.layers.some((x) => x.id === d.layer && x.visible)) toggleLayer(d.layer, true);
  fit(d.fit);
}

export function paintList() {
  const count = $("list-count");
  const told = document.querySelector("#list [data-total]");
  if (count) count.textContent = told ? number(Number(told.dataset.total)) : "";
  const box = document.querySelector("#list [data-fit]");
  if (box && app.fitList) showAll(box.dataset);
  if (app.narrowList) narrow();
  app.fitList = app.narrowList = false;
  paintNarrow();
  paintChosen();
}

/* The row of what is selected is marked. */
export function paintChosen() {
  const chosen = app.state.selection;
  all("#list [data-act=row]").forEach((el) => {
    const same = chosen && el.dataset.table === chosen.table && el.dataset.id === chosen.id;
    el.closest("tr").classList.toggle("chosen", Boolean(same));
  });
}

export function paintFeature() {
  const place = document.querySelector("#feature [data-act=locate]");
  if (place && app.fitFeature) fit(place.dataset.bbox);
  if (place) app.fitFeature = false;
  const liked = kept("features", []);
  all("[data-act=star-feature]").forEach((el) =>
    press(el, liked.some((x) => x.id === el.dataset.id && x.table === el.dataset.table)),
  );
}
