"""Nobody who answers a person reads rows past the permit: the house's one relation is the only way to rows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from twin.errors import Refused
from twin.policy.judging import Permit
from twin.store import limits

ROOT = Path(__file__).resolve().parents[1]
ANSWERING = (
    "entities",
    "analysis",
    "search.py",
    "indicators.py",
    "tiles.py",
    "pages",
    "api",
    "map",
    "charts.py",
    "deck.py",
)
READING = ("select", "count", "groups", "get", "cursor")
FREE = {("tiles.py", "cursor")}
"""Where a table is asked for the types of its columns, which are everybody's."""


def files() -> list[Path]:
    found = [ROOT / "twin" / name for name in ANSWERING]
    return [
        p for f in found for p in ([f] if f.is_file() else sorted(f.rglob("*.py"))) if "node_modules" not in p.parts
    ]


def reads(path: Path) -> list[ast.Call]:
    calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    return [
        c
        for c in calls
        if isinstance(c.func, ast.Attribute)
        and c.func.attr in READING
        and ast.unparse(c.func.value).endswith("serving")
    ]


def test_every_read_of_rows_names_the_permit_that_limits_it() -> None:
    bare: dict[tuple[str, str], int] = {}
    for path in files():
        for call in reads(path):
            given = {k.arg for k in call.keywords} | {ast.unparse(a) for a in call.args}
            if "permit" not in given:
                assert isinstance(call.func, ast.Attribute)
                key = (path.name, call.func.attr)
                bare[key] = bare.get(key, 0) + 1
    assert bare == dict.fromkeys(FREE, 1)


def test_nobody_who_answers_opens_files_of_rows_or_writes_sql_from_a_file() -> None:
    wrong = ("read_parquet", "read_csv", "ATTACH ", "serving.duckdb", "pyarrow")
    assert [(p.name, w) for p in files() for w in wrong if w in p.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    "rows",
    [
        (("area_code", "prefix", ("330521' OR true --",)),),
        (("area_code", "prefix", ("33",)),),
        (
            (
                "area_code",
                "prefix",
                ("330521", ""),
            ),
        ),
        (("area_code", "=", ("330521",)),),
        (("area_code", "prefix", ("３３０５２１",)),),
    ],
)
def test_a_condition_that_is_not_a_prefix_of_digits_is_never_asked(rows: tuple) -> None:
    with pytest.raises(Refused):
        limits.relation("t", {"area_code"}, Permit(resource="t", rows=rows), kind="point", lat=30.0)


def test_a_column_that_is_not_stored_holds_for_no_row_and_a_quoted_one_stays_a_name() -> None:
    rows = (("gone", "prefix", ("330521",)),)
    assert (
        limits.relation("t", {"id"}, Permit(resource="t", rows=rows), kind="none", lat=0)
        == "(SELECT *  FROM t WHERE false)"
    )
    odd = 'a" OR "b'
    sql = limits.relation("t", {odd}, Permit(resource="t", rows=((odd, "prefix", ("330521",)),)), kind="none", lat=0)
    assert '"a"" OR ""b"::VARCHAR' in sql


def test_everything_is_left_alone_where_nothing_is_limited() -> None:
    assert limits.relation("t", {"id"}, None, kind="point", lat=0) == "t"
    assert limits.relation("t", {"id"}, Permit(resource="t"), kind="point", lat=0) == "t"
    assert limits.relation("t", {"id"}, Permit(resource="t", precision_m=100.0), kind="none", lat=0) == "t"


@pytest.mark.parametrize("lat", [0.0, 30.53, -30.53, 60.0, 89.0])
def test_a_cell_is_never_smaller_on_the_ground_than_the_precision(lat: float) -> None:
    import math

    ground = limits.side_of(100.0, lat) * math.cos(math.radians(min(84.0, lat)))
    assert ground >= 100.0 - 1e-9
    assert ground <= 105.0 or abs(lat) >= 60
