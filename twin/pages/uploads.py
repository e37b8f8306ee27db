"""The page of one's own files: a form that takes one, what was kept of each, the room left, a press that deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.model import Text
from twin.pages.markup import el
from twin.pages.plain import button, file_form, form, frame, moment, notices
from twin.text import number, words
from twin.uploads import kinds
from twin.uploads.quota import MB

if TYPE_CHECKING:
    from twin.api.uploads_view import UploadsView
    from twin.pages.markup import Node
    from twin.uploads.shelf import Upload

DONE = frozenset({"sent", "deleted"})


def uploads(view: UploadsView) -> str:
    """Write the page of one's own files."""
    fresh = next((u for u in view.files if u.id == view.fresh), None)
    done = words(f"page.uploads.done_{view.done}") if view.done in DONE else None
    made = _made(fresh) if view.done == "sent" and fresh else None
    top = [el("p", words("page.uploads.lead"), class_="muted"), *notices(view, done, made)]
    return frame(view, words("page.office.uploads"), [*top, _asks(view), _room(view), _files(view)], wide=True)


def _asks(view: UploadsView) -> Node:
    picked = el(
        "input", type="file", id="file", name="file", required=True, accept=kinds.ACCEPTED, aria_describedby="file-why"
    )
    sent = file_form(
        view,
        "/uploads/send",
        el(
            "p",
            el("label", words("page.uploads.file"), for_="file"),
            picked,
            el("small", words("page.uploads.file_why", **_facts()), id="file-why"),
            class_="field",
        ),
        button(words("page.uploads.send"), id="send"),
    )
    return el("section", el("h2", words("page.uploads.new")), sent)


def _facts() -> dict[str, Text]:
    return {kind: _n(size >> 20) for kind, size in kinds.MOST_BYTES.items()}


def _room(view: UploadsView) -> Node:
    """Say how much of a day's and of all one's room is used, by number and by a bar."""
    used, most = view.used, view.most
    kept = words("page.uploads.kept", count=_n(used.count), most=_n(most.count), mb=_mb(used.bytes), of=_mb(most.bytes))
    sent = words(
        "page.uploads.sent", count=_n(len(used.sent)), most=_n(most.day_count), mb=_mb(used.day_bytes),
        of=_mb(most.day_bytes),
    )  # fmt: skip
    shares = (
        (kept, max(used.count / most.count, used.bytes / most.bytes)),
        (sent, max(len(used.sent) / most.day_count, used.day_bytes / most.day_bytes)),
    )
    rows = [el("p", said, _bar(said, share), class_="field") for said, share in shares]
    return el("section", el("h2", words("page.uploads.room")), rows, id="room")


def _bar(said: Text, share: float) -> Node:
    return el("meter", min="0", max="1", value=f"{min(1.0, share):.2f}", high="0.8", aria_label=said)


def _files(view: UploadsView) -> Node:
    if not view.files:
        return el("section", el("h2", words("page.uploads.mine")), el("p", words("page.uploads.none")), id="mine")
    heads = [words(f"page.uploads.{k}") for k in ("what", "made", "at", "do")]
    head = el("thead", el("tr", [el("th", h, scope="col") for h in heads]))
    body = [_file(view, u, heads) for u in view.files]
    table = el("table", head, el("tbody", body), class_="grid")
    return el("section", el("h2", words("page.uploads.mine")), table, class_="sheet", id="mine")


def _file(view: UploadsView, one: Upload, heads: list[Text]) -> Node:
    address = f"/api/v1/uploads/{one.id}"
    named = words(f"page.uploads.kind_{one.kind}")
    at = moment(one.at, view.zone)
    seen: Node = None
    if one.kind == "photo":
        size = {"width": one.counted.get("width"), "height": one.counted.get("height")}
        seen = el("img", src=address, alt="", loading="lazy", class_="sent", **size)
    called = words("page.uploads.called", kind=named, at=at)
    remove = form(
        view,
        "/uploads/delete",
        button(words("page.uploads.delete"), kind="quiet grave",
               aria_label=words("page.uploads.delete_one", one=called)),
        upload=one.id,
    )  # fmt: skip
    save = el("a", words("page.uploads.save"), href=address, class_="link", download=one.name,
              aria_label=words("page.uploads.save_one", one=called))  # fmt: skip
    cells = (_made(one), at, [save, remove])
    return el(
        "tr",
        el("th", seen, named, scope="row"),
        [el("td", cell, data_label=head) for head, cell in zip(heads[1:], cells, strict=True)],
        class_="fresh" if one.id == view.fresh else None,
    )


def _made(one: Upload) -> Text:
    """Say what was made of a file, and what it lost by that."""
    counted = {name: _n(value) for name, value in one.counted.items()}
    lost = one.counted.get("formulas_without_value", 0)
    if one.kind == "photo":
        return words("page.uploads.made_photo", **counted)
    return words("page.uploads.made_workbook_empty" if lost else "page.uploads.made_workbook", **counted)


def _n(value: int) -> Text:
    return Text(number(value, "zh-CN", 0), number(value, "en", 0))


def _mb(size: int) -> Text:
    return Text(number(size / MB, "zh-CN", 1), number(size / MB, "en", 1))
