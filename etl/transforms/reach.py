"""How far fifteen minutes on foot reach from each public service, along the road network.

Walking speed: 1000 m in 15 minutes (1.11 m/s). GB 50180-2018 《城市居住区规划设计标准》 table 3.0.4 gives 800-1000 m of
walking for the fifteen-minute neighbourhood; the declaration states what is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from etl.derived.made import LINEAGE, Given, Made
from twin import geodesy

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP_M = 20.0
"""Roads are cut into pieces no longer than this: by so much at most a reach ends too early."""
GAP_M = 12.0
"""Ends of roads that lie closer than this to another road meet it: surveys stop at the kerb."""
SERVICES = """
SELECT 'public_facility' AS input, id, facility_name AS name, facility_type AS kind, ST_AsWKB(geometry)
FROM public_facility
UNION ALL SELECT 'clinic', id, clinic_name, '卫生', ST_AsWKB(geometry) FROM clinic
UNION ALL SELECT 'bus_stop', id, stop_name, '公交', ST_AsWKB(geometry) FROM bus_stop ORDER BY 1, 2
"""
ROADS = "SELECT id, year, ST_AsWKB(geometry) FROM road ORDER BY id"
DOORS = "SELECT ST_AsWKB(geometry) FROM address_point ORDER BY id"


@dataclass(frozen=True)
class Network:
    """A walkable graph in metres: node coordinates, edges as pairs of nodes, the length of each."""

    nodes: NDArray[np.float64]
    edges: NDArray[np.int64]
    lengths: NDArray[np.float64]

    def distances(self, start: int, limit_m: float, offset_m: float) -> NDArray[np.float64]:
        """Give metres from `start` to every node, `offset_m` walked before; inf beyond `limit_m`."""
        size = len(self.nodes)
        graph = coo_array((self.lengths, (self.edges[:, 0], self.edges[:, 1])), shape=(size, size)).tocsr()
        return np.asarray(dijkstra(graph, directed=False, indices=start, limit=max(0.0, limit_m - offset_m))) + offset_m


def network(lines: NDArray[np.object_]) -> Network:
    """Make the graph of road lines (metres): cut where they cross, joined where an end nearly meets a road."""
    parts = shapely.get_parts(lines)
    joins = _joins(parts)
    noded = shapely.segmentize(shapely.node(shapely.union_all([*parts, *joins])), STEP_M)
    xy, owner = shapely.get_coordinates(shapely.get_parts(noded), return_index=True)
    nodes, index = np.unique(np.round(xy, 1), axis=0, return_inverse=True)
    index = index.ravel()
    follows = owner[1:] == owner[:-1]
    edges = np.column_stack([index[:-1][follows], index[1:][follows]])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    edges = edges[edges[:, 0] != edges[:, 1]]
    lengths = np.hypot(*(nodes[edges[:, 0]] - nodes[edges[:, 1]]).T)
    return Network(nodes, edges.astype(np.int64), lengths)


def _joins(parts: NDArray[np.object_]) -> list[Any]:
    """Give a short stretch from each end that meets no road to the nearest road within GAP_M, a little beyond it."""
    own = np.tile(np.arange(len(parts)), 2)
    ends = np.concatenate([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    end, road = shapely.STRtree(parts).query(ends, predicate="dwithin", distance=GAP_M)
    other = own[end] != road
    end, road = end[other], road[other]
    apart = shapely.distance(ends[end], parts[road])
    found: list[Any] = []
    for each in np.unique(end):
        mine = np.flatnonzero(end == each)
        best = mine[np.argmin(apart[mine])]
        if apart[best] > 0:
            (x0, y0), (x1, y1) = shapely.get_coordinates(shapely.shortest_line(ends[each], parts[road[best]]))
            further = 1 + 0.05 / float(apart[best])  # rounding must not keep the stretch from crossing the road
            found.append(shapely.LineString([(x0, y0), (x0 + (x1 - x0) * further, y0 + (y1 - y0) * further)]))
    return found


def service_reach(given: Given) -> Made:
    """Give, for each service, the ground and the addresses within the walk: roads reached, widened by `beside_m`."""
    village = given.village
    minutes, speed = float(given.option("walk_minutes")), float(given.option("walk_speed_m_s"))
    limit, beside = minutes * 60 * speed, float(given.option("beside_m"))
    roads = given.connection.execute(ROADS).fetchall()
    services = given.connection.execute(SERVICES).fetchall()
    doors = [row[0] for row in given.connection.execute(DOORS).fetchall()]

    def metres(shapes: list[bytes]) -> NDArray[np.object_]:
        return geodesy.transform_geometry(
            shapes, village.storage_crs, village.metric_crs, accepted=village.accepted_crs
        )

    streets = network(metres([r[2] for r in roads]))
    tree = shapely.STRtree(list(shapely.get_parts(shapely.multipoints(streets.nodes))))
    door_node, door_off = _nearest(tree, streets, metres(doors))
    start_node, start_off = _nearest(tree, streets, metres([s[4] for s in services]))
    rows: list[dict[str, Any]] = []
    for (table, key, name, kind, _), node, off in zip(services, start_node, start_off, strict=True):
        far = streets.distances(int(node), limit, float(off))
        walked = np.asarray((far <= limit)[streets.edges].all(axis=1))
        at_door = far[door_node] + door_off <= limit
        rows.append(
            {
                "reach_id": f"{key}-{minutes:g}", "facility_id": key, "facility_name": name, "facility_type": kind,
                "facility_table": table, "walk_minutes": minutes, "walk_speed_m_s": speed,
                "road_m": round(float(streets.lengths[walked].sum()), 1), "address_count": int(at_door.sum()),
                "address_ratio": round(float(at_door.mean()), 4) if doors else None,
                "geometry": _ground(streets, walked, streets.nodes[int(node)], beside),
            }
        )  # fmt: skip
    table = _table(rows, given)
    return Made(rows=table, lineage=_lineage(rows, [(r[0], r[1]) for r in roads]))


def _nearest(
    tree: shapely.STRtree, streets: Network, points: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give the nearest node of each point, and the metres to it in a straight line."""
    nodes = np.asarray(tree.nearest(points), np.int64)
    xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    return nodes, np.hypot(*(streets.nodes[nodes] - xy).T)


