"""What was decided on the quarantine desk, done to the very rows it was decided about while they are staged.

A row is known by its source, its identity and the fingerprint of what was delivered: where another content comes under
the same identity, nothing is done and the act is told as superseded. The delivery itself is never changed.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl import shelf
from twin import duck
from twin.quarantine.naming import GEOMETRY, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from etl.geometry import Frame
    from twin.model import Resource, Source
    from twin.quarantine.acts import Act
    from twin.settings import Settings

    Redo = Callable[[pa.RecordBatch, int, Frame | None], pa.Table]
    """One delivered row, its number and its frame → its typed row."""

Became = Literal["applied", "superseded", "gone"]
CORRECTED, ACCEPTED = "desk_corrected", "desk_accepted"
"""How a row's `_repair` tells what was done to it."""
OUTSIDE = "outside_village"
ACCEPTED_ROWS = "CREATE OR REPLACE TEMP TABLE accepted AS SELECT * FROM accepted_given"
FORGIVE = """
UPDATE outcome SET reasons = list_filter(outcome.reasons, lambda r: NOT list_contains(a.rules, r))
FROM accepted a WHERE outcome._seq = a._seq AND outcome.place = 'quarantined'
"""
FORGIVEN = "DELETE FROM outcome WHERE place = 'quarantined' AND len(reasons) = 0"


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where a batch comes from: the number of its first row, its source and the location as it is told, its frame."""

    first: int
    location: str
    source: Source
    resource: Resource
    frame: Frame | None


@dataclass(kw_only=True)
class Amending:
    """The acts that hold on one resource's rows, and what became of them in one run."""

    acts: tuple[Act, ...] = ()
    _done: set[int] = field(default_factory=set)
    _met: set[int] = field(default_factory=set)
    _accepted: dict[int, set[str]] = field(default_factory=dict)
    _rows: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Name what these acts do, "" where there is none."""
        return _desk().digest(self.acts) if self.acts else ""

    def became(self) -> dict[int, Became]:
        """Say of each act whether its row came as it was (applied), came otherwise, or did not come."""
        return {
            a.id: "applied" if a.id in self._done else "superseded" if a.id in self._met else "gone" for a in self.acts
        }

    def told(self) -> list[dict[str, Any]]:
        """Give, for the manifest, the rows that were changed or accepted: source, row, act, kind, columns, rules."""
        return [self._rows[n] for n in sorted(self._rows)]

    def table(self, table: pa.Table, batch: pa.RecordBatch, at: Where, redo: Redo) -> pa.Table:
        """Give a typed batch in which the rows that were decided about stand as decided, or the batch itself."""
        here = [a for a in self.acts if a.on.source == at.location]
        if not here:
            return table
        done = 0
        parts: list[pa.Table] = []
        for index, own in self._found(batch, table, at.resource, here):
            row = _changed(batch.slice(index, 1), own, at.source)
            rules = {r for a in own if a.kind == "accept" for r in a.on.rules}
            frame = dataclasses.replace(at.frame, within_village=False) if at.frame and OUTSIDE in rules else at.frame
            made = _marked(redo(row, at.first + index, frame), own, rules)
            if rules:
                self._accepted[at.first + index] = rules
            self._tell(at.first + index, made, own, at)
            parts += [table.slice(done, index - done), made]
            done = index + 1
        return pa.concat_tables([*parts, table.slice(done)]).combine_chunks() if parts else table

    def _found(
        self, batch: pa.RecordBatch, table: pa.Table, resource: Resource, here: Sequence[Act]
    ) -> Iterator[tuple[int, list[Act]]]:
        """Give each row that acts are about, with them; note which were met with another content."""
        keys = table.column(resource.key).cast(pa.string()) if resource.key else pa.nulls(len(table), pa.string())
        rows = table.column("_row")
        known = pc.is_in(rows, value_set=pa.array([a.on.row for a in here], pa.string()))
        named = pc.is_in(keys, value_set=pa.array([a.on.key for a in here if a.on.key], pa.string()))
        for index in np.flatnonzero(pc.or_(known, named).to_numpy(zero_copy_only=False)):
            at = int(index)
            key, row = keys[at].as_py() or "", rows[at].as_py()
            meant = [a for a in here if (a.on.key == key if a.on.key else a.on.row == row)]
            self._met.update(a.id for a in meant)
            mark = fingerprint(*shelf.raw_row(batch, at))
            own = [a for a in meant if a.on.fingerprint == mark and a.id not in self._done]
            if own:
                self._done.update(a.id for a in own)
                yield at, own

    def _tell(self, number: int, made: pa.Table, own: Sequence[Act], at: Where) -> None:
        named = {f.source: f.name for f in at.resource.fields}
        changed = [h for a in own if a.kind == "correct" for h in a.changes]
        self._rows[number] = {
            "source": at.location,
            "row": made.column("_row")[0].as_py(),
            "acts": [a.id for a in own],
            "kind": "corrected" if changed else "accepted",
            "columns": list(dict.fromkeys(named.get(h, "geometry") for h in changed)),
            "rules": sorted({r for a in own if a.kind == "accept" for r in a.on.rules}),
            "at": max(a.at for a in own).isoformat(),
        }

    def lay(self, connection: duck.Connection) -> bool:
        """Make the table `accepted` (_seq, rules) of rows that are taken in spite of rules; False where none is."""
        if not self._accepted:
            return False
        given = pa.table(
            {
                "_seq": pa.array(list(self._accepted), pa.int64()),
                "rules": pa.array([sorted(r) for r in self._accepted.values()], pa.list_(pa.string())),
            }
        )
        connection.register("accepted_given", given)
        connection.execute(ACCEPTED_ROWS)
        connection.unregister("accepted_given")
        return True


def of(settings: Settings, resource: Resource) -> Amending:
    """Give what was decided about rows of a resource; raises OpsDown where that cannot be known."""
    return Amending(acts=tuple(_desk().standing(settings, resource.id)) if settings.ops_made else ())


def _desk() -> Any:
    """Give the module of the acts: the operational store is slow to load, and most runs have nothing to ask it."""
    return importlib.import_module("twin.quarantine.acts")


def forgive(connection: duck.Connection) -> None:
    """Take from `outcome` the reasons that the table `accepted` names, and the rows that have none left."""
    connection.execute(FORGIVE)
    connection.execute(FORGIVEN)


def _changed(row: pa.RecordBatch, own: Sequence[Act], source: Source) -> pa.RecordBatch:
    """Give one delivered row with its corrected values in place of those that came, as text."""
    changes: dict[str, str] = {}
    for act in own:
        changes |= act.changes
    for heading, text in changes.items():
        if heading != GEOMETRY:
            row = _put(row, heading, pa.array([text or None], pa.string()))
    if {source.x, source.y} & changes.keys() - {""}:
        row = _put(row, "_geometry", _point(row, source))
    if changes.get(GEOMETRY):
        row = _put(row, "_geometry", _exchanged(row.column("_geometry")))
    return _put(row, "_note", _noted(row.column("_note"), changes))


def _put(row: pa.RecordBatch, name: str, value: pa.Array) -> pa.RecordBatch:
    names = [*row.schema.names, *([] if name in row.schema.names else [name])]
    return pa.RecordBatch.from_arrays([value if n == name else row.column(n) for n in names], names=names)


def _point(row: pa.RecordBatch, source: Source) -> pa.Array:
    """Make the point of a table's coordinate columns, in the CRS they are in."""
    x, y = (_number(row.column(n)[0].as_py()) for n in (source.x, source.y))
    made = None if x is None or y is None else shapely.to_wkb(shapely.Point(x, y))
    return pa.array([made], row.schema.field("_geometry").type)


