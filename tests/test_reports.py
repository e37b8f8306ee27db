"""Reports fill themselves: the right rows for the period, masked and withheld as everywhere, every cell with its source."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from etl import catalog
from tests import serving_fixture
from tests.matrix import village as matrix_village
from tests.office_town import Town
from twin import api, reports
from twin.errors import BadRequest, DeclarationError, NotFound, SettingError
from twin.model import Text
from twin.policy import ANONYMOUS_LOCAL, Subject, grants
from twin.reports import paper, period, workbook
from twin.reports.form import Cell, Form, Rows, placeholders
from twin.reports.workbook import NAMED

ROOT = Path(__file__).resolve().parents[1]
FORMS = ROOT / "data" / "reports"
NOW = datetime(2025, 11, 21, 10, 32, tzinfo=ZoneInfo("Asia/Shanghai"))
FONT = next((p for p in paper.FONTS if Path(p[0]).is_file()), None)


@cache
def committed() -> tuple[Form, ...]:
    return reports.read_all(FORMS, catalog.join(catalog.read(ROOT / "data"), (), ()))


def test_the_five_forms_are_sound_and_what_templates_name_is_what_is_declared() -> None:
    assert {f.id for f in committed()} == {
        "village_ledger",
        "land_use",
        "public_services",
        "flood_duty",
        "data_quality",
    }
    for form in committed():
        sheet = openpyxl.load_workbook(form.folder / form.template).worksheets[0]
        texts = [str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None]
        named = {n for text in texts for n in NAMED.findall(text)}
        assert named <= placeholders(form), (form.id, named - placeholders(form))
        assert {c.id for c in form.cells} <= named, form.id
        assert not [t for t in texts if t.startswith("=")]


@pytest.mark.parametrize(
    ("span", "text", "first", "last"),
    [
        ("year", "", "2025-01-01", "2025-12-31"), ("month", "", "2025-11-01", "2025-11-30"), ("day", "", "2025-11-21", "2025-11-21"),
        ("year", "2020-02", "2020-01-01", "2020-12-31"), ("month", "2024-02", "2024-02-01", "2024-02-29"),
    ],
)  # fmt: skip
def test_a_period_is_a_day_a_month_or_a_year(span: Any, text: str, first: str, last: str) -> None:
    found = period.of(span, text, NOW)
    assert (str(found.first), str(found.last)) == (first, last)


@pytest.mark.parametrize("text", ["x", "2025-13", "25", "2025-1", "2025-02-30", "2025;", "２０２５"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        period.of("year", text, NOW)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("reports")
    onemap, store, settings = serving_fixture.build(folder, with_rasters=False)
    return api.rooms(onemap, store, settings)


def title(zh: str) -> Text:
    return Text(zh, zh)


def form(folder: Path, texts: list[list[str]], **more: Any) -> Form:
    """Write a template of these rows into `folder` and give the form."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row, line in enumerate(texts, 1):
        for column, text in enumerate(line, 1):
            sheet.cell(row=row, column=column, value=text)
    book.save(folder / "t.xlsx")
    return Form(id="t", title=title("试表"), template="t.xlsx", span="year", folder=folder, **more)


def filler(rooms: Any) -> reports.Filler:
    return reports.Filler(
        onemap=rooms.onemap, serving=rooms.serving, policy=rooms.policy, indicators=rooms.indicators,
        ledger=rooms.settings.data / "run" / "ledger.jsonl",
    )  # fmt: skip


PADDY = Cell(id="paddy", title=title("水田"), table="cover", where=(("land_class", "=", "0101"),))
AREA = Cell(
    id="area", title=title("面积"), table="cover", measure="sum", column="stated_area_m2", per=10_000.0, decimals=2
)


