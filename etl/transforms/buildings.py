"""Buildings as four departments know them, side by side: footprint, addresses, storeys, danger; nobody's word wins."""

from __future__ import annotations

from etl.derived.made import Given, Made

ROWS = """
CREATE TEMP TABLE joined AS
WITH newest AS (SELECT * FROM building WHERE year IS NOT DISTINCT FROM (SELECT max(year) FROM building)),
told AS (SELECT building_id, string_agg(DISTINCT address, '、' ORDER BY address) AS address FROM address_point
  WHERE building_id IS NOT NULL GROUP BY building_id)
SELECT b.building_id, b.year, b.building_name, b.use_name, b.structure, b.built_year, b.homestead_id,
  b.storeys AS storeys_housing,
  CAST(NULLIF(round(s.dwelling_area_m2 / b.area_m2), 0) AS BIGINT) AS storeys_survey,
  t.address AS address_police, h.address AS address_registry,
  s.danger_grade, s.surveyed_date, s.dwelling_area_m2, b.geometry
FROM newest b LEFT JOIN told t USING (building_id) LEFT JOIN house_survey s USING (building_id)
LEFT JOIN homestead h ON h.parcel_id = b.homestead_id AND h.year IS NOT DISTINCT FROM b.year
"""
CONFLICTS = """
SELECT * EXCLUDE (geometry), CAST(len(found) AS BIGINT) AS conflict_count,
  CASE WHEN len(found) > 0 THEN array_to_string(found, ';') END AS conflicts, ST_AsWKB(geometry) AS geometry
FROM (SELECT *, list_filter([
  CASE WHEN storeys_housing <> storeys_survey
    THEN '层数:房屋调查 ' || storeys_housing || ',安全鉴定面积折算 ' || storeys_survey END,
  CASE WHEN len(list_filter(string_split(address_police, '、'), lambda a: {tail_a} = {tail_registry})) = 0
    THEN '地址:公安门牌 ' || address_police || ',不动产坐落 ' || address_registry END
  ], lambda c: c IS NOT NULL) AS found FROM joined) ORDER BY building_id
"""
TAIL = "regexp_replace({column}, '^.*' || $village, '')"
"""An address from the village's name on: one department writes province and county before it, another does not."""
LINEAGE = """
SELECT building_id AS id, year, 'building' AS input, building_id AS input_id, year AS input_year FROM joined
UNION ALL SELECT j.building_id, j.year, 'house_survey', s.id, s.year FROM joined j
  JOIN house_survey s USING (building_id)
UNION ALL SELECT j.building_id, j.year, 'address_point', a.id, a.year FROM joined j
  JOIN address_point a USING (building_id)
UNION ALL SELECT j.building_id, j.year, 'homestead', h.id, h.year FROM joined j
  JOIN homestead h ON h.parcel_id = j.homestead_id AND h.year IS NOT DISTINCT FROM j.year
"""


def buildings(given: Given) -> Made:
    """Join the newest footprints with addresses, the safety survey and the registered parcel; keep what disagrees.

    `storeys_survey` is the surveyed floor area over the footprint, rounded: a second opinion and no measurement.
    """
    connection = given.connection
    connection.execute(ROWS)
    sql = CONFLICTS.format(tail_a=TAIL.format(column="a"), tail_registry=TAIL.format(column="address_registry"))
    rows = connection.execute(sql, {"village": given.village.name.zh})
    table = rows.to_arrow_table().drop_columns(["found"])
    return Made(rows=table, lineage=connection.execute(LINEAGE).to_arrow_table())
