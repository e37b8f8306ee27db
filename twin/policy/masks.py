"""How a personal value is shown without being told: names, telephones, identity numbers, addresses; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HIDDEN = "***"
"""What stands for a value of no known shape; its length says nothing."""

_PLACE = re.compile(r"^.*(?:省|市|县|区|镇|乡|街道|村|社区)")


def name(text: str) -> str:
    """Keep the first character of a name: 张三丰 → 张**."""
    return f"{text[:1]}**" if text else ""


def phone(text: str) -> str:
    """Keep three and four digits of a mobile number: 13900000103 → 139****0103; of any other only the last two."""
    digits = re.sub(r"\D", "", text)
    if len(digits) >= 11:
        return f"{digits[-11:-8]}****{digits[-4:]}"
    return f"****{digits[-2:]}" if len(digits) >= 7 else HIDDEN


def id_card(text: str) -> str:
    """Keep the province and the last four of a resident identity number: 330***********0103."""
    bare = text.strip()
    return f"{bare[:3]}***********{bare[-4:]}" if len(bare) in (15, 18) else HIDDEN


def address(text: str) -> str:
    """Keep an address down to its village: 浙江省德清县示范村12号 → 浙江省德清县示范村***."""
    found = _PLACE.match(text)
    return f"{found.group(0) if found else ''}{HIDDEN}"


MASKS: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (("id_card", "id_number"), id_card),
    (("phone", "mobile", "telephone"), phone),
    (("address",), address),
    (("name", "person"), name),
)
"""The end of a column's name says what its values are (house rule: one name, one meaning); first match wins."""


def mask(column: str, value: Any) -> Any:
    """Mask one value of a personal column; None stays None, an unknown shape becomes ***."""
    if value is None:
        return None
    for endings, masked in MASKS:
        if column.endswith(endings):
            return masked(str(value))
    return HIDDEN
