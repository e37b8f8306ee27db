"""What becomes of every bad delivery of the table: a row kept back, a file refused, or taken and said how; never less."""

from __future__ import annotations

import re

import pytest

from tests.corpus import markup, services, texts, values, vectors, workbooks
from tests.corpus.items import CANARY, Class, File
from tests.corpus.road import FIRST_YEAR, Night, receive, sha256, table_of
from twin.store import Store

CLASSES = {
    c.number: c
    for c in (*texts.CLASSES, *workbooks.CLASSES, *values.CLASSES, *vectors.CLASSES, *markup.CLASSES, *services.CLASSES)
}
_PARAMETERS = [pytest.param(c, id=f"{c.number:02d} {c.title}") for c in CLASSES.values()]
_NOT_FOR_PEOPLE = re.compile(r"Traceback|File \"/|自身出错|itself failed|意外退出|died \(|0x[0-9a-f]{8}")


@pytest.fixture(scope="session")
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Receive the files of every class that was chosen, in one run."""
    asked = [getattr(i, "callspec", None) for i in request.session.items]
    chosen = {c.params["one"].number for c in asked if c is not None and isinstance(c.params.get("one"), Class)}
    wanted = [c for n, c in CLASSES.items() if n in chosen]
    return receive(tmp_path_factory.mktemp("night"), wanted)


@pytest.mark.parametrize("one", _PARAMETERS)
def test_class(night: Night, one: Class) -> None:
    read = [f for f in one.files if f.outcome != "R"]
    if read:
        _proved(night, one, read)
    for file in one.files:
        if file.outcome == "R":
            _refused(night, one, file)
    assert not night.callers, "somebody connected"


def _proved(night: Night, one: Class, files: list[File]) -> None:
    """Prove that every row is published, a duplicate, or kept back with all that a clerk needs, as the table says."""
    table = table_of(one.number)
    report = night.reports[table]
    assert report.status == "published", (report.reason_en, report.rules)
    counts = report.counts
    assert CANARY not in str(night.published(table)) + str(night.quarantined(table))
    assert counts["read"] == counts["published"] + counts["quarantined"] + counts["duplicates"]
    published, kept = night.published(table), night.quarantined(table)
    assert (len(published), len(kept)) == (counts["published"], counts["quarantined"])
    assert counts["duplicates"] == sum(f.duplicates for f in files)
    said = "\n".join(en for _, en in report.notes)
    for year, file in enumerate(files, FIRST_YEAR):
        rows = {r["_row"].rpartition("#")[2]: r for r in kept if r["year"] == year}
        found = {
            r: ",".join(sorted(f"{x['rule']}|{x['column']}".rstrip("|") for x in v["reasons"])) for r, v in rows.items()
        }
        assert found == file.rows, file.name
        here = {str(r["id"]): r for r in published if r["year"] == year}
        assert len(here) == file.published, file.name
        for key, wanted in file.values.items():
            assert {c: here[key][c] for c in wanted} == wanted, file.name
        if file.says:
            assert file.says in said, (file.name, said)
        for row in rows.values():
            assert one.served or row["_source_sha256"] == sha256(night, one, file)
            _told(row)
    repairs: dict[str, int] = {}
    for file in files:
        for word, times in file.repairs.items():
            repairs[word] = repairs.get(word, 0) + times
    assert dict(report.repairs) == repairs
    assert not _NOT_FOR_PEOPLE.search(said)


def _told(row: dict) -> None:
    """Prove that a row kept back says where it stood, what it broke, what it held (masked) and what to do."""
    assert row["_source"]
    assert len(row["_source_sha256"]) == 64
    assert row["_row"]
    for reason in row["reasons"]:
        assert all(reason[k] for k in ("rule", "zh", "en", "remedy_zh", "remedy_en")), reason
        assert not _NOT_FOR_PEOPLE.search(reason["zh"] + reason["en"])


def _refused(night: Night, one: Class, file: File) -> None:
    """Prove that a refused file changed nothing, and is named with its hash, the reason and the remedy."""
    table = table_of(one.number, file)
    report = night.reports[table]
    assert report.status == ("held" if file.held else "refused"), (file.name, report.status, report.reason_en)
    assert file.says in report.reason_en, (file.name, report.reason_en)
    assert not _NOT_FOR_PEOPLE.search(report.reason_zh + report.reason_en), report.reason_en
    if not file.held:
        assert file.name in report.reason_zh, (file.name, report.reason_zh)
        assert re.search(r"请|重报|改|上一版继续提供", report.reason_zh), "the remedy"
        assert one.served or report.where["sha256"] == sha256(night, one, file)
    assert Store(night.settings.store).current(table).version == night.stood[table]
    assert [r["id"] for r in night.published(table)] == ["S1", "S2"]
