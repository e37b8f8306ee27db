/* The press that prints a page; where scripts are off, the PDF is there. */
document.documentElement.dataset.script = "on";
const press = document.getElementById("report-print");
if (press) {
  press.hidden = false;
  press.addEventListener("click", () => print());
}
