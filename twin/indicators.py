"""The numbers of a theme, counted from the served tables; each carries the condition of the list behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin import classes as classing
from twin import editions
from twin.errors import NotFound, StoreBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.model import Classes, ClassItem, Code, Indicator, OneMap
    from twin.policy import Policy, Subject
    from twin.store import Serving

Json = dict[str, Any]
Where = list[tuple[str, str, Any]]


class Indicators:
    """Indicators over a village's served tables; every column they touch passes the policy."""

    def __init__(self, onemap: OneMap, serving: Serving, policy: Policy) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy

    def theme(self, subject: Subject, theme: str, language: str = "zh-CN", *, year: int | None = None) -> list[Json]:
        """Give the indicators of one theme ("" for all) as declared; raises BadRequest for hidden columns."""
        wanted = [i for t in self._onemap.themes if theme in ("", t.id) for i in t.indicators]
        return [self.one(subject, i, language, year=year) for i in wanted if self._policy.sees(subject, i.table)]

    def one(self, subject: Subject, asked: Indicator, language: str = "zh-CN", *, year: int | None = None) -> Json:
        """Give {id, title, value, unit, state, tone, groups, years, list}; value None where the state is not ok."""
        self._permit(subject, asked)
        head: Json = {
            "id": asked.id,
            "theme": asked.theme,
            "title": asked.title.in_(language),
            "unit": asked.unit.in_(language),
            "tone": asked.tone,
            "list": {"table": asked.table, "where": [list(w) for w in asked.where]},
            "by": asked.by,
        }
        try:
            return {**head, "state": "ok", **self._counted(asked, language, year)}
        except NotFound:
            return {**head, "state": "never", "value": None, "groups": [], "years": []}
        except StoreBroken as broken:
            told = {"zh": broken.zh, "en": broken.en}
            return {**head, "state": "broken", "value": None, "groups": [], "years": [], **told}

    def narrowed(self, subject: Subject, asked: Indicator, value: str) -> tuple[tuple[str, str, Any], ...]:
        """Give the condition of the rows behind one group of an indicator: its own, and those values of `by`."""
        self._permit(subject, asked)
        if not asked.by:
            return asked.where
        classes = self._classes(asked)
        rows = self._serving.groups(asked.table, asked.by, "count", asked.where)
        raw = [r[asked.by] for r in rows if r[asked.by] is not None]
        meant = [v for v in raw if (classing.value_of(classes, v) if classes else str(v)) == value]
        return (*asked.where, (asked.by, "in", tuple(meant)))

    def named(self, asked: Indicator, value: str, language: str) -> str:
        """Give the words of one group of an indicator."""
        named = self._named(asked, self._classes(asked))
        return named[value].title.in_(language) if value in named else value

    def _permit(self, subject: Subject, asked: Indicator) -> None:
        used = [w[0] for w in asked.where] + ([asked.by] if asked.by else []) + ([asked.column] if asked.column else [])
        self._policy.columns(subject, asked.table, used, "filter")
        self._policy.columns(subject, asked.table, used, "count")

    def _counted(self, asked: Indicator, language: str, year: int | None) -> Json:
        known = self._serving.snapshot(asked.table).manifest.get("years") or []
        edition = editions.where(known, year)
        where = [*asked.where, *(edition or ())]
        shown = edition[0][2] if edition else None
        return {
            "value": None if edition is None else self._measure(asked, where),
            "year": shown,
            "groups": [] if edition is None or not asked.by else self._groups(asked, where, language),
            "years": [
                {"year": y, "value": self._measure(asked, [*asked.where, ("year", "=", y)])} for y in sorted(known)
            ]
            if asked.by_year
            else [],
        }

    def _measure(self, asked: Indicator, where: Where) -> float | int:
        if asked.measure == "count":
            return self._serving.count(asked.table, where)
        rows = self._serving.groups(asked.table, "year", asked.column, where)
        return round(sum(float(r["value"] or 0) for r in rows), 3)

    def _groups(self, asked: Indicator, where: Where, language: str) -> list[Json]:
        """Give {value, title, colour, amount} per class, largest first; values of one class are added up."""
        measure = "count" if asked.measure == "count" else asked.column
        classes = self._classes(asked)
        amounts: dict[str, float] = {}
        for row in self._serving.groups(asked.table, asked.by, measure, where):
            if row[asked.by] is not None:
                value = classing.value_of(classes, row[asked.by]) if classes else str(row[asked.by])
                amounts[value] = amounts.get(value, 0) + (row["value"] or 0)
        named = self._named(asked, classes)
        return [
            {
                "value": value,
                "title": named[value].title.in_(language) if value in named else value,
                "colour": named[value].colour if value in named else "",
                "amount": amount,
            }
            for value, amount in sorted(amounts.items(), key=lambda v: -v[1])
        ]

    def _classes(self, asked: Indicator) -> Classes | None:
        """Give the classes a layer colours this column by, so that chart and map agree."""
        by_theme = sorted(self._onemap.layers, key=lambda x: x.theme != asked.theme)
        drawn = (d.classes for x in by_theme for d in x.draws if d.table == asked.table and d.classes)
        return next((c for c in drawn if c.column == asked.by), None)

    def _named(self, asked: Indicator, classes: Classes | None) -> Mapping[str, ClassItem | Code]:
        if classes:
            return classing.by_value(self._onemap, classes)
        resource = self._onemap.resource(asked.table)
        field = resource.field_named(asked.by) if resource else None
        system = self._onemap.code_system(field.code_system) if field and field.code_system else None
        return {c.code: c for c in system.codes} if system else {}
