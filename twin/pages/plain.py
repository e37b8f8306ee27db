"""Pages that need no script: the trees of `markup` written as HTML on the server, in one language, in one frame."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from twin.pages.markup import el
from twin.text import in_, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from twin.accounts import Account
    from twin.api.views import Common
    from twin.model import Text
    from twin.pages.markup import Node

VOID = frozenset({"input", "br", "hr", "img", "link", "meta"})
WRITTEN = {
    "className": "class",
    "htmlFor": "for",
    "defaultValue": "value",
    "defaultChecked": "checked",
    "autoComplete": "autocomplete",
    "maxLength": "maxlength",
    "minLength": "minlength",
    "inputMode": "inputmode",
    "spellCheck": "spellcheck",
    "readOnly": "readonly",
    "dateTime": "datetime",
    "colSpan": "colspan",
    "tabIndex": "tabindex",
    "enterKeyHint": "enterkeyhint",
}
"""How an attribute is written in HTML that `markup` names as the browser's side wants it."""
SHEETS = ("tokens.css", "signin.css", "office.css")


def html(node: Node, language: str) -> str:
    """Write a tree as HTML; every text and every attribute is escaped."""
    if node is None or node is False:
        return ""
    if isinstance(node, list | tuple):
        return "".join(html(n, language) for n in node)
    if not isinstance(node, dict) or "e" not in node:
        return escape(_said(node, language))
    tag = node["e"]
    attributes = "".join(_attribute(k, v, language) for k, v in node.get("a", {}).items())
    if tag in VOID:
        return f"<{tag}{attributes}>"
    return f"<{tag}{attributes}>{html(node.get('c', []), language)}</{tag}>"


def _attribute(name: str, value: Any, language: str) -> str:
    name = WRITTEN.get(name, name)
    return f" {name}" if value is True else f' {name}="{escape(_said(value, language))}"'


def _said(value: Any, language: str) -> str:
    """Give a text in the language; a wording has become {"zh", "en"} in its tree."""
    if isinstance(value, dict):
        return str(value["en" if language == "en" else "zh"])
    return str(in_(value, language))


def frame(
    view: Common,
    title: Text,
    main: Iterable[Node],
    *,
    wide: bool = False,
    again_s: int = 0,
    kind: str = "",
    sheets: Sequence[str] = (),
    scripts: Sequence[str] = (),
) -> str:
    """Write a whole page: the bar with the village's name, the way back to the map, the other language; then `main`.

    With `again_s` the browser asks for the page again after so many seconds. `kind` is a class of its main part; a page
    whose policy lets them run may have `scripts`, without which it works all the same.
    """
    language = view.language
    linked = [el("link", rel="stylesheet", href=f"/assets/{name}") for name in (*SHEETS, *sheets)]
    run = [el("script", src=f"/assets/{name}", type="module") for name in scripts]
    run += [el("script", src="/assets/theme.mjs")] if scripts else []
    head = [
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="robots", content="noindex"),
        el("meta", http_equiv="refresh", content=str(again_s)) if again_s else None,
        el("title", f"{in_(title, language)} · {in_(view.village, language)}"),
        el("link", rel="icon", href="/assets/favicon.svg", type="image/svg+xml"),
        *linked,
        *run,
    ]
    body = [_bar(view), el("main", el("h1", title), list(main), class_=kind or ("wide" if wide else None))]
    written = html([el("head", head), el("body", body)], language)
    return f'<!DOCTYPE html>\n<html lang="{escape(language)}">{written}</html>'


def _bar(view: Common) -> Node:
    home = "/?lang=en" if view.language == "en" else "/"
    other = "zh-CN" if view.language == "en" else "en"
    return el(
        "header",
        el(
            "a",
            el("svg", el("use", href="/assets/icons.svg#i-layers"), class_="mark", aria_hidden="true"),
            el("span", view.village, class_="village"),
            el("span", words("page.sign.to_map"), class_="back"),
            href=home,
            class_="brand",
        ),
        el("span", words("page.bar.demo"), class_="tag") if view.demo else None,
        el(
            "a",
            words("page.sign.lang"),
            href="?" + urlencode({**view.kept, "lang": other}),
            class_="lang",
            hreflang=other,
        ),
        class_="bar",
    )


def form(view: Common, action: str, *inside: Node, **hidden: str) -> Node:
    """Make a form of ours: with what proves that it is, and the language to answer in."""
    kept = {"csrf": view.csrf, "lang": view.language, **hidden}
    return el(
        "form",
        [el("input", type="hidden", name=name, value=value) for name, value in kept.items() if value],
        list(inside),
        method="post",
        action=action,
        class_=f"at-{action.partition('#')[0].strip('/').replace('/', '-')}",
    )


def file_form(view: Common, action: str, *inside: Node, **hidden: str) -> Node:
    """Make a form of ours that carries a file."""
    made: Any = form(view, action, *inside, **hidden)
    return {**made, "a": {**made["a"], "enctype": "multipart/form-data"}}


def field(
    label: Text,
    name: str,
    *,
    why: Text | None = None,
    tag: str = "input",
    inside: Sequence[Node] = (),
    send: str = "",
    **attributes: Any,
) -> Node:
    """Make a labelled field, sent as `send` where that is not its name; `why` stands under it and is read with it."""
    told = f"{name}-why"
    box = el(tag, *inside, id=name, name=send or name, aria_describedby=told if why else None, **attributes)
    return el("p", el("label", label, for_=name), box, el("small", why, id=told) if why else None, class_="field")


def button(label: Text, *, kind: str = "main", **attributes: Any) -> Node:
    """Make the button that sends a form."""
    return el("button", label, type="submit", class_=kind, **attributes)


def notices(view: Common, *done: Text | None) -> list[Node]:
    """Say what was refused, and what was done."""
    said = [el("p", text, role="status", class_="done") for text in done if text is not None]
    if view.typed:
        said.append(el("p", words("page.sign.typed_before"), role="status", class_="must"))
    if view.error is not None:
        wrong = view.error.en if view.language == "en" else view.error.zh
        said.append(el("p", wrong, role="alert", class_="wrong"))
    return said


def role(name: str) -> Text:
    """Give the name of a role."""
    return words(f"page.sign.role.{name}")


def called(account: Account) -> str:
    """Give what a person is called."""
    return account.called


def area(view: Common, one: Account) -> Text:
    """Say where an account holds: by name where the village knows the code, else by the code."""
    if one.grid:
        return words("page.sign.grid", code=one.grid)
    if not one.prefix:
        return words("page.sign.area_all")
    return view.places.get(one.prefix) or words("page.sign.area", code=one.prefix)


def moment(at: datetime, zone: str) -> str:
    """Write a moment on the village's clock, as 2025-11-21 10:32."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
