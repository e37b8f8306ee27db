/* The data team's table without reloading: links and forms of the page are asked for and their parts put in place. */
const PARTS = ["data-states", "data-told", "data-silent", "data-filters", "data-all", "data-table", "data-sheet", "rerun"];
const POLL_MS = 2000;
const SLOWEST_MS = 15000;
const TOAST_MS = 8000;
const $ = (id) => document.getElementById(id);
let asked = 0;
let waiting = 0;
let timer = 0;
let pace = POLL_MS;

document.documentElement.dataset.script = "on";

/* Put the parts of an answered page in place, keeping what is focused, scrolled and half typed. */
function put(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!page.getElementById("data-table")) return false;
  const focused = document.activeElement?.id;
  const over = document.querySelector(".over .body");
  const map = $("map");
  const scrolled = { page: scrollY, over: over?.scrollTop || 0, title: $("sheet-title")?.textContent };
  for (const id of PARTS) {
    const [old, now] = [$(id), page.getElementById(id)];
    if (old && now) old.replaceWith(document.adoptNode(now));
  }
  keepMap(map);
  document.title = page.title;
  const lang = [document, page].map((d) => d.querySelector("a.lang"));
  if (lang[0] && lang[1]) lang[0].replaceWith(document.adoptNode(lang[1]));
  scrollTo(0, scrolled.page);
  const body = document.querySelector(".over .body");
  if (body && $("sheet-title").textContent === scrolled.title) body.scrollTop = scrolled.over;
  if (focused && document.activeElement?.id !== focused) $(focused)?.focus({ preventScroll: true });
  watch();
  return true;
}

/* The map of the sheet stays where it is the same one; one that has gone lets its drawing go. */
function keepMap(had) {
  const now = $("map");
  const same = had && now && ["layer", "extent"].every((k) => had.dataset[k] === now.dataset[k]);
  if (same) now.replaceWith(had);
  else if (had) had.dispatchEvent(new Event("gone"));
  drawMap();
}

async function drawMap() {
  if ($("map")) (await import("./data-map.mjs")).draw($("map"));
}

