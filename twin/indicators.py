"""The numbers of a theme, counted from the served tables; each carries the condition of the list behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin import classes as classing
from twin import editions
from twin.errors import BadRequest, NotFound, Refused, StoreBroken
from twin.kept import Kept
from twin.policy import small_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.model import Classes, ClassItem, Code, Indicator, OneMap
    from twin.policy import Permit, Policy, Subject
    from twin.store import Serving

Json = dict[str, Any]
Where = list[tuple[str, str, Any]]
Amounts = dict[str | None, float]
MOST_KEPT = 2_000
"""Numbers remembered: indicators × areas × languages; a new version, or another permit, is another number."""


class Indicators:
    """Indicators over a village's served tables; every column they touch passes the policy."""

    def __init__(self, onemap: OneMap, serving: Serving, policy: Policy) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy
        self._counted_before: Kept[tuple[str, str, str, int | None, str], tuple[Indicator, Json]] = Kept(MOST_KEPT)

    def theme(self, subject: Subject, theme: str, language: str = "zh-CN", *, year: int | None = None) -> list[Json]:
        """Give the indicators of one theme ("" for all) that `subject` may have, as declared."""
        wanted = [i for t in self._onemap.themes if theme in ("", t.id) for i in t.indicators]
        return [self.one(subject, i, language, year=year) for i in wanted if self.may(subject, i)]

    def may(self, subject: Subject, asked: Indicator) -> bool:
        """Say whether `subject` may have this number made: the table, and every column it is made of."""
        try:
            self._permit(subject, asked)
        except (NotFound, BadRequest, Refused):
            return False
        return True

    def one(self, subject: Subject, asked: Indicator, language: str = "zh-CN", *, year: int | None = None) -> Json:
        """Give {id, title, value, unit, state, tone, groups, years, list}; value None where the state is not ok.

        The state is "small" where the number would tell of fewer people than `subject` may be told of; groups that
        would are left out, and `withheld` says how many. Raises BadRequest for hidden columns.
        """
        permit = self._permit(subject, asked)
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
            return {**head, "state": "ok", **self._known(permit, asked, language, year)}
        except NotFound:
            return {**head, "state": "never", "value": None, "groups": [], "years": []}
        except StoreBroken as broken:
            told = {"zh": broken.zh, "en": broken.en}
            return {**head, "state": "broken", "value": None, "groups": [], "years": [], **told}

    def narrowed(self, subject: Subject, asked: Indicator, value: str) -> tuple[tuple[str, str, Any], ...]:
        """Give the condition of the rows behind one group of an indicator: its own, and those values of `by`."""
        permit = self._permit(subject, asked)
        if not asked.by:
            return asked.where
        classes = self._classes(asked)
        rows = self._serving.groups(asked.table, asked.by, "count", asked.where, permit=permit)
        raw = [r[asked.by] for r in rows if r[asked.by] is not None]
        meant = [v for v in raw if (classing.value_of(classes, v) if classes else str(v)) == value]
        return (*asked.where, (asked.by, "in", tuple(meant)))

    def named(self, asked: Indicator, value: str, language: str) -> str:
        """Give the words of one group of an indicator."""
        named = self._named(asked, self._classes(asked))
        return named[value].title.in_(language) if value in named else value

    def _permit(self, subject: Subject, asked: Indicator) -> Permit:
        used = [w[0] for w in asked.where] + ([asked.by] if asked.by else []) + ([asked.column] if asked.column else [])
        self._policy.columns(subject, asked.table, used, "count")
        return self._policy.decide(subject, "count", asked.table)

    def _known(self, permit: Permit, asked: Indicator, language: str, year: int | None) -> Json:
        """Count once for all who may be told the same of one version of a table."""
        version = self._serving.snapshot(asked.table).version
        key = (asked.id, permit.digest, language, year, version)
        known = self._counted_before.get(key)
        if known is not None and known[0] == asked:
            return dict(known[1])
        counted = self._counted(permit, asked, language, year)
        if permit.digest:
            self._counted_before.put(key, (asked, counted))
        return dict(counted)

    def _counted(self, permit: Permit, asked: Indicator, language: str, year: int | None) -> Json:
        known = self._serving.snapshot(asked.table).manifest.get("years") or []
        edition = editions.where(known, year)
        shown = edition[0][2] if edition else None
        editions_told = sorted(known) if asked.by_year else []
        years = [
            {"year": y, "value": self._measure(permit, asked, [*asked.where, ("year", "=", y)])} for y in editions_told
        ]
        head: Json = {"year": shown, "years": years}
        if edition is None:
            return {**head, "value": None, "groups": []}
        where = [*asked.where, *edition]
        value = self._measure(permit, asked, where)
        amounts = self._amounts(permit, asked, where, asked.measure) if asked.by else {}
        if not permit.smallest_count:
            return {**head, "value": value, "groups": self._groups(asked, amounts, language)}
        safe = self._safe(permit, asked, where, (value, amounts), language)
        if safe["value"] is None:
            head["years"] = [y for y in head["years"] if y["year"] != shown]
        return {**head, **safe}

    def _safe(
        self, permit: Permit, asked: Indicator, where: Where, told: tuple[float | int | None, Amounts], language: str
    ) -> Json:
        """Give the number and its groups as far as they tell of enough people; who is in no group counts as one."""
        value, amounts = told
        counts = self._amounts(permit, asked, where, "count") if asked.by else {}
        whole, kept = small_numbers.groups({str(v): int(n) for v, n in counts.items()}, permit.smallest_count)
        groups = self._groups(asked, {v: a for v, a in amounts.items() if str(v) in kept}, language)
        if not asked.by:
            whole = value is not None
        more: Json = {"groups": groups, "withheld": len(counts.keys() - {None}) - len(groups)}
        return {**more, "value": value} if whole else {**more, "value": None, "state": "small"}

    def _measure(self, permit: Permit, asked: Indicator, where: Where) -> float | int | None:
        """Give the number, None where it would tell of too few people."""
        count = self._serving.count(asked.table, where, permit=permit) if self._is_count(asked, permit) else 0
        if permit.smallest_count > count:
            return None
        if asked.measure == "count":
            return count
        rows = self._serving.groups(asked.table, "year", asked.column, where, permit=permit)
        return round(sum(float(r["value"] or 0) for r in rows), 3)

    @staticmethod
    def _is_count(asked: Indicator, permit: Permit) -> bool:
        return asked.measure == "count" or permit.smallest_count > 0

    def _amounts(self, permit: Permit, asked: Indicator, where: Where, measure: str) -> Amounts:
        """Give the amount of each class, values of one class added up; None is what has no value."""
        column = "count" if measure == "count" else asked.column
        classes = self._classes(asked)
        amounts: Amounts = {}
        for row in self._serving.groups(asked.table, asked.by, column, where, permit=permit):
            of = row[asked.by]
            value = None if of is None else classing.value_of(classes, of) if classes else str(of)
            amounts[value] = amounts.get(value, 0) + (row["value"] or 0)
        return amounts

    def _groups(self, asked: Indicator, amounts: Amounts, language: str) -> list[Json]:
        """Give {value, title, colour, amount} per class, largest first."""
        named = self._named(asked, self._classes(asked))
        told = [(value, amount) for value, amount in amounts.items() if value is not None]
        return [
            {
                "value": value,
                "title": named[value].title.in_(language) if value in named else value,
                "colour": named[value].colour if value in named else "",
                "amount": amount,
            }
            for value, amount in sorted(told, key=lambda v: -v[1])
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
