// Questions to the server, what waits for an answer, and the notices about it.
import { firstList } from "./acts.mjs";
import { $, E, app, both, language, set } from "./common.mjs";
import { paint, paintFeature, paintList } from "./paint.mjs";
import { showFound } from "./search.mjs";

export const asked = {};
export const waiting = {};
let asks = 0;

export function ask(name, question) {
  asks += 1;
  const data = Object.assign({}, question, {
    language: language.now === "en" ? "en" : "zh-CN",
    year: app.state.year,
    dark: document.documentElement.dataset.theme === "dark",
    seq: asks,
  });
  asked[name] = question;
  busy(name, true);
  clearTimeout(waiting[name]);
  waiting[name] = setTimeout(() => late(name), 10000);
  set("ask-" + name, { data });
}

export const PLACES = { feature: "feature", overlay: "feature", list: "list", charts: "charts", search: "found" };

export function busy(name, on) {
  const place = $(PLACES[name]);
  if (!place) return;
  place.setAttribute("aria-busy", String(on));
}

export function late(name) {
  busy(name, false);
  ping();
  if (!PLACES[name]) return;
  const again = E("button", { type: "button", className: "button", "data-act": "retry", "data-ask": name }, both("retry"));
  const said = E("div", { className: "state failed", role: "alert" }, E("p", { className: "state-why" }, both("late")), again);
  if (name === "charts") set("charts-head", { tree: [said] });
  else set(PLACES[name], { tree: [said] });
}

document.addEventListener("onemap:answered", (event) => {
  const id = event.detail === "charts-head" ? "charts" : event.detail;
  for (const name in PLACES) {
    if (PLACES[name] === id) {
      clearTimeout(waiting[name]);
      busy(name, false);
    }
  }
});

document.addEventListener("onemap:drawn", (event) => {
  if (!app.state) return;
  if (event.detail === "found") showFound();
  else if (event.detail === "list") paintList();
  else if (event.detail === "feature") paintFeature();
  else if (["menu", "bar", "foot", "legend", "tabs", "phone-tabs"].includes(event.detail)) paint();
});

/* The answer for the third dimension has come. */
export const standing = () => clearTimeout(waiting.deck);

/* Ask again for what is open, after the language, the year or the theme of colours has changed. */
export function askAgain() {
  if (app.state.selection) ask("feature", asked.feature || app.state.selection);
  if (app.state.side && app.state.tab === "charts") askCharts();
  if (app.state.list && (app.state.tab === "list" || asked.list)) ask("list", app.state.list);
}

export const askCharts = () => ask("charts", { theme: app.state.theme });

export function restore() {
  if (app.state.selection) ask("feature", app.state.selection);
  if (app.state.list) ask("list", app.state.list);
  if (app.state.side && app.state.tab === "charts") askCharts();
  if (app.state.side && app.state.tab === "list" && !app.state.list) firstList();
}

export const notices = new Map();
export function notice(id, tone, text, action, ms) {
  notices.set(id, { id, tone, text, action });
  paintNotices();
  if (ms) setTimeout(() => hush(id), ms);
}
export function hush(id) {
  if (notices.delete(id)) paintNotices();
}
export function paintNotices() {
  const icon = (name) => E("svg", { className: "icon", "aria-hidden": "true" }, E("use", { href: "#i-" + name }));
  const tree = [...notices.values()].map((n) =>
    E(
      "div",
      { key: n.id, className: `notice ${n.tone}`, role: n.tone === "danger" ? "alert" : "status" },
      icon(n.tone === "danger" ? "offline" : "info"),
      E("span", {}, n.text),
      n.action ? E("button", { type: "button", className: "button", "data-act": n.action.act }, n.action.word) : null,
      E("button", { type: "button", className: "icon-button", "data-act": "hush", "data-notice": n.id, "aria-label": both("hush") }, icon("close")),
    ),
  );
  set("notices", { tree });
}

let down = false;
let pinging = 0;
/* Look after the connection: every half minute, and at once when the browser says that it changed. */
export function watch() {
  pinging = setTimeout(ping, 30000);
  window.addEventListener("offline", ping);
  window.addEventListener("online", ping);
}
export function ping() {
  clearTimeout(pinging);
  const again = () => (pinging = setTimeout(() => (document.hidden && !down ? again() : ping()), down ? 3000 : 30000));
  const lost = () => {
    if (!down) notice("down", "danger", both("down", { at: app.boot.at }), null);
    down = true;
    again();
  };
  fetch("/health", { cache: "no-store" }).then((answer) => {
    if (answer.status >= 502) return lost();
    if (down) {
      hush("down");
      notice("up", "plain", both("up"), null, 4000);
      down = false;
      askAgain();
    }
    again();
  }, lost);
}
