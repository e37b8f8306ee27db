"""The third step of a new source: whose it is, how it is shared, which columns are personal; no machine knows that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.markup import el
from twin.pages.newcomer_parts import drop
from twin.pages.plain import button, field, form
from twin.text import catalogue, words

if TYPE_CHECKING:
    from twin.api.newcomer_view import NewView
    from twin.pages.markup import Node
    from twin.runs.newcomers import Newcomer

CLASSES = ("public", "internal", "personal", "sensitive", "state-secret")
SHARES = ("unconditional", "conditional")
OPEN = ("开放", "依申请开放", "不开放")
CYCLES = ("每年", "每半年", "每季度", "每月", "每周", "每日", "实时", "不定期")


def asked(view: NewView, one: Newcomer) -> Node:
    """Ask what only people know."""
    columns = one.found["columns"]
    suspect = [(n, c) for n, c in enumerate(columns) if c["sensitivity"] and not _skipped(one, c)]
    others = [(n, c) for n, c in enumerate(columns) if not c["sensitivity"] and not _skipped(one, c)]
    title = next((f["value"] for f in one.found["facts"] if f["what"] == "title"), "") or one.name.rpartition(".")[0]
    now = _answers(view, one)
    return [
        form(
            view,
            "/data/new/answers",
            el(
                "section",
                el("h2", words("page.new.whose")),
                el("div",
                   _select(view, "department", view.departments, now, required=True),
                   _text("title_zh", now, title[:60], required=True),
                   _text("title_en", now, ""),
                   _select(view, "theme", view.themes, now, required=True),
                   _select(view, "update_cycle", {c: words(f"page.new.cycle_{c}") for c in CYCLES}, now, required=True),
                   class_="fields"),
                el("div",
                   _radio("share_type", SHARES, now),
                   _radio("open_attr", OPEN, now),
                   class_="fields"),
                el("div",
                   _text("share_condition", now, ""),
                   _text("legal_basis", now, "", required=True),
                   _text("contact_person", now, ""),
                   _text("contact_phone", now, ""),
                   class_="fields"),
            ),
            el(
                "section",
                el("h2", words("page.new.personal")),
                el("p", words("page.new.personal_why" if suspect else "page.new.personal_none"), class_="muted"),
                el("ul", [_class_of(n, c, now, suspected=True) for n, c in suspect], class_="classed"),
                _select(view, "rest", {c: words(f"page.new.class_{c}") for c in CLASSES[:2]}, now, required=True),
                el("details", el("summary", words("page.new.one_by_one", n=len(others))),
                   el("ul", [_class_of(n, c, now) for n, c in others], class_="classed")) if others else None,
                el("label", el("input", type="checkbox", name="sure", value="yes", required=True, id="sure"),
                   el("span", words("page.new.personal_sure")), class_="tick"),
            ),
            button(words("page.new.preview"), id="preview"),
            entry=one.id,
        ),
        drop(view, one),
    ]  # fmt: skip


def _skipped(one: Newcomer, column: Mapping[str, Any]) -> bool:
    return bool(one.answers.get("columns", {}).get(column["source"], {}).get("skip"))


def _answers(view: NewView, one: Newcomer) -> Mapping[str, Any]:
    return {**one.answers, **view.given}


def _text(name: str, now: Mapping[str, Any], fallback: str, *, required: bool = False) -> Node:
    why = words(f"page.new.{name}_why") if f"page.new.{name}_why" in catalogue("zh-CN") else None
    value = str(now.get(name) or fallback)
    return field(words(f"page.new.{name}"), name, value=value or None, maxlength=120, required=required, why=why)


def _select(
    view: NewView, name: str, choices: Mapping[str, Any], now: Mapping[str, Any], *, required: bool = False
) -> Node:
    del view
    chosen = str(now.get(name, ""))
    listed = [el("option", t, value=k, selected=k == chosen) for k, t in choices.items()]
    inside = [el("option", words("page.new.choose"), value=""), *listed]
    return field(words(f"page.new.{name}"), name, tag="select", inside=inside, required=required)


def _radio(name: str, choices: tuple[str, ...], now: Mapping[str, Any]) -> Node:
    listed = [
        el("label", el("input", type="radio", name=name, value=c, required=True, checked=now.get(name) == c),
           el("span", words(f"page.new.{name}_{c}")), class_="tick")
        for c in choices
    ]  # fmt: skip
    return el("fieldset", el("legend", words(f"page.new.{name}")), listed)


def _class_of(number: int, column: Mapping[str, Any], now: Mapping[str, Any], *, suspected: bool = False) -> Node:
    said = now.get("columns", {}).get(column["source"], {}) if isinstance(now.get("columns"), Mapping) else {}
    chosen = said.get("sensitivity") or (column["sensitivity"] if suspected else "")
    first = el("option", words("page.new.class_rest" if not suspected else "page.new.class_none"), value="")
    options = [el("option", words(f"page.new.class_{c}"), value=c, selected=c == chosen) for c in CLASSES]
    why = [Text(*column["why"][-1])] if suspected else []
    name = f"class-{number}"
    return el(
        "li",
        el("label", column["source"], for_=name),
        el("select", first, options, name=name, id=name),
        el(
            "small",
            ["、".join(column["examples"]), " · ", why] if suspected else "、".join(column["examples"]),
            class_="muted",
        ),
    )