def test_numbers_are_those_of_the_period_and_owed_ones_name_their_department(built, tmp_path: Path) -> None:
    owed = Cell(id="owed", title=title("债务"), owed_by="land")
    never = Cell(id="never", title=title("从未"), table="never_published")
    onemap = built.onemap
    [land] = onemap.departments
    absent = serving_fixture.resource("never_published", "none", "k", [serving_fixture.field("k")])
    wider = replace(onemap, departments=(replace(land, resources=(*land.resources, absent)),))
    of = form(tmp_path, [["{{paddy}}", "{{area}}", "{{owed}}", "{{never}}"]], cells=(PADDY, AREA, owed, never))
    later = replace(filler(built), onemap=wider).fill(of, ANONYMOUS_LOCAL, "2025")
    assert {k: v.content for k, v in later.cells.items()} == {
        "paddy": 5, "area": 9.0, "owed": "待 自然资源局 提供", "never": "待 自然资源局 提供",
    }  # fmt: skip
    earlier = filler(built).fill(of, ANONYMOUS_LOCAL, "2021")
    assert earlier.cells["paddy"].content == 4
    before = filler(built).fill(of, ANONYMOUS_LOCAL, "2019")
    assert before.cells["paddy"].content == "待 自然资源局 提供"


def test_every_cell_says_its_department_resource_field_version_and_day(built, tmp_path: Path) -> None:
    of = form(tmp_path, [["耕地", "{{paddy}}"], ["合计 {{area}} 公顷", ""]], cells=(PADDY, AREA))
    book = workbook.book(filler(built).fill(of, ANONYMOUS_LOCAL, "2025"))
    lines = [[c.value for c in row] for row in book["来源"].iter_rows(min_row=3)]
    version = built.store.current("cover").version
    assert lines[0][:8] == [
        "水田",
        "B1",
        "自然资源局",
        "资源cover",
        "计数;字段land_class = 0101",
        version,
        "2025-06-30",
        18,
    ]
    assert lines[1][4] == "字段stated_area_m2合计"
    assert book["试表"]["A2"].value == "合计 9.00 公顷"
    assert (book["试表"]["B1"].value, book["试表"]["B1"].data_type) == (5, "n")


def test_a_list_grows_by_its_rows_and_one_without_rows_says_so(built, tmp_path: Path) -> None:
    houses = Rows(id="houses", title=title("房屋"), table="house", columns=("name", "address"), order=("name",))
    none = Rows(id="none", title=title("没有"), table="house", columns=("name",), where=(("name", "=", "x"),))
    texts = [
        ["清单", "", ""],
        ["{{houses.no}}", "{{houses.name}}", "{{houses.address}}"],
        ["{{none.no}}", "{{none.name}}", ""],
        ["尾", "", ""],
    ]
    filled = filler(built).fill(form(tmp_path, texts, lists=(houses, none)), ANONYMOUS_LOCAL)
    sheet = workbook.book(filled)["试表"]
    rows = [[c.value for c in row] for row in sheet.iter_rows()]
    assert rows[1:3] == [[1, "小学", "测试村2号"], [2, "祠堂", "测试村1号"]]
    assert rows[3][0] == "无"
    assert rows[4][0] == "尾"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory):
    """Give the rooms of the matrix' village under the declared grants."""
    from twin.settings import Settings
    from twin.store import Store

    settings = replace(Settings(), data=tmp_path_factory.mktemp("guarded"), tile_cache_mb=8)
    store = Store(settings.store)
    matrix_village.publish_all(store)
    rooms = api.rooms(matrix_village.onemap(), store, settings)
    rooms.policy.adopt(grants.read(ROOT / "data" / "grants.toml"))
    return rooms


@pytest.mark.parametrize("who", ["anonymous", "resident", "grid_worker", "official", "planner", "auditor"])
def test_nobody_finds_in_a_workbook_what_he_may_not_read_elsewhere(guarded, tmp_path: Path, who: str) -> None:
    from tests.matrix import oracle

    tables = [t for t in oracle.TABLES if t != "closed"]
    columns = ("id", "label", "memo", "keeper_name", "keeper_phone", "id_card", "note")
    lists = tuple(Rows(id=t, title=title(t), table=t, columns=columns) for t in tables)
    texts = [[f"{{{{{t}.{c}}}}}" for c in columns] for t in tables]
    filled = filler(guarded).fill(form(tmp_path, texts, lists=lists), matrix_village.subject(who))
    written = "\n".join(
        str(c.value) for sheet in workbook.book(filled).worksheets for row in sheet.iter_rows() for c in row
    )
    for table in tables:
        for area in oracle.AREAS:
            for column in columns:
                if matrix_village.canary(table, area, column) in written:
                    assert oracle.access(who, table, area, column) == "clear", (table, area, column)
    if who == "auditor":
        assert "按权限不显示" in written
    if who == "official":
        assert matrix_village.canary("thing", "own", "label") in written
        assert matrix_village.masked("home", "own", "keeper_phone") in written


