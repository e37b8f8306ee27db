"""A county's table by parts: the same bytes whoever does them, nothing half kept, every row accounted for."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest

from etl.__main__ import main
from etl.demo import county as invented
from etl.demo.servers import Town, serving
from etl.scale import county, executors, parts, places, sums
from tests import clustering, namespaces, scaling
from twin.errors import BadRequest, SettingError, SourceError
from twin.settings import Settings

VILLAGES = 4


def quiet(*_: object) -> None:
    """Say nothing."""


def hashes(out: Path) -> dict[str, str]:
    """Give the SHA-256 of every file of a place, but for the pointer (which says no more than the index's)."""
    return {
        p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(out.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, county.County]:
    """Give a folder in which one process has received the county: village/, deliveries/ and out/."""
    folder = tmp_path_factory.mktemp("alone")
    village = scaling.declare(folder)
    deliveries = scaling.deliver(folder / "deliveries", VILLAGES)
    here = scaling.settings(folder / "data", village)
    wanted = scaling.wanted(village, deliveries, folder / "out")
    made, results = county.run(wanted, here, executors.chosen("here", here), quiet)
    assert [(k.code, k.status, k.reason_en) for k in results] == [
        (invented.village_code(n), "published", "") for n in range(VILLAGES)
    ]
    return folder, made


@pytest.fixture
def one(alone: tuple[Path, county.County], tmp_path: Path) -> county.Wanted:
    """Ask for one village alone, in a folder of its own."""
    folder, _ = alone
    (tmp_path / "deliveries").mkdir()
    shutil.copy(next((folder / "deliveries").iterdir()).with_name(f"{CODE}.fgb"), tmp_path / "deliveries")
    return scaling.wanted(folder / "village", tmp_path / "deliveries", tmp_path / "out")


CODE = invented.village_code(0)


def of(wanted: county.Wanted) -> Settings:
    """Give the settings of a machine beside the deliveries."""
    folder = Path(wanted.deliveries).parent
    return scaling.settings(folder / "data", Path(wanted.out).parent)


def receive(wanted: county.Wanted) -> tuple[county.County, parts.Kept]:
    """Receive the one village."""
    made, results = county.run(wanted, of(wanted), executors.chosen("here", of(wanted)), quiet)
    return made, results[0]


def test_every_row_of_every_part_is_published_or_quarantined_and_the_sums_are_those_of_the_rows(alone) -> None:
    folder, made = alone
    rows = invented.rows_before("parcels", VILLAGES)
    counts = made.counts
    assert counts["read"] == rows == counts["published"] + counts["quarantined"] + counts["duplicates"]
    published = quarantined = measured = 0
    for code, entry in made.entries.items():
        room = folder / "out" / "parcels" / f"code={code}" / entry["name"]
        table = pq.read_table(room / parts.TABLE)
        assert set(table["village_code"].to_pylist()) == {code}
        assert set(table["_run"].to_pylist()) == {entry["name"]}
        assert json.loads(pq.read_schema(room / parts.TABLE).metadata[b"geo"])["columns"]["geometry"]["covering"]
        published += table.num_rows
        quarantined += pq.read_metadata(room / parts.QUARANTINE).num_rows
        measured += sum(round(a * sums.PER_MEASURE) for a in table["area_m2"].to_pylist())
    assert (published, quarantined) == (counts["published"], counts["quarantined"])
    assert (sum(s.rows for s in made.sums), sum(s.measured for s in made.sums)) == (published, measured)
    assert {s.town for s in made.sums} == {CODE[:9]}


def test_processes_of_this_machine_keep_the_same_bytes_as_one_even_if_one_is_killed(alone, tmp_path: Path) -> None:
    folder, made = alone
    here = scaling.settings(tmp_path / "data", folder / "village")
    wanted = scaling.wanted(folder / "village", folder / "deliveries", tmp_path / "out")
    killer = threading.Thread(target=kill_a_worker, args=(tmp_path / "data",))
    killer.start()
    again, results = county.run(wanted, here, executors.chosen("pool:2", here), quiet)
    killer.join()
    assert again.index == made.index
    assert hashes(tmp_path / "out") == hashes(folder / "out")
    assert str(os.getpid()) not in {k.worker.partition(":")[2] for k in results}


def kill_a_worker(data: Path) -> None:
    """Kill a process that is at a part, as soon as there is one: its folder has its pid in its name."""
    for _ in range(1200):
        for path in (data / "run" / "parts").glob(".tmp-*"):
            os.kill(int(path.name.split("-")[1]), signal.SIGKILL)
            return
        time.sleep(0.05)
    raise AssertionError


def test_a_part_that_was_killed_before_its_manifest_is_not_there_and_is_done_again_to_the_same_bytes(one) -> None:
    made, kept = receive(one)
    before = hashes(Path(one.out))
    (Path(one.out) / "parcels" / f"code={CODE}" / kept.name / parts.MANIFEST).unlink()
    (Path(one.out) / "parcels" / county.POINTER).unlink()
    again, done = receive(one)
    assert (done.status, again.index) == ("published", made.index)
    assert hashes(Path(one.out)) == before
    assert receive(one)[1].status == "unchanged"
    assert hashes(Path(one.out)) == before


def test_a_refused_or_shrunken_delivery_leaves_the_part_before_it_and_says_why(one) -> None:
    made, _ = receive(one)
    delivery = Path(one.deliveries) / f"{CODE}.fgb"
    whole = delivery.read_bytes()
    delivery.write_bytes(whole[: len(whole) // 2])
    again, kept = receive(one)
    assert (kept.status, kept.name) == ("refused", "")
    assert kept.reason_en
    assert again.index == made.index
    delivery.unlink()
    invented.write_apart(1, delivery.parent, seed=7)  # as many, but elsewhere: the same village code, other ids' shapes
    fewer(delivery)
    again, kept = receive(one)
    assert (kept.status, again.index) == ("held", made.index)
    assert "fewer" in kept.reason_en
    again, kept = receive(dataclasses.replace(one, accept=True))
    assert kept.status == "published"
    assert again.index != made.index


def fewer(path: Path) -> None:
    """Leave a third of a delivery."""
    import pyogrio

    meta, table = pyogrio.read_arrow(path)
    pyogrio.write_arrow(
        table.slice(0, table.num_rows // 3),
        path,
        driver="FlatGeobuf",
        geometry_name=meta["geometry_name"],
        geometry_type="Polygon",
        crs=meta["crs"],
    )


def test_rows_of_another_village_are_quarantined_with_their_reason(one) -> None:
    elsewhere = Path(one.deliveries) / f"{invented.village_code(1)}.fgb"
    (Path(one.deliveries) / f"{CODE}.fgb").rename(elsewhere)
    _, kept = receive(one)
    assert kept.status == "held"
    assert "Not one row" in kept.reason_en
    assert kept.counts["quarantined"] == kept.counts["read"]


def test_a_bucket_keeps_the_same_bytes_as_a_folder_for_who_signs_and_no_other(one, monkeypatch) -> None:
    made, kept = receive(one)
    town = Town(rows=[], access_key="AK", secret_key="CANARY/secret+")
    town.files = {f"in/{CODE}.fgb": (Path(one.deliveries) / f"{CODE}.fgb").read_bytes()}
    village = Path(one.out).parent / "village"
    shutil.copytree(scaling.declare(Path(one.out).parent / "declared"), village)
    here = scaling.settings(Path(one.out).parent / "data", village)
    asked = dataclasses.replace(one, deliveries="county:in", out="county:out/2026")
    with serving(town) as address:
        monkeypatch.setenv("COUNTY_ADDRESS", f"{address}/s3/county")
        monkeypatch.setenv("COUNTY_KEY", "AK")
        monkeypatch.setenv("COUNTY_SECRET", "wrong")
        with pytest.raises(SourceError, match="403") as refused:
            county.run(asked, here, executors.chosen("here", here), quiet)
        assert "wrong" not in str(refused.value)
        monkeypatch.setenv("COUNTY_SECRET", town.secret_key)
        town.misbehave("500", at=6, times=1)
        again, results = county.run(asked, here, executors.chosen("here", here), quiet)
        assert again.index == made.index
        assert results[0].name == kept.name
        assert county.damaged(places.opened(asked.out, here), again) == []
        found = {
            n.removeprefix("out/2026/"): hashlib.sha256(b).hexdigest()
            for n, b in town.files.items()
            if n.startswith("out/")
        }
        assert found == hashes(Path(one.out))
        name = next(n for n in town.files if n.endswith(parts.TABLE))
        town.files[name] = town.files[name][:-1]
        assert county.damaged(places.opened(asked.out, here), again) == [name.removeprefix("out/2026/")]


def test_a_table_about_persons_is_not_cut_as_their_erasure_would_not_reach_it(one) -> None:
    personal = dataclasses.replace(one.resource, about="persons")
    with pytest.raises(BadRequest, match="personal"):
        receive(dataclasses.replace(one, resource=personal))
    with pytest.raises(BadRequest, match="area_field"):
        receive(dataclasses.replace(one, resource=dataclasses.replace(one.resource, area_field="")))


def test_a_worker_with_other_programs_refuses_rather_than_writing_other_bytes(one) -> None:
    part = county.planned(one, places.opened(one.deliveries, of(one)), None)[0]
    for other in (dataclasses.replace(part, program="other"), dataclasses.replace(part, sources="other")):
        kept = parts.receive(other, of(one))
        assert (kept.status, kept.name) == ("failed", "")
        assert "install the same" in kept.reason_en
    assert not Path(one.out).exists()


def test_the_command_receives_shows_and_verifies_a_county(one, monkeypatch, capsys) -> None:
    folder = Path(one.out).parent
    monkeypatch.setenv("ONEMAP_DATA", str(folder / "data"))
    monkeypatch.setenv("ONEMAP_VILLAGE", str(scaling.declare(folder)))
    words = ["county", "run", "parcels", "--deliveries", one.deliveries, "--out", one.out]
    assert main([*words, "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "3,333" in said
    assert main(["county", "show", "parcels", "--out", one.out]) == 0
    assert "亩" in capsys.readouterr().out
    assert main(["county", "verify", "parcels", "--out", one.out]) == 0
    (Path(one.deliveries) / f"{CODE}.fgb").write_bytes(b"nonsense")
    assert main([*words, "--lang", "en"]) == 3
    assert "✖ refused" in capsys.readouterr().out
    assert main([*words, "--on", "moon"]) == 1


def test_beyond_the_loopback_a_scheduler_is_spoken_to_with_the_clusters_certificates_only(tmp_path: Path) -> None:
    from etl.scale import cluster

    assert cluster.security("tcp://127.0.0.1:8786", "") is None
    for address in ("tcp://10.0.0.1:8786", "tls://10.0.0.1:8786"):
        with pytest.raises(SettingError, match="tls"):
            cluster.security(address, "")
    tls = scaling.certificates(tmp_path / "tls", "10.0.0.1")
    found = cluster.security("tls://10.0.0.1:8786", str(tls))
    assert found is not None
    assert found.require_encryption
    (tls / "key.pem").chmod(0o644)
    with pytest.raises(SettingError, match="600"):
        cluster.security("tls://10.0.0.1:8786", str(tls))


@pytest.fixture(scope="module")
def net():
    """Give two namespaces with no way out but to us."""
    if not namespaces.permitted():
        pytest.skip(namespaces.NOT_PERMITTED)
    with namespaces.net(2) as made:
        yield made


def test_workers_in_networks_of_their_own_keep_the_same_bytes_and_one_killed_midway_changes_none(
    alone, net, tmp_path: Path, monkeypatch
) -> None:
    folder, made = alone
    town = Town(rows=[], access_key="AK", secret_key="CANARY/secret+")
    town.files = {f"in/{p.name}": p.read_bytes() for p in (folder / "deliveries").iterdir()}
    tls = scaling.certificates(tmp_path / "tls", net.address, *net.others.values())
    with serving(town, host=net.address) as address:
        keys = {"COUNTY_ADDRESS": f"{address}/s3/county", "COUNTY_KEY": "AK", "COUNTY_SECRET": town.secret_key}
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        here = scaling.settings(tmp_path / "data", folder / "village")
        wanted = scaling.wanted(folder / "village", "county:in", "county:out")
        with clustering.cluster(net, tmp_path, tls, folder / "village", keys) as found:
            for name, own in net.others.items():
                assert namespaces.heard_on(name) - {"127.0.0.1"} == {own}
            assert stranger(found.address) == "refused"
            killed: list[int] = []

            def tell(*_: object) -> None:
                if killed:
                    return
                room = tmp_path / next(iter(net.others)) / "run" / "parts"
                until = time.monotonic() + 30
                while not any(room.glob(".tmp-*")) and time.monotonic() < until:
                    time.sleep(0.01)
                killed.append(next(iter(found.workers)))
                found.kill(killed[0])

            again, results = county.run(wanted, here, executors.chosen(found.address, here, str(tls)), tell)
    assert [(k.code, k.status, k.reason_en) for k in results if not k.name] == []
    assert again.index == made.index
    kept = {
        n.removeprefix("out/"): hashlib.sha256(b).hexdigest() for n, b in town.files.items() if n.startswith("out/")
    }
    assert kept == hashes(folder / "out")
    assert list(tmp_path.glob("*/run/parts/.tmp-*")), "the killed worker was at nothing"


def stranger(address: str) -> str:
    """Speak TLS to a scheduler without a certificate, and say how that went."""
    to, context = urlsplit(address), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((to.hostname, to.port), 10) as plain, context.wrap_socket(plain) as channel:
            return channel.recv(1).decode() or "closed"
    except ssl.SSLError as error:
        return "refused" if "REQUIRED" in str(error) else str(error)


@pytest.mark.soak
def test_a_county_of_three_hundred_villages_is_the_same_bytes_by_two_networks_with_a_worker_killed(
    net, tmp_path: Path
) -> None:
    village, deliveries = scaling.declare(tmp_path), scaling.deliver(tmp_path / "deliveries", 300)
    here = scaling.settings(tmp_path / "data", village)
    started = time.perf_counter()
    wanted = scaling.wanted(village, deliveries, tmp_path / "one")
    made, results = county.run(wanted, here, executors.chosen("here", here), quiet)
    told(
        f"one process: {time.perf_counter() - started:.0f} s; {made.counts}; {sum(k.seconds for k in results):.0f} s in parts"
    )
    tls = scaling.certificates(tmp_path / "tls", net.address, *net.others.values())
    wanted = scaling.wanted(village, deliveries, tmp_path / "two")
    with clustering.cluster(net, tmp_path, tls, village, {}) as found:
        killed: list[int] = []

        def tell(kept: parts.Kept, done: int, _: int) -> None:
            if done == 100:
                killed.append(next(p for p in found.workers if not kept.worker.endswith(f":{p}")))
                found.kill(killed[0])

        started = time.perf_counter()
        again, results = county.run(wanted, here, executors.chosen(found.address, here, str(tls)), tell)
    told(
        f"two workers, one killed at 100: {time.perf_counter() - started:.0f} s; by {len({k.worker for k in results})}"
    )
    assert [(k.code, k.status, k.reason_en) for k in results if not k.name] == []
    assert len(results) == 300
    assert killed
    assert again.index == made.index
    assert again.counts["read"] == 1_000_000
    assert hashes(tmp_path / "two") == hashes(tmp_path / "one")
    assert county.damaged(places.opened(str(tmp_path / "two"), here), again) == []


def told(line: str) -> None:
    """Write what a soak measured where whoever runs it finds it."""
    out = Path(os.environ.get("SOAK_REPORT", os.devnull))
    with out.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
