"""The contract: every row ends in exactly one place, with all its reasons, and geometry is mended honestly."""

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl import catalog, columns, contract, geometry, reasons, staging
from tests import receiving
from twin import duck
from twin.errors import ContractError
from twin.model import Code, CodeSystem, Field, Text

CODES = CodeSystem(
    id="cover@2019",
    title=Text("", ""),
    source="",
    codes=(Code(code="0101", title=Text("", "")), Code(code="0999", title=Text("", ""), abolished=True)),
)


@pytest.fixture(scope="module")
def resource(tmp_path_factory):
    return catalog.read(receiving.village(tmp_path_factory.mktemp("village"))).resource("cover")


@pytest.fixture(scope="module")
def connection():
    made = duck.connect()
    yield made
    made.close()


def judged(connection, resource, rows):
    """Stage rows (dicts of key, land, area, note, shape) and judge them; give (verdict, {_seq: (place, rules)})."""
    form = staging.schema(resource)
    table = pa.Table.from_pylist(
        [
            {
                "_seq": i,
                "_source_no": 0,
                "_row": str(i + 1),
                "year": row.get("year", 2025),
                "parcel_id": row.get("key"),
                "land_class": row.get("land", "0101"),
                "stated_area_m2": row.get("area", 10.0),
                "area_m2": 10.0,
                "area_disagrees": row.get("disagrees", False),
                "_note": row.get("note"),
                "_repair": row.get("repair"),
                "_wkb": row.get("shape", b"x"),
            }
            for i, row in enumerate(rows)
        ],
        schema=form,
    )
    connection.register("arriving", table)
    connection.execute("CREATE OR REPLACE TABLE staged AS SELECT * FROM arriving")
    connection.unregister("arriving")
    verdict = contract.judge(connection, resource, [CODES], staging.payload(resource))
    places = connection.execute("SELECT _seq, place, reasons FROM outcome").fetchall()
    return verdict, {seq: (place, sorted(rules)) for seq, place, rules in places}


def test_a_sound_row_is_published(connection, resource):
    verdict, places = judged(connection, resource, [{"key": "P1"}])
    assert verdict.ledger() == {"read": 1, "published": 1, "quarantined": 0, "duplicates": 0, "repaired": 0}
    assert places == {}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"key": None}, "required_missing|parcel_id"),
        ({"key": "X1"}, "pattern|parcel_id"),
        ({"key": "P123456789"}, "too_long|parcel_id"),
        ({"key": "P1", "land": "0102"}, "code_unknown|land_class"),
        ({"key": "P1", "land": "0999"}, "code_abolished|land_class"),
        ({"key": "P1", "area": 0.0}, "area_not_positive|stated_area_m2"),
        ({"key": "P1", "note": ["geometry_missing"]}, "geometry_missing"),
        ({"key": None, "area": -1.0, "note": ["totals_row"]}, "totals_row"),
    ],
)
def test_a_row_that_breaks_a_rule_is_quarantined_for_it(connection, resource, row, rule):
    verdict, places = judged(connection, resource, [row, {"key": "P77"}])
    assert places == {0: ("quarantined", [rule])}
    assert verdict.rules == {rule.split("|")[0]: 1}


def test_a_row_that_breaks_several_rules_carries_all_its_reasons(connection, resource):
    _, places = judged(connection, resource, [{"key": "X1", "land": "zz", "area": -1.0}])
    assert places[0][1] == ["area_not_positive|stated_area_m2", "code_unknown|land_class", "pattern|parcel_id"]


def test_a_null_breaks_no_rule_but_required(connection, resource):
    verdict, _ = judged(connection, resource, [{"key": "P1", "land": None, "area": None}])
    assert verdict.published == 1


def test_an_unreadable_value_is_not_also_called_missing(connection, resource):
    _, places = judged(connection, resource, [{"key": None, "note": ["type_unreadable|parcel_id"]}])
    assert places[0][1] == ["type_unreadable|parcel_id"]


