"""L12 生态与空气: forest stands, ancient trees, air and weather."""

from __future__ import annotations

from twin.model import Classes, ClassItem, Draw, Layer, Text

SPECIES = Classes(
    column="dominant_species",
    other="#8FBF8A",
    items=(
        ClassItem(value="毛竹", title=Text("毛竹", "Moso bamboo"), colour="#9CCB6A"),
        ClassItem(value="马尾松", title=Text("马尾松", "Masson pine"), colour="#3F8F5B"),
        ClassItem(value="杉木", title=Text("杉木", "Chinese fir"), colour="#2F6B4F"),
        ClassItem(value="青冈", title=Text("青冈", "Ring-cup oak"), colour="#4E9E86"),
        ClassItem(value="阔叶混交", title=Text("阔叶混交", "Mixed broadleaf"), colour="#68B167"),
        ClassItem(value="灌木", title=Text("灌木", "Shrub"), colour="#C3D69B"),
    ),
)
AIR = Classes(
    column="air_grade",
    other="#9AA3A8",
    items=(
        ClassItem(value="优", title=Text("空气优", "Air: excellent"), colour="#009E73", icon="air"),
        ClassItem(value="良", title=Text("空气良", "Air: good"), colour="#B8860B", icon="air"),
        ClassItem(value="轻度污染", title=Text("轻度污染", "Light pollution"), colour="#E37100", icon="air"),
    ),
)
TREES = Classes(
    column="grade",
    other="#5D693A",
    items=(
        ClassItem(value="一级", title=Text("一级古树", "Ancient tree, grade 1"), colour="#8A4B00", icon="tree"),
        ClassItem(value="二级", title=Text("二级古树", "Ancient tree, grade 2"), colour="#A8691C", icon="tree"),
        ClassItem(value="三级", title=Text("三级古树", "Ancient tree, grade 3"), colour="#5D693A", icon="tree"),
    ),
)
DOT = {"circle-radius": 9, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2}

LAYER = Layer(
    id="L12",
    slug="ecology",
    theme="environment",
    title=Text("生态与空气", "Ecology and air"),
    abstract=Text("林地小班、古树名木、空气与气象站。", "Forest stands, ancient trees, air and weather stations."),
    department="forestry",
    share="open",
    keywords=("林地", "古树", "空气", "forest", "air"),
    draws=(
        Draw(
            id="stand",
            table="forest_stand",
            type="fill",
            title=Text("林地小班", "Forest stands"),
            classes=SPECIES,
            paint={"fill-opacity": 0.55, "fill-outline-color": "#2F5F3A"},
            columns=("stand_id",),
            popup=(
                "stand_id",
                "dominant_species",
                "forest_category",
                "stand_age_years",
                "stated_area_m2",
                "area_m2",
            ),
        ),
        Draw(
            id="tree",
            table="ancient_tree",
            type="circle",
            title=Text("古树名木", "Ancient trees"),
            classes=TREES,
            paint=DOT,
            columns=("species_name",),
            popup=("species_name", "tree_id", "age_years", "grade", "height_m", "girth_cm", "keeper_name"),
            minzoom=12,
        ),
        Draw(
            id="air",
            table="air_station",
            type="circle",
            title=Text("空气站", "Air stations"),
            classes=AIR,
            paint=DOT,
            columns=("station_name",),
            popup=("station_name", "aqi", "pm2_5_ug_m3", "air_grade", "observed_at"),
            minzoom=11,
        ),
        Draw(
            id="weather",
            table="weather_station",
            type="circle",
            title=Text("气象站", "Weather stations"),
            paint={**DOT, "circle-color": "#0072B2"},
            columns=("station_name",),
            popup=("station_name", "air_temperature_c", "rain_1h_mm", "observed_at"),
            minzoom=11,
        ),
    ),
)
