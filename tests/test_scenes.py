"""Buildings in 3D: in the right place, closed, and carrying the entity's id."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
import shapely.affinity

from tests import warping
from tests.test_rasters import CRS, SOUTH, WEST, terrain
from twin import geodesy, rasters, scenes
from twin.scenes import b3dm, earth, mesh

if TYPE_CHECKING:
    from pathlib import Path

LON, LAT = 119.97, 30.53
DEGREE_M = 111_195.0


def house(
    number: int, *, lon: float = LON, lat: float = LAT, size: float = 1e-4, height_m: float = 6.0
) -> scenes.Solid:
    return scenes.Solid(
        id=f"building:B{number:04d}",
        name=f"示范村{number}号",
        footprint=shapely.box(lon, lat, lon + size, lat + size),
        height_m=height_m,
        properties={"storeys": 2},
    )


def village(count: int) -> list[scenes.Solid]:
    chosen = np.random.default_rng(7).uniform(0, 0.02, (count, 2))
    return [house(n, lon=LON + float(x), lat=LAT + float(y)) for n, (x, y) in enumerate(chosen)]


def contents(directory: Path):
    return [b3dm.decode(path.read_bytes()) for path in sorted(directory.glob("*.b3dm"))]


def test_a_village_is_a_sound_tileset_of_a_few_tiles(tmp_path: Path) -> None:
    written = scenes.write_tileset(village(900), tmp_path)
    assert scenes.check(tmp_path) == []
    assert {p.name for p in written} == {p.name for p in tmp_path.iterdir()}
    assert 2 <= len(written) - 1 <= 8


def test_every_building_is_there_once_with_id_name_and_height(tmp_path: Path) -> None:
    solids = village(900)
    scenes.write_tileset(solids, tmp_path)
    ids = [i for _, properties, _ in contents(tmp_path) for i in properties["id"]]
    assert sorted(ids) == sorted(s.id for s in solids)
    _, properties, _ = contents(tmp_path)[0]
    assert set(properties) == {"id", "name", "height_m", "storeys"}
    assert properties["name"][0].startswith("示范村")


def test_the_transform_leads_to_where_proj_says_the_village_is(tmp_path: Path) -> None:
    scenes.write_tileset([house(1)], tmp_path)
    matrix = np.array(json.loads((tmp_path / "tileset.json").read_text())["root"]["transform"]).reshape(4, 4).T
    x, y, z = matrix[:3, 3]
    lon, lat = math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y) * (1 - earth.E2)))
    assert (lon, lat) == pytest.approx((LON + 5e-5, LAT + 5e-5), abs=1e-9)


def test_local_metres_agree_with_projs_area(tmp_path: Path) -> None:
    solid = house(1, size=1e-3)
    shape = mesh.extrude([solid.footprint], np.zeros(1), np.array([6.0]), (LON, LAT))
    roof = shape.positions[shape.triangles[shape.material == mesh.ROOF]]
    area = np.linalg.norm(np.cross(roof[:, 1] - roof[:, 0], roof[:, 2] - roof[:, 0]), axis=1).sum() / 2
    accepted = {"EPSG:4490": 0.01, "EPSG:4549": 0.01}
    true = geodesy.area_m2(np.array([solid.footprint]), "EPSG:4490", metric_crs="EPSG:4549", accepted=accepted)[0]
    assert area == pytest.approx(true, rel=1e-3)


@pytest.mark.parametrize("holes", [[], [[(2e-5, 2e-5), (2e-5, 5e-5), (5e-5, 5e-5), (5e-5, 2e-5)]]])
def test_walls_close_around_the_roof_and_face_outwards(holes: list) -> None:
    ring = [(0, 0), (1e-4, 0), (1e-4, 6e-5), (6e-5, 6e-5), (6e-5, 1e-4), (0, 1e-4)]
    footprint = shapely.transform(shapely.Polygon(ring, holes), lambda xy: np.add(xy, (LON, LAT)))
    shape = mesh.extrude([footprint], np.array([10.0]), np.array([16.0]), (LON, LAT))
    corners = shape.positions[shape.triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", facing, shape.normals[shape.triangles[:, 0]]) > 0).all()
    # the divergence theorem: outward faces, with the floor put back, enclose area times height
    floor = corners[shape.material == mesh.ROOF] - [0, 0, 6.0]
    closed = np.concatenate([corners, floor[:, ::-1]])
    volume = np.einsum("ij,ij->i", closed[:, 0], np.cross(closed[:, 1], closed[:, 2])).sum() / 6
    area = footprint.area * DEGREE_M**2 * math.cos(math.radians(LAT))
    assert volume == pytest.approx(area * 6, rel=0.01)


@pytest.mark.parametrize("turn", [-20, 0, 20])
def test_of_a_house_that_faces_south_or_nearly_every_two_walls_that_meet_are_told_apart(turn: int) -> None:
    footprint = shapely.affinity.rotate(shapely.box(LON, LAT, LON + 1.16e-4, LAT + 1e-4), turn)
    shape = mesh.extrude([footprint], np.zeros(1), np.array([6.0]), (LON, LAT))
    shades = shape.material[shape.material != mesh.ROOF][::2].astype(int)
    assert len(shades) == 4
    assert (np.abs(shades - np.roll(shades, 1)) >= mesh.SHADES // 6).all()


def test_the_light_is_in_the_colours_and_no_renderer_adds_its_own(tmp_path: Path) -> None:
    scenes.write_tileset([house(1)], tmp_path)
    [(_, _, model)] = contents(tmp_path)
    assert model.extensionsUsed == ["KHR_materials_unlit"]
    assert [material.extensions for material in model.materials] == [{"KHR_materials_unlit": {}}] * (mesh.SHADES + 1)


def test_buildings_stand_on_the_terrain(tmp_path: Path) -> None:
    cog = tmp_path / "terrain.tif"
    warping.cog([terrain(tmp_path / "dem.tif")], cog, crs=CRS, form=rasters.TERRAIN)
    transform = geodesy.transformer(CRS, "EPSG:4490", accepted={CRS: 0.01, "EPSG:4490": 0.01})
    lon, lat = (float(v[0]) for v in transform(np.array([WEST + 200.0]), np.array([SOUTH + 200.0])))
    scenes.write_tileset([house(1, lon=lon, lat=lat, size=2e-5)], tmp_path / "scene", ground=cog)
    region = json.loads((tmp_path / "scene" / "tileset.json").read_text())["root"]["boundingVolume"]["region"]
    ground = 20 + 100 * 0.5 + 100 * 0.25
    assert region[4] == pytest.approx(ground - 0.5, abs=2.0)
    assert region[5] == pytest.approx(ground + 6, abs=2.0)


def test_buildings_without_height_or_shape_are_left_out_and_none_left_is_an_error(tmp_path: Path) -> None:
    scenes.write_tileset([house(1), house(2, height_m=0.0)], tmp_path)
    assert contents(tmp_path)[0][0] == 1
    with pytest.raises(ValueError, match="no building"):
        scenes.write_tileset([house(2, height_m=0.0)], tmp_path)


def test_a_tile_is_laid_out_as_the_specification_has_it(tmp_path: Path) -> None:
    scenes.write_tileset(village(30), tmp_path)
    data = (tmp_path / "0.b3dm").read_bytes()
    _, _, size, table, _, batch, _ = b3dm.HEADER.unpack_from(data)
    assert size == len(data)
    assert (size % 8, (28 + table) % 8, (28 + table + batch) % 8) == (0, 0, 0)
    assert data[28 + table + batch :][:4] == b"glTF"


@pytest.mark.parametrize("damage", ["content", "json", "ids"])
def test_the_check_sees_what_would_not_show(tmp_path: Path, damage: str) -> None:
    scenes.write_tileset(village(30), tmp_path)
    if damage == "content":
        (tmp_path / "0.b3dm").unlink()
    elif damage == "json":
        (tmp_path / "tileset.json").write_text("{")
    else:
        tile = tmp_path / "0.b3dm"
        tile.write_bytes(tile.read_bytes().replace(b"building:B0003", b"building:B0004"))
    assert scenes.check(tmp_path) != []
