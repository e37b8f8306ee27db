"""The truth about 示范村: one call that builds everything its departments will later describe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import shapely

from etl.demo import (
    buildings,
    changes,
    controls,
    counts,
    events,
    gazetteer,
    grids,
    hamlets,
    inventory,
    layout,
    numbering,
    parcels,
    people,
    points,
    registers,
    safety,
    stations,
    surface,
)
from etl.demo.frame import BOUNDS, CRS, VILLAGE_CODE, VILLAGE_NAME, YEARS
from etl.demo.lines import ridge_boundary
from etl.demo.terrain import Terrain, make_terrain

if TYPE_CHECKING:
    import numpy as np

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The whole village: rows by table (geometry in EPSG:4549 metres, x east, y north) and 2 m height grids.

    `surroundings` is the neighbours' land within the window, only for pictures and heights.
    `bounds` is (west, south, east, north) of `dem` and `dsm`, whose row 0 is the northernmost.
    """

    seed: int
    crs: str
    bounds: tuple[float, float, float, float]
    boundary: shapely.Polygon
    surroundings: list[Row]
    tables: dict[str, list[Row]]
    dem: np.ndarray
    dsm: np.ndarray


def build(seed: int = 330521) -> Truth:
    """Build the village of one seed; the same seed gives the same village to the last digit."""
    terrain = make_terrain(seed)
    outline = ridge_boundary(terrain.z, seed)
    laid, new_blocks = _lay_out(terrain, outline, seed)
    before, after, origin = _tilings(terrain, laid, new_blocks, outline, seed)
    boundary = shapely.Polygon(shapely.get_coordinates(shapely.coverage_union_all(after.polygons)))
    cells = grids.make_grids(terrain, boundary, seed)
    tables: dict[str, list[Row]] = {"grids": cells, "parcels": _parcels(terrain, before, after, origin, cells)}
    estate = _estate(terrain, laid, seed, new_blocks, cells)
    tables |= {"homesteads": estate.homesteads, "buildings": estate.buildings}
    tables["households"] = _households(estate, seed)
    tables |= _waters_and_roads(laid, boundary)
    tables |= _registers(terrain, boundary, tables, seed)
    tables |= _points(terrain, boundary, laid, tables, seed)
    now = [row for row in tables["parcels"] if row["year"] == YEARS[-1]]
    around = _surroundings(terrain, laid, boundary, seed)
    dem = surface.ground(terrain, [*now, *around])
    dsm = surface.surface(dem, [*now, *around], estate.buildings, seed)
    return Truth(
        seed=seed, crs=CRS, bounds=BOUNDS, boundary=boundary, surroundings=around, tables=tables, dem=dem, dsm=dsm
    )


def _surroundings(terrain: Terrain, laid: layout.Layout, boundary: shapely.Polygon, seed: int) -> list[Row]:
    outside = shapely.box(*BOUNDS).difference(boundary)
    beyond = parcels.cut(terrain, laid, outside, seed)
    return [
        {"sandiao": code, "zone": str(kind), "geometry": polygon}
        for code, kind, polygon in zip(beyond.classes, beyond.kinds, beyond.polygons, strict=True)
    ]


def _lay_out(terrain: Terrain, boundary: shapely.Polygon, seed: int) -> tuple[layout.Layout, set[int]]:
    roads, streams = layout.make_roads(terrain, seed), inventory.brooks(terrain)
    plots = (*hamlets.make_yards(terrain), *hamlets.make_ponds(terrain))
    reserved = shapely.union_all(
        [
            *(plot.polygon.buffer(3) for plot in plots),
            *(line.buffer(6) for _, line in streams),
            *(road.line.buffer(road.width_m / 2 + 2) for road in roads if road.kind == "村道"),
        ]
    )
    reserved = reserved.union(shapely.box(*BOUNDS).difference(boundary.buffer(-8)))
    blocks = hamlets.make_blocks(terrain, reserved, seed)
    roads = (*roads, *hamlets.make_lanes(terrain, blocks))
    laid = layout.Layout(
        roads=roads,
        plots=plots,
        blocks=blocks,
        river=inventory.make_river(terrain.valley),
        reservoir=layout.make_reservoir(terrain),
        streams=streams,
    )
    return inventory.clear_tracks(laid), hamlets.newest(blocks)


