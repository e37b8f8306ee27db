"""`python -m etl demo --serve`: the departments' servers on the loopback with the demo's data, and how to arm them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from etl.demo import offered
from etl.demo.servers import serving
from etl.fetch import connections
from etl.fetch.connections import Connection
from twin import duck
from twin.duck import literal
from twin.errors import SettingError
from twin.model import Resource

PASSWORDS: Mapping[str, str] = {"postgis": "PGPASSWORD", "mysql": "MYSQL_PWD"}
"""Kind of a database → the variable that holds the password of who may fill it; it is never printed."""
SCANNERS: Mapping[str, tuple[str, str]] = {
    "postgis": ("postgres_scanner", "postgres"), "mysql": ("mysql_scanner", "mysql"),
}  # fmt: skip


def play(
    resources: Sequence[Resource], village: Path, raw: Path, *, port: int, databases: Mapping[str, str]
) -> Generator[str]:
    """Fill the `databases` (kind → address with a user) and serve the rest at `port`; gives lines to be printed.

    The last line given, it serves until interrupted. Raises SettingError where a database cannot be filled.
    """
    known = connections.read(village)
    for kind, address in databases.items():
        _fill(kind, address, [s for r in resources for s in r.sources if _kind(known, s.connection) == kind], raw)
        yield from (f'export {name}="{value}"' for name, value in arms(known, kind, address).items())
    towns = offered.towns(resources, known, raw)
    with serving(towns, port) as address:
        told = offered.environment(known, towns, address)
        yield from (f'export {name}="{value}"' for name, value in told.items())
        yield f'# curl -X POST "{address}/_misbehave?who={next(iter(towns))}&what=html&times=1"'
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _kind(known: Mapping[str, Connection], name: str) -> str:
    return known[name].kind if name in known else ""


def arms(known: Mapping[str, Connection], kind: str, address: str) -> dict[str, str]:
    """Give the variables that arm every connection of a `kind` of database; a password by the variable it stands in."""
    parts = urlsplit(address)
    place = f"{parts.scheme}://{parts.hostname}:{parts.port or ''}".rstrip(":") + parts.path
    found: dict[str, str] = {}
    for one in known.values():
        if one.kind == kind:
            found |= {one.address_env: place, one.user_env: unquote(parts.username or "")}
            found[one.password_env] = f"${PASSWORDS[kind]}"
    return found


def _fill(kind: str, address: str, sources: Sequence[offered.Source], raw: Path) -> None:
    scanner, word = SCANNERS[kind]
    parts = urlsplit(address)
    if parts.password:
        raise SettingError(
            f"地址中不写口令:放在环境变量 {PASSWORDS[kind]}",
            f"No password in an address: put it into {PASSWORDS[kind]}",
        )
    password = os.environ.get(PASSWORDS[kind], "")
    words = (
        _word("HOST", parts.hostname or ""),
        _word("PORT", str(parts.port or "")),
        _word("DATABASE", parts.path.strip("/")),
        _word("USER", unquote(parts.username or "")),
        _word("PASSWORD", password),
    )
    listed = ", ".join(w for w in words if w)
    connection = duck.connect(spatial=False, scanner=scanner)
    try:
        connection.execute(f"CREATE TEMPORARY SECRET filled (TYPE {word}, {listed})")
        connection.execute(f"ATTACH '' AS dst (TYPE {word}, SECRET filled)")
        for source in sources:
            for sql in offered.statements(kind, source, raw):
                connection.execute(f"CALL {word}_execute('dst', {literal(sql)})")
    except duck.Error as wrong:
        said = str(wrong).splitlines()[0].replace(password or "\0", connections.HIDDEN)
        raise SettingError(f"写不进数据库:{said}", f"The database cannot be filled: {said}") from None
    finally:
        connection.close()


def _word(name: str, value: str) -> str:
    return f"{name} {literal(value)}" if value else ""
