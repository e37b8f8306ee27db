"""`python -m etl check-plan`: the newest village plan held to its rule set, told as a workbook and as GeoJSON."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from etl import catalog
from etl.derived import build
from etl.progress import table
from etl.transforms import plan_rules
from etl.words import Language, say
from twin import duck, durable
from twin.errors import BadRequest
from twin.store import Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from etl.transforms.plan_rules import Rule
    from twin.settings import Settings

TABLE = "plan_fault"
GOOD, FAILED, FOUND = 0, 1, 3
ROWS = """
SELECT fault_id, rule_id, family, severity, zone_ids, measured_m2, finding, ST_AsGeoJSON(geometry::GEOMETRY) AS shape,
  ST_X(ST_PointOnSurface(geometry::GEOMETRY)) AS lon, ST_Y(ST_PointOnSurface(geometry::GEOMETRY)) AS lat
FROM read_parquet({path}, hive_partitioning = false) ORDER BY fault_id
"""
FAMILIES = {"structure": "结构", "domain": "值域", "area": "面积一致性", "topology": "拓扑", "base_year": "基期与底线"}
SEVERITIES = {"error": "必须改正", "warning": "请核实"}
LINE = Side(style="thin", color="9AA3A8")
GRID = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)


def check_plan(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Check the plan, publish what was found as the table `plan_fault`, and write it as xlsx and GeoJSON.

    Gives 3 where something must be mended, 0 where nothing must; raises BadRequest where there is no plan to check.
    """
    known = catalog.read(settings.village)
    declared = next((r for r in known.derived if r.id == TABLE), None)
    if declared is None:
        raise BadRequest("没有申报 derived/plan_fault.toml", "derived/plan_fault.toml is not declared")
    report = build.build(declared, known, settings, force=options.force)
    if report.status not in ("published", "unchanged"):
        raise BadRequest(report.reason_zh, report.reason_en)
    rules = plan_rules.read_rules(settings.village / "rules" / f"{declared.options['rules']}.toml")
    faults = _faults(settings)
    counted = _counted(faults)
    head = [say(f"plan.{k}", language) for k in ("rule", "count", "measured")]
    rows = [[r.title.zh if language == "zh" else r.title.en, *map(str, counted[r.id])] for r in rules]
    print(table(head, rows, right=range(1, 3)))
    _write(options, settings, rules, faults, language)
    errors = sum(f["severity"] == "error" for f in faults)
    print(say("plan.done", language, errors=errors, warnings=len(faults) - errors, version=report.version))
    return FOUND if errors else GOOD


def _faults(settings: Settings) -> list[dict[str, Any]]:
    path = Store(settings.store).current(TABLE).file("part.parquet")
    connection = duck.connect()
    try:
        return connection.execute(ROWS.format(path=duck.literal(path))).to_arrow_table().to_pylist()
    finally:
        connection.close()


def _counted(faults: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, float]]:
    found: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for fault in faults:
        count, area = found[fault["rule_id"]]
        found[fault["rule_id"]] = (count + 1, round(area + fault["measured_m2"], 2))
    return found


def _write(
    options: argparse.Namespace,
    settings: Settings,
    rules: Sequence[Rule],
    faults: list[dict[str, Any]],
    language: Language,
) -> None:
    out = Path(options.out)
    durable.make_directory(out)
    store = Store(settings.store)
    book = workbook(rules, faults, dict(store.current(TABLE).manifest))
    path = out / "村庄规划质检报告.xlsx"
    with durable.staging(out) as folder:
        book.save(folder / path.name)
        durable.write(path, (folder / path.name).read_bytes())
    durable.write(path.with_suffix(".geojson"), geojson(faults).encode())
    for written in (path, path.with_suffix(".geojson")):
        print(say("plan.written", language, path=written))


def geojson(faults: Sequence[Mapping[str, Any]]) -> str:
    """Give the faults as GeoJSON (lon, lat), each with its rule, severity, zones and finding."""
    named = ("fault_id", "rule_id", "family", "severity", "zone_ids", "measured_m2", "finding")
    features = [
        {
            "type": "Feature",
            "id": f["fault_id"],
            "geometry": json.loads(f["shape"]),
            "properties": {k: f[k] for k in named},
        }
        for f in faults
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def workbook(
    rules: Sequence[Rule], faults: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]
) -> openpyxl.Workbook:
    """Give the report: a sheet that sums up rule by rule with thresholds and their sources, and one of every fault."""
    book = openpyxl.Workbook()
    counted = _counted(faults)
    made = "、".join(f"{i['table']} {i['version']}" for i in manifest.get("inputs", ()))
    errors = sum(f["severity"] == "error" for f in faults)
    verdict = f"不通过:{errors} 处必须改正" if errors else "通过"
    verdict = f"结论:{verdict};需核实 {len(faults) - errors} 处"
    _sheet(
        book.active, "汇总", "村庄规划质检报告", (verdict, f"所检版本:{made}"),
        ("类别", "规则", "程度", "门槛(m²)", "问题数", "合计(m²)", "门槛出处"), (14, 34, 11, 11, 9, 13, 60),
        [
            (FAMILIES[r.family], r.title.zh, SEVERITIES[r.severity], r.threshold or None, *counted[r.id], r.source)
            for r in rules
        ],
    )  # fmt: skip
    titles = {r.id: r.title.zh for r in rules}
    _sheet(
        book.create_sheet(), "明细", "问题明细", ("坐标为问题所在处的内点(经度、纬度,CGCS2000)",),
        ("编号", "规则", "程度", "涉及图斑", "测得(m²)", "问题", "经度", "纬度"), (20, 34, 11, 28, 12, 56, 12, 12),
        [
            (
                f["fault_id"], titles.get(f["rule_id"], f["rule_id"]), SEVERITIES[f["severity"]],
                "整期" if f["zone_ids"] == plan_rules.WHOLE else f["zone_ids"], f["measured_m2"], f["finding"],
                round(f["lon"], 6), round(f["lat"], 6),
            )
            for f in faults
        ],
    )  # fmt: skip
    return book


def _sheet(  # noqa: PLR0917 - a sheet from top to bottom
    sheet: Any,
    name: str,
    title: str,
    notes: Sequence[str],
    heads: Sequence[str],
    widths: Sequence[int],
    rows: Sequence[Sequence[Any]],
) -> None:
    sheet.title = name
    for at, (text, size) in enumerate([(title, 16), *((n, 10) for n in notes)], 1):
        cell = sheet.cell(row=at, column=1, value=text)
        cell.data_type, cell.font = "s", Font(name="黑体" if at == 1 else "宋体", size=size, bold=at == 1)
        sheet.merge_cells(start_row=at, end_row=at, start_column=1, end_column=len(heads))
    first = len(notes) + 2
    for column, (head, width) in enumerate(zip(heads, widths, strict=True), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
        cell = sheet.cell(row=first, column=column, value=head)
        cell.font, cell.border = Font(name="黑体", size=10, bold=True), GRID
        cell.fill, cell.alignment = PatternFill("solid", fgColor="E8EEF3"), Alignment(horizontal="center")
    for at, row in enumerate(rows, first + 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(row=at, column=column, value=value)
            if isinstance(value, str):
                cell.data_type = "s"
            cell.font, cell.border = Font(name="宋体", size=10), GRID
            cell.alignment = Alignment(wrap_text=True, vertical="center")
    sheet.freeze_panes = sheet.cell(row=first + 1, column=1)
    sheet.print_title_rows = f"{first}:{first}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToHeight = 0