def test_a_number_of_few_people_is_not_told(guarded, tmp_path: Path) -> None:
    cell = Cell(id="people", title=title("人"), table="petition")
    of = form(tmp_path, [["{{people}}"]], cells=(cell,))
    assert filler(guarded).fill(of, matrix_village.subject("resident")).cells["people"].content == "人数过少,不列"
    assert filler(guarded).fill(of, matrix_village.subject("official")).cells["people"].origin.state == "ok"


def declared(folder: Path, text: str, onemap: Any) -> tuple[Form, ...]:
    openpyxl.Workbook().save(folder / "t.xlsx")
    (folder / "t.toml").write_text(text, "utf-8")
    return reports.read_all(folder, onemap)


HEAD = 'id = "t_x"\ntitle = { zh = "表", en = "T" }\ntemplate = "t.xlsx"\nspan = "year"\n'


def test_two_numbers_of_the_same_people_are_refused_for_their_difference_tells(guarded, tmp_path: Path) -> None:
    one = '[[cell]]\nid = "{}"\ntitle = {{ zh = "人", en = "P" }}\ntable = "petition"\n'
    assert declared(tmp_path, HEAD + one.format("a"), guarded.onemap)
    with pytest.raises(DeclarationError, match="one number a report"):
        declared(tmp_path, HEAD + one.format("a") + one.format("b"), guarded.onemap)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[cell]]\nid = "a"\ntitle = { zh = "a", en = "a" }\ntable = "nowhere"\n', "no resource nowhere"),
        (
            '[[cell]]\nid = "a"\ntitle = { zh = "a", en = "a" }\ntable = "thing"\ncolumn = "nothing"\n',
            "no field nothing",
        ),
        ('[[cell]]\nid = "a"\ntitle = { zh = "a", en = "a" }\n', "neither table nor owed_by"),
        ('[[list]]\nid = "a"\ntitle = { zh = "a", en = "a" }\n', "has no table"),
        ('colour = "red"\n', "Unknown key colour"),
    ],
)
def test_a_form_that_maps_to_nothing_catalogued_is_refused(guarded, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declared(tmp_path, HEAD + text, guarded.onemap)
    assert said in caught.value.en


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "ab\x00\x0bc"])
def test_what_looks_like_a_formula_stays_text(text: str) -> None:
    book = openpyxl.Workbook()
    cell: Any = book.active.cell(row=1, column=1)
    workbook._put(cell, text)
    target = io.BytesIO()
    book.save(target)
    read = openpyxl.load_workbook(io.BytesIO(target.getvalue())).active["A1"]
    assert read.data_type in ("s", "inlineStr")
    assert read.value is not None
    assert "\x00" not in read.value


def test_old_content_is_marked_with_the_day_it_is_of(built, tmp_path: Path) -> None:
    ledger = built.settings.data / "run" / "ledger.jsonl"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    line = {
        "resource": "cover", "run": "r", "status": "published", "finished_at": "2021-01-01T00:00:00+00:00",
        "as_of": "2021-01-01", "ledger": {"read": 10, "published": 9, "quarantined": 1},
    }  # fmt: skip
    ledger.write_text(json.dumps(line) + "\n", "utf-8")
    filled = filler(built).fill(form(tmp_path, [["{{paddy}}", "{{area}}"]], cells=(PADDY, AREA)), ANONYMOUS_LOCAL)
    sheet = workbook.book(filled)["试表"]
    ledger.unlink()
    assert (sheet["A1"].value, sheet["A1"].number_format) == (5, '#,##0"①"')
    assert sheet["A2"].value == "① 资源cover:数据截至 2025-06-30,已过更新周期,待 自然资源局 更新"
    assert paper.shown(sheet["A1"]) == "5①"


