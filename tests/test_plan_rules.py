"""The village plan held to its rules: every planted fault is found, counted and placed; a sound plan has none."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.transforms import plan_rules
from etl.transforms.plan_rules import Layer, Plan
from twin.errors import DeclarationError

ROOT = Path(__file__).resolve().parents[1]
RULES = plan_rules.read_rules(ROOT / "data" / "rules" / "village_plan.toml")
SIDE = 100.0


def layer(shapes: list, rows: list[dict] | None = None) -> Layer:
    rows = rows or [{} for _ in shapes]
    return Layer(rows=[{"id": f"G{i}", **r} for i, r in enumerate(rows)], shapes=np.array(shapes, object))


def zones(shapes: list, **changed: dict) -> Layer:
    """Give sound zones, changed by id: {G0: {...}}."""
    rows = []
    for number, shape in enumerate(shapes):
        row = {
            "plan_class": "0101", "approval_number": "批〔2024〕1号", "plan_status": "已批复", "stated_area_m2": shape.area,
        }  # fmt: skip
        rows.append(row | changed.get(f"G{number}", {}))
    return layer(shapes, rows)


def squares(width: int, height: int) -> list:
    return [
        shapely.box(i * SIDE, j * SIDE, (i + 1) * SIDE, (j + 1) * SIDE) for i in range(width) for j in range(height)
    ]


def plan(shapes: list, *, survey: Layer | None = None, controls: Layer | None = None, **changed: dict) -> Plan:
    return Plan(
        zones=zones(shapes, **changed),
        survey=survey or layer([]),
        boundary=layer([shapely.box(0, 0, 3 * SIDE, 3 * SIDE)]),
        controls=controls or layer([]),
    )


def found(of: Plan) -> Counter:
    return Counter(rule.id for rule, _ in plan_rules.checked(of, RULES))


def faults(of: Plan, rule_id: str) -> list:
    return [fault for rule, fault in plan_rules.checked(of, RULES) if rule.id == rule_id]


def test_a_sound_plan_has_no_fault() -> None:
    assert found(plan(squares(3, 3))) == Counter()


def test_every_planted_fault_is_found_once_and_nothing_else() -> None:
    shapes = squares(3, 3)
    shapes[4] = shapely.box(SIDE, SIDE, 2 * SIDE + 2, 2 * SIDE)  # two metres into its neighbour: 200 m²
    shapes[8] = shapely.difference(shapes[8], shapely.box(290, 290, 300, 300))  # a hole in the corner: 100 m²
    shapes.append(shapely.box(290, 290, 293, 293))  # a sliver in it: 9 m²
    built = layer([shapely.box(0, 0, 20, 20)], [{"land_class": "0702"}])
    red = layer([shapely.box(100, 0, 110, 20)], [{"control_type": "永久基本农田"}])
    of = plan(
        shapes, survey=built, controls=red, G3={"plan_class": "070301"}, G1={"stated_area_m2": 9_000.0},
        G2={"approval_number": ""},
    )  # fmt: skip
    assert found(of) == {
        "domain_plan_class": 1, "area_row": 1, "overlap": 1, "gap": 1, "sliver": 1, "base_year": 1, "survey": 1,
        "area_sum": 1,
    }  # fmt: skip
    [lap] = faults(of, "overlap")
    assert (set(lap.zones.split()), lap.measured_m2) == ({"G4", "G7"}, pytest.approx(200))
    [hole] = faults(of, "gap")
    assert hole.measured_m2 == pytest.approx(91)
    assert {"G8", "G9"} <= set(hole.zones.split())
    assert faults(of, "sliver")[0].zones == "G9"
    assert faults(of, "base_year")[0].measured_m2 == pytest.approx(200)
    assert faults(of, "survey")[0].measured_m2 == pytest.approx(400)
    assert faults(of, "area_row")[0].measured_m2 == pytest.approx(1_000)


def test_a_field_nobody_filled_is_a_fault_of_the_whole_plan() -> None:
    empty = {f"G{i}": {"plan_status": None} for i in range(9)}
    [fault] = faults(plan(squares(3, 3), **empty), "structure_fields")
    assert fault.zones == plan_rules.WHOLE
    assert "plan_status" in fault.finding


def test_thresholds_are_the_declared_ones() -> None:
    limits = {r.id: r.threshold for r in RULES}
    shapes = squares(3, 3)
    small = limits["overlap"] / SIDE
    shapes[0] = shapely.box(0, 0, SIDE + small * 0.9, SIDE)
    assert found(plan(shapes))["overlap"] == 0
    shapes[0] = shapely.box(0, 0, SIDE + small * 1.1, SIDE)
    assert found(plan(shapes))["overlap"] == 1


def test_every_rule_says_where_its_threshold_is_from_and_every_family_is_there() -> None:
    assert all(rule.source for rule in RULES)
    assert {rule.family for rule in RULES} == {"structure", "domain", "area", "topology", "base_year"}


def test_a_rule_set_that_names_no_function_of_ours_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "data" / "rules" / "village_plan.toml").read_text("utf-8")
    (tmp_path / "bad.toml").write_text(text.replace('"overlap"\nseverity', '"os.system"\nseverity'), "utf-8")
    with pytest.raises(DeclarationError, match=r"os\.system"):
        plan_rules.read_rules(tmp_path / "bad.toml")


@given(cuts=st.lists(st.floats(5, 295), min_size=1, max_size=6, unique=True), drop=st.integers(0, 6))
def test_gaps_and_zones_add_up_to_the_village(cuts: list[float], drop: int) -> None:
    """Cut the village into strips and lose some: what is not covered is found, to the square metre."""
    edges = [0.0, *sorted(cuts), 300.0]
    strips = [shapely.box(a, 0, b, 300) for a, b in itertools.pairwise(edges)]
    kept = [s for i, s in enumerate(strips) if i != drop % len(strips)] or strips
    of = plan(kept)
    covered = sum(s.area for s in kept)
    lost = sum(f.measured_m2 for f in faults(of, "gap"))
    assert covered + lost == pytest.approx(90_000, abs=1.0 + len(strips))
    assert found(of)["overlap"] == 0
