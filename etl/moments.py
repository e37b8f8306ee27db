"""What a clerk's or a program's text means as a day or an instant; an impossible one is nothing, never the next day."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?")
_DATE = (
    (
        r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})(?:\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?|\s*月)?"
        r"(?:[T ]\s*00:00(?::00(?:\.0+)?)?)?$"
    ),
    r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})$",
    r"^(?P<y>\d{4})\s*年?$",
)


def days(text: pa.Array) -> pa.Array:
    """Read plain text as dates, null where there is none; a year or month alone is its first day."""
    found = pa.nulls(len(text), pa.date32())
    for form in _DATE:
        found = pc.coalesce(found, _days(pc.extract_regex(text, form), "d" in form.partition("?P<d>")[1]))
    return found


def instants(times: pa.Array, time_zone: str) -> pa.Array:
    """Give timestamps in UTC without a zone; those without one are of `time_zone`."""
    return _utc(times if times.type.tz else pc.assume_timezone(times, time_zone))


def written(plain: pa.Array, time_zone: str) -> pa.Array:
    """Read plain text as instants in UTC without a zone; those that name no offset are of `time_zone`."""
    text = pc.replace_substring_regex(plain, r"[/.年月]", "-")
    text = pc.replace_substring_regex(pc.replace_substring_regex(text, "日", ""), r"^(\d{4}-\d{1,2}-\d{1,2})T", r"\1 ")
    best = pa.nulls(len(text), pa.timestamp("us"))
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        best = pc.coalesce(best, pc.strptime(text, format=form, unit="us", error_is_null=True))
    known = _utc(pc.assume_timezone(_on_its_day(best, text), time_zone))
    return known if known.null_count == text.null_count else pc.coalesce(known, _instants(plain, time_zone))


def _days(parts: pa.Array, has_day: bool) -> pa.Array:  # noqa: FBT001 (one caller)
    """Give dates of (y, m, d) texts; a missing month or day counts as the first, an impossible date as nothing."""
    names = [f.name for f in parts.type]
    year = _part(parts, "y")
    month = _part(parts, "m") if "m" in names else np.where(np.isnan(year), np.nan, 1)
    day = _part(parts, "d") if has_day and "d" in names else np.where(np.isnan(year), np.nan, 1)
    month, day = (
        np.where(np.isnan(month) & ~np.isnan(year), 1, month),
        np.where(np.isnan(day) & ~np.isnan(year), 1, day),
    )
    good = ~np.isnan(year) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1000)
    y, m, d = (np.where(good, v, f).astype("int64") for v, f in ((year, 1970), (month, 1), (day, 1)))
    first = (y - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (m - 1)
    dates = first.astype("datetime64[D]") + (d - 1)
    good &= dates.astype("datetime64[M]") == first
    return pa.array(dates, pa.date32(), mask=~good)


def _part(parts: pa.Array, name: str) -> np.ndarray:
    text = pc.struct_field(parts, name)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return text.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _on_its_day(times: pa.Array, text: pa.Array) -> pa.Array:
    """Leave out what is on another day than it was written: 30 February is no day, not the second of March."""
    written = pc.struct_field(pc.extract_regex(text, r"^\d+-\d+-(?P<d>\d+)"), "d").cast(pa.int64())
    return pc.if_else(pc.equal(pc.day(times), written), times, pa.scalar(None, pa.timestamp("us")))


def _instants(text: pa.Array, time_zone: str) -> pa.Array:
    """Read ISO 8601 times with an offset or a fraction of a second: UTC without a zone, null where there is none."""
    encoded = text.dictionary_encode()
    found = pa.array([_instant(t, ZoneInfo(time_zone)) for t in encoded.dictionary.to_pylist()], pa.timestamp("us"))
    return found.take(encoded.indices)


def _instant(text: str, zone: ZoneInfo) -> dt.datetime | None:
    if not _ISO.fullmatch(text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.astimezone(dt.UTC).replace(tzinfo=None)


def _utc(times: pa.Array) -> pa.Array:
    """Give the same instants in UTC, without a zone (one meaning in every table, no zone data needed to read it)."""
    return times.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).cast(pa.timestamp("us"))
