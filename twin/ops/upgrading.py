"""Which schema the operational store has and how it is brought to the newest; the only alembic but the migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from twin.errors import SettingError
from twin.ops import tables
from twin.ops.engine import Ops

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLDER = Path(__file__).with_name("migrations")
HEAD = "0006"
"""The newest schema; the migrations end here (a test looks)."""


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the store at `url` to the newest schema in one transaction; gives the schema before and after.

    Safe to call from several processes at once, and on a store that is up to date. Raises SettingError where the store
    was made by a newer version of this program, OpsDown where it cannot be written.
    """
    ops = Ops(url)
    try:
        with ops.begin() as connection:
            before = _version(connection)
            if before != HEAD:
                migrate(connection, HEAD)
            return before, HEAD
    finally:
        ops.close()


def version(ops: Ops) -> str | None:
    """Give the schema of a store, None where it is empty."""
    with ops.read() as connection:
        return _version(connection)


def migrate(connection: Connection, to: str) -> None:
    """Run the migrations up to `to` inside the transaction of `connection`; raises SettingError (schema unknown)."""
    scripts = _scripts()
    current = _version(connection)
    if current is not None and current not in {r.revision for r in scripts.walk_revisions()}:
        raise SettingError(
            f"业务库的结构版本 {current} 比本程序新,请升级程序或恢复旧备份",
            f"The operational store has schema {current}, newer than this program: upgrade it, or restore a backup",
        )

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs(to, revision)  # noqa: SLF001  (alembic's own command does the same)

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=to) as environment:
        environment.configure(connection=connection, target_metadata=tables.metadata)
        environment.run_migrations()


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(FOLDER))
