"""The map's build, what it may serve, its symbols, and its mathematics asked in node against PROJ."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

import twin.map
from twin.errors import NotFound
from twin.map import build

FOLDER = twin.map.FOLDER
ALLOWED = {"MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD", "(MIT AND Zlib)", "Zlib", "Python-2.0"}
CGCS2000 = Geod(a=6378137.0, rf=298.257222101)
needs_vendor = pytest.mark.skipif(
    not twin.map.is_built(), reason="twin/map/vendor is missing: python -m twin.map.build"
)


def node(module: str, expression: str, *values: Any) -> Any:
    """Evaluate `expression` of `m` (the module) and `v` (the values) in node; give the JSON it writes."""
    script = f"import * as m from {json.dumps((FOLDER / 'js' / module).as_uri())}; const v = {json.dumps(values)}; console.log(JSON.stringify({expression}))"
    done = subprocess.run(
        [build.command("node"), "--input-type=module", "-e", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_vendor
def test_a_second_build_does_nothing_and_takes_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    build.main()
    capsys.readouterr()
    started = time.monotonic()
    build.main()
    assert time.monotonic() - started < 1
    assert capsys.readouterr().out == "map: vendor/ is up to date\n"


def test_a_changed_lock_asks_for_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in build.SEEN:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "STAMP", tmp_path / "STAMP")
    assert not build.is_current()
    build.STAMP.write_text(build.digest(*build.SEEN), encoding="ascii")
    assert build.is_current()
    (tmp_path / "package-lock.json").write_text("{}", encoding="ascii")
    assert not build.is_current()


def test_the_stamp_is_of_every_file_the_build_reads() -> None:
    read = {str(p.relative_to(FOLDER)) for p in FOLDER.glob("js/entry/*.mjs")} | {
        "build.mjs",
        "package.json",
        "package-lock.json",
    }
    assert set(build.SEEN) == read


def test_the_lock_pins_what_package_json_names_and_no_address() -> None:
    lock = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    packages = json.loads(lock)["packages"]
    wanted = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert packages[f"node_modules/{name}"]["version"] == version
        assert packages[f"node_modules/{name}"]["integrity"].startswith("sha512-")


def test_maplibre_is_past_its_cross_site_scripting_hole() -> None:
    version = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]["maplibre-gl"]
    assert tuple(map(int, version.split("."))) >= (6, 17, 0)


@needs_vendor
def test_everything_in_the_bundle_has_a_licence_we_allow() -> None:
    listed = json.loads((FOLDER / "vendor" / "LICENSES.json").read_text(encoding="utf-8"))
    names = {x["name"] for x in listed}
    assert {"maplibre-gl", "leaflet", "@deck.gl/core", "plotly.js-basic-dist-min"} <= names
    assert [x for x in listed if x.get("license") not in ALLOWED] == []
    texts = (FOLDER / "vendor" / "LICENSES.txt").read_text(encoding="utf-8")
    assert all(f"{x['name']} {x['version']}" in texts for x in listed)


@needs_vendor
def test_no_file_is_heavier_than_600_kb_as_sent_and_the_first_map_is_light() -> None:
    sent = {p.name.removesuffix(".br"): p.stat().st_size for p in (FOLDER / "vendor").glob("*.br")}
    assert max(sent.values()) < 600_000
    first = sum(sent[n] for n in ("maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl.css"))
    ours = sum(p.stat().st_size for p in [*FOLDER.glob("js/*.mjs"), *FOLDER.glob("onemap.*"), FOLDER / "symbols.json"])
    assert first + ours < 600_000


@needs_vendor
def test_assets_are_immutable_typed_and_compressed() -> None:
    found = twin.map.asset("vendor/maplibre-gl.mjs", "gzip, br")
    assert found.headers["Content-Type"].startswith("text/javascript")
    assert found.headers["Content-Encoding"] == "br"
    assert "immutable" in found.headers["Cache-Control"]
    assert "Content-Encoding" not in twin.map.asset("vendor/maplibre-gl.mjs").headers


@pytest.mark.parametrize(
    "path",
    [
        "../errors.py",
        "vendor/../build.py",
        "__init__.py",
        "js/entry/deck.mjs",
        "package.json",
        "node_modules/axe-core/axe.min.js",
        "vendor/STAMP",
        "js/none.mjs",
    ],
)
def test_nothing_else_is_served(path: str) -> None:
    with pytest.raises(NotFound):
        twin.map.asset(path)


def test_every_word_is_in_both_languages_and_every_word_used_exists() -> None:
    both = json.loads((FOLDER / "words.json").read_text(encoding="utf-8"))
    assert all(text["zh"] and text["en"] for text in both.values())
    assert not [k for k, text in both.items() if re.search(r"[\u4e00-\u9fff]", text["en"])]
    code = "".join(p.read_text(encoding="utf-8") for p in [*FOLDER.glob("js/*.mjs"), FOLDER / "onemap.js"])
    used = set(re.findall(r'word\("(\w+)"', code)) | set(re.findall(r"words\.(\w+)", code))
    assert used - {"language"} <= set(both)
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"//.*|/\*[\s\S]*?\*/|「|」|、", "", code).replace('"亩"', ""))


def test_files_and_functions_of_the_map_stay_small() -> None:
    long = {
        p.name: n
        for p in [*FOLDER.glob("js/*.mjs"), FOLDER / "onemap.js"]
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}


def drawings() -> dict[str, Any]:
    return json.loads((FOLDER / "symbols.json").read_text(encoding="utf-8"))


def test_every_symbol_is_drawn_as_svg_on_a_plate_that_exists() -> None:
    for shape, (plate, *_) in drawings()["icons"].items():
        assert plate in drawings()["plates"]
        root = ET.fromstring(twin.map.symbol_svg(f"icon-{shape}-1b6e3c"))
        assert root.tag.endswith("svg")
    for kind in drawings()["hatches"]:
        assert ET.fromstring(twin.map.symbol_svg(f"hatch-{kind}-c8102e")).tag.endswith("svg")


def test_a_name_of_another_form_is_no_symbol() -> None:
    with pytest.raises(ValueError, match="sprite"):
        twin.map.symbol_svg("sprite")


def test_no_two_icons_look_the_same() -> None:
    looks = [json.dumps(v) for k, v in drawings()["icons"].items() if k != "fire"]
    assert len(set(looks)) == len(looks)


def test_a_hatch_tile_meets_its_neighbours() -> None:
    for kind, found in drawings()["hatches"].items():
        assert all(isinstance(found[k], int | float) for k in ("size", "width")), kind
        assert 5 <= found["size"] <= 12, kind


lon = st.floats(118, 123)
lat = st.floats(20, 45)
offset = st.floats(-0.02, 0.02)


def test_distances_are_those_of_the_ellipsoid() -> None:
    pairs = [
        ((119.97, 30.53), (119.98, 30.54)),
        ((119.97, 30.53), (119.97, 30.53)),
        ((118.0, 25.0), (119.0, 25.0)),
        ((0.0, 51.0), (-0.1, 51.1)),
    ]
    ours = node("geodesic.mjs", "v[0].map(([a, b]) => m.distance(a, b))", pairs)
    theirs = [CGCS2000.inv(*a, *b)[2] for a, b in pairs]
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_a_kilometre_measures_a_kilometre() -> None:
    east, north, _ = CGCS2000.fwd(119.97, 30.53, 37.0, 1000.0)
    assert node("geodesic.mjs", "m.length(v[0])", [(119.97, 30.53), (east, north)]) == pytest.approx(1000, abs=0.01)


@settings(max_examples=4, deadline=None)
@given(
    st.lists(st.tuples(lon, lat, st.lists(st.tuples(offset, offset), min_size=3, max_size=8)), min_size=10, max_size=30)
)
def test_areas_are_those_of_the_ellipsoid(shapes: list[tuple[float, float, list[tuple[float, float]]]]) -> None:
    rings = [[(x + dx, y + dy) for dx, dy in shape] for x, y, shape in shapes]
    ours = node("geodesic.mjs", "v[0].map(m.area)", rings)
    for area, ring in zip(ours, rings, strict=True):
        xs, ys = zip(*ring, strict=True)
        theirs = abs(CGCS2000.polygon_area_perimeter(xs, ys)[0])
        # An edge follows the parallel on our cylinder and the geodesic on theirs: 4 km of it bulge 0.3 m.
        assert area == pytest.approx(theirs, rel=1e-4, abs=2500)


def test_a_hectare_is_a_hectare_and_fifteen_mu() -> None:
    east, _, _ = CGCS2000.fwd(119.97, 30.53, 90, 100)
    _, north, _ = CGCS2000.fwd(119.97, 30.53, 0, 100)
    ring = [(119.97, 30.53), (east, 30.53), (east, north), (119.97, north)]
    area = node("geodesic.mjs", "m.area(v[0])", ring)
    assert area == pytest.approx(10_000, rel=1e-4)
    assert area / (2000 / 3) == pytest.approx(15.0, rel=1e-3)


STYLE: dict[str, Any] = {
    "version": 8,
    "sources": {"L06": {"type": "vector", "tiles": ["/tiles/L06/{z}/{x}/{y}.mvt?year={year}&v=abc"]}, "L02-imagery": {"type": "raster", "tiles": ["/t.png"]}},
    "layers": [
        {"id": "ground", "type": "background", "paint": {}},
        {"id": "L02.i", "type": "raster", "source": "L02-imagery", "metadata": {"onemap:layer": "L02"}},
        {"id": "L06.a", "type": "fill", "source": "L06", "source-layer": "land", "paint": {"fill-opacity": ["interpolate", ["linear"], ["zoom"], 10, 0.2, 14, 0.8]}, "layout": {"visibility": "none"}, "metadata": {"onemap:layer": "L06", "onemap:class": {"column": "c", "digits": 2}}},
        {"id": "L06.b", "type": "symbol", "source": "L06", "source-layer": "land", "metadata": {"onemap:layer": "L06"}},
        {"id": "L16.s", "type": "fill-extrusion", "source": "L06", "source-layer": "b", "paint": {"fill-extrusion-height": ["get", "h"]}, "metadata": {"onemap:layer": "L16"}},
        {"id": "L14.r", "type": "line", "source": "L06", "source-layer": "r", "metadata": {"onemap:layer": "L14"}},
    ],
}  # fmt: skip


def wanted(year: int | None = 2025, **props: Any) -> dict[str, Any]:
    listed = [{"id": i, "visible": True} for i in ("L02", "L06", "L16", "L14")]
    return node("state.mjs", "m.desired(v[0], v[1], 'http://h')", {"mapStyle": STYLE, "layers": listed, **props}, year)


def layer(style: dict[str, Any], name: str) -> dict[str, Any]:
    return next(x for x in style["layers"] if x["id"] == name)


def test_areas_lie_below_lines_below_words_and_people_order_the_rest() -> None:
    order = [x["id"] for x in wanted()["layers"]]
    assert order[:6] == ["ground", "L06.a", "L02.i", "L14.r", "L16.s", "L06.b"]
    other = wanted(layers=[{"id": i, "visible": True} for i in ("L06", "L02")])
    assert [x["id"] for x in other["layers"]][:3] == ["ground", "L02.i", "L06.a"]


def test_a_listed_layer_is_shown_whatever_the_style_began_with_and_an_unlisted_is_not() -> None:
    assert layer(wanted(), "L06.a")["layout"]["visibility"] == "visible"
    assert layer(wanted(layers=[]), "L06.a")["layout"]["visibility"] == "none"
    assert layer(wanted(layers=[]), "ground")["layout"]["visibility"] == "visible"


def test_opacity_multiplies_zoom_curves_at_their_stops() -> None:
    half = wanted(layers=[{"id": "L06", "visible": True, "opacity": 0.5}])
    assert layer(half, "L06.a")["paint"]["fill-opacity"] == ["interpolate", ["linear"], ["zoom"], 10, 0.1, 14, 0.4]
    assert layer(half, "L06.b")["paint"] == {"icon-opacity": 0.5, "text-opacity": 0.5}


def test_hidden_classes_become_a_filter_on_the_digits_of_the_legend() -> None:
    style = wanted(layers=[{"id": "L06", "visible": True, "hidden": ["01"]}])
    assert layer(style, "L06.a")["filter"] == [
        "!",
        ["in", ["slice", ["to-string", ["get", "c"]], 0, 2], ["literal", ["01"]]],
    ]
    assert "filter" not in layer(style, "L06.b")


def test_the_year_goes_into_addresses_that_have_one() -> None:
    assert wanted(2020)["sources"]["L06"]["tiles"] == ["http://h/tiles/L06/{z}/{x}/{y}.mvt?year=2020&v=abc"]
    assert wanted(None)["sources"]["L06"]["tiles"] == ["http://h/tiles/L06/{z}/{x}/{y}.mvt?year=&v=abc"]
    assert wanted(2020)["sources"]["L02-imagery"]["tiles"] == ["http://h/t.png"]


def test_buildings_rise_and_ground_lifts_only_in_three_dimensions() -> None:
    assert layer(wanted(), "L16.s")["layout"]["visibility"] == "none"
    assert "terrain" not in wanted()
    lifted = wanted(threeD={"on": True, "exaggeration": 1.5})
    assert layer(lifted, "L16.s")["layout"]["visibility"] == "visible"
    assert lifted["terrain"] == {"source": "terrain", "exaggeration": 1.5}
    assert lifted["sources"]["terrain"]["encoding"] == "mapbox"


def test_the_ground_is_drawn_true_under_meshes_whose_heights_are_true() -> None:
    deck = '{"layers":[{"@@type":"Tile3DLayer","id":"scene","data":"/t.json"}]}'
    assert wanted(threeD={"on": True, "exaggeration": 1.5, "deck": deck})["terrain"]["exaggeration"] == 1


def test_a_selection_is_marked_on_a_source_already_shown_and_nowhere_else() -> None:
    marked = wanted(selection={"layer": "L06", "table": "land", "id": "P1"})
    assert [x["id"] for x in marked["layers"] if x["id"].startswith("onemap-selected")]
    hidden = wanted(layers=[], selection={"layer": "L06", "table": "land", "id": "P1"})
    assert not [x["id"] for x in hidden["layers"] if x["id"].startswith("onemap-selected")]


STUB_MAP = """(() => {
  const calls = [];
  const sources = new Set(Object.keys(v[0].sources));
  const map = new Proxy({}, {get: (_, name) => (...args) => {
    if (name === "getSource") return sources.has(args[0]) ? {setTiles: (t) => calls.push(["setTiles", args[0]]), setData: () => calls.push(["setData"])} : undefined;
    if (name === "addSource") sources.add(args[0]);
    if (name === "removeSource") sources.delete(args[0]);
    calls.push([name, ...args.map((a) => a?.id ?? a)]);
  }});
  m.reconcile(map, v[0], v[1], () => v[2]);
  return calls;
})()"""


def steps(had: dict[str, Any], want: dict[str, Any], *, broken: bool = False) -> list[list[Any]]:
    return node("reconcile.mjs", STUB_MAP, had, want, broken)


def test_nothing_changed_is_nothing_done() -> None:
    assert steps(wanted(), wanted()) == []


def test_a_toggle_is_one_step_a_draw() -> None:
    off = wanted(layers=[{"id": i, "visible": i != "L06"} for i in ("L02", "L06", "L16", "L14")])
    assert steps(wanted(), off) == [["setLayoutProperty", n, "visibility", "none"] for n in ("L06.a", "L06.b")]


def test_a_year_is_one_step_a_source_and_a_source_with_lost_tiles_is_made_anew() -> None:
    assert steps(wanted(2025), wanted(2020)) == [["setTiles", "L06"]]
    done = [c[0] for c in steps(wanted(2025), wanted(2020), broken=True)]
    assert done.index("removeLayer") < done.index("removeSource") < done.index("addSource") < done.index("addLayer")


def test_another_order_only_moves() -> None:
    other = wanted(layers=[{"id": i, "visible": True} for i in ("L06", "L02", "L16", "L14")])
    assert {c[0] for c in steps(wanted(), other)} == {"moveLayer"}
