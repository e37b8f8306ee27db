"""What is counted of houses and households: surveys, addresses, sorting scores, care and population by grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etl.demo.frame import chance

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
COUNTED = ("households", "persons", "elders_60", "elders_80", "elders_alone", "children_14")
_GRADES = {"土木": "D", "砖木": "C", "砖混": "B", "钢混": "A"}
_SHRUNK = {2020: 1.04, 2025: 1.0}


def by_house_and_grid(tables: dict[str, list[Row]], seed: int) -> dict[str, list[Row]]:
    """Return house surveys, address points, sorting scores, care counts and population."""
    homes = [row for row in tables["buildings"] if row["year"] == 2025 and row["use"] == "住宅"]
    care = care_by_grid(tables["households"], tables["grids"])
    return {
        "house_surveys": _surveys(homes, seed),
        "address_points": _addresses(homes),
        "sorting_scores": _scores(tables["households"], seed),
        "care": care,
        "population": [
            {"year": year, "grid_code": row["grid_code"], **{key: round(row[key] * share) for key in COUNTED}}
            for year, share in _SHRUNK.items()
            for row in care
        ],
    }


def _surveys(homes: Sequence[Row], seed: int) -> list[Row]:
    rng, rows = chance(seed, "surveys"), []
    for home in homes:
        sound = "A" if home["structure"] == "钢混" else "B"
        rows.append(
            {
                "building_id": home["building_id"],
                "danger_grade": _GRADES[home["structure"]] if rng.random() < 0.35 else sound,
                "survey_date": f"2025-{int(rng.integers(3, 10)):02d}-{int(rng.integers(1, 28)):02d}",
                "surveyor": "住建农房排查组",
                "structure": home["structure"],
                "storeys": home["storeys"],
            }
        )
    return rows


def _addresses(homes: Sequence[Row]) -> list[Row]:
    return [
        {
            "address_id": f"DZ{k + 1:05d}",
            "address": f"示范村{row['address']}",
            "building_id": row["building_id"],
            "household_id": row["household_id"],
            "grid_code": row["grid_code"],
            "geometry": row["geometry"].centroid,
        }
        for k, row in enumerate(homes)
    ]


def _scores(households: Sequence[Row], seed: int) -> list[Row]:
    rng = chance(seed, "sorting")
    return [
        {
            "household_id": row["household_id"],
            "month": "2025-10",
            "score": int(np.clip(rng.normal(86, 9), 45, 100)),
            "head_name": row["head_name"],
            "address": row["address"],
            "geometry": row["geometry"],
        }
        for row in households
    ]


def care_by_grid(households: Sequence[Row], grids: Sequence[Row]) -> list[Row]:
    """Count, for each grid, whom the care services look after."""
    counts = {grid["grid_code"]: dict.fromkeys(COUNTED, 0) for grid in grids}
    for row in households:
        grid = counts[row["grid_code"]]
        grid["households"] += 1
        grid["persons"] += row["persons"]
        grid["elders_60"] += row["elders"]
        grid["elders_80"] += sum(member["age"] >= 80 for member in row["members"])
        grid["elders_alone"] += row["elders_alone"]
        grid["children_14"] += row["children"]
    return [
        {
            "grid_code": grid["grid_code"],
            "grid_name": grid["grid_name"],
            **counts[grid["grid_code"]],
            "geometry": grid["geometry"],
        }
        for grid in grids
    ]
