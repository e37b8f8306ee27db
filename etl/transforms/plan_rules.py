"""What a village plan is checked for: pure rules over the newest plan, each giving its faults with their places.

A rule set (data/rules/<name>.toml) names these functions with their thresholds. Areas are m² in the village's metric
system; the stated area is compared with the computed one and never replaced by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import shapely

from etl.derived.made import LINEAGE, Given, Made
from twin import declared, geodesy
from twin.errors import DeclarationError
from twin.model import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

Family = Literal["structure", "domain", "area", "topology", "base_year"]
NEWEST = "SELECT * EXCLUDE (geometry), ST_AsWKB(geometry) AS wkb FROM {table} WHERE year IS NOT DISTINCT FROM (SELECT max(year) FROM {table}) ORDER BY id"  # noqa: E501
WHOLE = "*"
"""What stands for the zones of a fault that is of the plan as a whole."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule as declared: which function, from what size on, how grave, and where the threshold is from."""

    id: str
    family: Family
    title: Text
    function: str
    severity: Literal["error", "warning"]
    source: str
    threshold: float = 0.0
    threshold_ratio: float = 0.0
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Rows of one table with their shapes in metres."""

    rows: list[dict[str, Any]]
    shapes: NDArray[np.object_]

    def ids(self, *numbers: int) -> str:
        """Name the rows of these numbers."""
        return " ".join(str(self.rows[n]["id"]) for n in numbers)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan under check and what it is checked against."""

    zones: Layer
    survey: Layer
    boundary: Layer
    controls: Layer


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One finding: the zones it is of (blank-separated ids, WHOLE for all), how much, in words, and where."""

    zones: str
    measured_m2: float
    finding: str
    shape: Any


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Read a rule set; raises DeclarationError naming each fault, a function that is not there among them."""
    document = declared.load(path)
    items = document.table.get("rule", [])
    found = [declared.value_of(document, Rule, ("rule", i), item) for i, item in enumerate(items)]
    rules = tuple(r for r in found if r is not None)
    for index, rule in enumerate(rules):
        if rule.function not in FUNCTIONS:
            words = (f"没有规则函数 {rule.function}", f"There is no rule function {rule.function}")
            listed = " / ".join(FUNCTIONS)
            document.fault(("rule", index, "function"), words, (f"写:{listed}", f"Write one of: {listed}"))
    if document.faults or not rules:
        told = document.faults or [f"{path}: []"]
        raise DeclarationError(f"规则集有误:{told[0]}", f"The rule set is wrong: {told[0]}", file=path)
    return rules


def checked(plan: Plan, rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Fault]]:
    """Give every fault each rule finds, in the order of the rules."""
    for rule in rules:
        for fault in FUNCTIONS[rule.function](plan, rule):
            yield rule, fault


