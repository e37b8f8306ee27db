"""What a derived table's function is given and gives: views of its inputs; its rows, and which rows each is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from twin import duck

if TYPE_CHECKING:
    from twin.model import Resource, Village

LINEAGE = pa.schema(
    [
        ("id", pa.string()),
        ("year", pa.int32()),
        ("input", pa.string()),
        ("input_id", pa.string()),
        ("input_year", pa.int32()),
    ]
)
"""One line for each row a derived row is made of."""
SUFFIX = "lineage.parquet"
"""The file of a version that holds them."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a function may look at, and nothing else: `connection` has one view for each input, by the table's name.

    A view has the table's columns; `geometry` is a GEOMETRY in the village's storage CRS (lon, lat). `folder` holds
    the village's declarations.
    """

    connection: duck.Connection
    village: Village
    resource: Resource
    folder: Path

    def option(self, name: str) -> str:
        """Give an option the declaration states; raises KeyError, which the tests of the declarations look for."""
        return self.resource.options[name]

    def columns(self, table: str) -> frozenset[str]:
        """Give the columns of one input as it is published now."""
        return frozenset(row[0] for row in self.connection.execute(f"DESCRIBE {duck.quote(table)}").fetchall())


@dataclass(frozen=True, kw_only=True)
class Made:
    """The rows of a derived table, with the declared columns, `year` and, where it has shapes, `geometry` as WKB.

    `lineage` is of the schema LINEAGE.
    """

    rows: pa.Table
    lineage: pa.Table


Function = Callable[[Given], Made]
