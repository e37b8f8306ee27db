"""What changed in a table between two versions, as one subject may know it: counts, fields, rows, places.

Both versions are read through the permit that holds now. Only columns shown as they are compared: one that is hidden or
masked is neither shown nor told by "changed". Places are as coarse as they are told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from twin.errors import NotFound
from twin.geodesy import from_mercator
from twin.policy import noted
from twin.store import attached, diff
from twin.store.diff import GEOMETRY, HOWS, Change, Found, How, Sides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.model import OneMap, Resource
    from twin.policy import Permit, Policy, Subject
    from twin.store import Serving, Snapshot

Json = dict[str, Any]
PAGE = 50
MOST_SHAPES = 2000
"""Features of one answer for the map."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which two versions, which of the differences, which page, in which language."""

    before: Snapshot
    after: Snapshot
    hows: tuple[How, ...] = HOWS
    page: int = 0
    language: str = "zh-CN"


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """One comparison under way: what was found, by whose permit, which columns only one version has."""

    found: Found
    permit: Permit
    resource: Resource
    shown: tuple[str, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]


class Changes:
    """Differences between versions of a village's tables."""

    def __init__(self, onemap: OneMap, serving: Serving, policy: Policy) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy

    def told(self, subject: Subject, asked: Asked) -> Json:
        """Give the counts, the fields that changed, and one page of rows; raises NotFound, RowLimit, StoreBroken."""
        with self._compared(subject, asked) as desk:
            counts = desk.found.counts()
            total = sum(counts[h] for h in asked.hows)
            listed = min(total, desk.permit.max_rows)
            pages = max(1, -(-listed // PAGE))
            page = min(max(0, asked.page), pages - 1)
            rows = desk.found.rows(asked.hows, limit=min(PAGE, listed - page * PAGE), offset=page * PAGE)
            fields = desk.found.by_field()
            return {
                "table": desk.resource.id,
                "title": desk.resource.title.in_(asked.language),
                "from": _version(asked.before),
                "to": _version(asked.after),
                "counts": counts,
                "fields": [{**self._field(desk, n, asked.language), "rows": c} for n, c in fields.items()],
                "columns_removed": list(desk.only[0]),
                "columns_added": list(desk.only[1]),
                "page": page,
                "pages": pages,
                "withheld": total - listed,
                "rows": self._rows(subject, desk, rows, asked.language),
            }

    def listed(self, subject: Subject, asked: Asked) -> tuple[Sequence[str], list[Json]]:
        """Give the names of the columns and every row one answer may tell of, for an export."""
        with self._compared(subject, asked) as desk:
            rows = desk.found.rows(asked.hows, limit=desk.permit.max_rows)
            return [n for n in desk.shown if n != "id"], self._rows(subject, desk, rows, asked.language)

    def shapes(self, subject: Subject, asked: Asked) -> Json:
        """Give the differing rows as a GeoJSON FeatureCollection (lon, lat): the shape now, or what it was."""
        with self._compared(subject, asked) as desk:
            most = min(desk.permit.max_rows, MOST_SHAPES)
            total = sum(desk.found.counts()[h] for h in asked.hows)
            rows = desk.found.rows(asked.hows, limit=most)
            where = self._where(desk, rows, asked)
            told = self._rows(subject, desk, rows, asked.language)
            features = [
                {"type": "Feature", "id": t["id"], "geometry": _degrees(g), "properties": _plain(t)}
                for t, g in zip(told, where, strict=True)
                if g
            ]
            return {"type": "FeatureCollection", "withheld": max(0, total - most), "features": features}

    @contextlib.contextmanager
    def _compared(self, subject: Subject, asked: Asked) -> Iterator[_Desk]:
        table = asked.after.table
        resource, permit = self._policy.resource(subject, table), self._policy.decide(subject, "select", table)
        if not (asked.before.has(attached.FILE) and asked.after.has(attached.FILE)):
            raise NotFound(f"{table} 没有可比较的行", f"{table} has no rows to compare", table=table)
        clear = self._clear(subject, table, permit)
        with (
            self._serving.attached_version(asked.before, permit) as (_, before, had),
            self._serving.attached_version(asked.after, permit) as (connection, after, has),
        ):
            shape = "geom" if "geom" in had & has else ""
            both = tuple(c for c in clear if c in had & has)
            kind = str(asked.after.manifest.get("kind", ""))
            sides = Sides(was=before, has=after, columns=both, shape=shape, kind=kind)
            gone, new = (tuple(c for c in clear if c in x - y) for x, y in ((had, has), (has, had)))
            with Found(connection, sides) as found:
                yield _Desk(found=found, permit=permit, resource=resource, shown=both, only=(gone, new))

    def _clear(self, subject: Subject, table: str, permit: Permit) -> tuple[str, ...]:
        """Give the columns whose true values may be both shown and used: the others are not compared."""
        used = self._policy.decide(subject, "filter", table).columns
        clear = (c for c, access in permit.columns.items() if access == "clear" and c in used)
        return tuple(c for c in clear if c not in diff.PROVENANCE)

    def _rows(self, subject: Subject, desk: _Desk, rows: Sequence[Change], language: str) -> list[Json]:
        table = desk.resource.id
        told = [
            self._policy.reveal(subject, table, [{k: v for k, v in side.items() if k != GEOMETRY} for side in sides])
            for sides in ([r.before for r in rows], [r.after for r in rows])
        ]
        return [self._row(desk, r, b, a, language) for r, b, a in zip(rows, *told, strict=True)]

    def _row(
        self, desk: _Desk, row: Change, before: Mapping[str, Any], after: Mapping[str, Any], language: str
    ) -> Json:
        names = [n for n in desk.shown if n in before or n in after]
        fields = [
            {**self._field(desk, n, language), "before": before.get(n), "after": after.get(n)}
            for n in names
            if n not in diff.KEY
        ]
        moved = {"moved_m2" if desk.resource.kind == "polygon" else "moved_m": round(row.moved, 2)} if row.moved else {}
        return {
            "change": row.how,
            "id": row.id,
            "year": row.year,
            "title": desk.resource.title_of({**before, **after, "id": row.id, desk.resource.key: row.id}, language),
            "shape": GEOMETRY in row.before or GEOMETRY in row.after,
            "fields": fields,
            **moved,
        }

    def _field(self, desk: _Desk, name: str, language: str) -> Json:
        field = desk.resource.field_named(name)
        title = field.title.in_(language) if field else name
        return {"name": name, "title": title, "unit": field.unit if field else ""}

    def _where(self, desk: _Desk, rows: Sequence[Change], asked: Asked) -> list[Any]:
        """Give the shape of each row, the newest it has; a row whose shape stayed is looked up. Notes the ground."""
        stayed = [r.id for r in rows if GEOMETRY not in r.after and GEOMETRY not in r.before]
        known: dict[tuple[str, int | None], Any] = {}
        with self._serving.attached_version(asked.after, desk.permit) as (connection, relation, columns):
            if "geom" in columns and stayed:
                sql = f"SELECT id, year, ST_AsWKB(geom::GEOMETRY)::BLOB FROM {relation} WHERE list_contains(?, id)"
                known = {(i, y): g for i, y, g in connection.execute(sql, [stayed]).fetchall()}
        wkb = [r.after.get(GEOMETRY) or r.before.get(GEOMETRY) or known.get((r.id, r.year)) for r in rows]
        shapes = [shapely.from_wkb(bytes(g)) if g else None for g in wkb]
        degrees = [_turned(s) if s is not None else None for s in shapes]
        noted.place(desk.permit, [list(s.bounds) for s in degrees if s is not None])
        return degrees


def _turned(shape: Any) -> Any:
    """Give a shape in EPSG:3857 in degrees."""

    def degrees(places: Any) -> Any:
        lon, lat = from_mercator(places[:, 0], places[:, 1])
        return [[float(x), float(y)] for x, y in zip(lon, lat, strict=True)]

    return shapely.transform(shape, degrees)


def _degrees(shape: Any) -> Json:
    return shapely.geometry.mapping(shapely.set_precision(shape, 1e-7, mode="pointwise"))


def _plain(row: Json) -> Json:
    """Give a row's properties as GIS programs take them: no lists, a field's change in words."""
    said = "; ".join(f"{f['title']}: {f['before']} → {f['after']}" for f in row["fields"])
    return {k: v for k, v in row.items() if k != "fields"} | {"fields": said}


def _version(snapshot: Snapshot) -> Json:
    manifest = snapshot.manifest
    told = {"published_at": manifest.get("created_at"), "as_of": manifest.get("as_of"), "rows": manifest.get("rows")}
    return {"version": snapshot.version, **told}