/* Say what a cadence that is being typed means, and when it would next be due. */
async function meant(typed) {
  const lang = document.documentElement.lang === "en" ? "&lang=en" : "";
  try {
    const answer = await fetch(`/data/cadence?cadence=${encodeURIComponent(typed)}${lang}`);
    if (!answer.ok || $("cadence")?.value !== typed) return;
    const { said, next, wrong } = await answer.json();
    $("cadence-said").textContent = wrong || said;
    $("cadence-said").classList.toggle("wrong", Boolean(wrong));
    $("cadence").setAttribute("aria-invalid", String(Boolean(wrong)));
    $("cadence-next").replaceChildren(...(next || []).map((d) => Object.assign(document.createElement("li"), { textContent: d })));
    $("cadence-none").hidden = Boolean(wrong || next.length);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/* Ask for an address of this page; what was asked before it and comes later is let go. */
async function go(address, { replace = false, quiet = false, ...how } = {}) {
  const mine = ++asked;
  const table = $("data-table");
  if (!quiet) waiting = setTimeout(() => table.setAttribute("aria-busy", "true"), 150);
  try {
    const answer = await fetch(address, { credentials: "same-origin", ...how });
    const text = await answer.text();
    if (mine !== asked) return;
    const html = (answer.headers.get("content-type") || "").startsWith("text/html");
    if (!html || !put(text)) return location.assign(how.method === "POST" ? location.href : address);
    const here = new URL(answer.url);
    for (const name of ["done", "was"]) here.searchParams.delete(name);
    if (!quiet && here.pathname === "/data") history[replace ? "replaceState" : "pushState"](null, "", here);
    toast();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; /* the line is cut */
    say(navigator.language.startsWith("zh") ? "连不上服务,请稍后重试" : "The service cannot be reached");
  } finally {
    clearTimeout(waiting);
    $("data-table")?.removeAttribute("aria-busy");
  }
}

function say(text) {
  const told = $("data-told");
  const line = Object.assign(document.createElement("p"), { className: "wrong", textContent: text });
  line.setAttribute("role", "alert");
  told.replaceChildren(line);
}

function toast() {
  const told = $("data-told");
  const done = told.querySelector(".done");
  if (done) setTimeout(() => told.isConnected && told.replaceChildren(), TOAST_MS);
}

/* Open or close the sheet with the focus where it belongs. */
async function follow(link) {
  const opens = link.closest("tr") || link.closest(".tabs");
  const back = link.id === "sheet-close" ? link.dataset.row : "";
  await go(link.href);
  if (back) $(`row-${back}`)?.focus();
  else if (opens?.matches("tr")) $("sheet-title")?.focus();
  const at = new URL(link.href).hash.slice(1);
  if (at) $(at)?.scrollIntoView();
}

/* Ask what moves, more slowly the longer nothing does; when something has ended, ask for the page once. */
function watch() {
  clearTimeout(timer);
  const rows = [...document.querySelectorAll("tr[data-moving]")];
  if (!rows.length) {
    pace = POLL_MS;
    return;
  }
  timer = setTimeout(() => look(rows.map((r) => r.dataset.resource)), pace);
}

async function look(names) {
  if (document.hidden) return watch();
  const lang = document.documentElement.lang === "en" ? "&lang=en" : "";
  let moving = null;
  try {
    const answer = await fetch(`/data/live?r=${names.map(encodeURIComponent).join(",")}${lang}`);
    moving = answer.ok ? (await answer.json()).moving : null;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  if (moving === null) {
    pace = Math.min(pace * 2, SLOWEST_MS);
    return watch();
  }
  let ended = false;
  let changed = false;
  for (const name of names) {
    const row = document.querySelector(`tr[data-resource="${CSS.escape(name)}"]`);
    const now = moving[name];
    if (!now || now.phase === "done" || now.phase === "failed") ended = true;
    else if (row && $(`phase-${name}`).textContent !== now.said) {
      changed ||= row.dataset.moving !== now.phase || now.phase === "running";
      row.dataset.moving = now.phase;
      $(`phase-${name}`).textContent = now.said;
    }
  }
  pace = changed || ended ? POLL_MS : Math.min(pace * 1.3, SLOWEST_MS);
  if (ended) await go(location.href, { quiet: true });
  else watch();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("main a[href^='/data']");
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (link && plain && new URL(link.href).pathname === "/data") {
    event.preventDefault();
    follow(link);
    return;
  }
  const row = event.target.closest("tr[data-resource]");
  if (row && !event.target.closest("a, button, input") && !String(getSelection())) follow(row.querySelector("a.name"));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get" && !form.action.endsWith("/data")) return;
  event.preventDefault();
  const sent = new URLSearchParams(new FormData(form, event.submitter));
  if (form.method === "get" && form.action.endsWith("/data")) {
    go(`/data?${[...sent].filter(([, v]) => v).map((p) => p.map(encodeURIComponent).join("=")).join("&")}`);
    return;
  }
  if (form.dataset.sent) return; /* pressed twice */
  form.dataset.sent = "on";
  const button = event.submitter;
  const row = button?.closest("tr");
  if (row) row.dataset.moving = "asked";
  if (button) button.setAttribute("aria-disabled", "true");
  pace = POLL_MS;
  go(form.action, { method: "POST", body: sent, replace: true }).finally(() => delete form.dataset.sent);
});

let typing = 0;
document.addEventListener("input", (event) => {
  if (event.target.id === "cadence" && !event.isComposing) {
    clearTimeout(typing);
    typing = setTimeout(() => meant(event.target.value), 250);
  }
  if (event.target.id !== "data-q" || event.isComposing) return;
  clearTimeout(typing);
  typing = setTimeout(() => find(), 250);
});
document.addEventListener("compositionend", (event) => event.target.id === "data-q" && find());
document.addEventListener("change", (event) => event.target.closest("#data-filters") && find());

function find() {
  const form = document.querySelector("form.find");
  const told = [...new FormData(form)].filter(([, v]) => v);
  go(`/data?${new URLSearchParams(told)}`, { replace: true });
}

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  const types = at?.matches("input, textarea, select");
  if (event.key === "/" && !types) {
    event.preventDefault();
    $("data-q").focus();
    $("data-q").select();
  } else if (event.key === "Escape" && $("sheet-close")) {
    event.preventDefault();
    follow($("sheet-close"));
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && (!types || at.id === "data-q")) {
    const names = [...document.querySelectorAll("#data-table a.name")];
    const here = names.indexOf(at.closest?.("tr")?.querySelector("a.name"));
    const inTable = here >= 0 || at.id === "data-q" || at === document.body;
    if (!inTable || !names.length) return;
    event.preventDefault();
    const next = here < 0 ? 0 : here + (event.key === "ArrowDown" ? 1 : -1);
    (names[next] || (next < 0 ? $("data-q") : names[here])).focus();
  }
});

addEventListener("popstate", () => go(location.href, { quiet: true }));
toast();
drawMap();
watch();