def test_an_identical_repetition_is_a_duplicate_and_a_conflicting_one_is_quarantined(connection, resource):
    rows = [{"key": "P1"}, {"key": "P1"}, {"key": "P1", "area": 11.0}, {"key": "P1", "shape": b"y"}]
    verdict, places = judged(connection, resource, rows)
    assert places == {
        1: ("duplicate", []),
        2: ("quarantined", ["duplicate_key|parcel_id"]),
        3: ("quarantined", ["duplicate_key|parcel_id"]),
    }
    assert verdict.published == 1


def test_the_same_key_in_two_editions_is_no_duplicate(connection, resource):
    verdict, _ = judged(connection, resource, [{"key": "P1", "year": 2020}, {"key": "P1", "year": 2025}])
    assert verdict.published == 2


def test_a_faulty_first_row_gives_way_to_a_sound_one_with_its_key(connection, resource):
    verdict, places = judged(connection, resource, [{"key": "P1", "land": "zz"}, {"key": "P1"}])
    assert verdict.published == 1
    assert list(places) == [0]


row = st.fixed_dictionaries(
    {
        "key": st.sampled_from([None, "P1", "P2", "P3", "P4", "bad"]),
        "land": st.sampled_from([None, "0101", "0999", "zz"]),
        "area": st.sampled_from([None, 10.0, 11.0, 0.0, -5.0]),
        "year": st.sampled_from([2020, 2025]),
        "note": st.sampled_from([None, None, ["geometry_missing"], ["totals_row"], ["axes_swapped"]]),
        "shape": st.sampled_from([b"x", b"y"]),
        "repair": st.sampled_from([None, "self_intersection"]),
    }
)


@given(st.lists(row, max_size=40))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mixture_of_rows_balances_and_each_row_ends_in_one_place(connection, resource, rows):
    verdict, places = judged(connection, resource, rows)
    assert verdict.read == len(rows) == verdict.published + verdict.quarantined + verdict.duplicates
    published = [i for i in range(len(rows)) if i not in places]
    assert len(published) == verdict.published
    kept = [(rows[i]["key"], rows[i]["year"]) for i in published]
    assert len(kept) == len(set(kept)), "a key is published once an edition"
    for i, r in enumerate(rows):
        sound = r["key"] not in (None, "bad") and r["land"] in (None, "0101")
        sound = sound and (r["area"] is None or r["area"] > 0) and not r["note"]
        place, why = places.get(i, ("published", []))
        assert (place == "quarantined") == bool(why)
        assert sound or place == "quarantined"
        if sound and place != "published":
            first = next(j for j in published if (rows[j]["key"], rows[j]["year"]) == (r["key"], r["year"]))
            same = all(rows[first][k] == r[k] for k in ("land", "area", "shape"))
            assert first < i
            assert (place == "duplicate") == same


def test_a_ledger_that_does_not_balance_raises(resource):
    verdict = contract.Verdict(read=3, published=1, quarantined=1, duplicates=0, repaired=0)
    with pytest.raises(ContractError):
        contract.balance(verdict, resource)


IDS = [
    ("11010519491231002X", True),
    ("11010519491231002x", True),
    ("110105194912310021", False),
    ("1.10105E+17", False),
]


@pytest.mark.parametrize(
    ("text", "good"), [*IDS, ("110105194912310", False), ("", False), ("110105194912310A2X", False)]
)
def test_a_resident_id_is_proved_by_its_check_character(connection, text, good):
    sql = contract.NAMED_PATTERNS["@gb11643"].format(c="t")
    assert connection.execute(f"SELECT {sql} FROM (SELECT ? AS t)", [text]).fetchone()[0] is good


def test_every_reason_has_words_in_both_languages(resource):
    for rule in (*reasons.RULES, *reasons.NOTES):
        said = reasons.sentence(f"{rule}|land_class", resource)
        assert said["zh"]
        assert said["en"]
        assert "{" not in said["zh"] + said["en"]


