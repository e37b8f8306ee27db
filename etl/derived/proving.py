"""What a sound derived table satisfies: its inputs are there, go in no circle, and it tells no more than they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl import proofs
from twin.policy import class_of, columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etl.proofs import Facts, Place
    from twin.model import Field, Resource

CLASSES = ("public", "internal", "personal", "sensitive")
SHARES = ("unconditional", "conditional", "none")
OPENNESS = ("开放", "依申请开放", "不开放")
"""Each from the least strict to the strictest."""
PERSONAL = CLASSES[2:]


def derived(facts: Facts, tables: Sequence[Resource]) -> None:
    """Note every fault of the derived `tables`, and of catalogued resources that claim to be derived."""
    known = facts.tables()
    made = {t.id for t in tables}
    for name, resource in known.items():
        place = facts.places.get(f"resource:{name}")
        if place and name not in made and (resource.reader == proofs.DERIVED or resource.inputs):
            words = ("推算表写在 derived/ 下", "A derived table stands below derived/")
            place.fault(("reader",), words, ("移到 derived/<表>.toml", "Move it to derived/<table>.toml"))
    for table in tables:
        place = facts.places.get(f"resource:{table.id}")
        if place is not None:
            _one(place, table, known)
    for table in tables:
        _department(facts, table)


def _department(facts: Facts, table: Resource) -> None:
    place = facts.places.get(f"resource:{table.id}")
    if place and table.department not in {d.id for d in facts.departments}:
        words = (f"没有部门 {table.department!r}", f"There is no department {table.department!r}")
        place.document.fault(
            ("department",), words, ("写负责此表的部门标识", "Name the department that answers for it")
        )


def _one(place: Place, table: Resource, known: Mapping[str, Resource]) -> None:
    if table.reader != proofs.DERIVED or not table.inputs or not table.transform:
        words = ("推算表须有 reader、inputs 与 transform", "A derived table needs reader, inputs and transform")
        place.fault((), words, ('写 reader = "derived" 等', 'Write reader = "derived", inputs and transform'))
    for index, name in enumerate(table.inputs):
        if name not in known or known[name].kind in ("raster", "scene"):
            words = (f"没有可用的表 {name}", f"There is no table {name} to use")
            place.fault(("inputs", index), words, ("写已申报的表", "Name a declared table"))
    circle = _circle(table.id, known)
    if circle:
        way = " → ".join(circle)
        remedy = ("去掉其中一个 inputs", "Take one of the inputs away")
        place.fault(("inputs",), (f"循环依赖:{way}", f"A circle: {way}"), remedy)
    inputs = [known[n] for n in table.inputs if n in known]
    _as_strict(place, table, inputs)
    for index, item in enumerate(table.fields):
        _field(place, index, item, table, {r.id: r for r in inputs})


def _circle(name: str, known: Mapping[str, Resource]) -> tuple[str, ...]:
    """Give a way from `name` back to itself, () where there is none."""
    waiting: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop()
        for following in known[way[-1]].inputs if way[-1] in known else ():
            if following == name:
                return (*way, name)
            if following not in seen:
                seen.add(following)
                waiting.append((*way, following))
    return ()


def _as_strict(place: Place, table: Resource, inputs: Sequence[Resource]) -> None:
    """Note where a table is shared or opened further than the strictest of what it is made of."""
    for key, order in (("share_type", SHARES), ("open_attr", OPENNESS)):
        needed = max((_rank(order, getattr(r, key)) for r in inputs), default=0)
        if _rank(order, getattr(table, key)) < needed:
            words = (f"{key} 比输入宽", f"{key} is wider than an input's")
            place.fault((key,), words, (f"写 {order[needed]}", f"Write {order[needed]}"))
    if any(r.about_persons for r in inputs) and not table.about_persons:
        words = ("输入按人记,本表也须按人", "An input's rows are people, so are this table's")
        place.fault(("about",), words, ('写 about = "persons"', 'Write about = "persons"'))


def _rank(order: Sequence[str], word: str) -> int:
    return order.index(word) if word in order else len(order) - 1


def _field(place: Place, index: int, item: Field, table: Resource, inputs: Mapping[str, Resource]) -> None:
    path = ("field", index)
    named = item.source.split()
    if not named:
        words = (f"{item.name} 未写取自哪些列", f"{item.name} does not say what it is made of")
        place.fault((*path, "source"), words, ("写 表.列 表.列", "Write table.column table.column"))
    for text in named:
        name, _, column = text.partition(".")
        if name not in inputs or column not in columns_of(inputs[name]):
            words = (f"{text} 不是输入的列", f"{text} is no column of an input")
            place.fault((*path, "source"), words, ("写 表.列", "Write table.column of one of the inputs"))
            continue
        needed = class_of(inputs[name], column)
        if needed is None or _rank(CLASSES, item.sensitivity or "") < CLASSES.index(needed):
            words = (f"{item.name} 的分级低于 {text}({needed})", f"{item.name} is classed below {text} ({needed})")
            place.fault((*path, "sensitivity"), words, (f"写 {needed}", f"Write {needed}"))
        if needed in PERSONAL and inputs[name].department != table.department:
            words = (f"{text} 是别的部门的个人信息", f"{text} is another department's personal data")
            place.fault((*path, "source"), words, ("不得并入", "It does not enter here"))
