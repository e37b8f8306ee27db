"""What the page's server side answers, asked over the real store of a tiny village; nothing here needs a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dash
import pytest

from tests import serving_fixture as fixture
from tests.test_charts import contrast
from twin import pages
from twin.errors import BadRequest, NotFound
from twin.model import Text
from twin.pages import boot, card, found, graphs, listing, menu, overlay
from twin.pages.desk import Desk
from twin.pages.markup import Markup, el
from twin.pages.narrowing import narrowed
from twin.policy import ANONYMOUS, ANONYMOUS_LOCAL, noted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.policy import Subject

ASSETS = Path(pages.__file__).parents[1] / "assets"


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    return fixture.build(tmp_path_factory.mktemp("village"))


@pytest.fixture(scope="module")
def desk(village) -> Desk:
    return Desk.open(*village)


@pytest.fixture(scope="module")
def app(village):
    return pages.create(*village, lambda: ANONYMOUS_LOCAL, noted.drain)


def said(tree: Any, language: str = "zh") -> str:
    """Give all the text of a tree, in one language."""
    return " ".join(_texts(tree, language))


def _texts(node: Any, language: str) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _texts(each, language)
    elif isinstance(node, dict) and "zh" in node:
        yield node[language]
    elif isinstance(node, dict):
        yield from _texts(node.get("c", []), language)
    elif node is not None:
        yield str(node)


def elements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for each in node:
            yield from elements(each)
    elif isinstance(node, dict) and "e" in node:
        yield node
        yield from elements(node.get("c", []))


def acting(tree: Any, act: str) -> list[dict[str, Any]]:
    return [e["a"] for e in elements(tree) if e.get("a", {}).get("data-act") == act]


# ---- markup


def test_an_element_keeps_both_wordings_and_drops_what_is_none():
    made = el(
        "button",
        Text("好", "Good"),
        None,
        ["a", ["b"]],
        class_="x",
        aria_label=Text("一", "One"),
        data_y=None,
        hidden=False,
    )
    assert made == {
        "e": "button",
        "a": {"className": "x", "aria-label": {"zh": "一", "en": "One"}},
        "c": [{"zh": "好", "en": "Good"}, "a", "b"],
    }


def test_a_tree_is_plain_json():
    json.dumps(Markup(id="m", tree=el("p", Text("一", "One"), 1)).to_plotly_json()["props"])


# ---- the HTML


def test_the_page_tells_no_version_and_names_no_address_beyond_itself(app):
    html = app.server.test_client().get("/").get_data(as_text=True)
    assert '<html lang="zh-CN">' in html
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html.replace("\\u002f", "/"))
    assert "dash_version" not in html
    assert not re.search(r"\bv?4[._]4[._]\d", html)
    assert "dash_table" not in re.sub(r'"children_props".*?"serve_locally"', "", html)


def test_the_page_has_no_inline_script_but_the_one_whose_hash_is_told(app):
    html = app.server.test_client().get("/").get_data(as_text=True)
    inline = [s for s in re.findall(r"<script([^>]*)>", html) if "src=" not in s and "application/json" not in s]
    assert len(inline) == len(app.csp_hashes()) == 1
    assert not re.search(r"\son[a-z]+=", html)


def test_every_script_and_style_of_the_page_is_served(app):
    client = app.server.test_client()
    html = client.get("/").get_data(as_text=True)
    addresses = re.findall(r'(?:src|href)="(/[^"]+)"', html)
    assert len(addresses) > 8
    for address in addresses:
        assert client.get(address).status_code == 200, address


def test_no_route_of_dash_offers_its_tools_to_models(app):
    assert not [r for r in app.server.url_map.iter_rules() if "mcp" in r.rule]


# ---- the layout


def props(component: Any) -> Iterator[dict[str, Any]]:
    plain = component.to_plotly_json() if hasattr(component, "to_plotly_json") else component
    yield plain["props"]
    children = plain["props"].get("children")
    for child in children if isinstance(children, list) else [children] if children is not None else []:
        if hasattr(child, "to_plotly_json"):
            yield from props(child)


def test_every_layer_one_may_see_has_a_checkbox_and_every_base_map_a_radio(app, village):
    found_ = [a for p in props(app.layout()) for act in ("layer", "base") for a in acting(p.get("tree"), act)]
    assert {a["data-layer"] for a in found_} == {x.id for x in village[0].layers} - {"L17"}  # all it draws is secret
    assert {a["type"] for a in found_ if a["data-layer"] == "L02"} == {"radio"}


def test_every_thing_that_can_be_pressed_is_known_to_the_browser_module(app, desk):
    script = (ASSETS / "page" / "acts.mjs").read_text("utf-8")
    known = set(re.findall(r'^  "?([a-z-]+)"?: (?:\(\) =>|\(el\) =>)', script, re.MULTILINE)) | {"search"}
    trees = [p.get("tree") for p in props(app.layout())]
    trees += [card.card(desk, {"table": "cover", "id": "P5"}), listing.listing(desk, {"kind": "layer", "id": "L06"})]
    trees += [listing.listing(desk, {"kind": "indicator", "id": "parcels", "of": "0101"})]
    trees += [found.found(desk, {"text": "村"}), overlay.overlay(desk, {"geometry": SQUARE})]
    _, charts = graphs.graphs(desk, {"theme": "planning"})
    trees += [p.get("tree") for c in charts for p in props(c)]
    acts = {e["a"]["data-act"] for t in trees for e in elements(t) if "data-act" in e.get("a", {})}
    assert acts - known == set()


def test_the_layout_is_drawn_once_for_all_who_are_shown_the_same_and_anew_for_others_and_after_a_publish(tmp_path):
    onemap, store, settings = fixture.build(tmp_path, with_rasters=False)
    asking = [ANONYMOUS_LOCAL]
    app = pages.create(onemap, store, settings, lambda: asking[0], noted.drain)

    def asked(subject: Subject) -> bytes:
        asking[0] = subject
        return app.written()

    first = asked(ANONYMOUS_LOCAL)
    assert json.loads(first) == json.loads(dash.Dash.serve_layout(app).get_data())
    assert asked(replace(ANONYMOUS_LOCAL, id="another")) is first
    nobody = asked(ANONYMOUS)
    layers = {x.id for x in onemap.layers}
    assert shown(first) == layers - {"L17"}
    assert shown(nobody) == set()
    assert asked(ANONYMOUS_LOCAL) is first
    fixture.publish(store, "cover", fixture.cover_rows()[:1], kind="polygon", run="r2")
    again = asked(ANONYMOUS_LOCAL)
    assert again != first
    assert shown(again) == shown(first)


def shown(written: bytes) -> set[str]:
    return set(re.findall(r'"data-layer":"(\w+)"', written.decode()))


def test_the_browser_is_told_years_and_how_each_layer_is_found(desk):
    told = boot.boot(desk.onemap, desk.known(), desk.rooms.settings)
    assert told["years"] == [2020, 2025]
    land = next(x for x in told["layers"] if x["id"] == "L06")
    assert all(w in land["find"] for w in ("土地现状", "tudixianzhuang", "tdxz", "landcover", "l06", "自然资源局"))
    json.dumps(told)


def test_tianditu_is_offered_only_where_there_is_a_key(village):
    onemap, store, settings = village
    assert boot.foreign(settings) == []
    keyed = replace(settings, tianditu_key="k")
    assert [base for base, _ in boot.foreign(keyed)] == ["tianditu-vector", "tianditu-imagery"]
    tree = menu.menu(
        onemap,
        {x.id: boot.told(onemap, x, boot.known(onemap, store, keyed)) for x in onemap.layers},
        {},
        boot.foreign(keyed),
    )
    assert [a["data-layer"] for a in acting(tree, "base")][-2:] == ["tianditu-vector", "tianditu-imagery"]


# ---- the answers

SQUARE = {
    "type": "Polygon",
    "coordinates": [
        [[119.9702, 30.5302], [119.9718, 30.5302], [119.9718, 30.5318], [119.9702, 30.5318], [119.9702, 30.5302]]
    ],
}


def answers(desk: Desk, language: str) -> dict[str, Any]:
    ask = {"language": language, "year": 2025}
    head, charts = graphs.graphs(desk, {**ask, "theme": "planning"})
    return {
        "card": card.card(desk, {**ask, "table": "cover", "id": "P5"}),
        "house": card.card(desk, {**ask, "table": "house", "id": "H1"}),
        "point": card.card(desk, {**ask, "point": [119.9715, 30.5315]}),
        "list": listing.listing(desk, {**ask, "kind": "layer", "id": "L06"}),
        "behind": listing.listing(desk, {**ask, "kind": "indicator", "id": "parcels"}),
        "found": found.found(desk, {**ask, "text": "祠堂"}),
        "overlay": overlay.overlay(desk, {**ask, "geometry": SQUARE}),
        "charts": [head, [c.to_plotly_json() if hasattr(c, "to_plotly_json") else c for c in charts]],
    }


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_answer_tells_a_personal_sensitive_or_unclassified_value(desk, language):
    from plotly.utils import PlotlyJSONEncoder

    told = json.dumps(answers(desk, language), ensure_ascii=False, cls=PlotlyJSONEncoder)
    assert fixture.CANARY["personal"] not in told
    assert fixture.CANARY["sensitive"] not in told
    assert fixture.CANARY["unclassified"] not in told


def test_a_card_tells_what_whose_and_which_row_of_which_file(desk):
    tree = card.card(desk, {"table": "cover", "id": "P5", "language": "zh-CN", "year": 2025})
    told = said(tree)
    assert "P5" in told
    assert "旱地" not in told.split("2020")[0]
    assert "水田" in told
    assert "王建国" in told  # the grid's worker answers for the ground
    assert "01_land/cover.gpkg" in told
    assert "SHA-256 ab12" in told
    assert "自然资源局" in told
    assert acting(tree, "locate")[0]["data-bbox"].startswith("[119.97")
    assert "资源survey" in told  # what another department knows of the same parcel


def test_a_card_of_an_older_year_shows_that_year(desk):
    assert "旱地" in said(card.card(desk, {"table": "cover", "id": "P5", "language": "zh-CN", "year": 2020}))


def test_a_point_where_things_overlap_offers_them_all(desk):
    tree = card.card(desk, {"point": [119.9715, 30.5315], "language": "zh-CN", "year": 2025})
    assert len(acting(tree, "pick")) >= 1


def test_a_point_with_nothing_says_what_to_do_next(desk):
    assert "没有可查看的要素" in said(card.card(desk, {"point": [119.955, 30.545]}))


def test_an_unknown_thing_is_refused_in_both_languages(desk):
    with pytest.raises(NotFound) as refused:
        card.card(desk, {"table": "cover", "id": "P99"})
    assert refused.value.zh
    assert refused.value.en


def test_a_list_has_a_page_of_rows_and_the_whole_count(desk):
    tree = listing.listing(desk, {"kind": "indicator", "id": "parcels", "year": 2025})
    assert len(acting(tree, "row")) == 9
    assert next(e["a"]["data-total"] for e in elements(tree) if "data-total" in e.get("a", {})) == 9


def test_a_list_can_be_of_one_group_and_offers_the_way_back(desk):
    question = {"kind": "indicator", "id": "parcels", "of": "0101", "language": "zh-CN"}
    tree = listing.listing(desk, question)
    assert "共 5 条" in said(tree)
    assert "只看：水田" in said(tree)
    (back,) = acting(tree, "list-all")
    assert (back["data-layer"], json.loads(back["data-hide"])) == ("L06", ["0103"])


def test_a_list_of_everything_leaves_the_map_as_it_is(desk):
    tree = listing.listing(desk, {"kind": "indicator", "id": "parcels"})
    assert acting(tree, "widen") == acting(tree, "list-all") == []


def test_the_map_is_not_narrowed_where_its_classes_would_show_more_than_the_list(desk):
    cover = desk.rooms.policy.resource(desk.subject, "cover")
    year = (("year", "=", 2025),)
    exact = narrowed(desk, cover, (("land_class", "=", "0103"),), year)
    assert (exact.layer, [t.zh for t in exact.stay]) == ("L06", ["旱地"])
    assert narrowed(desk, cover, (("parcel_id", "=", "P2"),), year) is None
    assert narrowed(desk, cover, (), year) is None


def test_a_deadline_is_late_by_the_villages_calendar_and_not_by_utc(desk):
    assert desk.days_late("2025-11-20T15:59:00") == 1
    assert desk.days_late("2025-11-20T16:01:00") == 0  # already the 21st in the village
    assert desk.days_late("2025-11-18T09:00:00+08:00") == 3


def test_a_list_is_sorted_by_the_server_but_never_by_what_is_masked(desk):
    tree = listing.listing(desk, {"kind": "indicator", "id": "parcels", "sort": "-stated_area_m2"})
    assert [a["data-id"] for a in acting(tree, "row")][:2] == ["P9", "P8"]
    with pytest.raises(BadRequest):
        listing.listing(desk, {"kind": "indicator", "id": "parcels", "sort": "owner_name"})


@pytest.mark.parametrize(
    "question", [{"kind": "layer", "id": "L99"}, {"kind": "indicator", "id": "x"}, {"kind": "table", "id": "secret"}]
)
def test_a_list_of_what_is_not_there_or_may_not_be_seen_is_refused(desk, question):
    with pytest.raises(NotFound):
        listing.listing(desk, question)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("tdxz", "layer"),
        ("祠堂", "place"),
        ("citang", "place"),
        ("wjg", "duty"),
        ("测试村1", "address"),
        ("P7", "code"),
    ],
)
def test_search_finds_by_characters_pinyin_and_initials(desk, typed, kind):
    kinds = [a["data-kind"] for a in acting(found.found(desk, {"text": typed}), "go")]
    assert kinds[:1] == [kind]


def test_search_for_nothing_says_what_to_try(desk):
    assert "拼音首字母" in said(found.found(desk, {"text": "不存在的东西"}))


def test_a_drawn_area_is_told_in_mu_with_lines_touched_and_people(desk):
    told = said(overlay.overlay(desk, {"geometry": SQUARE, "language": "zh-CN", "year": 2025}))
    assert "永久基本农田" in told
    assert "建房、挖塘" in told
    assert "王建国" in told
    assert "水田" in told


def test_what_is_no_polygon_is_refused(desk):
    with pytest.raises(BadRequest):
        overlay.overlay(desk, {"geometry": {"type": "Point", "coordinates": [1, 2]}})


def test_a_chart_says_the_same_numbers_in_its_table(desk):
    _, charts = graphs.graphs(desk, {"theme": "planning", "language": "zh-CN", "year": 2025})
    section = charts[0].to_plotly_json()["props"]["children"]
    figure, table = section[1].children.figure, section[2].to_plotly_json()["props"]["tree"]
    cells = [said(e) for e in elements(table) if e["e"] == "td"]
    assert cells == list(figure["data"][0]["text"])


def test_each_bar_of_a_chart_has_a_line_that_can_be_pressed_instead(desk):
    _, charts = graphs.graphs(desk, {"theme": "planning", "language": "zh-CN", "year": 2025})
    _, graph, table = charts[0].to_plotly_json()["props"]["children"]
    codes = list(graph.children.figure["data"][0]["customdata"])
    pressed = acting(table.to_plotly_json()["props"]["tree"], "bar")
    assert [e["data-of"] for e in pressed] == codes == ["0101", "0103"]
    assert {e["data-indicator"] for e in pressed} == {"parcels"} == {getattr(graph, "data-indicator")}


def test_an_answer_that_breaks_fails_alone_and_offers_to_try_again(app, desk, monkeypatch):
    monkeypatch.setattr(type(desk.rooms.search), "find", lambda *_, **__: 1 / 0)
    body = {
        "output": next(o for o in app.callback_map if o.startswith("found.tree")),
        "outputs": {
            "id": "found",
            "property": next(o for o in app.callback_map if o.startswith("found.tree")).partition(".")[2],
        },
        "inputs": [{"id": "ask-search", "property": "data", "value": {"text": "x"}}],
        "changedPropIds": ["ask-search.data"],
    }
    answer = app.server.test_client().post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    tree = next(iter(answer.json["response"].values()))
    assert next(iter(acting(next(iter(tree.values())), "retry")))["data-ask"] == "search"


# ---- colours


def tokens(theme: str) -> dict[str, str]:
    css = (ASSETS / "tokens.css").read_text("utf-8")
    blocks = re.findall(r":root(?:\[data-theme=\"(\w+)\"\])? \{(.*?)\n\}", css, re.DOTALL)
    found_ = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", next(b for n, b in blocks if n == "")))
    for name, block in blocks:
        if name == theme:
            found_ |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return found_


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "grounds", "least"),
    [
        ("text", ("bg", "panel", "panel-2"), 7), ("muted", ("bg", "panel", "panel-2"), 4.5), ("link", ("bg",), 4.5),
        ("danger", ("bg", "danger-soft"), 4.5), ("warn", ("bg", "warn-soft", "panel"), 4.5), ("ok", ("bg", "panel"), 4.5),
        ("on-primary", ("primary",), 4.5), ("primary", ("bg", "primary-soft", "panel"), 4.5), ("border", ("bg",), 3),
        ("focus", ("bg", "panel"), 3), ("bar-now", ("bg",), 3), ("warn-mark", ("bg",), 3),
    ],
)  # fmt: skip
def test_ink_can_be_read_on_its_grounds(theme, ink, grounds, least):
    colours = tokens(theme)
    for ground in grounds:
        assert contrast(colours[ink], colours[ground]) >= least, ground