# columns

TEXT = {
    "number": [
        ("１２３．５", 123.5),
        ("1,234", 1234.0),
        (" 7 ", 7.0),
        ("一", None),
        ("", None),
        ("1e999", None),
        ("NaN", None),
    ],
    "integer": [("12", 12), ("12.0", 12), ("12.5", None), ("１２", 12)],
    "boolean": [("是", True), ("否", False), ("Y", True), ("0", False), ("也许", None)],
    "date": [
        ("2021年9月", "2021-09-01"),
        ("2021.9", "2021-09-01"),
        ("2021年9月3日", "2021-09-03"),
        ("2021-09-03", "2021-09-03"),
        ("２０２１/9/3", "2021-09-03"),
        ("20210903", "2021-09-03"),
        ("2021", "2021-01-01"),
        ("2021.2.30", None),
        ("2021-13-01", None),
        ("去年", None),
    ],
    "datetime": [
        ("2021-09-03 08:30", "2021-09-03 00:30:00"),
        ("2021年9月3日 08:30:15", "2021-09-03 00:30:15"),
        ("x", None),
    ],
    "string": [("  330521 ", "330521"), ("", None), ("０１", "０１")],
}


@pytest.mark.parametrize("kind", TEXT)
def test_text_is_read_as_its_declared_type_or_refused(kind, resource):
    item = Field(name="v", title=Text("值", "v"), type=kind, source="v")
    declared = type(resource)(**{**vars(resource), "fields": (item,)})
    given_values = [t for t, _ in TEXT[kind]]
    batch = pa.record_batch({"v": pa.array(given_values)})
    typed = columns.typed(batch, declared, "Asia/Shanghai")
    read = [None if v is None else str(v) if kind in ("date", "datetime") else v for v in typed.arrays["v"].to_pylist()]
    assert read == [v for _, v in TEXT[kind]]
    unread = {i for i, (t, v) in enumerate(TEXT[kind]) if v is None and t not in columns.EMPTY and kind != "string"}
    assert set(typed.reasons) == unread


def test_a_code_that_was_read_as_a_number_keeps_its_digits(resource):
    item = Field(name="v", title=Text("值", "v"), type="string", source="v")
    declared = type(resource)(**{**vars(resource), "fields": (item,)})
    batch = pa.record_batch({"v": pa.array([101.0, 103.0, None])})
    assert columns.typed(batch, declared, "UTC").arrays["v"].to_pylist() == ["101", "103", None]


def test_a_scale_turns_mu_into_square_metres(resource):
    item = Field(name="v", title=Text("值", "v"), type="number", source="v", scale=2000 / 3)
    declared = type(resource)(**{**vars(resource), "fields": (item,)})
    batch = pa.record_batch({"v": pa.array(["1.5"])})
    assert columns.typed(batch, declared, "UTC").arrays["v"].to_pylist() == pytest.approx([1000.0])


def test_a_renamed_heading_is_named_old_to_new(resource):
    drift = columns.drift(resource.fields, ["TBBH", "DLBM", "TBMJ_1", "_row"])
    assert [(f.source, new) for f, new in drift.renamed] == [("TBMJ", "TBMJ_1")]
    assert drift.added == ("TBMJ_1",)


# geometry

FRAME = geometry.Frame(
    kind="polygon",
    source_crs="EPSG:4490",
    storage_crs="EPSG:4490",
    metric_crs="EPSG:4549",
    accepted={},
    bbox=(119.95, 30.51, 119.99, 30.55),
    plausible_bbox=(119.75, 30.43, 120.36, 30.71),
    within_village=True,
)


def placed(*shapes, **changes):
    frame = geometry.Frame(**{**vars(FRAME), **changes})
    wkb = [s if isinstance(s, bytes) or s is None else shapely.to_wkb(s) for s in shapes]
    return geometry.place(pa.array(wkb, pa.binary()), frame)


def polygon(ring):
    return shapely.Polygon(ring)


