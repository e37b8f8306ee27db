"""The whole life of an installation in a namespace without a route: from one archive to the village on the page and back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from deploy import bundle
from deploy.machine import seal

ROOT = Path(__file__).resolve().parents[1]
DEAD = "import sys\nsys.exit('this version does not start')\n"
SPOILING = """import os, sqlite3, sys
link = sqlite3.connect(os.path.join(os.environ["ONEMAP_DATA"], "run", "ops.sqlite"))
link.execute("update alembic_version set version_num = 'from-the-future'")
link.commit()
sys.exit("this version changed the operational store and does not start")
"""


MACHINE = """set -e
mount -t tmpfs -o size=4g tmpfs {work}/disk
mkdir {work}/disk/up {work}/disk/work {work}/disk/root
mount -t overlay overlay -o lowerdir=/,upperdir={work}/disk/up,workdir={work}/disk/work {work}/disk/root
cd {work}/disk/root
mount -t proc proc proc; mount --bind /dev dev; mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp
mkdir root/bundle; cp -r {work}/a/. root/bundle/; cp {work}/release.pub {work}/typed.sh root/
ip link set lo up
exec chroot . bash /root/typed.sh
"""
TYPED = """umask 077
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin PYTHON=/usr/bin/python3.11
/root/bundle/install.sh --key /root/release.pub --port 8297 --wait 300; echo "INSTALLED $?"
echo "RUNS AS $(ps -eo user,args | grep '[d]ashboard.py' | cut -d' ' -f1 | sort -u)"
onemap health; echo "HEALTH $?"
echo "MODES $(stat -c '%U %a' /etc/onemap/onemap.env /var/lib/onemap /opt/onemap/current/dashboard.py | tr '\n' ';')"
setpriv --reuid onemap --regid onemap --clear-groups cat /etc/onemap/onemap.env; echo "READS $?"
setpriv --reuid onemap --regid onemap --clear-groups touch /opt/onemap/current/x; echo "WRITES $?"
onemap nightly --keep 2; echo "BACKUP $?"
onemap audit verify; echo "RECORD $?"
onemap stop; echo "LEFT $(ps -eo args | grep -c '[d]ashboard.py')"
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    alone = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False)
    if alone.returncode:
        pytest.skip("namespaces of our own are not allowed here")
    made = tmp_path_factory.mktemp("rehearsal")
    _bundles(made)
    return made


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_installed_from_one_archive_without_a_route_it_serves_is_restored_upgraded_and_goes_back(work: Path) -> None:
    inside = f"ip link set lo up && exec {sys.executable} -m tests.rehearsing {work}"
    done = subprocess.run(
        ["unshare", "-n", "bash", "-c", inside], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    check(json.loads((work / "facts.json").read_text(encoding="utf-8")))


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_installed_by_root_the_service_runs_as_a_user_who_reads_no_secret_and_writes_no_program(work: Path) -> None:
    """On a copy of this very machine (an overlay that is thrown away), without systemd and without a route."""
    if not Path("/usr/bin/python3.11").exists():
        pytest.skip("this system has no Python 3.11 of its own")
    (work / "disk").mkdir()
    (work / "machine.sh").write_text(MACHINE.format(work=work), encoding="utf-8")
    (work / "typed.sh").write_text(TYPED, encoding="utf-8")
    done = subprocess.run(
        ["unshare", "-n", "-m", "--fork", "--pid", "bash", str(work / "machine.sh")],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if "INSTALLED" not in said:
        pytest.skip(f"an overlay of our own is not allowed here: {said[-300:]}")
    for wanted in (
        "INSTALLED 0",
        "RUNS AS onemap",
        "HEALTH 0",
        "READS 1",
        "WRITES 1",
        "BACKUP 0",
        "RECORD 0",
        "LEFT 0",
    ):
        assert f"\n{wanted}\n" in f"\n{said}", said[-4000:]
    assert "MODES root 600;onemap 750;root 644;" in said


def _bundles(work: Path) -> None:
    """Make five bundles: a good one, a good next one, one that is dead, one that spoils the store, a changed one."""
    private = Ed25519PrivateKey.generate()
    key = work / "release.key"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (work / "release.pub").write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    made = bundle.make("0.1.0", work, key)
    (work / "in").mkdir()
    seal.unpack(made.archive, work / "in").rename(work / "a")
    another(work, key, "b", "0.1.1", None)
    bundle.pack(work / "b", work / "b.tar.gz", 0)
    another(work, key, "c", "0.1.2", DEAD)
    another(work, key, "d", "0.1.3", SPOILING)
    another(work, key, "e", "0.1.4", None)
    with (work / "e" / "dashboard.py").open("a") as file:
        file.write("# changed on the way\n")


def another(work: Path, key: Path, name: str, version: str, program: str | None) -> None:
    """Make another version of the bundle `a`, with another program where one is given."""
    folder = Path(shutil.copytree(work / "a", work / name))
    said = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    (folder / "MANIFEST.json").write_text(json.dumps({**said, "version": version}), encoding="utf-8")
    if program is not None:
        (folder / "dashboard.py").write_text(program, encoding="utf-8")
    bundle.close(folder, key)


def check(facts: dict) -> None:
    """Say that each step came out as it is promised in docs/operations.md."""
    assert "unreachable" in facts["no_route"]
    assert facts["install"][0] == 0, facts["install"][1]
    assert "One-time password of the first administrator" in facts["install"][1]
    assert facts["again"][0] == 0
    assert "One-time password" not in facts["again"][1]
    assert (facts["demo"], facts["received"]) in ((0, 0), (0, 3))
    assert facts["filled"]["tables"] > facts["fresh"]["tables"]
    assert (facts["backup"], facts["backup_sound"]) == (0, 0)
    assert facts["restore_while_running"][0] == 1, "a running service is not replaced under itself"
    assert facts["restore"][0] == 0, facts["restore"][1]
    assert facts["start"] == 0
    assert facts["restored"] == facts["filled"]
    assert facts["upgrade"][0] == 0, facts["upgrade"][1]
    assert facts["upgraded"] == {**facts["filled"], "version": "0.1.1", "versions": ["0.1.0", "0.1.1"]}
    assert facts["dead"][0] == 1
    assert "0.1.1 is back; the data is as it was" in facts["dead"][1]
    assert facts["after_dead"] == facts["upgraded"]
    assert facts["spoiling"][0] == 1
    assert "the backup from before the upgrade is in place" in facts["spoiling"][1]
    assert facts["after_spoiling"] == facts["upgraded"]
    assert facts["record"][0] == 0, facts["record"][1]
    assert facts["tampered"][0] == 1
    assert "dashboard.py" in facts["tampered"][1]
    assert facts["rollback"][0] == 0, facts["rollback"][1]
    assert facts["rolled_back"] == {**facts["upgraded"], "version": "0.1.0"}
    assert facts["village"]
    assert facts["stop"] == 0