def _ground(streets: Network, walked: NDArray[np.bool_], start: NDArray[np.float64], beside: float) -> Any:
    """Give the roads walked, widened, without the slivers and holes that no walker knows of."""
    lines: Any = shapely.linestrings(streets.nodes[streets.edges[walked]])
    merged: Any = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
    parts = [*shapely.simplify(merged, 1.0), shapely.Point(start)]  # to widen the whole at once is 100 times slower
    ground = shapely.simplify(shapely.union_all(shapely.buffer(parts, beside, quad_segs=4)), 3.0)
    return shapely.make_valid(ground)


def _table(rows: list[dict[str, Any]], given: Given) -> pa.Table:
    village = given.village
    shapes = np.array([row["geometry"] for row in rows], object)
    placed = geodesy.transform_geometry(shapes, village.metric_crs, village.storage_crs, accepted=village.accepted_crs)
    wkb = shapely.to_wkb(shapely.orient_polygons(placed), byte_order=1).tolist()
    plain = [{k: v for k, v in row.items() if k != "geometry"} for row in rows]
    return pa.Table.from_pylist(plain).append_column("geometry", pa.array(wkb, pa.binary()))


def _lineage(rows: list[dict[str, Any]], roads: list[tuple[str, int | None]]) -> pa.Table:
    """Give the service each reach begins at; the whole network bears on each, and is named once a reach."""
    lines = [
        {
            "id": r["reach_id"],
            "year": None,
            "input": r["facility_table"],
            "input_id": r["facility_id"],
            "input_year": None,
        }
        for r in rows
    ]
    lines += [
        {"id": r["reach_id"], "input": "road", "input_id": road, "input_year": year}
        for r in rows
        for road, year in roads
    ]
    return pa.Table.from_pylist([{**line, "year": None} for line in lines], schema=LINEAGE)
