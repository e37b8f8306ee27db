"""In which order derived tables are built, and which of them a change of other tables concerns; pure."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twin.model import Resource


def ordered(tables: Sequence[Resource]) -> list[Resource]:
    """Give `tables` so that each comes after those it is made of; raises graphlib.CycleError for a circle.

    A catalogue that was read has no circle: `proving` refuses it.
    """
    by_id = {t.id: t for t in tables}
    sorter = TopologicalSorter({t.id: [i for i in t.inputs if i in by_id] for t in tables})
    return [by_id[name] for name in sorter.static_order()]


def downstream(tables: Sequence[Resource], changed: Iterable[str]) -> list[Resource]:
    """Give those of `tables` that are made of the tables named in `changed`, directly or not, in order of building."""
    touched = set(changed)
    found: list[Resource] = []
    for table in ordered(tables):
        if touched & {table.id, *table.inputs}:
            touched.add(table.id)
            found.append(table)
    return found
