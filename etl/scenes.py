"""3D scenes on their way out: a delivered tileset's proved part, and the tileset made of a table of buildings."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import shapely

from twin import duck, scenes
from twin.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from etl.fetch import FileSet
    from twin.model import Resource

WANTED = "scene"
"""`options = { scene = "true" }` makes a 3D Tiles tileset of a table's polygons; `height` names their height column."""
HEIGHT = "height_m"
SOLIDS = """
SELECT id, {columns}, ST_AsWKB(geometry) FROM publishable
WHERE year IS NOT DISTINCT FROM (SELECT max(year) FROM publishable) AND {height} > 0 ORDER BY id
"""


def copy(files: FileSet, rows: Iterable[Mapping[str, Any]], directory: Path) -> None:
    """Write what the reader proved to belong to a scene: contents as they came, tilesets as the reader wrote them.

    Raises SourceError where the files are no longer those that were proved.
    """
    proved = {row["name"]: row["tileset"] for row in rows if row["_note"] is None}
    for file in files.files:
        if file.name not in proved:
            continue
        target = directory / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if proved[file.name] is None:
            shutil.copyfile(file.path, target)
        else:
            target.write_text(proved[file.name], "utf-8")
    files.unchanged()


def wanted(resource: Resource) -> bool:
    """Say whether a tileset is to be made of `resource`."""
    return resource.kind == "polygon" and resource.options.get(WANTED) == "true"


def build(connection: duck.Connection, resource: Resource, directory: Path, ground: Path | None) -> None:
    """Write the tileset of the newest edition of `publishable` into `directory`, standing on the terrain `ground`.

    Raises ContractError where what was written is not sound.
    """
    height = resource.options.get("height", HEIGHT)
    public = [f.name for f in resource.fields if f.sensitivity == "public"]
    sql = SOLIDS.format(columns=", ".join(map(duck.quote, [height, *public])), height=duck.quote(height))
    solids = []
    for key, tall, *values, footprint in connection.execute(sql).fetchall():
        properties = {n: v for n, v in zip(public, values, strict=True) if isinstance(v, str | int | float | bool)}
        solids.append(
            scenes.Solid(
                id=f"{resource.entity or resource.id}:{key}",
                name=str(properties.get(resource.title_field, key)),
                footprint=shapely.from_wkb(bytes(footprint)),
                height_m=float(tall),
                properties={**properties, "table": resource.id},
            )
        )
    if not solids:
        return
    scenes.write_tileset(solids, directory, ground=ground)
    wrong = scenes.check(directory)
    if wrong:
        listed = "; ".join(wrong[:5])
        raise ContractError(
            f"生成的三维瓦片有误:{listed}", f"The 3D tiles made are unsound: {listed}", resource=resource.id
        )
