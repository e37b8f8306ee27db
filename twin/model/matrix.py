"""How many resources each department holds of each theme: counted from the declarations, written nowhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.model.received import Department


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Counts of resources: by department and theme, and their sums; `themes` are the columns in order.

    `leads` sums departments' resources under the theme the department leads, whatever theme each resource is of.
    """

    themes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    departments: Mapping[str, int]
    totals: Mapping[str, int]
    leads: Mapping[str, int]
    whole: int


def count(departments: Sequence[Department], themes: Sequence[str] = ()) -> Matrix:
    """Count every department's resources by theme; `themes` gives the order of the columns that come first."""
    counts = {d.id: Counter(r.theme for r in d.resources) for d in departments}
    met = dict.fromkeys([*themes, *sorted({t for row in counts.values() for t in row})])
    totals: Counter[str] = Counter()
    leads: Counter[str] = Counter()
    for department in departments:
        totals.update(counts[department.id])
        leads[department.theme] += len(department.resources)
    return Matrix(
        themes=tuple(met),
        counts=counts,
        departments={d.id: len(d.resources) for d in departments},
        totals={t: totals[t] for t in met},
        leads=dict(leads),
        whole=sum(totals.values()),
    )
