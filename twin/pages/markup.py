"""What an element of the page is: a small tree of tags, attributes and wordings that the browser draws in its language.

It is the only Python that knows how onemap.js draws: a tree travels as JSON, a `Text` in it becomes {"zh", "en"},
and a change of language redraws it without asking the server.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dash.development.base_component import Component

from twin.model import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

Node = Any
"""str, number, None, a Text, an element made by `el`, or a list of these."""

_RENAMED = {
    "class_": "className",
    "for_": "htmlFor",
    "tabindex": "tabIndex",
    "readonly": "readOnly",
    "maxlength": "maxLength",
    "autocomplete": "autoComplete",
    "spellcheck": "spellCheck",
    "enterkeyhint": "enterKeyHint",
    "inputmode": "inputMode",
    "colspan": "colSpan",
    "datetime_": "dateTime",
    "checked": "defaultChecked",
    "value": "defaultValue",
}
_KEEPS_VALUE = {"button", "option", "li", "meter", "progress", "data"}


def el(tag: str, *children: Node, **attributes: Any) -> dict[str, Any]:
    """Make an element; `class_`, `for_`, `data_x`, `aria_x` lose or change their underscore, None drops out."""
    attrs = {_attribute(tag, k): _plain(v) for k, v in attributes.items() if v is not None and v is not False}
    return {"e": tag, **({"a": attrs} if attrs else {}), **({"c": list(_flat(children))} if children else {})}


def icon(name: str, **attributes: Any) -> dict[str, Any]:
    """Draw the icon `name` of assets/icons.svg; it is decoration, the words beside it or a label say what it is."""
    kind = attributes.pop("class_", "")
    return el("svg", el("use", href=f"#i-{name}"), class_=f"icon {kind}".strip(), aria_hidden="true", **attributes)


@lru_cache(maxsize=2048)
def _attribute(tag: str, name: str) -> str:
    if name in {"value", "checked"} and tag in _KEEPS_VALUE:
        return name
    return _RENAMED.get(name) or name.rstrip("_").replace("_", "-")


def _plain(value: Any) -> Any:
    return {"zh": value.zh, "en": value.en} if isinstance(value, Text) else value


def _flat(children: Iterable[Node]) -> Iterable[Any]:
    for child in children:
        if isinstance(child, list | tuple):
            yield from _flat(child)
        elif child is not None and child is not False:
            yield _plain(child)


class Markup(Component):
    """Draw `tree` (made by `el`, or a list of such) in the page's language, inside one `tag` named by `label`."""

    _namespace = "onemap_page"
    _type = "Markup"
    _children_props: list[str] = []  # noqa: RUF012  Dash wants a list
    _base_nodes = ["children"]  # noqa: RUF012
    _prop_list = ("id", "tag", "tree", "className", "attributes")

    def __init__(self, tree: Node = None, *, label: Text | None = None, **props: Any) -> None:
        if label is not None:
            props["attributes"] = {"aria-label": _plain(label)}
        self._prop_names = list(self._prop_list)
        self.available_properties = self._prop_names
        self._valid_wildcard_attributes: list[str] = []
        self.available_wildcard_properties: list[str] = []
        super().__init__(tree=list(_flat([tree])), **props)


def drawn(*nodes: Node) -> list[Any]:
    """Give nodes as the value of a Markup's `tree`, for a callback to return."""
    return list(_flat(nodes))