def _number(value: object) -> float | None:
    with contextlib.suppress(ValueError):
        return float(unicodedata.normalize("NFKC", str(value)).replace(",", ""))
    return None


def _exchanged(shapes: pa.Array) -> pa.Array:
    read = shapely.from_wkb(np.asarray(shapes.to_pylist(), dtype=object), on_invalid="ignore")
    turned = shapely.transform(read, lambda xy: xy[:, ::-1])
    return pa.array(shapely.to_wkb(turned), shapes.type)


def _noted(notes: pa.Array, changes: Mapping[str, str]) -> pa.Array:
    """Drop a reader's remarks about values that are no longer there."""
    told = notes[0].as_py()
    kept = [w for w in (told or "").split(",") if w and w.partition(":")[2] not in changes]
    return pa.array([",".join(kept) or None], pa.string())


def _marked(made: pa.Table, own: Sequence[Act], rules: set[str]) -> pa.Table:
    """Say in a typed row what was done to it, and drop the reasons it is accepted in spite of."""
    notes = [n for n in made.column("_note")[0].as_py() or () if n not in rules]
    words = [w for w in (made.column("_repair")[0].as_py() or "").split(",") if w]
    words += [CORRECTED] * any(a.kind == "correct" for a in own) + [ACCEPTED] * bool(rules)
    form = made.schema
    values = {
        "_note": pa.array([notes or None], form.field("_note").type),
        "_repair": pa.array([",".join(words)], pa.string()),
    }
    return pa.table([values.get(n, made.column(n)) for n in form.names], schema=form)


def note(amending: Amending) -> list[tuple[str, str]]:
    """Give the sentences a run tells of what was decided, (zh, en) each."""
    became = list(amending.became().values())
    done, other = became.count("applied"), len(became) - became.count("applied")
    told = []
    if done:
        told.append((f"按隔离区的处理更正或接受:{done} 项", f"Corrected or accepted as decided on the desk: {done}"))
    if other:
        zh = f"隔离区的处理因原值已变或不再报送而未用:{other} 项"
        told.append((zh, f"Decisions of the desk not used, their rows came otherwise or not at all: {other}"))
    return told
