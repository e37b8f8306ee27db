"""When a delivery that was read is still not published by itself: it shrank, jumped, or lost what it used to have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from etl.columns import Drift

LARGEST_LOSS = 0.20
"""A delivery that publishes fewer rows than this share below the version before is held."""
LARGEST_GROWTH = 2.0
"""A delivery whose extent grows beyond this factor in width or height is held."""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """One reason not to publish without somebody's word.

    `kind` names what changed and `old` and `new` what it was and is, for whoever draws them side by side: rows, extent
    (west, south, east, north), editions, column, crs, type, unit.
    """

    zh: str
    en: str
    kind: str = ""
    old: Any = None
    new: Any = None


def shape(drifts: Iterable[tuple[str, Drift]]) -> list[Hold]:
    """Hold a delivery in which a declared heading is gone; (location, drift) of each file."""
    held: list[Hold] = []
    for location, drift in drifts:
        new = {item.name: heading for item, heading in drift.renamed}
        for item in drift.missing:
            there = f"“{new[item.name]}”" if item.name in new else ""
            held.append(
                Hold(
                    zh=f"{location} 缺少“{item.source}”({item.title.zh})列" + (f",疑似改名为{there}" if there else ""),
                    en=f"{location} has no column “{item.source}” ({item.title.en})"
                    + (f", perhaps renamed to {there}" if there else ""),
                    kind="column",
                    old=item.source,
                    new=new.get(item.name),
                )
            )
    return held


def against(parent: Mapping[str, Any], rows: int, years: Sequence[int], bbox: Sequence[float] | None) -> list[Hold]:
    """Hold a delivery that shrank by more than a fifth, lost an edition, or whose extent jumped, beside `parent`."""
    held: list[Hold] = []
    before = int(parent.get("rows") or 0)
    if before and rows < before * (1 - LARGEST_LOSS):
        lost = round((1 - rows / before) * 100)
        held.append(
            Hold(
                zh=f"可发布 {rows} 行,比上一版 {before} 行少 {lost}%",
                en=f"{rows} rows, {lost} % fewer than {before}",
                kind="rows",
                old=before,
                new=rows,
            )
        )
    gone = sorted(set(parent.get("years") or ()) - set(years))
    if gone:
        named = "、".join(map(str, gone))
        en = f"The edition of {', '.join(map(str, gone))} is gone"
        was, now = sorted(parent.get("years") or ()), sorted(years)
        held.append(Hold(zh=f"缺少 {named} 年的数据", en=en, kind="editions", old=was, new=now))
    if bbox and parent.get("bbox") and _jumped(parent["bbox"], bbox):
        zh, en = f"范围由 {_box(parent['bbox'])} 变为 {_box(bbox)}", f"The extent is now {_box(bbox)}"
        held.append(Hold(zh=zh, en=en, kind="extent", old=list(parent["bbox"]), new=list(bbox)))
    return held


def systems(parent: Mapping[str, Any], crs: Mapping[str, str]) -> list[Hold]:
    """Hold a delivery whose file states another coordinate system than it did; `crs` is location → "EPSG:n"."""
    before = {s["path"]: s.get("crs", "") for s in parent.get("sources", ())}
    changed = [(p, before[p], now) for p, now in crs.items() if before.get(p) and now != before[p]]
    return [
        Hold(
            zh=f"{p} 的坐标系由 {old} 变为 {new}",
            en=f"The coordinate system of {p} went from {old} to {new}",
            kind="crs",
            old=old,
            new=new,
        )
        for p, old, new in changed
    ]


def _jumped(old: Sequence[float], new: Sequence[float]) -> bool:
    for low, high in ((0, 2), (1, 3)):
        width, grown = old[high] - old[low], new[high] - new[low]
        apart = new[low] > old[high] or new[high] < old[low]
        if apart or (width > 0 and grown > width * LARGEST_GROWTH):
            return True
    return False


def _box(box: Sequence[float]) -> str:
    return "[" + ", ".join(f"{v:.4f}" for v in box) + "]"
