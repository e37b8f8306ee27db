"""The departments, played: what each would really send of the village, in its own format, words and carelessness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.demo.defects import DefectTable, Planter
from etl.demo.departments import (
    business,
    declared,
    farming,
    governance,
    housing,
    images,
    land,
    nature,
    people,
    plans,
    services,
    water,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from etl.demo.village import Truth
    from twin.model import Resource

WRITERS = (
    ("01 自然资源和规划局 · 现状", land.write),
    ("01 自然资源和规划局 · 规划", plans.write),
    ("01 自然资源和规划局 · 影像与高程", images.write),
    ("02 农业农村局", farming.write),
    ("03 生态环境分局,04 水利局", water.write),
    ("05 民政局,07 公安局,58 镇村", people.write),
    ("06 13 26 38 48 公共服务各单位", services.write),
    ("08 28 32 应急、政法委、社会工作部", governance.write),
    ("10 住建局,54 不动产登记中心", housing.write),
    ("11 文旅局,12 市场监管局", business.write),
    ("40 林业局", nature.write),
)

BY_HAND = frozenset({
    "land_cover", "change_spot", "plan_zone", "plan_control", "red_line", "village_boundary", "contour", "imagery",
    "dem", "dsm", "geohazard", "farm_contract", "pond", "facility_farm", "sewage_terminal", "air_station", "river",
    "water_body", "water_station", "hazard_zone", "place_name", "care_grid", "clinic", "address_point", "population",
    "shelter", "road", "bus_stop", "building", "house_survey", "sewer_pipe", "homestay", "enterprise",
    "sanitation_point", "public_facility", "grid_cell", "case_order", "aed", "forest_stand", "ancient_tree",
    "weather_station", "transformer", "homestead", "household_sorting",
})  # fmt: skip
"""What a writer of its own plays; all other resources are written as they are declared."""


def write(
    truth: Truth, raw: Path, progress: Callable[[str], None] = lambda _: None, resources: Sequence[Resource] = ()
) -> DefectTable:
    """Write every department's delivery under `raw`, `resources` being the catalogue's; give the planted defects.

    They are counted as kind → resource → number. The same truth gives the same bytes, but for the file geodatabase,
    whose ids GDAL draws afresh.
    """
    planter = Planter()
    for who, writer in WRITERS:
        progress(who)
        writer(truth, raw, planter)
    progress("14–58 其余各部门")
    declared.write(truth, raw, planter, [r for r in resources if r.id not in BY_HAND])
    return planter.table
