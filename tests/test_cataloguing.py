"""The catalogue as a workbook: out and in again without a loss, refused cell by cell, never written over silently."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl import catalog
from etl.__main__ import main
from etl.cataloguing import book, layout, taking, toml_text
from twin import declared
from twin.errors import BadRequest, DeclarationError, SourceError
from twin.model import Department, Field, Resource, Source, Text, count

if TYPE_CHECKING:
    from etl.catalog import Catalog

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def known() -> Catalog:
    return catalog.read(ROOT / "data")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a village folder of its own, with three departments and what else they are proved by."""
    (tmp_path / "catalog").mkdir()
    for name in ("16_medical_insurance", "22_audit", "54_real_estate"):
        shutil.copy(ROOT / f"data/catalog/{name}.toml", tmp_path / "catalog")
    shutil.copytree(ROOT / "data/codes", tmp_path / "codes")
    for name in ("village.toml", "connections.toml"):
        shutil.copy(ROOT / "data" / name, tmp_path)
    return tmp_path


def test_the_whole_catalogue_goes_out_to_a_workbook_and_comes_back_the_same(known: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "目录.xlsx"
    book.write(known.departments, path)
    assert book.read(path) == known.departments


def test_the_workbook_has_the_two_official_sheets_and_their_chinese_headings(home: Path) -> None:
    path = home / "目录.xlsx"
    book.write(catalog.read(home).departments, path)
    pages = openpyxl.load_workbook(path)
    assert pages.sheetnames == ["目录", "信息项"]
    heads = [cell.value for cell in pages["目录"][1]]
    for wanted in (
        "提供方名称",
        "类",
        "项",
        "目",
        "细目",
        "信息资源代码",
        "信息资源名称",
        "共享类型",
        "更新周期",
        "法律依据",
    ):
        assert wanted in heads
    assert [c.value for c in pages["信息项"][1]][1] == "信息项名称"
    assert {row[heads.index("共享类型")].value for row in pages["目录"].iter_rows(min_row=2)} <= set(
        layout.WORDS["share_type"].values()
    )


def test_every_department_written_as_toml_reads_back_the_same(known: Catalog) -> None:
    for department in known.departments:
        document = declared.parse(toml_text.of(department), f"{department.id}.toml")
        assert not document.faults, department.id
        assert len(document.table.get("resource", ())) == len(department.resources)


words = st.text(st.sampled_from("村水路=+-@'\"\\{}<&甲乙AbZ9.,;|"), min_size=1, max_size=12)
ids = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
texts = st.builds(Text, words, words)
numbers = st.none() | st.floats(-1e9, 1e9, allow_nan=False)
fields = st.builds(
    Field, name=ids, title=texts, type=st.sampled_from(list(layout.WORDS["type"])), source=words,
    sensitivity=st.none() | st.sampled_from(["public", "internal", "personal", "sensitive"]), unit=st.just("") | words,
    required=st.booleans(), minimum=numbers, maximum=numbers, above=numbers, pattern=st.just("") | words,
    length=st.none() | st.integers(1, 200), scale=st.floats(1e-6, 1e6),
    meaning=st.sampled_from(["", "phone", "name", "other"]),
)  # fmt: skip
sources = st.builds(
    Source, location=words, year=st.none() | st.integers(1990, 2030), as_of=st.none() | st.dates(date(1990, 1, 1)),
    crs=st.just("") | words, options=st.dictionaries(ids, words, max_size=2),
)  # fmt: skip
resources = st.builds(
    Resource, id=ids, code=words, title=texts, department=st.just(""), class_path=st.lists(words, max_size=4).map(tuple),
    abstract=texts, format=words, reader=words, kind=st.sampled_from(["point", "line", "polygon", "none"]),
    sources=st.lists(sources, max_size=2).map(tuple), key=words,
    fields=st.lists(fields, min_size=1, max_size=3, unique_by=lambda f: f.name).map(tuple),
    share_type=st.sampled_from(["unconditional", "conditional", "none"]), share_condition=st.just("") | words,
    share_method=words, open_attr=words, update_cycle=words, cadence_seconds=st.integers(0, 10**9),
    published=st.dates(date(1990, 1, 1)), theme=words, layers=st.lists(ids, max_size=2).map(tuple),
    within_village=st.booleans(), area_tolerance_ratio=st.floats(0, 1), about=st.sampled_from(["", "persons", "things"]),
)  # fmt: skip
offices = st.builds(
    Department, id=ids, title=texts, provider_code=words, theme=st.just("") | words,
    resources=st.lists(resources, max_size=2, unique_by=lambda r: r.id).map(tuple),
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(offices, min_size=1, max_size=2, unique_by=lambda d: d.id))
def test_any_small_catalogue_survives_the_workbook_and_the_toml(tmp_path: Path, drawn: list[Department]) -> None:
    whole = tuple(
        replace(d, resources=tuple(replace(r, id=f"{r.id}_{n}", department=d.id) for r in d.resources))
        for n, d in enumerate(drawn)
    )
    path = tmp_path / "any.xlsx"
    book.write(whole, path)
    assert book.read(path) == whole
    for department in whole:
        assert not declared.parse(toml_text.of(department), "x.toml").faults


def changed(path: Path, sheet: str, heading: str, value: Any, row: int = 2) -> None:
    """Write one cell of a workbook, found by its heading."""
    pages = openpyxl.load_workbook(path)
    heads = [cell.value for cell in pages[sheet][1]]
    pages[sheet].cell(row, heads.index(heading) + 1).value = value
    pages.save(path)


WRONG = {
    "a word for a number": ("目录", "更新周期(秒)", "一年", "整数"),
    "a choice that is none": ("目录", "共享类型", "随便", "不在允许范围"),
    "a date that is none": ("目录", "发布日期", "2024-02-30", "日期"),
    "a truth that is none": ("信息项", "必填", "也许", "“是”或“否”"),
    "an item of no resource": ("信息项", "资源标识", "nowhere", "目录中没有资源 nowhere"),
    "sources that are no JSON": ("目录", "sources", "[{", "JSON"),
    "what cannot be proved": ("目录", "提供方代码(统一社会信用代码)", "11330521DEM0001616", "校验码不对"),
    "a field nobody classified": ("信息项", "敏感级别", "", "未分级"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_cell_is_named_with_sheet_column_reason_and_remedy_and_nothing_is_written(
    home: Path, case: str
) -> None:
    sheet, heading, value, words = WRONG[case]
    now = catalog.read(home).departments
    before = {p.name: p.read_bytes() for p in (home / "catalog").iterdir()}
    path = home / "目录.xlsx"
    book.write(now, path)
    for row in range(2, 6 if heading.startswith("提供方代码") else 3):
        changed(path, sheet, heading, value, row)
    with pytest.raises(DeclarationError) as raised:
        taking.take(home, now, book.read(path), replace=True)
    assert words in raised.value.zh
    assert raised.value.en
    if "校验" not in words:
        assert sheet in raised.value.zh
    assert {p.name: p.read_bytes() for p in (home / "catalog").iterdir()} == before


def test_a_workbook_without_a_sheet_or_a_column_is_refused(home: Path) -> None:
    path = home / "目录.xlsx"
    book.write(catalog.read(home).departments, path)
    changed(path, "目录", "法律依据", "依据", 1)
    with pytest.raises(DeclarationError, match="法律依据"):
        book.read(path)
    pages = openpyxl.load_workbook(path)
    del pages["信息项"]
    pages.save(path)
    with pytest.raises(SourceError):
        book.read(path)


def test_an_import_never_changes_what_is_declared_unless_it_is_told_to(home: Path) -> None:
    now = catalog.read(home).departments
    other = (replace(now[0], resources=(replace(now[0].resources[0], contact_person="他人"), *now[0].resources[1:])),)
    with pytest.raises(BadRequest, match="insurance_coverage"):
        taking.take(home, now, other)
    assert catalog.read(home).departments == now
    changes = taking.take(home, now, other, replace=True)
    assert [c.changed for c in changes] == [("insurance_coverage",)]
    read = catalog.read(home)
    assert read.resources[0].contact_person == "他人"
    assert read.departments[1:] == now[1:], "departments the workbook does not name stay"


def test_a_new_department_gets_the_number_its_codes_name(home: Path, known: Catalog) -> None:
    now = catalog.read(home).departments
    new = next(d for d in known.departments if d.id == "archives")
    assert taking.take(home, now, (new,))[0].is_new
    assert (home / "catalog/57_archives.toml").exists()
    assert catalog.read(home).departments[-1] == new
    assert taking.take(home, catalog.read(home).departments, (new,)) == ()


def test_the_command_counts_exports_and_imports(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONEMAP_VILLAGE", str(home))
    path = home / "out.xlsx"
    assert main(["catalog", "matrix", "--lang", "en"]) == 0
    assert "By the theme each department leads: Services 4  Governance 1  Planning 4" in capsys.readouterr().out
    assert main(["catalog", "export", str(path)]) == 0
    assert main(["catalog", "import", str(path)]) == 0
    assert "没有改动" in capsys.readouterr().out
    changed(path, "目录", "联系人", "他人")
    assert main(["catalog", "import", str(path)]) == 1
    assert "--replace" in capsys.readouterr().err
    assert main(["catalog", "import", str(path), "--replace"]) == 0
    assert main(["catalog", "export"]) == 1


def test_the_matrix_is_counted_from_the_declarations(known: Catalog) -> None:
    counted = count(known.departments, ("base",))
    assert counted.themes[0] == "base"
    assert counted.whole == sum(counted.totals.values()) == sum(counted.departments.values()) == len(known.resources)
    for department in known.departments:
        for theme in counted.themes:
            assert counted.counts[department.id].get(theme, 0) == sum(r.theme == theme for r in department.resources)
