"""`python -m etl`: what a person types and reads, in Chinese and in English."""

import pytest

from etl import words
from etl.__main__ import main
from etl.progress import table, width
from tests import receiving
from tests.backdating import dated, day
from tests.receiving import deliver, feature
from twin.store import Store


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give the data folder of a small village, which every command finds by itself."""
    second = receiving.DEPARTMENT[receiving.DEPARTMENT.index("[[resource]]") :]
    second = (
        second.replace('id = "cover"', 'id = "other"')
        .replace("cover.geojson", "other.geojson")
        .replace('"图斑"', '"另表"')
    )
    receiving.village(tmp_path, receiving.DEPARTMENT + second)
    monkeypatch.setenv("ONEMAP_DATA", str(tmp_path))
    monkeypatch.setenv("ONEMAP_VILLAGE", str(tmp_path))
    return tmp_path


def test_check_says_that_sound_declarations_are_sound(home, capsys):
    assert main(["check"]) == 0
    assert "2 项资源" in capsys.readouterr().out
    assert main(["check", "--lang", "en"]) == 0
    assert "2 resources" in capsys.readouterr().out


def test_check_names_file_line_and_remedy_and_fails(home, capsys):
    path = home / "catalog" / "01_land.toml"
    path.write_text(path.read_text("utf-8").replace('kind = "polygon"', 'kind = "x"', 1), "utf-8")
    assert main(["check"]) == 1
    said = capsys.readouterr().out
    assert "01_land.toml:" in said
    assert "改法" in said
    assert "polygon" in said


def test_run_publishes_and_ends_with_a_table_and_the_sums(home, capsys):
    deliver(home, [feature(i) for i in range(5)] + [feature(5, DLBM="zz")])
    assert main(["run", "cover"]) == 0
    said = capsys.readouterr().out
    assert "● 已发布" in said
    assert "code_unknown×1" in said
    assert "读取 6 = 发布 5 + 隔离 1 + 重复 0" in said


def test_run_all_goes_on_past_a_refused_delivery_and_says_so_by_its_exit_code(home, capsys):
    deliver(home, [feature(i) for i in range(5)])
    deliver(home, [], "01_land/other.geojson").write_bytes(b"junk")
    assert main(["run", "--all", "--lang", "en"]) == 3
    said = capsys.readouterr().out
    assert "● published" in said
    assert "✖ refused" in said
    assert "1 good, 1 not published, 0 not delivered" in said


def test_run_of_what_was_never_delivered_is_no_failure(home, capsys):
    assert main(["run", "cover"]) == 0
    assert "○ 未报送" in capsys.readouterr().out


def test_run_of_an_unknown_resource_names_those_there_are(home, capsys):
    assert main(["run", "nothing"]) == 1
    assert "cover" in capsys.readouterr().err
    assert main(["run"]) == 1


def test_a_held_delivery_is_published_by_accept(home, capsys):
    deliver(home, [feature(i) for i in range(20)])
    main(["run", "cover"])
    deliver(home, [feature(i) for i in range(10)])
    assert main(["run", "cover"]) == 3
    assert "◆ 待批" in capsys.readouterr().out
    assert main(["run", "cover", "--accept"]) == 0


def test_status_shows_each_resource_with_a_shape_and_a_word(home, capsys):
    deliver(home, [feature(i) for i in range(5)])
    main(["run", "cover"])
    deliver(home, [], "01_land/other.geojson").write_bytes(b"junk")
    main(["run", "other"])
    capsys.readouterr()
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert "● 正常" in said
    assert "✖ 失败" in said
    assert "2025-10-01" in said


def test_quarantine_shows_rules_rows_reasons_and_the_way_back(home, capsys):
    deliver(home, [feature(i) for i in range(5)] + [feature(i, DLBM="zz") for i in range(5, 9)])
    main(["run", "cover"])
    capsys.readouterr()
    assert main(["quarantine", "cover", "--limit", "2"]) == 0
    said = capsys.readouterr().out
    assert "code_unknown  4" in said
    assert "cover.geojson!6" in said
    assert "按代码表改正" in said
    assert "2 行" in said
    assert "python -m etl run cover" in said
    assert main(["quarantine", "other"]) == 0
    assert "没有隔离的行" in capsys.readouterr().out


def test_rollback_returns_in_one_command_and_refuses_where_there_is_nothing_before(home, capsys):
    deliver(home, [feature(i) for i in range(5)])
    main(["run", "cover"])
    why = ["--reason", "年份填错", "--by", "zhang"]
    assert main(["rollback", "cover", *why]) == 1
    deliver(home, [feature(i) for i in range(6)])
    main(["run", "cover"])
    capsys.readouterr()
    assert main(["rollback", "cover", "--lang", "en"]) == 1
    assert "--reason" in capsys.readouterr().err
    assert main(["rollback", "cover", *why]) == 0
    assert "5 行" in capsys.readouterr().out
    [gone] = Store(home / "store").removed("cover")
    assert (gone.why, gone.by, gone.reason) == ("rollback", "zhang", "年份填错")
    assert "年份填错(zhang)" in (home / "run" / "ledger.jsonl").read_text("utf-8")


def test_diff_prints_counts_fields_and_rows(home, capsys):
    deliver(home, [feature(i) for i in range(5)])
    main(["run", "cover"])
    assert main(["diff", "cover"]) == 1
    deliver(home, [feature(i) for i in range(1, 6)])
    main(["run", "cover"])
    capsys.readouterr()
    assert main(["diff", "cover", "--lang", "en", "--limit", "1"]) == 0
    said = capsys.readouterr().out
    assert "1 rows added, 1 removed, 0 changed" in said
    assert "… and 1 more" in said


def test_gc_lists_what_could_go_and_takes_it_out_only_when_told_to(home, capsys):
    (home / "retention.toml").write_text(
        "version = 1\n[versions]\nall_days = 0\ndaily_days = 0\nmonths = 0\nleast = 1\n", "utf-8"
    )
    for n in range(5, 8):
        deliver(home, [feature(i) for i in range(n)])
        main(["run", "cover"])
    store = Store(home / "store")
    dated(store, "cover", day(1), day(2), day(3))
    capsys.readouterr()
    assert main(["gc", "cover", "--lang", "en"]) == 0
    assert "4 superseded versions could go" in capsys.readouterr().out, "two of the table, two of its quarantine"
    assert len(store.versions("cover")) == 3
    assert main(["gc", "cover", "--do"]) == 0
    assert "已清理" in capsys.readouterr().out
    assert [store.at("cover", v.version).manifest["rows"] for v in store.versions("cover")] == [7]


def test_verify_finds_a_flipped_byte(home, capsys):
    deliver(home, [feature(i) for i in range(5)])
    main(["run", "cover"])
    assert main(["verify"]) == 0
    path = next((home / "store" / "cover").glob("v=*/part.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    capsys.readouterr()
    assert main(["verify"]) == 1
    assert "part.parquet" in capsys.readouterr().out


def test_every_word_is_there_in_both_languages():
    for key, (zh, en) in words.WORDS.items():
        assert zh, key
        assert en, key


def test_columns_align_in_chinese_too():
    lines = table(["名称", "n"], [["图斑", "1"], ["ab", "22"]], right=[1]).splitlines()
    assert width(lines[2].rstrip("12 ")) <= width(lines[0])
    assert lines[2].index("1") < len(lines[3])
