"""The catalogue: what is declared is read, and every fault is named with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import catalog
from tests import receiving
from twin.errors import DeclarationError
from twin.model import Draw, Indicator, Layer, Text, Theme
from twin.toml_lines import line_of, positions

ROOT = Path(__file__).parents[1]


def faults(tmp_path, department=receiving.DEPARTMENT, **layers):
    return catalog.check(receiving.village(tmp_path, department), **layers)


def line(text, wanted):
    return text[: text.index(wanted)].count("\n") + 1


def test_the_committed_catalogue_is_sound():
    assert catalog.check(ROOT / "data") == []


def test_the_committed_layers_and_themes_fit_the_committed_catalogue():
    import layers

    assert catalog.check(ROOT / "data", layers.LAYERS, layers.THEMES) == []


def test_the_committed_catalogue_holds_thirty_or_more_resources_of_several_departments():
    read = catalog.read(ROOT / "data")
    assert len(read.resources) >= 30
    assert len(read.departments) >= 10


def test_what_is_declared_is_what_is_read(tmp_path):
    read = catalog.read(receiving.village(tmp_path))
    resource = read.resource("cover")
    assert read.village.name == Text("小村", "Hamlet")
    assert read.village.accepted_crs["EPSG:4326"] == 1.0
    assert resource.department == "land"
    assert resource.sources[0].year == 2025
    assert resource.field_named("stated_area_m2").above == 0.0
    assert read.code_system("cover@2019").find("0999").abolished


BROKEN = {
    "an unknown key": ('format = "GeoJSON"', 'format = "GeoJSON"\nformatt = "x"', "formatt", "不认识的项"),
    "a missing key": ('reader = "vector"\n', "", "resource.0", "缺少必填项 reader"),
    "a wrong enumeration": ('kind = "polygon"', 'kind = "poligon"', "kind", "不在允许范围"),
    "a wrong type": ("cadence_seconds = 31536000", 'cadence_seconds = "年"', "cadence_seconds", "不是整数"),
    "an unclassified field": ('source = "DLBM"\nsensitivity = "public"', 'source = "DLBM"', "sensitivity", "未分级"),
    "a key that is no field": ('key = "parcel_id"', 'key = "parcel"', "key", "不在信息项中"),
    "an unknown code system": (
        'code_system = "cover@2019"\nstated',
        'code_system = "x@1"\nstated',
        "code_system",
        "没有代码表",
    ),
    "a land layer without codes": ('code_system = "cover@2019"\nstated', "stated", "code_system", "未申报 code_system"),
    "a land field without codes": (
        'sensitivity = "public"\ncode_system = "cover@2019"',
        'sensitivity = "public"',
        "code_system",
        "未申报代码表",
    ),
    "a format that carries no CRS": ('format = "GeoJSON"', 'format = "DXF"', "crs", "不带坐标系"),
    "a CRS nobody accepted": ('crs = "EPSG:4490"', 'crs = "EPSG:2381"', "crs", "2381"),
    "a location outside raw": ('"01_land/cover.geojson"', '"../../etc/passwd"', "location", "raw/ 之内"),
    "an unknown reader": ('reader = "vector"', 'reader = "magic"', "reader", "没有读取器"),
    "a transform that is not there": (
        'theme = "planning"',
        'theme = "planning"\ntransform = "x:y"',
        "transform",
        "找不到变换",
    ),
    "a negative cadence": ("cadence_seconds = 31536000", "cadence_seconds = -1", "cadence_seconds", "不能为负"),
    "a pattern that is none": ('pattern = "^P\\\\d+$"', 'pattern = "("', "pattern", "正则式有误"),
    "a computed column's name": ('name = "land_class"', 'name = "area_m2"', "name", "不可用"),
    "a state secret": ('sensitivity = "public"', 'sensitivity = "state-secret"', "sensitivity", "国家秘密不得进入"),
    "an area field that is none": (
        'theme = "planning"',
        'theme = "planning"\narea_field = "nowhere"',
        "area_field",
        "不在信息项中",
    ),
    "a meaning that is none": (
        'sensitivity = "public"',
        'sensitivity = "public"\nmeaning = "shoe_size"',
        "meaning",
        "不在允许范围",
    ),
    "text that is not TOML": ('id = "land"', 'id = land"', "", "文件读不了"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_fault_is_named_with_file_line_field_and_remedy(tmp_path, case):
    old, new, field, words = BROKEN[case]
    assert old in receiving.DEPARTMENT
    text = receiving.DEPARTMENT.replace(old, new, 1)
    if case == "a format that carries no CRS":
        text = text.replace('crs = "EPSG:4490"\n', "")
    found = [f for f in faults(tmp_path, text) if words in f.zh]
    assert found, case
    fault = found[0]
    assert fault.file.endswith("01_land.toml")
    assert fault.field.endswith(field)
    assert fault.en
    assert fault.remedy_zh
    assert fault.remedy_en
    if (
        new
        and field
        and case not in ("an unclassified field", "a land field without codes", "a format that carries no CRS")
    ):
        near = line(text, new.split("\n")[-1])
        assert abs(fault.line - near) <= 25


def test_the_line_of_a_wrong_value_is_the_line_it_stands_on(tmp_path):
    text = receiving.DEPARTMENT.replace('kind = "polygon"', 'kind = "poligon"')
    assert faults(tmp_path, text)[0].line == line(text, 'kind = "poligon"')


def test_a_second_resource_with_the_same_id_is_refused(tmp_path):
    again = receiving.DEPARTMENT[receiving.DEPARTMENT.index("[[resource]]") :]
    assert any("重复" in f.zh for f in faults(tmp_path, receiving.DEPARTMENT + again))


def test_a_file_name_that_is_not_its_department_is_refused(tmp_path):
    receiving.village(tmp_path)
    (tmp_path / "catalog" / "01_land.toml").rename(tmp_path / "catalog" / "land.toml")
    assert any("文件名应为" in f.zh for f in catalog.check(tmp_path))


def test_reading_a_faulty_catalogue_raises_with_every_fault(tmp_path):
    folder = receiving.village(tmp_path, receiving.DEPARTMENT.replace('key = "parcel_id"', 'key = "x"'))
    with pytest.raises(DeclarationError) as raised:
        catalog.read(folder)
    assert "01_land.toml:" in raised.value.zh


def layer(**changes):
    draw = Draw(
        id="d", table=changes.pop("table", "cover"), type="fill", title=Text("图", "m"), columns=("land_class",)
    )
    values = {
        "id": "L06",
        "slug": "x",
        "theme": "planning",
        "title": Text("图", "m"),
        "abstract": Text("", ""),
        "department": "land",
        "share": "open",
        "draws": (draw,),
        "code_system": "cover@2019",
    }
    return Layer(**{**values, **changes})


def test_a_sound_layer_passes_and_each_broken_one_is_named(tmp_path):
    assert faults(tmp_path, layers=(layer(),)) == []
    for changes, words in (
        ({"table": "nowhere"}, "no table nowhere"),
        ({"code_system": ""}, "must name its code_system"),
        ({"code_system": "x@1"}, "no code system x@1"),
        ({"department": "x"}, "no department x"),
    ):
        assert any(words in f.en for f in faults(tmp_path, layers=(layer(**changes),))), changes
    twice = faults(tmp_path, layers=(layer(), layer()))
    assert any("stands twice" in f.en for f in twice)


def test_an_indicator_over_a_missing_column_is_named(tmp_path):
    item = Indicator(id="i", theme="planning", title=Text("数", "n"), table="cover", by="nothing")
    theme = Theme(id="planning", title=Text("规划", "Planning"), indicators=(item,))
    assert any("nothing" in f.en for f in faults(tmp_path, themes=(theme,)))


names = st.text("abcdefghij", min_size=1, max_size=6)


@given(
    st.lists(
        st.tuples(names, st.integers(0, 9), st.sampled_from(["1", '"a#]b"', "[1, 2]", "{x = 1}", "'''\nq\n'''"])),
        max_size=6,
    )
)
def test_every_key_of_every_table_is_found_on_its_line(rows):
    text, expected = "", {}
    for number, (key, blank, value) in enumerate(rows):
        text += "\n" * blank + "[[t]] # note\n" + f"{key} = {value}  # why\n"
        expected["t", number, key] = text.count("\n", 0, text.rindex(f"{key} = ")) + 1
    found = positions(text)
    assert {k: found[k] for k in expected} == expected
    assert line_of(found, ("t", 99, "nothing")) >= 1