def test_the_bulletin_counts_departments_resources_and_rows(built, tmp_path: Path) -> None:
    ledger = built.settings.data / "run" / "ledger.jsonl"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        {"resource": "cover", "run": "r", "status": "published", "finished_at": "2025-11-01T00:00:00+00:00",
         "as_of": "2025-11-01", "ledger": {"read": 10, "published": 9, "quarantined": 1}},
        {"resource": "road", "run": "r", "status": "failed", "finished_at": "2025-11-01T00:00:00+00:00"},
    ]  # fmt: skip
    ledger.write_text("".join(json.dumps(x) + "\n" for x in lines), "utf-8")
    rows = Rows(id="quality", title=title("质量"))
    filled = filler(built).fill(form(tmp_path, [["{{quality.department}}"]], lists=(rows,)), ANONYMOUS_LOCAL)
    hidden = filler(built).fill(
        form(tmp_path, [["{{quality.department}}"]], lists=(rows,)), Subject(id="a", role="resident")
    )
    ledger.unlink()
    [line] = filled.lists["quality"]
    assert (line["department"], line["resources"], line["on_time"], line["failed"]) == ("自然资源局", 8, 1, 1)
    assert line["never"] == 6
    assert (line["read"], line["published"], line["quarantined"], line["passed_ratio"]) == (10, 9, 1, 0.9)
    assert hidden.lists["quality"] == []
    assert hidden.list_origins["quality"].state == "refused"


@pytest.mark.skipif(FONT is None, reason="this machine has no Noto Sans CJK: a PDF cannot be drawn")
def test_a_pdf_is_drawn_on_as_many_pages_as_it_takes(built, tmp_path: Path) -> None:
    houses = Rows(id="houses", title=title("房屋"), table="house", columns=("name",))
    filled = filler(built).fill(form(tmp_path, [["{{houses.name}}"]], lists=(houses,)), ANONYMOUS_LOCAL)
    few = reports.pdf(filled)
    many = reports.pdf(replace(filled, lists={"houses": filled.lists["houses"] * 60}))
    assert few.startswith(b"%PDF-")
    assert few.count(b"/Type /Page\n") == 2
    assert many.count(b"/Type /Page\n") > 2
    assert b"/JavaScript" not in many
    assert b"/URI" not in many


def test_without_a_chinese_font_the_refusal_says_which_to_install() -> None:
    with pytest.raises(SettingError, match="fonts-noto-cjk"):
        paper.faces("/nowhere/font.ttf")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    folder = tmp_path_factory.mktemp("town")
    town = Town(folder)
    at = folder / "village" / "reports"
    at.mkdir()
    made = form(at, [["{{title}} {{period}}", "{{things}}"], ["{{homes.label}}", "{{homes.keeper_name}}"]])
    assert made.folder == at
    (at / "t.toml").write_text(
        HEAD + '[[cell]]\nid = "things"\ntitle = { zh = "物", en = "T" }\ntable = "thing"\n'
        '[[list]]\nid = "homes"\ntitle = { zh = "户", en = "H" }\ntable = "home"\ncolumns = ["label", "keeper_name"]\n',
        "utf-8",
    )
    return town


def test_a_report_is_served_to_whoever_may_and_stands_in_the_record(town: Town) -> None:
    answer = town.get("official", "/api/v1/reports/t_x.xlsx?period=2025")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert sheet["A1"].value == "表 2025 年"
    assert sheet["B2"].value == matrix_village.masked("home", "own", "keeper_name")
    taken, read = town.written("report")[0], town.written("read")[0]
    assert (taken["resource"], taken["role"], taken["outcome"]) == ("t_x", "official", "permitted")
    assert read["resource"] == "home"


def test_a_visitor_gets_no_names_and_unknown_reports_and_periods_are_refused(town: Town) -> None:
    answer = town.get("anonymous", "/api/v1/reports/t_x.xlsx")
    assert answer.status_code == 200
    assert "CANARY-home" not in str(
        [c.value for r in openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0] for c in r]
    )
    assert town.get("official", "/api/v1/reports/nothing.xlsx").status_code == 404
    assert town.get("official", "/api/v1/reports/t_x.xlsx?period=x").status_code == 400
    assert town.get("official", "/api/v1/reports/..%2Ft_x.xlsx").status_code == 404
    listed = town.get("anonymous", "/api/v1/reports").json()["reports"]
    assert [r["id"] for r in listed] == ["t_x"]


def test_find_names_what_there_is() -> None:
    with pytest.raises(NotFound, match="land_use"):
        reports.find(committed(), "x")
    assert isinstance(committed()[0], Form)