SQUARE = receiving.square(3)
BOW = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]


def test_a_sound_polygon_is_placed_measured_and_wound_counter_clockwise():
    found = placed(shapely.Polygon(SQUARE[::-1]))
    assert not found.reasons
    assert not found.repairs
    assert found.measure[0] == pytest.approx(receiving.AREA, rel=1e-3)
    assert shapely.is_ccw(shapely.get_exterior_ring(found.shapes[0]))


def test_a_bow_tie_is_refused_because_mending_would_change_its_area():
    found = placed(shapely.Polygon(BOW))
    assert found.reasons == {0: ["geometry_repair_area"]}
    assert found.shapes[0] is None


def test_a_small_loop_is_mended_and_noted():
    x, y = SQUARE[0]
    side = receiving.WIDTH
    loop = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0.5), (0.01, 0.5), (0.01, 0.51), (-0.01, 0.51), (-0.01, 0.4), (0, 0.4)]
    shape = shapely.Polygon([(x + a * side, y + b * side) for a, b in loop])
    assert not shapely.is_valid(shape)
    found = placed(shape)
    assert found.repairs == {0: ["self_intersection"]}
    assert shapely.is_valid(found.shapes[0])
    assert found.measure[0] == pytest.approx(receiving.AREA, rel=0.02)


def test_an_unclosed_ring_is_closed_and_noted():
    wkb = bytearray(shapely.to_wkb(shapely.Polygon(SQUARE)))
    count = int.from_bytes(wkb[9:13], "little")
    broken = bytes(wkb[:9]) + (count - 1).to_bytes(4, "little") + bytes(wkb[13:-16])
    found = placed(broken)
    assert found.repairs == {0: ["ring_unclosed"]}
    assert found.measure[0] == pytest.approx(receiving.AREA, rel=1e-3)


def test_an_outline_drawn_as_a_line_becomes_its_polygon():
    found = placed(shapely.LineString(SQUARE), shapely.LineString(SQUARE[:3]))
    assert shapely.get_type_id(found.shapes[0]) == 3
    assert found.reasons == {1: ["geometry_kind"]}


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        (None, "geometry_missing"),
        (shapely.Polygon(), "geometry_missing"),
        (b"\x01\x02", "geometry_unreadable"),
        (shapely.Point(119.97, 30.53), "geometry_kind"),
        (shapely.transform(shapely.Polygon(SQUARE), lambda a: a[:, ::-1]), "axes_swapped"),
        (shapely.transform(shapely.Polygon(SQUARE), lambda a: np.add(a, [0.1, 0])), "outside_village"),
        (shapely.transform(shapely.Polygon(SQUARE), lambda a: np.add(a, [10, 0])), "outside_plausible"),
        (shapely.transform(shapely.Polygon(SQUARE), lambda a: a * [np.inf, 1]), "geometry_not_finite"),
    ],
)
def test_each_unfit_geometry_is_refused_by_its_name(shape, rule):
    found = placed(shape, shapely.Polygon(SQUARE))
    assert found.reasons == {0: [rule]}
    assert found.shapes[1] is not None


def test_areas_do_not_depend_on_the_zone_number_before_the_easting():
    from twin import geodesy

    plane = geodesy.transform_geometry([shapely.Polygon(SQUARE)], "EPSG:4490", "EPSG:4528")
    a = placed(plane[0], source_crs="EPSG:4528").measure[0]
    b = placed(shapely.Polygon(SQUARE)).measure[0]
    assert a == pytest.approx(b, rel=1e-9)
    assert geometry.Frame(**{**vars(FRAME), "source_crs": "EPSG:4528"}).planar


def test_lines_are_measured_and_points_are_not():
    line = placed(shapely.LineString([[119.96, 30.52], [119.97, 30.52]]), kind="line")
    assert line.measure[0] == pytest.approx(959, abs=2)
    assert np.isnan(placed(shapely.Point(119.97, 30.53), kind="point").measure[0])
