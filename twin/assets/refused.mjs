/* The quarantine desk's conveniences: filters that send themselves, arrows through the rows, pins that answer to rows.
   Without it every link, filter and form works as it is. */
const $ = (id) => document.getElementById(id);
document.documentElement.dataset.script = "on";

$("refused-filters")?.addEventListener("change", () => document.querySelector("form.find").requestSubmit());

document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-row]");
  if (row && !event.target.closest("a, button, input, summary") && !String(getSelection())) {
    row.querySelector("a.name").click();
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get") {
    for (const field of form.elements) if (!field.value) field.disabled = true;
    setTimeout(() => [...form.elements].forEach((field) => (field.disabled = false)));
    return;
  }
  if (form.dataset.sent) event.preventDefault(); /* pressed twice */
  form.dataset.sent = "on";
  setTimeout(() => delete form.dataset.sent, 2000);
});

const names = () => [...document.querySelectorAll("#refused-table a.name")];

function lit(row) {
  for (const pin of document.querySelectorAll(".pin.lit")) pin.classList.remove("lit");
  const link = row?.querySelector("a.name")?.getAttribute("href");
  if (link) document.querySelector(`.pin[href="${CSS.escape(link)}"]`)?.classList.add("lit");
}

document.addEventListener("mouseover", (event) => lit(event.target.closest("tr[data-row]")));
document.addEventListener("focusin", (event) => lit(event.target.closest("tr[data-row]")));

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  const types = at?.matches("input, textarea, select");
  if (event.key === "/" && !types) {
    event.preventDefault();
    $("refused-q").focus();
  } else if (event.key === "Escape" && $("sheet-close")) {
    event.preventDefault();
    $("sheet-close").click();
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && (!types || at.id === "refused-q") && !at?.closest(".over")) {
    const all = names();
    const here = all.indexOf(at?.closest?.("tr")?.querySelector("a.name"));
    const next = all[here < 0 ? 0 : here + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
});

/* A page is loaded anew for each row: where one was, one goes on. */
const open = new URLSearchParams(location.search).get("row");
if (document.querySelector(".wrong, #faults")) document.querySelector(".wrong, #faults").scrollIntoView({ block: "nearest" });
if (open) $("sheet-title")?.focus();
else if (sessionStorage.getItem("refused-row")) $(`row-${sessionStorage.getItem("refused-row")}`)?.focus();
if (open) sessionStorage.setItem("refused-row", open);
else sessionStorage.removeItem("refused-row");
