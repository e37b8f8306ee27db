/* The second of our Dash components: draws the trees that twin/pages/markup.py makes, in the language of the page.
   A tree is text, {zh, en}, {e: tag, a: attributes, c: children} or a list of these. No HTML strings anywhere. */
(function () {
  "use strict";
  const heard = new Set();
  const language = {
    now: "zh",
    set(next) {
      language.now = next;
      heard.forEach((tell) => tell(next));
    },
  };

  const said = (value) => (value && typeof value === "object" && "zh" in value ? value[language.now] : value);

  function attributes(given, key) {
    const found = { key };
    for (const name in given) found[name] = said(given[name]);
    return found;
  }

  const make = (...parts) => window.React.createElement(...parts); // Dash brings React after this

  function draw(node, key) {
    if (node === null || node === undefined || typeof node === "boolean") return null;
    if (Array.isArray(node)) return node.map(draw);
    if (typeof node !== "object") return node;
    if ("zh" in node) return said(node);
    return make(node.e, attributes(node.a, key), ...(node.c || []).map(draw));
  }

  function Markup(props) {
    const React = window.React;
    const [, redraw] = React.useState(language.now);
    React.useEffect(() => {
      heard.add(redraw);
      return () => heard.delete(redraw);
    }, []);
    const tell = (event) => () => void document.dispatchEvent(new CustomEvent(event, { detail: props.id }));
    React.useEffect(tell("onemap:answered"), [props.tree]);
    React.useEffect(tell("onemap:drawn"), [props.tree, language.now]);
    const place = Object.assign({ id: props.id, className: props.className }, attributes(props.attributes));
    return make(props.tag || "div", place, ...(props.tree || []).map(draw));
  }

  window.onemap_page = { Markup, language };
})();
