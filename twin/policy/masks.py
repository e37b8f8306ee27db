"""How a personal value is shown without being told: names, numbers, cards, plates, addresses, positions; pure."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twin.model import Meaning

HIDDEN = "***"
"""What stands for a value of no known shape; its length says nothing."""

_PLACE = re.compile(r"^.*(?:省|市|县|区|镇|乡|街道|村|社区)")
_PLATE = re.compile(r"^[\u4e00-\u9fff][A-Z]")
_DEGREES = re.compile(r"-?\d{1,3}\.\d+")
_TOKEN_KEY = secrets.token_bytes(32)
"""Tokens say that two values are the same within one run of the service, and nothing of the value."""


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


def bank_card(text: str) -> str:
    """Keep the last four of a bank card of 12 digits or more: 6222021234567890123 → ****0123."""
    digits = re.sub(r"\D", "", text)
    return f"****{digits[-4:]}" if len(digits) >= 12 else HIDDEN


def plate(text: str) -> str:
    """Keep the province, the city and the last character of a number plate: 浙E12345 → 浙E****5."""
    bare = text.strip().upper().replace("·", "")
    return f"{bare[:2]}****{bare[-1:]}" if _PLATE.match(bare) and len(bare) >= 7 else HIDDEN


def address(text: str) -> str:
    """Keep an address down to its village: 浙江省德清县示范村12号 → 浙江省德清县示范村***."""
    found = _PLACE.match(text)
    return f"{found.group(0) if found else ''}{HIDDEN}"


def coordinate(text: str) -> str:
    """Keep two decimals of each number of degrees, about 1 km: 119.97312,30.53088 → 119.97,30.53."""
    cut = _DEGREES.sub(lambda found: found.group()[: found.group().index(".") + 3], text)
    return cut if cut != text and not re.search(r"\d{4}", cut) else HIDDEN


def other(text: str) -> str:
    """Keep nothing."""
    del text
    return HIDDEN


BY_MEANING: Mapping[str, Callable[[str], str]] = {
    "id_card": id_card,
    "phone": phone,
    "name": name,
    "bank_card": bank_card,
    "plate": plate,
    "address": address,
    "coordinate": coordinate,
    "other": other,
}
BY_NAME: tuple[tuple[tuple[str, ...], Meaning], ...] = (
    (("id_card", "id_number"), "id_card"),
    (("bank_card", "bank_account"), "bank_card"),
    (("plate", "plate_number"), "plate"),
    (("phone", "mobile", "telephone"), "phone"),
    (("address",), "address"),
    (("lon", "lat", "coordinate", "coordinates"), "coordinate"),
    (("name", "person"), "name"),
)
"""The end of a column's name says what its values are (house rule: one name, one meaning); first match wins."""


def meaning_of(column: str, declared: Meaning = "") -> Meaning:
    """Give what the values of a column are: as declared, else by its name, else "other"."""
    for endings, meaning in BY_NAME:
        if not declared and column.endswith(endings):
            return meaning
    return declared or "other"


def mask(column: str, value: Any, meaning: Meaning = "") -> Any:
    """Mask one value of a personal column; None stays None, an unknown shape becomes ***."""
    return None if value is None else BY_MEANING[meaning_of(column, meaning)](str(value))


def token(value: Any) -> Any:
    """Give a word that stands for the value, the same for the same value until the service stops; None stays None."""
    if value is None:
        return None
    return "t_" + hashlib.blake2b(str(value).encode(), key=_TOKEN_KEY, digest_size=8).hexdigest()
