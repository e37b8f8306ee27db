/* The light or dark that was chosen on the map, before anything is painted. */
{
  let chosen = null;
  try {
    chosen = JSON.parse(localStorage.getItem("onemap.theme"));
  } catch (error) {
    chosen = null; /* nothing may be kept here, or it is not ours */
  }
  const dark = chosen === null ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark";
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
