"""Numbers about people on the page: who may have the sum sees it, without a list behind it and never a small one."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tests.office_town import Town

from tests.matrix import http, village
from tests.serving_fixture import publish
from twin.policy import view

MANY = 12


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    built = Town(tmp_path_factory.mktemp("sums"))
    [first, *_] = village.rows("home")
    rows = [{**first, "id": f"H{n}", "row_id": f"H{n}", "label": "big"} for n in range(MANY)]
    publish(built.front.state.rooms.store, "home", rows, kind=village.KINDS["home"])
    built.client.get("/")
    return built


def charts(town: Town, who: str) -> str:
    listed = town.dash.callback_map.items()
    key = next(k for k, c in listed if "callback" in c and c["inputs"][0]["id"] == "ask-charts")
    asked = http.callback(key, "ask-charts", {"theme": "t", "language": "en"})
    origin: dict[str, Any] = {**http.OWN, "origin": "https://127.0.0.1:8300", **town.headers[who]}
    found = town.client.post(asked.address, content=asked.body, headers=origin)
    assert found.status_code == 200
    return json.dumps(found.json(), ensure_ascii=False)


def indicators(town: Town, who: str) -> set[str]:
    seen = view(town.front.state.rooms.onemap, town.policy, village.subject(who))
    return {i.id for t in seen.themes for i in t.indicators}


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("anonymous", {"n-shop", "n-petition"}),
        ("planner", {"n-thing", "n-shop", "n-home", "n-petition", "n-plot"}),
        ("security_admin", set()),
    ],
)
def test_a_number_is_there_for_whoever_may_count_by_its_columns(town: Town, who: str, seen: set[str]) -> None:
    assert indicators(town, who) == seen


def test_a_sum_of_enough_people_has_no_list_behind_it_for_who_may_not_see_them(town: Town) -> None:
    assert f'"{MANY}"' in charts(town, "planner")
    assert '"n-home"' not in charts(town, "planner")
    assert '"n-home"' in charts(town, "official")


def test_a_sum_of_too_few_people_says_why_it_is_not_told(town: Town) -> None:
    assert "Too few people to tell of" in charts(town, "planner")


def test_the_page_opens_for_who_must_name_a_purpose_first(town: Town) -> None:
    assert town.get("official", "/_dash-layout").status_code == 200
