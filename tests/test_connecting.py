"""What `etl check` says of sources that come over connections, and of the connections themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl import catalog
from tests import receiving

CONNECTIONS = """
[[connection]]
id = "tables"
kind = "postgis"
address = "postgresql://db.land.example/land"
user_env = "LAND_USER"
password_env = "LAND_PASSWORD"
[[connection]]
id = "layers"
kind = "arcgis"
address = "https://gis.land.example/rest"
[[connection]]
id = "rows"
kind = "json"
address = "https://api.land.example/v1"
token_env = "LAND_TOKEN"
auth = "bearer"
[[connection]]
id = "files"
kind = "web"
address = "https://share.land.example"
"""
SOUND = {
    "tables": 'connection = "tables"\npart = "public.cover"\nwatermark = "changed_at"',
    "layers": 'connection = "layers"\npart = "cover/FeatureServer/0"\nwatermark = "changed_at"',
    "rows": 'connection = "rows"\npart = "cover"\nwatermark = "changed_at"\noptions = { only = "fields" }',
    "files": 'connection = "files"\npart = "day/cover.geojson"',
}
FAULTS = {
    "a connection nobody declared": ("layers", 'connection = "layers"', 'connection = "others"', "没有连接 others"),
    "a part of another form": ("layers", "cover/FeatureServer/0", "cover", "FeatureServer/层号"),
    "a table with a space": ("tables", "public.cover", "public.cover; drop", "表名"),
    "a path that leaves": ("files", "day/cover.geojson", "../cover.geojson", "文件路径"),
    "a path with parameters": ("rows", 'part = "cover"', 'part = "cover?size=9"', "不带参数"),
    "another kind of file": ("files", "day/cover.geojson", "day/cover.csv", "扩展名"),
    "a token in the declaration": ("rows", 'part = "cover"', 'part = "cover/token=CANARY"', "口令或令牌"),
    "a file by watermark": ("files", "part =", 'watermark = "changed_at"\npart =', "整份取"),
    "JSON by watermark without identities": ("rows", 'only = "fields"', 'size = "9"', "找得到删除"),
    "a watermark that is the key": ("tables", "changed_at", "TBBH", "不能就是主键"),
    "no size": ("rows", 'only = "fields"', 'only = "fields", size = "many"', "正整数"),
    "unknown paging": ("rows", 'only = "fields"', 'only = "fields", paging = "scroll"', "没有翻页方式"),
    "a watermark without a connection": (
        "files",
        'connection = "files"\n',
        'watermark = "changed_at"\n',
        "没有连接的来源",
    ),
}
WRONG = {
    "the secret where its variable's name belongs": ('"LAND_TOKEN"', '"CANARY-123"', "不是口令本身"),
    "a bearer without a token": ('token_env = "LAND_TOKEN"\n', "", "需要 token_env"),
    "an unknown proof": ('auth = "bearer"', 'auth = "kerberos"', "没有认证方式"),
    "a password in an address": ("https://api", "https://u:CANARY@api", "不得有用户名"),
    "an id twice": ('id = "layers"', 'id = "rows"', "重复"),
}  # fmt: skip


def said(folder: Path, source: str, declared: str = CONNECTIONS) -> list[tuple[str, str]]:
    """Give what a check of one village says: (Chinese with its remedy, English with its remedy)."""
    text = receiving.DEPARTMENT.replace("year = 2025", f"{source}\nyear = 2025")
    receiving.village(folder, text)
    (folder / "connections.toml").write_text(declared, "utf-8")
    return [(f.zh + f.remedy_zh, f.en + f.remedy_en) for f in catalog.check(folder)]


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_source_over_a_connection_is_taken(tmp_path: Path, kind: str) -> None:
    assert said(tmp_path, SOUND[kind]) == []


@pytest.mark.parametrize("case", FAULTS)
def test_a_source_that_cannot_be_asked_is_said_and_no_secret_repeated(tmp_path: Path, case: str) -> None:
    kind, old, new, words = FAULTS[case]
    assert old in SOUND[kind]
    found = said(tmp_path, SOUND[kind].replace(old, new))
    assert any(words in zh for zh, _ in found), found
    assert all("CANARY" not in zh + en for zh, en in found if "口令" in zh)


@pytest.mark.parametrize("case", WRONG)
def test_a_connection_that_is_wrong_is_said_and_no_secret_repeated(tmp_path: Path, case: str) -> None:
    old, new, words = WRONG[case]
    found = said(tmp_path, SOUND["rows"], CONNECTIONS.replace(old, new, 1))
    assert any(words in zh for zh, _ in found), found
    assert "CANARY" not in repr(found)


def test_the_demo_declares_connections_of_every_kind_and_a_file_to_stand_in_for_each() -> None:
    known = catalog.read(Path(__file__).resolve().parents[1] / "data")
    asked = [s for r in known.resources for s in r.sources if s.connection]
    assert 60 <= len({s.location for s in asked}) <= 100
    assert all(s.location and s.part for s in asked)
