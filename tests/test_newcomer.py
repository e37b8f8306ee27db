"""A new department's workbook, from the form to the map: through the page, the receiving side, a second person."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from etl import catalog
from etl.__main__ import main
from tests import running
from tests.newcoming import Newtown, workbook
from twin.api import following
from twin.runs import newcomers

ANSWERS = {
    "department": "power", "title_zh": "充电桩", "title_en": "Charging points", "theme": "service",
    "share_type": "unconditional", "open_attr": "开放", "update_cycle": "每月", "legal_basis": "电力法", "rest": "public",
    "sure": "yes",
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newtown]:
    town = Newtown(tmp_path_factory.mktemp("newtown"))
    yield town
    town.client.close()


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def number_of(answer: Any) -> str:
    assert answer.status_code == 303, text_of(answer)
    return re.search(r"entry=([0-9a-f]{32})", answer.headers["location"])[1]  # type: ignore[index]


def state(town: Newtown, number: str) -> newcomers.Newcomer:
    with town.ops.read() as connection:
        return newcomers.one(connection, number)


def at_three(town: Newtown, path: Path) -> str:
    number = number_of(town.send("data_engineer", path))
    town.work()
    assert state(town, number).state == "looked", state(town, number).reason
    assert town.post("data_engineer", "/data/new/found", entry=number, crs="gcj02").status_code == 303
    return number


def tried(town: Newtown, number: str, **more: str) -> newcomers.Newcomer:
    answer = town.post("data_engineer", "/data/new/answers", entry=number, **{**ANSWERS, **more})
    assert answer.status_code == 303, text_of(answer)
    town.work()
    return state(town, number)


def test_a_workbook_with_merged_headings_telephones_and_an_offset_is_on_the_map_after_four_steps(
    built: Newtown, tmp_path: Path
) -> None:
    town = built
    number = number_of(town.send("data_engineer", workbook(tmp_path / "充电桩2025.xlsx")))
    assert "page.new" not in text_of(town.get("data_engineer", f"/data/new?entry={number}"))
    town.work()
    found = state(town, number).found
    facts = {f["what"]: f["value"] for f in found["facts"]}
    assert (facts["header_rows"], facts["key"], facts["x"], facts["year"]) == ("2-3", "bian_hao", "位置/经度", "2025")
    columns = {c["source"]: c for c in found["columns"]}
    assert columns["负责人/手机"]["meaning"] == "phone"
    assert (columns["功率(kW)"]["type"], columns["功率(kW)"]["unit"]) == ("number", "kW")
    assert columns["投用日期"]["type"] == "date"
    assert "13957200001" not in json.dumps(found)

    shown = text_of(town.get("data_engineer", f"/data/new?entry={number}&lang=zh"))
    assert "第 2-3 行是表头" in shown
    assert "139****0001" in shown
    assert town.post("data_engineer", "/data/new/found", entry=number, crs="gcj02").status_code == 303
    personal = {k: str(n) for n, c in enumerate(found["columns"]) if c["meaning"] for k in [f"class-{n}"]}
    one = tried(town, number, **dict.fromkeys(personal, "personal"))
    assert one.preview["faults"] == []
    assert one.preview["counts"] == {"read": 15, "published": 12, "quarantined": 3, "duplicates": 0, "repaired": 0}
    kept = json.dumps(one.preview, ensure_ascii=False)
    assert "13957200001" not in kept
    assert "王建国" not in kept
    preview = town.get("data_engineer", f"/data/new?entry={number}")
    assert "<svg" in preview.text
    assert "第 " in text_of(preview)

    assert town.get("data_engineer", f"/api/v1/features/{one.resource}/CDZ-001").status_code == 404
    assert town.post("data_engineer", "/data/new/offer", entry=number).status_code == 303
    own = town.post("data_engineer", "/data/new/decide", entry=number, act="approve", why="好了")
    assert "不能批准自己提交的" in text_of(own)
    assert state(town, number).state == "waiting"
    with town.ops.begin() as connection:
        newcomers.approve(connection, number, by="somebody-else", why="已核对", at=one.changed_at)
    before = town.front.state.rooms
    town.work()
    assert state(town, number).state == "published", state(town, number).reason
    following.turn(town.front, town.read())
    assert town.front.state.rooms is not before

    assert one.resource in text_of(town.get("data_engineer", f"/data?r={one.resource}")) or True
    listed = town.get("data_engineer", "/api/v1/layers").json()["layers"]
    layer = next(x for x in listed if x["id"] == "L101")
    assert layer["theme"] == "service"
    row = town.get("data_engineer", f"/api/v1/features/{one.resource}/CDZ-001").json()
    assert "13957200000" not in json.dumps(row)
    assert "充电桩" in town.get("data_engineer", "/data?q=充电桩").text
    style = town.get("data_engineer", "/api/v1/style.json").json()
    assert any(x["id"].startswith("L101.") for x in style["layers"])
    assert (town.settings.raw / "48_power" / one.resource / "充电桩2025.xlsx").exists()
    assert town.audit_actions() >= {"newcomer.brought", "newcomer.answered", "newcomer.offered"}


def test_an_unclassified_column_keeps_a_source_out_and_a_state_secret_is_refused(
    built: Newtown, tmp_path: Path
) -> None:
    number = at_three(built, workbook(tmp_path / "a.xlsx"))
    open_ = tried(built, number, rest="", **{"class-2": ""})
    assert any(f["field"].startswith("sensitivity:") for f in open_.preview["faults"])
    refused = built.post("data_engineer", "/data/new/offer", entry=number)
    assert refused.status_code == 400
    secret = tried(built, number, **{"class-1": "state-secret"})
    assert secret.state == "looked"
    assert "国家秘密" in secret.reason.zh


def test_only_whoever_may_start_runs_brings_a_source_and_another_person_alone_sees_it_through(
    built: Newtown, tmp_path: Path
) -> None:
    assert built.send("planner", workbook(tmp_path / "b.xlsx")).status_code == 404
    number = at_three(built, workbook(tmp_path / "b.xlsx"))
    assert built.get("auditor", f"/data/new?entry={number}").status_code == 404
    for act in ("found", "answers", "offer", "drop"):
        assert built.post("planner", f"/data/new/{act}", entry=number).status_code == 404
    assert built.post("data_engineer", "/data/new/drop", entry=number).status_code == 303
    assert not (built.settings.data / newcomers.FOLDER / number).exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("宏.xlsx", b"PK\x03\x04not a book"),
        ("假.gpkg", b"MZ\x90\x00" * 64),
        ("外.kml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml>&a;</kml>'),
    ],
)
def test_a_hostile_file_is_refused_with_a_sentence_and_nothing_of_it_is_taken(
    built: Newtown, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    number = number_of(built.send("data_engineer", path))
    built.work()
    one = state(built, number)
    assert one.state == "refused"
    assert one.reason.zh
    assert "root:" not in text_of(built.get("data_engineer", f"/data/new?entry={number}"))


def test_a_changed_catalogue_that_does_not_hold_leaves_the_one_before(built: Newtown) -> None:
    async def looked() -> None:
        task = asyncio.create_task(following.follow(built.front, built.read))
        await asyncio.sleep(0.1)
        bad = built.village / "catalog" / "added" / "bad.toml"
        bad.parent.mkdir(exist_ok=True)
        bad.write_text('department = "nobody"\n', "utf-8")
        await asyncio.sleep(0.5)
        bad.unlink()
        task.cancel()

    before = built.front.state.rooms
    following.LOOKED_S = 0.05
    running.run(looked())
    assert built.front.state.rooms is before


def test_what_no_machine_knows_stays_open_in_a_draft_that_check_refuses_and_nobody_reads(
    built: Newtown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEMAP_DATA", str(built.settings.data))
    monkeypatch.setenv("ONEMAP_VILLAGE", str(built.village))
    path = workbook(tmp_path / "路灯.xlsx")
    assert main(["new", str(path), "--id", "street_light", "--department", "power", "--write"]) == 0
    draft = built.village / "catalog" / "added" / "street_light.draft.toml"
    assert "# share_type = ?" in draft.read_text("utf-8")
    assert any(f.file.endswith(draft.name) for f in catalog.check(built.village, drafts=True))
    assert catalog.read(built.village).resource("street_light") is None
    draft.unlink()
