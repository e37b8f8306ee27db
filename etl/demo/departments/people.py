"""民政局, 公安局 and the village: names, care by grid, addresses, head counts, and who sorts waste well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl.demo.defects import Planter, in_scientific_notation, rounded_number
from etl.demo.departments import vectors
from etl.demo.departments.coordinates import DEGREES, in_crs, lon_lat
from etl.demo.departments.sheets import Sheet, full_width, table, workbook
from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.village import Truth

Row = dict[str, Any]
CIVIL, POLICE, VILLAGE = "05_civil_affairs", "07_public_security", "58_town_village"
FEW = 5
"""Numbers under this are withheld."""
BANDS = ((5, "少于5人"), (10, "5-9人"), (15, "10-14人"), (10_000, "15人以上"))
GRADES = ((90, "优秀"), (80, "良好"), (60, "合格"), (0, "待改进"))


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write place names, care by grid, addresses, population and household scores."""
    _places(truth, raw / CIVIL / "地名目录.xlsx", planter)
    _care(truth, raw / CIVIL / "关爱对象网格汇总.geojson")
    _addresses(truth, raw / POLICE / "标准地址.csv", planter)
    _population(truth, raw / POLICE / "人口汇总.xlsx", planter)
    _sorting(truth, raw / VILLAGE / "垃圾分类户评.xlsx", planter)


def _places(truth: Truth, path: Path, planter: Planter) -> None:
    places = truth.tables["places"]
    rows = [
        {
            "地名代码": r["place_id"],
            "标准地名": r["name"],
            "地名类别": r["kind"],
            "等级": r["rank"],
            "高程(米)": r["elevation_m"],
            "东经": lon,
            "北纬": lat,
        }
        for r, (lon, lat) in zip(places, lon_lat([r["geometry"] for r in places]), strict=True)
    ]
    for row in planter.some("axes_swapped", "place_name", rows, lambda r: r["地名类别"] == "地片"):
        row["东经"], row["北纬"] = row["北纬"], row["东经"]
    workbook(path, Sheet(name="地名", title=["示范村标准地名目录"], rows=rows))


def _care(truth: Truth, path: Path) -> None:
    """Publish by grid only, and withhold every number under five: the names stay with the bureau."""

    def told(number: int) -> int | None:
        return number if number >= FEW else None

    grids = truth.tables["care"]
    rows = [
        {
            "网格编码": r["grid_code"],
            "网格名称": r["grid_name"],
            "八十岁以上": told(r["elders_80"]),
            "独居老人": told(r["elders_alone"]),
            "十四岁以下": told(r["children_14"]),
            "独居分档": next(word for limit, word in BANDS if r["elders_alone"] < limit),
            "本月走访": r["elders_alone"] * 2 + r["elders_80"],
            "有抑制": "是" if min(r["elders_80"], r["elders_alone"], r["children_14"]) < FEW else "否",
            "geometry": shape,
        }
        for r, shape in zip(grids, in_crs([r["geometry"] for r in grids], DEGREES), strict=True)
    ]
    vectors.geojson(path, rows)


def _addresses(truth: Truth, path: Path, planter: Planter) -> None:
    points = truth.tables["address_points"]
    rows = [
        {
            "地址编码": r["address_id"],
            "标准地址": f"浙江省德清县示范镇{r['address']}",
            "门牌号": "".join(c for c in r["address"] if c.isdigit()) + "号",
            "房屋编号": r["building_id"],
            "户编号": r["household_id"],
            "X": lon,
            "Y": lat,
        }
        for r, (lon, lat) in zip(points, lon_lat([r["geometry"] for r in points]), strict=True)
    ]
    for row in planter.some("axes_swapped", "address_point", rows):
        row["X"], row["Y"] = row["Y"], row["X"]
    planter.repeat("address_point", rows, lambda row: row | {"标准地址": f"{row['标准地址']}之一"})
    table(path, rows, "utf-8-sig")


def _population(truth: Truth, path: Path, planter: Planter) -> None:
    names = {r["grid_code"]: r["grid_name"] for r in truth.tables["grids"]}
    residents: dict[str, int] = {}
    for home in truth.tables["households"]:
        residents[home["grid_code"]] = residents.get(home["grid_code"], 0) + home["residents"]
    persons = {r["grid_code"]: r["persons"] for r in truth.tables["population"] if r["year"] == YEARS[-1]}
    sheets = []
    for year in YEARS:
        rows: list[Row] = [
            {
                "网格编码": r["grid_code"],
                "网格名称": names[r["grid_code"]],
                "户数": full_width(r["households"]) if k == 2 else r["households"],
                "人口数/户籍": r["persons"],
                "人口数/常住": round(
                    r["persons"] * residents.get(r["grid_code"], 0) / max(1, persons.get(r["grid_code"], 0))
                ),
                "人口数/六十岁以上": r["elders_60"],
            }
            for k, r in enumerate(r for r in truth.tables["population"] if r["year"] == year)
        ]
        rows.append({"网格编码": "合计"} | {key: sum(int(r[key]) for r in rows) for key in list(rows[0])[2:]})
        planter.count("totals_row", "population", 1)
        sheets.append(Sheet(name=f"{year}年", title=[f"示范村{year}年人口汇总表"], rows=rows))
    workbook(path, *sheets)


def _sorting(truth: Truth, path: Path, planter: Planter) -> None:
    """Write the scores by villagers' group, a subtotal under each and a total under all, as the clerk always does."""
    homes = {r["household_id"]: r for r in truth.tables["households"]}
    scores = truth.tables["sorting_scores"]
    at = dict(zip((r["household_id"] for r in scores), lon_lat([r["geometry"] for r in scores]), strict=True))
    rows = [_scored(r, homes[r["household_id"]], at[r["household_id"]]) for r in scores]
    for k, row in enumerate(planter.some("id_damaged", "household_sorting", rows)):
        number = row["户主/身份证号"]
        row["户主/身份证号"] = in_scientific_notation(number) if k % 2 else rounded_number(number)
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(homes[row["户编号"]]["group_name"], []).append(row)
    written: list[Row] = []
    for name in sorted(groups):
        written += [
            *groups[name],
            {"户编号": f"小计({name})", "评分/得分": sum(int(r["评分/得分"]) for r in groups[name])},
        ]
    written.append({"户编号": "合计", "评分/得分": sum(int(r["评分/得分"]) for r in rows)})
    planter.count("totals_row", "household_sorting", len(groups) + 1)
    title = ["示范村生活垃圾分类户评公示表", "填表单位:示范村村民委员会   评分周期:2025年10月第4周"]
    workbook(path, Sheet(name="户评", title=title, rows=written))


def _scored(score: Row, home: Row, at: tuple[float, float]) -> Row:
    points = score["score"]
    return {
        "户编号": score["household_id"],
        "户主/姓名": home["head_name"],
        "户主/身份证号": home["id_card"],
        "门牌": score["address"],
        "评分/得分": full_width(points) if points % 10 == 7 else points,
        "评分/等次": next(word for limit, word in GRADES if points >= limit),
        "评分/日期": "2025年10月26日" if points % 3 else "2025.10.26",
        "经度": at[0],
        "纬度": at[1],
    }