def _tilings(
    terrain: Terrain, laid: layout.Layout, new: set[int], outline: shapely.Polygon, seed: int
) -> tuple[parcels.Tiling, parcels.Tiling, np.ndarray]:
    old = replace(laid, blocks=tuple(block for k, block in enumerate(laid.blocks) if k not in new))
    cut = changes.settle(parcels.cut(terrain, old, outline, seed), terrain)
    return changes.apply(cut, terrain, outline, changes.plots(laid, new))


def _parcels(
    terrain: Terrain, before: parcels.Tiling, after: parcels.Tiling, origin: np.ndarray, cells: list[Row]
) -> list[Row]:
    rows = numbering.rows(before, terrain, 2020, numbering.numbers(before.polygons))
    rows += numbering.rows(after, terrain, 2025, numbering.renumbered(before.polygons, after.polygons, origin))
    for row, grid in zip(rows, grids.grid_of([row["geometry"] for row in rows], cells), strict=True):
        row |= {"grid_code": grid, "plan_code": registers.PLAN_CODES[row["sandiao"]]}
    return rows


def _estate(terrain: Terrain, laid: layout.Layout, seed: int, new: set[int], cells: list[Row]) -> buildings.Estate:
    estate = buildings.settle(buildings.lots_of(terrain, laid.blocks, new, seed), seed)
    buildings.public_buildings(estate, laid.plots)
    for rows in (estate.homesteads, estate.buildings):
        for row, grid in zip(rows, grids.grid_of([row["geometry"] for row in rows], cells), strict=True):
            row["grid_code"] = grid
    return estate


def _households(estate: buildings.Estate, seed: int) -> list[Row]:
    homes = [row for row in estate.homesteads if row["year"] == 2025]
    rows = people.make_households([(row["household_id"], row["address"]) for row in homes], seed)
    for row, home in zip(rows, homes, strict=True):
        row |= {
            "grid_code": home["grid_code"],
            "homestead_id": home["parcel_id"],
            "geometry": home["geometry"].centroid,
        }
    return rows


def _waters_and_roads(laid: layout.Layout, boundary: shapely.Polygon) -> dict[str, list[Row]]:
    return {
        "roads": inventory.road_rows(laid, boundary),
        "rivers": inventory.river_rows(laid, boundary),
        "water_bodies": inventory.water_rows(laid, boundary),
    }


def _registers(
    terrain: Terrain, boundary: shapely.Polygon, tables: dict[str, list[Row]], seed: int
) -> dict[str, list[Row]]:
    rows = tables["parcels"]
    return {
        "plan_zones": registers.plan_zones(rows),
        "red_lines": controls.red_lines(rows, boundary),
        "plan_controls": controls.plan_controls(rows, boundary),
        "terraces": controls.terraces(rows),
        "contours": controls.contours(terrain, boundary),
        **registers.land_registers(rows, tables["households"], seed),
        "village": [{"village_code": VILLAGE_CODE, "name": VILLAGE_NAME, "geometry": boundary}],
    }


def _points(
    terrain: Terrain, boundary: shapely.Polygon, laid: layout.Layout, tables: dict[str, list[Row]], seed: int
) -> dict[str, list[Row]]:
    houses = tables["buildings"]
    clinics, aeds = points.health(laid, terrain)
    stops, power = points.transport(laid, terrain)
    hazards, zones = safety.hazards(terrain, houses)
    enterprises, stays = points.businesses(laid, terrain, houses, seed)
    return {
        "public_facilities": points.public_facilities(laid, terrain),
        "clinics": clinics,
        "aeds": aeds,
        "bus_stops": stops,
        "transformers": power,
        "water_stations": stations.gauges(laid, terrain),
        "sewage_terminals": stations.sewage_terminals(laid, terrain),
        "air_stations": stations.air(laid, terrain),
        "sanitation_points": stations.sanitation(laid, terrain, seed),
        "ancient_trees": stations.ancient_trees(laid, terrain, seed),
        "shelters": safety.shelters(laid, terrain),
        "geohazards": hazards,
        "hazard_zones": zones,
        "enterprises": enterprises,
        "homestays": stays,
        "places": gazetteer.places(laid, terrain, boundary),
        "cases": events.make_cases(houses, tables["households"], seed),
        **counts.by_house_and_grid(tables, seed),
    }
