"""The drill: back up while others write and publish, lose everything, bring it back; a damaged backup changes nothing."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import keeping
from tests.recording import SECRET, event
from twin import backup, ops
from twin.audit import Audit
from twin.backup import Places
from twin.errors import BadRequest, SourceError, StoreFull
from twin.store import Store

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def house(url: str, tmp_path: Path) -> Places:
    """Give a small one-map on each of the two databases."""
    return build(url, tmp_path)


def build(url: str, tmp_path: Path) -> Places:
    """Make a small one-map: two published tables, a quarantine, declarations, a ledger and a record."""
    data, village = tmp_path / "data", tmp_path / "village"
    store = Store(data / "store")
    for value in ("old", "new"):
        store.publish("pond", keeping.small(value))
    store.publish("river", keeping.small("only"))
    Store(data / "store" / "_quarantine").publish("pond", keeping.small("rows"))
    for name in ("village.toml", "catalog/01_a.toml", "codes/b.toml"):
        path = village / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name = '{name}'")
    (data / "run").mkdir(exist_ok=True)
    (data / "run" / "ledger.jsonl").write_text('{"n":1}\n')
    opened = ops.Ops(url)
    Audit(opened, SECRET, folder=data / "run" / "audit").write(*map(event, range(5)))
    opened.close()
    return Places(data=data, village=village, ops_url=url)


def lose(places: Places) -> None:
    """Lose the machine: the data, the declarations and the operational store."""
    shutil.rmtree(places.data)
    shutil.rmtree(places.village)
    if places.ops_url.startswith("sqlite"):
        shutil.rmtree(Path(places.ops_url.removeprefix("sqlite:///")).parent)
    else:
        opened = ops.Ops(places.ops_url)
        with opened.begin() as connection:
            for table in reversed(ops.tables.metadata.sorted_tables):
                connection.execute(table.delete())
        opened.close()


def record(places: Places) -> Audit:
    ops.upgrade(places.ops_url)
    return Audit(ops.Ops(places.ops_url), SECRET, folder=places.data / "run" / "audit")


def test_what_was_lost_comes_back_from_a_backup_whole(house: Places, tmp_path: Path) -> None:
    made = backup.make(house, tmp_path / "backups", AT)
    assert made.damaged == ()
    assert backup.check(made.path) == made
    lose(house)
    assert backup.restore(made.path, house, LATER) == ()
    store = Store(house.data / "store")
    assert store.tables() == ["pond", "river"]
    assert [store.at("pond", v.version).manifest["value"] for v in store.versions("pond")] == ["new", "old"]
    assert store.verify() == []
    assert Store(house.data / "store" / "_quarantine").verify() == []
    assert (house.village / "catalog" / "01_a.toml").read_text() == "name = 'catalog/01_a.toml'"
    assert (house.data / "run" / "ledger.jsonl").read_text() == '{"n":1}\n'
    found = record(house)
    assert [e["seq"] for e in found.entries()] == [5, 4, 3, 2, 1]
    assert found.verify() == []
    found._store.close()


def test_a_backup_is_of_one_moment_while_others_publish_and_write(house: Places, tmp_path: Path) -> None:
    done = threading.Event()
    found, store = record(house), Store(house.data / "store")

    def work() -> None:
        number = 0
        while not done.is_set():
            number += 1
            found.write(event(number))
            store.publish("pond", keeping.small(f"n{number}"))
            done.wait(0.05)  # the table stands still now and then, as a published one does

    thread = threading.Thread(target=work)
    thread.start()
    try:
        made = [backup.make(house, tmp_path / "backups", AT.replace(minute=m)) for m in range(4)]
    finally:
        done.set()
        thread.join()
    found._store.close()
    for each in made:
        assert each.damaged == ()
        lose(house)
        backup.restore(each.path, house, LATER)
        assert Store(house.data / "store").verify() == []
        restored = record(house)
        assert restored.verify() == []
        restored._store.close()


def test_a_backup_with_any_damage_is_refused_and_nothing_is_changed(house: Places, tmp_path: Path) -> None:
    made = backup.make(house, tmp_path / "backups", AT)
    chance = random.Random(2)
    files = sorted(p for p in made.path.rglob("*") if p.is_file())
    before = {p: p.read_bytes() for p in house.data.rglob("*") if p.is_file()}
    for path in files:
        whole = path.read_bytes()
        for damage in (_flip(whole, chance), whole[:-1], None):
            path.unlink() if damage is None else path.write_bytes(damage)
            with pytest.raises(SourceError, match="damaged"):
                backup.restore(made.path, house, LATER, replace=True)
            path.write_bytes(whole)
    (made.path / "more").write_text("x")
    with pytest.raises(SourceError, match="more"):
        backup.check(made.path)
    assert {p: p.read_bytes() for p in house.data.rglob("*") if p.is_file()} == before


def _flip(whole: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(whole))
    return whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :]


def test_what_is_there_is_replaced_only_when_told_and_then_moved_aside(house: Places, tmp_path: Path) -> None:
    made = backup.make(house, tmp_path / "backups", AT)
    Store(house.data / "store").publish("pond", keeping.small("newest"))
    with pytest.raises(BadRequest, match="--replace"):
        backup.restore(made.path, house, LATER)
    assert Store(house.data / "store").current("pond").manifest["value"] == "newest"
    aside = backup.restore(made.path, house, LATER, replace=True)
    assert len({*aside}) == len(aside) >= 3, "beside each place"
    assert Store(house.data / "store").current("pond").manifest["value"] == "new"
    assert Store(house.data / "before-restore-20261121T110000Z" / "store").current("pond").manifest["value"] == "newest"


def test_entries_after_the_backup_are_said_to_be_lost_and_the_record_is_whole(house: Places, tmp_path: Path) -> None:
    made = backup.make(house, tmp_path / "backups", AT)
    found = record(house)
    found.write(event(6), event(7))
    reached = found.reached()
    found._store.close()
    backup.restore(made.path, house, LATER, replace=True)
    found = record(house)
    assert found.verify()[0].kind == "truncated", "without a word about the restore it looks cut"
    assert found.restored(lost_to=reached) == 6
    assert found.verify() == []
    assert found.entries(limit=1)[0]["detail"] == '{"kept_to":5,"lost_to":7}'
    found._store.close()


def test_a_file_that_was_damaged_before_is_named_and_backed_up_as_it_is(house: Places, tmp_path: Path) -> None:
    path = next(p for p in (house.data / "store" / "river").glob("v=*/*") if p.is_file() and p.name != "manifest.json")
    path.write_bytes(path.read_bytes() + b"x")
    made = backup.make(house, tmp_path / "backups", AT)
    assert len(made.damaged) == 1
    assert path.name in made.damaged[0]
    assert backup.check(made.path).damaged == made.damaged


def test_a_backup_holds_neither_secret_nor_deliveries(house: Places, tmp_path: Path) -> None:
    (house.data / "run" / "demo_secret").write_text("CANARY")
    (house.data / "raw").mkdir()
    (house.data / "raw" / "delivery.csv").write_text("CANARY")
    made = backup.make(house, tmp_path / "backups", AT)
    assert [p for p in made.path.rglob("*") if p.is_file() and b"CANARY" in p.read_bytes()] == []


def test_a_running_service_is_named_and_its_file_not_replaced(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'data' / 'run' / 'ops.sqlite'}"
    ops.upgrade(url)
    house = build(url, tmp_path)
    made = backup.make(house, tmp_path / "backups", AT)
    code = "import sys; from twin import ops; s = ops.Ops(sys.argv[1])\nwith s.read(): print(1, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, house.ops_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=ROOT) as service:
        service.stdout.readline()
        with pytest.raises(BadRequest, match=str(service.pid)):
            backup.restore(made.path, house, LATER, replace=True)
        service.stdin.close()


def test_a_backup_disk_that_is_full_is_told_and_leaves_nothing(house: Places, tmp_path: Path) -> None:
    from tests.faults.power import mounted

    with mounted("tmpfs", "size=64k", tmp_path) as disk:
        with pytest.raises(StoreFull):
            backup.make(house, disk, AT)
        assert [p.name for p in disk.iterdir() if p.name != ".lock"] == []


def test_declarations_on_another_disk_are_restored_too(url: str, tmp_path: Path) -> None:
    from tests.faults.power import mounted

    house = build(url, tmp_path)
    with mounted("tmpfs", "size=1m", tmp_path) as disk:
        house = Places(data=house.data, village=disk / "village", ops_url=url)
        shutil.copytree(tmp_path / "village", disk / "village")
        made = backup.make(house, tmp_path / "backups", AT)
        (disk / "village" / "village.toml").write_text("name = 'changed'")
        backup.restore(made.path, house, LATER, replace=True)
        assert (disk / "village" / "village.toml").read_text() == "name = 'village.toml'"
        aside = disk / "village" / "before-restore-20261121T110000Z"
        assert (aside / "village.toml").read_text() == "name = 'changed'"


def test_a_version_that_a_publish_removes_on_the_way_makes_the_table_begin_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.store.snapshots.KEEP", 5)
    url = f"sqlite:///{tmp_path / 'run' / 'ops.sqlite'}"
    ops.upgrade(url)
    house = build(url, tmp_path)
    plain, published = shutil.copyfile, []

    def copy_late(source: Path, target: Path) -> None:
        if "pond" in str(source) and "_quarantine" not in str(source) and not published:
            published.extend(f"late{n}" for n in range(6))
            for value in published:
                Store(house.data / "store").publish("pond", keeping.small(value))
        plain(source, target)

    monkeypatch.setattr(shutil, "copyfile", copy_late)
    made = backup.make(house, tmp_path / "backups", AT)
    assert made.damaged == ()
    store = Store(made.path / "store")
    assert store.verify() == []
    assert store.current("pond").manifest["value"] == "late5"
