"""The line of a card that says what is masked and leads to where a purpose is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twin.errors import NotFound
from twin.model import Text
from twin.pages.markup import el
from twin.pages.parts import words

if TYPE_CHECKING:
    from twin.pages.desk import Desk

Json = Mapping[str, Any]
NAMED = 3
"""How many columns the line names."""


def line(desk: Desk, section: Json, key: str, question: Json) -> Any:
    """Say which columns of a record a purpose would show, or for which purpose they are shown now; None for neither."""
    policy, subject, table = desk.rooms.policy, desk.subject, section["table"]
    if section["broken"] or not policy.may(subject, "purposes.name"):
        return None
    try:
        permit = policy.decide(subject, "select", table)
    except NotFound:
        return None
    address = _account(section, key, question)
    held = policy.grants.purpose(subject.purpose)
    if permit.audit == "unmask" and held is not None:
        said = words("page.purpose.named", purpose=held.title)
        return _line(said, el("a", words("page.purpose.change"), href=address))
    if not permit.purposes:
        return None
    covered = words("page.purpose.covered", columns=_columns(desk, section, permit.for_purpose))
    return _line(covered, el("a", words("page.purpose.choose"), href=address))


def _line(said: Text, link: Any) -> Any:
    return el("section", el("p", said, " · ", link, class_="muted purpose-line"))


def _columns(desk: Desk, section: Json, hidden: frozenset[str]) -> Text:
    resource = desk.rooms.onemap.resource(section["table"])
    masked = {f["name"] for f in section["fields"] if f["masked"]} | hidden
    found = [f.title for f in resource.fields if f.name in masked] if resource else []
    first = Text("、".join(x.zh for x in found[:NAMED]), ", ".join(x.en for x in found[:NAMED]))
    return words("page.purpose.more", columns=first) if len(found) > NAMED else first


def _account(section: Json, key: str, question: Json) -> str:
    """Give the address of one's account, and in it the way back to this card."""
    language = "en" if str(question.get("language", "")).startswith("en") else ""
    layer = (section["layers"] or [""])[0]
    asked = {"s": f"{layer}/{section['table']}/{key}", **({"lang": language} if language else {})}
    query = {"next": "/?" + urlencode(asked, safe="/:"), **({"lang": language} if language else {})}
    return "/account?" + urlencode(query) + "#purpose"
