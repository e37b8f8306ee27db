"""The truth about 示范村: one call that builds everything its departments will later describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from etl.demo import buildings, changes, events, hamlets, layout, parcels, people, points, registers, surface
from etl.demo.frame import BOUNDS, CRS, VILLAGE_CODE, VILLAGE_NAME, YEARS
from etl.demo.lines import ridge_boundary
from etl.demo.terrain import Terrain, make_terrain

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
    boundary = ridge_boundary(terrain.z)
    laid, new_blocks = _lay_out(terrain, seed)
    grids = registers.make_grids(terrain, boundary, seed)
    tables: dict[str, list[Row]] = {"grids": grids}
    tables["parcels"] = _parcels(terrain, laid, new_blocks, boundary, grids, seed)
    estate = _estate(terrain, laid, seed, new_blocks, grids)
    tables |= {"homesteads": estate.homesteads, "buildings": estate.buildings}
    tables["households"] = _households(estate, grids, seed)
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


def _lay_out(terrain: Terrain, seed: int) -> tuple[layout.Layout, set[int]]:
    roads, streams = layout.make_roads(terrain, seed), layout.brooks(terrain)
    plots = (*hamlets.make_yards(terrain), *hamlets.make_ponds(terrain))
    reserved = shapely.union_all([
        *(plot.polygon.buffer(3) for plot in plots), *(line.buffer(6) for _, line in streams),
        *(road.line.buffer(road.width_m / 2 + 2) for road in roads if road.kind == "村道")])  # fmt: skip
    blocks = hamlets.make_blocks(terrain, reserved, seed)
    roads = (*roads, *hamlets.make_lanes(terrain, blocks))
    laid = layout.Layout(roads=roads, plots=plots, blocks=blocks, river=layout.make_river(terrain.valley),
                         reservoir=layout.make_reservoir(terrain), streams=streams)  # fmt: skip
    return layout.clear_tracks(laid), hamlets.newest(blocks)


def _parcels(
    terrain: Terrain, laid: layout.Layout, new: set[int], boundary: shapely.Polygon, grids: list[Row], seed: int
) -> list[Row]:
    old = layout.Layout(**{**laid.__dict__, "blocks": tuple(b for k, b in enumerate(laid.blocks) if k not in new)})
    before = changes.settle(parcels.cut(terrain, old, boundary, seed), terrain)
    after, origin = changes.apply(before, terrain, boundary, changes.plots(laid, new))
    rows = parcels.rows(before, terrain, 2020, parcels.numbers(before.polygons))
    rows += parcels.rows(after, terrain, 2025, parcels.renumbered(before.polygons, after.polygons, origin))
    for row, grid in zip(rows, registers.grid_of([row["geometry"] for row in rows], grids), strict=True):
        row |= {"grid_code": grid, "plan_code": registers.PLAN_CODES[row["sandiao"]]}
    return rows


def _estate(terrain: Terrain, laid: layout.Layout, seed: int, new: set[int], grids: list[Row]) -> buildings.Estate:
    estate = buildings.settle(buildings.lots_of(terrain, laid.blocks, new, seed), seed)
    buildings.public_buildings(estate, laid.plots)
    for rows in (estate.homesteads, estate.buildings):
        for row, grid in zip(rows, registers.grid_of([row["geometry"] for row in rows], grids), strict=True):
            row["grid_code"] = grid
    return estate


def _households(estate: buildings.Estate, grids: list[Row], seed: int) -> list[Row]:
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
        "roads": layout.road_rows(laid, boundary),
        "rivers": layout.river_rows(laid, boundary),
        "water_bodies": layout.water_rows(laid, boundary),
    }


def _registers(
    terrain: Terrain, boundary: shapely.Polygon, tables: dict[str, list[Row]], seed: int
) -> dict[str, list[Row]]:
    rows = tables["parcels"]
    red, plan = registers.controls(rows, boundary)
    return {
        "plan_zones": registers.plan_zones(rows), "red_lines": red, "plan_controls": plan, "terraces": registers.terraces(rows),
        "contours": registers.contours(terrain, boundary), **registers.land_registers(rows, tables["households"], seed),
        "village": [{"village_code": VILLAGE_CODE, "name": VILLAGE_NAME, "geometry": boundary}],
    }  # fmt: skip


def _points(
    terrain: Terrain, boundary: shapely.Polygon, laid: layout.Layout, tables: dict[str, list[Row]], seed: int
) -> dict[str, list[Row]]:
    houses, homes = tables["buildings"], tables["households"]
    clinics, aeds = points.health(laid)
    stops, power = points.transport(laid, terrain)
    stations, sewage = points.water_points(laid, terrain)
    air, bins, trees = points.environment(laid, terrain, seed)
    shelters, hazards, zones = points.safety(laid, terrain, houses)
    enterprises, stays = points.businesses(laid, houses, seed)
    return {
        "public_facilities": points.public_facilities(laid, terrain), "clinics": clinics, "aeds": aeds, "bus_stops": stops, "transformers": power,
        "water_stations": stations, "sewage_terminals": sewage, "air_stations": air, "sanitation_points": bins, "ancient_trees": trees,
        "shelters": shelters, "geohazards": hazards, "hazard_zones": zones, "enterprises": enterprises, "homestays": stays,
        "places": points.places(laid, terrain, registers.summits(terrain, boundary)), "cases": events.make_cases(houses, homes, seed),
        **events.by_house_and_grid(tables, seed),
    }  # fmt: skip
