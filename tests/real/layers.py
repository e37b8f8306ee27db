"""The layers of the real villages: values only, as in layers/."""

from __future__ import annotations

from typing import Any

from twin.model import Classes, ClassItem, Draw, Layer, Text, Theme

THEMES = (
    Theme(id="base", title=Text("底图", "Base maps")),
    Theme(id="planning", title=Text("规划", "Planning")),
    Theme(id="business", title=Text("经营", "Business")),
    Theme(id="environment", title=Text("环境", "Environment")),
    Theme(id="service", title=Text("服务", "Service")),
    Theme(id="governance", title=Text("治理", "Governance")),
)


def one(layer_id: str, theme: str, zh: str, en: str, department: str, *draws: Draw, on: bool = True) -> Layer:
    title = Text(zh, en)
    return Layer(
        id=layer_id,
        slug=layer_id.lower(),
        theme=theme,
        title=title,
        abstract=title,
        department=department,
        share="open",
        draws=draws,
        default_on=on,
    )


def fill(
    table: str, zh: str, en: str, colour: str, *popup: str, classes: Classes | None = None, opacity: float = 0.55
) -> Draw:
    paint: dict[str, Any] = {"fill-opacity": opacity, "fill-outline-color": "#55606A"}
    if classes is None:
        paint["fill-color"] = colour
    return Draw(
        id=table, table=table, type="fill", title=Text(zh, en), paint=paint, classes=classes, popup=popup, minzoom=8
    )


def line(table: str, zh: str, en: str, colour: str, width: float, *popup: str) -> Draw:
    return Draw(
        id=table,
        table=table,
        type="line",
        title=Text(zh, en),
        paint={"line-color": colour, "line-width": width},
        popup=popup,
        minzoom=8,
    )


def dots(table: str, zh: str, en: str, colour: str, *popup: str) -> Draw:
    paint = {"circle-color": colour, "circle-radius": 5, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 1.5}
    return Draw(id=table, table=table, type="circle", title=Text(zh, en), paint=paint, popup=popup, minzoom=8)


def names(table: str, zh: str, en: str) -> Draw:
    paint = {"text-color": "#1B2A2F", "text-halo-color": "#FFFFFF", "text-halo-width": 1.5}
    return Draw(
        id=f"{table}_name",
        table=table,
        type="symbol",
        title=Text(zh, en),
        layout={"text-field": ["get", "name"], "text-size": 14},
        paint=paint,
        minzoom=8,
        in_legend=False,
        columns=("name",),
    )


def grades(column: str, *pairs: tuple[str, str]) -> Classes:
    return Classes(column=column, items=tuple(ClassItem(value=v, title=Text(v, v), colour=c) for v, c in pairs))


KINGSTON = (
    one(
        "K02",
        "base",
        "遥感影像",
        "Imagery",
        "council",
        Draw(id="imagery", table="imagery", type="raster", title=Text("影像", "Imagery"), minzoom=8),
    ),
    one(
        "K03",
        "base",
        "地形",
        "Terrain",
        "council",
        Draw(id="dem", table="dem", type="hillshade", title=Text("地形", "Terrain"), minzoom=8),
    ),
    one("K01", "base", "道路", "Roads", "openstreetmap", line("road", "道路", "Roads", "#FFD27A", 3, "name", "class")),
    one(
        "K16",
        "governance",
        "建筑",
        "Buildings",
        "openstreetmap",
        fill("building", "建筑", "Buildings", "#E8A87C", "name", "use_name", "amenity", opacity=0.8),
    ),
    one(
        "K12",
        "environment",
        "受保护树木",
        "Protected trees",
        "council",
        dots("tree", "受保护树木", "Protected trees", "#1B6E3C", "species", "order_number", "parish"),
    ),
)

SALTFORD = (
    one(
        "S01",
        "base",
        "电子地图",
        "Map",
        "ordnance_survey",
        fill("parish_boundary", "教区", "Parish", "#F4F6F5", opacity=0.4),
        fill("water_area", "水面", "Water", "#9CC9E3"),
        line("water_line", "水线", "Watercourses", "#338EC0", 1.5),
        line("road", "道路", "Roads", "#B7A77A", 2, "name", "class"),
        names("place_name", "地名", "Place names"),
    ),
    one(
        "S05",
        "planning",
        "底线控制",
        "Control",
        "council",
        fill("green_belt", "绿带", "Green belt", "#68B167", "name", opacity=0.2),
        fill("conservation_area", "保护区", "Conservation area", "#D98880", "name", "stated_area_m2", opacity=0.35),
        dots("listed_building", "登录建筑", "Listed buildings", "#6C3483", "name", "grade", "listed_date"),
    ),
    one(
        "S07",
        "business",
        "农地等级",
        "Agricultural land",
        "agencies",
        fill(
            "farmland_class",
            "农地等级",
            "Agricultural land class",
            "",
            "grade",
            "stated_area_m2",
            classes=grades(
                "grade",
                ("Grade 1", "#4D7C0F"),
                ("Grade 2", "#84CC16"),
                ("Grade 3a", "#BEF264"),
                ("Grade 3b", "#FDE68A"),
                ("Other", "#D1D5DB"),
            ),
        ),
    ),
    one(
        "S09",
        "business",
        "商店",
        "Shops",
        "council",
        fill("shop", "商店", "Shops", "#E37100", "address", "street", opacity=0.8),
    ),
    one(
        "S10",
        "environment",
        "水系",
        "Water",
        "ordnance_survey",
        fill("water_area", "水面", "Water", "#338EC0"),
        line("water_line", "水线", "Watercourses", "#0B5CAD", 2),
    ),
    one(
        "S11",
        "environment",
        "绿地与环卫",
        "Greenspace and bins",
        "ordnance_survey",
        fill("greenspace", "绿地", "Greenspace", "#A7D489", "use_name", "name"),
        dots("litter_bin", "垃圾箱", "Litter bins", "#5D693A", "place", "street", "surveyed_date"),
    ),
    one(
        "S13",
        "service",
        "医疗急救",
        "Health",
        "council",
        dots("surgery", "诊所", "GP surgery", "#A3151A", "name", "postcode"),
        dots("defibrillator", "除颤仪", "Defibrillators", "#C8102E", "place", "hours"),
    ),
    one(
        "S14",
        "service",
        "交通公用",
        "Transport and utilities",
        "ordnance_survey",
        line("rail", "铁路", "Railway", "#403923", 2.5, "class"),
        dots("grit_bin", "撒砂箱", "Grit bins", "#8A4B00", "place"),
        dots("electricity", "用电", "Electricity", "#F0B400", "postcode", "consumption_kwh", "meter_count"),
    ),
    one(
        "S16",
        "governance",
        "重要建筑",
        "Important buildings",
        "ordnance_survey",
        fill("important_building", "重要建筑", "Important buildings", "#692558", "name", "use_name", opacity=0.7),
    ),
)

DEQING = (
    one(
        "D01",
        "base",
        "县域",
        "County",
        "civil_affairs",
        fill("county_boundary", "县界", "County boundary", "#BFE9AA", "name", opacity=0.5),
    ),
)

PHOTOMESH = (
    one(
        "P03",
        "base",
        "实景三维",
        "3D real scene",
        "survey",
        Draw(id="photomesh", table="photomesh", type="scene", title=Text("实景", "Mesh"), minzoom=8),
    ),
)

ALL = {"kingston": KINGSTON, "saltford": SALTFORD, "deqing": DEQING, "photomesh": PHOTOMESH}
