"""The village's numbers, one row an indicator and year, each from the published rows it is counted over."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from etl.derived.made import Given, Made
from twin import duck

HA, KM, MU = 10_000.0, 1_000.0, 2000.0 / 3.0


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One indicator: rows of `table` that meet `where` (SQL of ours), counted, or `column` summed over `per`."""

    id: str
    zh: str
    unit: str
    table: str
    column: str = ""
    per: float = 1.0
    where: str = "true"


MEASURES = (
    Measure(id="village_area_ha", zh="村域面积", unit="公顷", table="village_boundary", column="area_m2", per=HA),
    Measure(id="household_count", zh="户籍户数", unit="户", table="population", column="household_count"),
    Measure(id="registered_count", zh="户籍人口", unit="人", table="population", column="registered_count"),
    Measure(id="resident_count", zh="常住人口", unit="人", table="population", column="resident_count"),
    Measure(id="elder_count", zh="60 岁以上人口", unit="人", table="population", column="elder_count"),
    Measure(
        id="cultivated_ha", zh="耕地面积", unit="公顷", table="land_cover", column="area_m2", per=HA,
        where="starts_with(land_class, '01')",
    ),
    Measure(
        id="forest_ha", zh="林地面积", unit="公顷", table="land_cover", column="area_m2", per=HA,
        where="starts_with(land_class, '03')",
    ),
    Measure(
        id="homestead_land_ha", zh="农村宅基地面积", unit="公顷", table="land_cover", column="area_m2", per=HA,
        where="land_class = '0702'",
    ),
    Measure(id="homestead_count", zh="宅基地宗数", unit="宗", table="homestead"),
    Measure(id="homestead_over_count", zh="超批宅基地", unit="宗", table="homestead", where="over_area_m2 > 0"),
    Measure(id="building_count", zh="房屋幢数", unit="幢", table="building"),
    Measure(id="danger_count", zh="C、D 级危房", unit="幢", table="house_survey", where="danger_grade IN ('C', 'D')"),
    Measure(id="contract_mu", zh="承包地面积", unit="亩", table="farm_contract", column="area_m2", per=MU),
    Measure(id="road_km", zh="道路长度", unit="公里", table="road", column="length_m", per=KM),
    Measure(id="facility_count", zh="公共服务设施", unit="处", table="public_facility"),
    Measure(id="hazard_count", zh="地质灾害隐患点", unit="处", table="geohazard"),
)  # fmt: skip
VALUES = "SELECT year, count(*) AS n, {value} AS value FROM {table} WHERE {where} GROUP BY year ORDER BY year"
ROWS = "SELECT {id} AS id, year, {name} AS input, id AS input_id, year AS input_year FROM {table} WHERE {where}"


def village_indicators(given: Given) -> Made:
    """Count and sum each indicator for every edition its table has; areas are those computed in the metric system."""
    rows: list[dict[str, object]] = []
    lineage: list[pa.Table] = []
    for measure in MEASURES:
        table = duck.quote(measure.table)
        value = f"sum({duck.quote(measure.column)}) / {measure.per}" if measure.column else "count(*)"
        sql = VALUES.format(value=value, table=table, where=measure.where)
        for year, n, amount in given.connection.execute(sql).fetchall():
            rows.append(
                {
                    "indicator_id": measure.id, "year": year, "indicator_name": measure.zh, "unit_name": measure.unit,
                    "value": None if amount is None else round(float(amount), 4), "row_count": n,
                    "table_id": measure.table,
                }
            )  # fmt: skip
        facts = {"id": duck.literal(measure.id), "name": duck.literal(measure.table)}
        lineage.append(
            given.connection.execute(ROWS.format(table=table, where=measure.where, **facts)).to_arrow_table()
        )
    form = pa.schema(
        [
            ("indicator_id", pa.string()), ("year", pa.int32()), ("indicator_name", pa.string()),
            ("unit_name", pa.string()), ("value", pa.float64()), ("row_count", pa.int64()), ("table_id", pa.string()),
        ]
    )  # fmt: skip
    return Made(rows=pa.Table.from_pylist(rows, schema=form), lineage=pa.concat_tables(lineage))
