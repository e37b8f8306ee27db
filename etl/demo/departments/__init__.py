"""The departments, played: what each would really send of the village, in its own format, words and carelessness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.demo.defects import DefectTable, Planter
from etl.demo.departments import (
    business,
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
    from collections.abc import Callable
    from pathlib import Path

    from etl.demo.village import Truth

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


def write(truth: Truth, raw: Path, progress: Callable[[str], None] = lambda _: None) -> DefectTable:
    """Write every department's delivery under `raw`; return kind → resource → number of defects planted.

    The same truth gives the same bytes, but for the file geodatabase, whose ids GDAL draws afresh.
    """
    planter = Planter()
    for who, writer in WRITERS:
        progress(who)
        writer(truth, raw, planter)
    return planter.table