def fields(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find declared fields that no row has a value of."""
    for column in rule.options["columns"].split():
        if not any(row.get(column) not in (None, "") for row in plan.zones.rows):
            yield Fault(zones=WHOLE, measured_m2=0.0, finding=f"整期没有字段 {column} 的值", shape=_whole(plan))


def filled(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find rows without a value where one must be; values themselves are held to their code lists on receiving."""
    for number, row in enumerate(plan.zones.rows):
        empty = [c for c in rule.options["columns"].split() if row.get(c) in (None, "")]
        if empty:
            said = f"未填:{'、'.join(empty)}"
            yield _fault(plan, (number,), float(shapely.area(plan.zones.shapes[number])), said)


def area_of_row(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find rows whose stated area is further from the computed one than both tolerances allow."""
    for number, row in enumerate(plan.zones.rows):
        computed = float(shapely.area(plan.zones.shapes[number]))
        stated = row.get("stated_area_m2")
        apart = abs((stated or 0.0) - computed)
        if stated is not None and apart > max(rule.threshold, rule.threshold_ratio * computed):
            said = f"申报 {stated:.2f} m²,图形 {computed:.2f} m²,差 {apart:.2f} m²"
            yield _fault(plan, (number,), apart, said)


def area_of_all(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find that the zones together are not as large as the village."""
    total, village = (float(shapely.area(x.shapes).sum()) for x in (plan.zones, plan.boundary))
    if abs(total - village) > rule.threshold:
        said = f"图斑之和 {total:.2f} m²,村域 {village:.2f} m²,差 {total - village:+.2f} m²"
        yield Fault(zones=WHOLE, measured_m2=abs(total - village), finding=said, shape=_whole(plan))


def overlap(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find pairs of zones that lie upon each other."""
    for one, other, shape in _crossings(plan.zones, plan.zones, ordered=True):
        area = float(shapely.area(shape))
        if area > rule.threshold:
            yield Fault(zones=plan.zones.ids(one, other), measured_m2=area, finding=f"重叠 {area:.2f} m²", shape=shape)


def gap(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find ground of the village that no zone covers."""
    left = shapely.difference(_whole(plan), shapely.union_all(plan.zones.shapes))
    for part in shapely.get_parts(left):
        area = float(shapely.area(part))
        if area > rule.threshold:
            beside = shapely.STRtree(plan.zones.shapes).query(part, predicate="dwithin", distance=0.05)
            zones = plan.zones.ids(*sorted(map(int, beside))[:6]) or WHOLE
            yield Fault(zones=zones, measured_m2=area, finding=f"缝隙 {area:.2f} m²", shape=part)


def sliver(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find zones, and parts of zones, smaller than the threshold."""
    parts, owner = shapely.get_parts(plan.zones.shapes, return_index=True)
    for number, part in zip(owner, parts, strict=True):
        area = float(shapely.area(part))
        if area < rule.threshold:
            said = f"碎面 {area:.2f} m²"
            yield Fault(zones=plan.zones.ids(int(number)), measured_m2=area, finding=said, shape=part)


def protected_farmland(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find zones that plan something else where a control of one kind allows one class only."""
    kind, allowed = rule.options["control_type"], rule.options["allowed"]
    for zone, control, shape in _crossings(plan.zones, plan.controls):
        row, line = plan.zones.rows[zone], plan.controls.rows[control]
        area = float(shapely.area(shape))
        planned = str(row.get("plan_class") or "")
        if line.get("control_type") == kind and not planned.startswith(allowed) and area > rule.threshold:
            said = f"{kind} {line['id']} 内规划为 {planned} {row.get('zone_name') or ''},{area:.2f} m²"
            yield Fault(zones=plan.zones.ids(zone), measured_m2=area, finding=said, shape=shape)


def against_survey(plan: Plan, rule: Rule) -> Iterator[Fault]:
    """Find ground the survey has in one class and the plan in another that needs a reason."""
    survey, planned = rule.options["survey"], rule.options["planned"]
    for zone, parcel, shape in _crossings(plan.zones, plan.survey):
        row, ground = plan.zones.rows[zone], plan.survey.rows[parcel]
        area = float(shapely.area(shape))
        now, then = str(ground.get("land_class") or ""), str(row.get("plan_class") or "")
        if now.startswith(survey) and then.startswith(planned) and area > rule.threshold:
            said = f"现状 {now}({ground['id']})规划为 {then},{area:.2f} m²"
            yield Fault(zones=plan.zones.ids(zone), measured_m2=area, finding=said, shape=shape)


FUNCTIONS: Mapping[str, Callable[[Plan, Rule], Iterator[Fault]]] = {
    f.__name__: f
    for f in (
        fields, filled, area_of_row, area_of_all, overlap, gap, sliver, protected_farmland, against_survey,
    )
}  # fmt: skip


def _crossings(one: Layer, other: Layer, *, ordered: bool = False) -> Iterator[tuple[int, int, Any]]:
    """Give (number, number, shape) of every two areas with ground in common; `ordered`: each pair of one layer once."""
    if not len(one.shapes) or not len(other.shapes):
        return
    left, right = shapely.STRtree(other.shapes).query(one.shapes, predicate="intersects")
    kept = left < right if ordered else np.full(len(left), fill_value=True)
    for i, j in zip(left[kept], right[kept], strict=True):
        shape = _areal(shapely.intersection(one.shapes[i], other.shapes[j]))
        if shape is not None:
            yield int(i), int(j), shape


def _areal(shape: Any) -> Any:
    """Give the polygons of a shape, None where it has none: areas that touch share a line."""
    parts = [p for p in shapely.get_parts(shape) if shapely.get_type_id(p) == 3 and shapely.area(p) > 0]
    return None if not parts else parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _whole(plan: Plan) -> Any:
    return shapely.union_all(plan.boundary.shapes)


def _fault(plan: Plan, numbers: tuple[int, ...], measured: float, said: str) -> Fault:
    return Fault(
        zones=plan.zones.ids(*numbers), measured_m2=measured, finding=said, shape=plan.zones.shapes[numbers[0]]
    )


def plan_fault(given: Given) -> Made:
    """Check the newest plan by the rule set the declaration names; a plan without faults is an empty table."""
    rules = read_rules(given.folder / "rules" / f"{given.option('rules')}.toml")
    plan = Plan(
        zones=_layer(given, "plan_zone"),
        survey=_layer(given, "land_cover"),
        boundary=_layer(given, "village_boundary"),
        controls=_layer(given, "red_line"),
    )
    rows: list[dict[str, Any]] = []
    lineage: list[dict[str, Any]] = []
    years = {str(z["id"]): z["year"] for z in plan.zones.rows}
    year = next(iter(years.values()), None)
    for number, (rule, fault) in enumerate(checked(plan, rules), 1):
        name = f"{rule.id}-{number:05d}"
        rows.append(
            {
                "fault_id": name, "year": year, "rule_id": rule.id, "rule_name": rule.title.zh, "family": rule.family,
                "severity": rule.severity, "zone_ids": fault.zones, "measured_m2": round(fault.measured_m2, 2),
                "finding": fault.finding, "shape": fault.shape,
            }
        )  # fmt: skip
        of = list(years) if fault.zones == WHOLE else fault.zones.split()
        lineage += [{"id": name, "year": year, "input": "plan_zone", "input_id": z, "input_year": years[z]} for z in of]
    return Made(rows=_table(rows, given), lineage=pa.Table.from_pylist(lineage, schema=LINEAGE))


def _layer(given: Given, table: str) -> Layer:
    found = given.connection.execute(NEWEST.format(table=f'"{table}"')).to_arrow_table().to_pylist()
    village = given.village
    shapes = geodesy.transform_geometry(
        [row.pop("wkb") for row in found], village.storage_crs, village.metric_crs, accepted=village.accepted_crs
    )
    return Layer(rows=found, shapes=shapes)


FORM = pa.schema(
    [
        ("fault_id", pa.string()), ("year", pa.int32()), ("rule_id", pa.string()), ("rule_name", pa.string()),
        ("family", pa.string()), ("severity", pa.string()), ("zone_ids", pa.string()), ("measured_m2", pa.float64()),
        ("finding", pa.string()),
    ]
)  # fmt: skip


def _table(rows: list[dict[str, Any]], given: Given) -> pa.Table:
    village = given.village
    shapes = np.array([row.pop("shape") for row in rows], object)
    placed = geodesy.transform_geometry(shapes, village.metric_crs, village.storage_crs, accepted=village.accepted_crs)
    wkb = shapely.to_wkb(shapely.orient_polygons(placed), byte_order=1).tolist() if rows else []
    return pa.Table.from_pylist(rows, schema=FORM).append_column("geometry", pa.array(wkb, pa.binary()))
