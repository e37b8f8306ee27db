// What the page hears: presses, changes, keys and the pull at a phone's sheet; what they do stands in acts.mjs.
import { acts } from "./acts.mjs";
import { change } from "./address.mjs";
import { $, all, app } from "./common.mjs";
import { paint } from "./paint.mjs";
import { hideFound, typed } from "./search.mjs";

const CHANGES = new Set(["layer", "base"]);
const INPUTS = new Set(["opacity", "filter", "search"]);

document.addEventListener("click", (event) => {
  const el = event.target.closest && event.target.closest("[data-act]");
  if (!app.state || !el || CHANGES.has(el.dataset.act) || INPUTS.has(el.dataset.act)) return;
  if (el.tagName === "A") event.preventDefault();
  acts[el.dataset.act](el);
});
document.addEventListener("change", (event) => {
  const el = event.target;
  if (app.state && CHANGES.has(el.dataset.act)) acts[el.dataset.act](el);
});
document.addEventListener("input", (event) => {
  const el = event.target;
  if (!app.state || !INPUTS.has(el.dataset.act)) return;
  if (el.dataset.act === "search") typed(el);
  else acts[el.dataset.act](el);
});
document.addEventListener(
  "close",
  (event) => {
    if (event.target.tagName === "DIALOG" && app.opener) app.opener.focus();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  if (!app.state) return;
  const tab = event.target.closest && event.target.closest("[role=tab]");
  if (tab && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    const tabs = all("[role=tab]");
    const next = tabs[(tabs.indexOf(tab) + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length];
    next.click();
    next.focus();
    event.preventDefault();
  }
  if (event.key === "Escape") escape(event);
});

/* Esc closes the topmost thing only: results, then a filter, then a tool, then the panel. */
function escape(event) {
  if (document.querySelector("dialog[open]")) return;
  if (!$("found").hidden && $("found").childElementCount) return hideFound(true);
  if (event.target.id === "filter" && event.target.value) {
    event.target.value = "";
    return paint();
  }
  if (event.target.closest("#map")) return;
  if (app.state.tool) return change({ tool: null });
  if (event.target.closest("#side") || app.state.side) {
    acts["close-side"]();
    if (app.opener && app.opener.isConnected) app.opener.focus();
    else $("map-region").focus();
  }
}

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest && event.target.closest("#grip");
  if (!grip || !app.state) return;
  const from = event.clientY;
  const up = (end) => {
    document.removeEventListener("pointerup", up);
    const by = from - end.clientY;
    if (Math.abs(by) < 24) return;
    const height = Math.max(0, Math.min(2, app.state.height + (by > 0 ? 1 : -1)));
    grip.addEventListener("click", (click) => click.stopPropagation(), { once: true, capture: true });
    change({ height });
  };
  document.addEventListener("pointerup", up);
});
