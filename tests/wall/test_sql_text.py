"""No query is built from text: what reaches a database is written in the source, a number, or through a quoting door."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wall.sql_sources import Sources
from tests.wall.sql_text import Fault, Judge, faults

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("twin", "etl", "layers")
NUMBERS_OF_A_TILE = "a tile's zoom, column, row and bounds: whole numbers by type, and floats worked out of them"
ALLOWED = {
    ("twin/tiles.py", "at.x"): NUMBERS_OF_A_TILE,
    ("twin/tiles.py", "at.y"): NUMBERS_OF_A_TILE,
    ("twin/tiles.py", "at.z"): NUMBERS_OF_A_TILE,
    ("twin/tiles.py", "at.bounds()"): NUMBERS_OF_A_TILE,
    ("twin/tiles.py", "buffer"): NUMBERS_OF_A_TILE,
    ("twin/store/rowcut.py", "parent"): NUMBERS_OF_A_TILE,
    ("twin/store/rowcut.py", "dimension"): "1, 2 or 3: of a geometry's kind",
    ("twin/store/rowcut.py", "columns"): "each passes duck.quote in cut.selected, or duck.literal as the key of a struct",
    ("twin/store/geoparquet.py", "connection.execute(FACTS.format(relation=relation)).fetchall()"): "four numbers: the box",
    ("twin/store/quadgrid.py", "connection.execute(TOUCHED.format(cells=CELLS, across=across)).fetchall()"): (
        "numbers of a tile, counted by DuckDB"
    ),
    ("twin/store/attached.py", "getattr(self._local, 'connection', None)"): "a connection, answered beside a relation",
    ("etl/scenes.py", "resource.options"): "a declared column's name, which passes duck.quote",
    ("etl/scenes.py", "connection.execute(sql).fetchall()"): "a name that two functions of that file share; no text of SQL",
}  # fmt: skip
"""What the lint cannot follow to its beginning, and why it is no stranger's text. Only to become shorter."""


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources.below(ROOT, *ROOMS)


def test_no_query_is_built_from_text(sources: Sources) -> None:
    found = Judge(sources).faults()
    assert [f for f in found if (f.path, f.origin) not in ALLOWED] == []


def test_nothing_is_allowed_that_is_no_longer_there(sources: Sources) -> None:
    found = {(f.path, f.origin) for f in Judge(sources).faults()}
    assert set(ALLOWED) - found == set()
    assert len(ALLOWED) <= 13, "the list only becomes shorter"


def test_the_lint_sees_the_places_where_databases_are_asked(sources: Sources) -> None:
    seen = {here.module.path for here, _, _ in sources.sinks}
    assert {"twin/store/serving.py", "twin/analysis/questions.py", "twin/tiles.py", "etl/contract.py"} <= seen
    assert {"twin/accounts/sessions.py", "twin/audit/record.py", "twin/ops/engine.py"} <= seen
    assert len(sources.sinks) > 100


GOOD = {
    "a constant": 'Q = "SELECT 1"\ndef f(c):\n    return c.execute(Q)',
    "bound values": 'Q = "SELECT ?"\ndef f(c, v):\n    return c.execute(Q, [v])',
    "a quoted column": 'def f(c, column):\n    return c.execute(f"SELECT {duck.quote(column)} FROM t")',
    "quoted columns": (
        'Q = "SELECT {columns}"\ndef f(c, names):\n    cols = ", ".join(duck.quote(n) for n in names)\n'
        "    return c.execute(Q.format(columns=cols))"
    ),
    "a number": 'def f(c, n):\n    return c.execute(f"SELECT {int(n)} LIMIT {n:d}")',
    "a choice of constants": 'A, B = "SELECT 1", "SELECT 2"\ndef f(c, x):\n    q = A if x else B\n    return c.execute(q)',
    "a helper": (
        'def where(column):\n    return " WHERE " + duck.quote(column)\n'
        'def f(c, column):\n    return c.execute("SELECT 1" + where(column))'
    ),
    "a parameter that is always a constant": (
        'Q = "SELECT 1"\ndef run(c, sql):\n    return c.execute(sql)\ndef f(c):\n    return run(c, Q)'
    ),
    "SQLAlchemy": "def f(c, v):\n    q = select(T).where(T.c.id == v)\n    q = q.limit(3)\n    return c.execute(q)",
    "a table's own": "def f(c, v):\n    return c.execute(TABLE.insert().values(v))",
}
BAD = {
    "an f-string": "def f(c, name):\n    return c.execute(f\"SELECT * FROM t WHERE name = '{name}'\")",
    "a sum": 'def f(c, name):\n    return c.execute("SELECT * FROM t WHERE name = \'" + name + "\'")',
    "percent": "def f(c, name):\n    return c.execute(\"SELECT * FROM t WHERE name = '%s'\" % name)",
    "format": "Q = \"SELECT * FROM t WHERE name = '{n}'\"\ndef f(c, name):\n    return c.execute(Q.format(n=name))",
    "join": 'def f(c, names):\n    return c.execute("SELECT " + ", ".join(names))',
    "join of some": 'def f(c, names):\n    return c.execute("SELECT " + ", ".join(n.strip() for n in names))',
    "replace": 'Q = "SELECT NAME"\ndef f(c, name):\n    return c.execute(Q.replace("NAME", name))',
    "grown": 'def f(c, name):\n    q = "SELECT 1"\n    q += name\n    return c.execute(q)',
    "a list": 'def f(c, name):\n    parts = ["SELECT 1"]\n    parts.append(name)\n    return c.execute(" ".join(parts))',
    "a request's": 'def f(c, request):\n    return c.execute(request.query_params["q"])',
    "a helper": 'def w(x):\n    return f"WHERE {x}"\ndef f(c, name):\n    return c.execute("SELECT 1 " + w(name))',
    "a caller far away": (
        "def run(c, sql):\n    return c.execute(sql)\ndef g(c, name):\n    return run(c, 'SELECT ' + name)"
    ),
    "an attribute": (
        "class A:\n    def __init__(self, name):\n        self.sql = 'SELECT ' + name\n"
        "    def f(self, c):\n        return c.execute(self.sql)"
    ),
    "a row": 'def f(c):\n    for row in c.execute("SELECT a FROM t").fetchall():\n        c.execute(f"DROP TABLE {row[0]}")',
    "the environment": 'import os\ndef f(c):\n    return c.execute(os.environ["Q"])',
    "executemany": 'def f(c, t, rows):\n    return c.executemany(f"INSERT INTO {t} VALUES (?)", rows)',
    "driver": 'def f(c, t):\n    return c.exec_driver_sql(f"VACUUM {t}")',
    "text": 'from sqlalchemy import text\ndef f(c, t):\n    return c.execute(text(f"SELECT {t}"))',
    "literal_column": "from twin.ops import literal_column\ndef f(c, t):\n    return c.execute(select(literal_column(t)))",
    "a float by its own spec": 'def f(c, name):\n    return c.execute(f"SELECT {name:>9}")',
    "a default overridden": (
        'def run(c, sql="SELECT 1"):\n    return c.execute(sql)\ndef g(c, name):\n    return run(c, sql=name)'
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_written_in_the_source_or_quoted_passes(name: str) -> None:
    assert faults({"twin/sample.py": GOOD[name]}) == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_built_from_text_is_found(name: str) -> None:
    found = faults({"twin/sample.py": BAD[name]})
    assert found
    assert all(isinstance(f, Fault) and f.path == "twin/sample.py" and f.line for f in found)
