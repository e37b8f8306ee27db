"""Whether what arrived is what the source says it has, by identity; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from twin.errors import SourceError

SHOWN = 20


class Uneven(SourceError):
    """What arrived is not what the source says it has; reading again may help, publishing may not."""


def reconcile(
    name: str, *, arrived: Sequence[str], counts: Iterable[int] = (), ids: Collection[str] | None = None
) -> None:
    """Raise Uneven unless every id arrived once, there are as many as stated, and they are the ones that were stated.

    `counts` is what the source stated at each page (all must be one number), `ids` its own list where it gives one.
    """
    tallied = Counter(arrived)
    doubled = [i for i, n in tallied.items() if n > 1]
    missing = sorted(set(ids) - tallied.keys()) if ids is not None else []
    surplus = sorted(tallied.keys() - set(ids)) if ids is not None else []
    stated = sorted(set(counts))
    zh, en = [], []
    if len(stated) > 1:
        zh.append(f"总数在读取中由 {stated[0]} 变为 {stated[-1]}")
        en.append(f"the total went between {stated[0]} and {stated[-1]} while it was read")
    elif stated and stated[0] != len(tallied):
        zh.append(f"来源称有 {stated[0]} 条,收到 {len(tallied)} 条不同的")
        en.append(f"the source states {stated[0]}, {len(tallied)} different ones arrived")
    for found, words, english in (
        (missing, "缺少", "missing"),
        (doubled, "重复", "twice"),
        (surplus, "多出", "not on the source's own list"),
    ):
        if found:
            zh.append(f"{words} {len(found)} 条:{_some(found)}")
            en.append(f"{len(found)} {english}: {_some(found)}")
    if zh:
        raise uneven(name, ";".join(zh), "; ".join(en))


def moved(name: str, *, expected: Sequence[str], found: Sequence[str]) -> Uneven:
    """Make the refusal of pages that shifted while they were read."""
    gone, new = [i for i in expected if i not in set(found)], [i for i in found if i not in set(expected)]
    return uneven(
        name,
        f"读取期间分页移动,再读时少了 {_some(gone) or '0 条'},多了 {_some(new) or '0 条'}",
        f"the pages shifted while they were read; read again, {_some(gone) or 'none'} "
        f"had gone and {_some(new) or 'none'} had come",
    )


def circle(name: str, arrived: Sequence[str]) -> Uneven:
    """Make the refusal of paging that never ends; names the rows that came again."""
    doubled = [i for i, n in Counter(arrived).items() if n > 1]
    return uneven(
        name,
        f"分页转圈,没有尽头,重复 {len(doubled)} 条:{_some(doubled)}",
        f"its pages go in a circle without an end, {len(doubled)} twice: {_some(doubled)}",
    )


def uneven(name: str, zh: str, en: str) -> Uneven:
    """Make the refusal; `zh` and `en` say what does not come out even."""
    return Uneven(
        f"“{name}”收到的与来源所称不符:{zh}。未发布,保留上一版;请稍后重跑,仍不符请联系提供单位。",
        f"“{name}” did not come out even: {en}. Nothing was published and the last version stays; "
        "run again, and ask the provider if it persists.",
        file=name,
    )


def _some(ids: Sequence[str]) -> str:
    return "、".join(ids[:SHOWN]) + ("…" if len(ids) > SHOWN else "")
