"""A refused row as one person may see it: values clear, masked or hidden by the policy, people's never clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.policy import noted
from twin.policy.masks import HIDDEN, mask, token
from twin.quarantine.proving import correctable

if TYPE_CHECKING:
    from twin.model import Field, Resource
    from twin.policy import Policy, Subject
    from twin.policy.judging import Permit
    from twin.quarantine.refused import Whole

PERSONAL = ("personal", "sensitive")
OPEN = ("public", "internal")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One delivered value: its heading as sent, what it is called, what is shown of it, and whether it can be mended.

    `shown` is None where nothing was delivered; `covered` says that the value is not what is shown.
    """

    heading: str
    title: Text
    column: str
    shown: str | None
    covered: bool
    mendable: bool
    codes: str = ""
    unit: str = ""


def permit(policy: Policy, subject: Subject, resource: Resource) -> Permit:
    """Give what `subject` may read of a resource's rows; raises NotFound, NeedsPurpose."""
    return policy.decide(subject, "select", resource.id)


def cells(row: Whole, resource: Resource, allowed: Permit) -> list[Cell]:
    """Give a row's values as they may be shown, in the order they were sent, then declared ones that did not come."""
    known = correctable(resource)
    headings = [*row.raw, *(h for h in known if h not in row.raw)]
    return [_cell(h, row.raw.get(h), known, allowed) for h in headings]


def take(subject: Subject, allowed: Permit, rows: int) -> None:
    """Note for the record that rows with people's values go into an answer."""
    noted.take(subject, allowed, rows)


def written(value: Any) -> str:
    """Write a delivered value as a person would write it in a cell; nothing is the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _cell(heading: str, value: Any, known: Mapping[str, Field | None], allowed: Permit) -> Cell:
    item = known.get(heading)
    shown, covered = _shown(value, item, allowed, place=heading in known and item is None)
    return Cell(
        heading=heading,
        title=item.title if item else Text(heading, heading),
        column=item.name if item else "",
        shown=shown,
        covered=covered,
        mendable=heading in known,
        codes=item.code_system if item else "",
        unit=item.unit if item else "",
    )


def _shown(value: Any, item: Field | None, allowed: Permit, *, place: bool) -> tuple[str | None, bool]:
    """Give what is shown of a value and whether that is less than the value; what is empty is shown as such."""
    text = written(value)
    if not text:
        return None, False
    if place and allowed.precision_m == 0:
        return text, False
    access = allowed.columns.get(item.name) if item else None
    if item is None or access is None:
        return HIDDEN, True
    if item.sensitivity in OPEN and access == "clear":
        return text, False
    if allowed.masks == "token":
        return str(token(text)), True
    return str(mask(item.name, text, item.meaning)), True
