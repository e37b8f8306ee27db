"""A village with four areas and a canary in every class, area and column; and one subject for each row of the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.matrix.oracle import AREAS, DRAWN, FOREIGN, LAYERS, OWN, PARENT, SIBLING, TABLES
from tests.serving_fixture import field, point, publish, resource, square, text
from twin.model import Department, Draw, Indicator, Layer, OneMap, Theme, Village
from twin.policy import Subject

if TYPE_CHECKING:
    from twin.store import Store

CODES = {OWN: "330521001001", SIBLING: "330521001002", PARENT: "330521001", FOREIGN: "330522001001"}
PLACE = {OWN: 0.3, SIBLING: 8.3, PARENT: 16.3, FOREIGN: 24.3}
"""Steps of about 100 m to the east of the village's corner."""
KINDS = {
    "thing": "polygon",
    "shop": "point",
    "home": "point",
    "petition": "point",
    "plot": "polygon",
    "closed": "point",
}
NUMBER = {t: n for n, t in enumerate(TABLES, 1)}
PURPOSES = {"official with a purpose": "visit", "department_owner with a purpose": "quality"}
COLUMNS = ("id", "label", "memo", "keeper_name", "keeper_phone", "id_card", "note")


def code(table: str, area: str) -> str:
    """Give the code a row carries: its village's, or with a grid of it; the town's row has a town's code."""
    ending = "007" if TABLES[table]["coded"] == "grid" else ""
    return CODES[area] + (ending if area != PARENT else "")


def canary(table: str, area: str, column: str) -> str:
    """Give the one value that stands in this column of this row and nowhere else."""
    number = NUMBER[table] * 10 + AREAS.index(area)
    if column == "keeper_phone":
        return f"1390571{number:04d}"
    if column == "id_card":
        return f"33052119800101{number:04d}"
    return f"CANARY-{table}-{area}-{column}"


def masked(table: str, area: str, column: str) -> str:
    """Give what is left of a canary when it is masked in part."""
    value = canary(table, area, column)
    if column == "keeper_phone":
        return f"{value[:3]}****{value[-4:]}"
    return f"{value[:3]}***********{value[-4:]}" if column == "id_card" else "C**"


def rows(table: str) -> list[dict[str, Any]]:
    """Give the table's four rows, one in each area."""
    shape = square if KINDS[table] == "polygon" else point
    return [
        {
            **{c: canary(table, area, c) for c in COLUMNS},
            "year": None,
            "row_id": canary(table, area, "id"),
            "area_code": code(table, area),
            "wkt": shape(PLACE[area], NUMBER[table] * 4 + 0.3),
        }
        for area in AREAS
    ]


def resources() -> list[Any]:
    """Give the declarations of the tables."""
    fields = [
        field("row_id"), field("label"), field("memo", "internal"), field("keeper_name", "personal"),
        field("keeper_phone", "personal"), field("id_card", "sensitive"), field("note", None), field("area_code"),
    ]  # fmt: skip
    return [
        resource(
            table, KINDS[table], "row_id", fields, department=facts["owner"], share_type=facts["share"],
            open_attr=facts["open"], about="persons" if facts["people"] else "things", title_field="label",
            area_field="" if facts["coded"] == "no" else "area_code", layers=DRAWN[table],
        )
        for table, facts in TABLES.items()
    ]  # fmt: skip


def layers() -> tuple[Layer, ...]:
    """Give the layers, one of each share class, all of the land department."""

    def draw(layer: str, table: str) -> Draw:
        kind = "fill" if KINDS[table] == "polygon" else "circle"
        return Draw(
            id=f"{layer}-{table}", table=table, type=kind, title=text(table), columns=("label",), popup=("label",)
        )

    base = {"abstract": text("摘要"), "department": "land", "theme": "t"}
    return tuple(
        Layer(
            id=name, slug=name.lower(), title=text(name), share=share,
            draws=tuple(draw(name, t) for t, drawn in DRAWN.items() if name in drawn), **base,
        )
        for name, share in LAYERS.items()
    )  # fmt: skip


def onemap() -> OneMap:
    """Give the village's declarations."""
    village = Village(
        id="m", name=text("矩阵村", "Matrix"), code=CODES[OWN], county=text("县"), county_code="330521",
        bbox=(119.95, 30.5, 120.05, 30.6), plausible_bbox=(119.7, 30.4, 120.4, 30.8), metric_crs="EPSG:4549",
        storage_crs="EPSG:4490", center=(119.97, 30.53), zoom=14, time_zone="Asia/Shanghai",
    )  # fmt: skip
    found = resources()
    departments = tuple(
        Department(id=d, title=text(d), provider_code=d, resources=tuple(r for r in found if r.department == d))
        for d in ("land", "civil")
    )
    numbers = tuple(Indicator(id=f"n-{t}", theme="t", title=text(t), table=t, by="label") for t in TABLES)
    themes = (Theme(id="t", title=text("主题", "Theme"), indicators=numbers),)
    return OneMap(village=village, departments=departments, code_systems=(), themes=themes, layers=layers())


def publish_all(store: Store) -> None:
    """Publish every table through the real store, after a version in which no canary stood but the keys."""
    for table, kind in KINDS.items():
        publish(store, table, [{**r, **dict.fromkeys(COLUMNS[1:], "before")} for r in rows(table)], kind=kind)
        publish(store, table, rows(table), kind=kind)


def subject(who: str) -> Subject:
    """Give the person or key of this row of the oracle, who holds in his own village."""
    role = who.partition(" ")[0]
    grid = f"{CODES[OWN]}007" if role == "grid_worker" else ""
    keyed = ("layer:M2:read", "layer:M3:read:label,keeper_phone", f"area:{CODES[OWN]}") if role == "system" else ()
    prefixed = role in ("grid_worker", "official", "department_owner", "planner")
    return Subject(
        id=who, role=role, prefix=CODES[OWN] if prefixed else "", grid=grid, scopes=keyed,
        purpose=PURPOSES.get(who, ""), department="civil" if role == "department_owner" else "",
    )  # fmt: skip
