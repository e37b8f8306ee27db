/* What only the browser knows of the one-map page lives in page/*.mjs; this is its door to Dash: one function to open the
   page, one for each thing the map tells, one for what stands on it in 3D. */
(function () {
  "use strict";
  const main = import(new URL("page/main.mjs", document.currentScript.src));
  const TOLD = ["click", "viewState", "drawn", "measured", "ready", "error", "inView", "compare", "threeD", "selection", "tool"];

  function later(name) {
    return (...values) => {
      main.then((page) => page[name](...values));
      return window.dash_clientside.no_update;
    };
  }

  const heard = Object.fromEntries(TOLD.map((prop) => ["map_" + prop, (value) => later("hear")(prop, value)]));
  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    onemap: { start: later("open"), deck: later("stand"), ...heard },
  });
})();
