/* Registers the Dash component. React, which Dash has loaded, only gives it a place and its props; the map itself is
   made once by the modules in js/. */
(function () {
  "use strict";
  const base = new URL(".", document.currentScript.src).href;
  const React = window.React;
  const view = import(base + "js/view.mjs"); // fetched while Dash is still asking for its layout
  view.then((module) => module.warm()).catch(() => {});

  // dcc.Graph takes plotly from the address named here: the smallest bundle, served by us, when a chart first appears.
  Object.defineProperty(window, "_dashPlotlyJSURL", { get: () => base + "vendor/charts.js", set: () => {} });

  // A library that was never built and a fault of ours are different things; the page says which.
  function sayWhy(root, props, error) {
    const missing = /module/.test(String(error)) && error instanceof TypeError;
    const note = document.createElement("p");
    note.className = "om-missing";
    note.setAttribute("role", "status");
    note.textContent = missing ? props.words.missing : props.words.broken + String(error);
    root.replaceChildren(note);
    if (!missing) console.error(error);
    props.setProps({ ready: { ok: false, reason: missing ? "missing" : "broken", message: String(error) } });
  }

  function OneMapView(props) {
    const root = React.useRef(null);
    const made = React.useRef(null);
    const latest = React.useRef(props);
    latest.current = props;
    React.useEffect(function () {
      let gone = false;
      function fail(error) {
        if (!gone) sayWhy(root.current, latest.current, error);
      }
      view
        .then((module) => (gone ? null : module.mount(root.current, base, () => latest.current, fail)))
        .then((handle) => {
          made.current = handle;
          if (gone && handle) handle.destroy();
          else if (handle) handle.update(latest.current);
        })
        .catch(fail);
      return function () {
        gone = true;
        if (made.current) made.current.destroy();
      };
    }, []);
    React.useEffect(function () {
      if (made.current) made.current.update(props);
    });
    return React.createElement("div", {
      id: props.id, ref: root, className: "onemap", style: props.style, "data-theme": props.theme || "light",
    });
  }

  window.onemap_map = { OneMapView };
})();
