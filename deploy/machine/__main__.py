"""`install.sh …` and, once installed, `onemap …`: what the operator types."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import service, steps
from .places import Places, read_settings
from .words import Refused, say

HERE = Path(__file__).resolve().parent.parent
PROGRAMS = {"etl": ("-m", "etl"), "audit": ("-m", "twin", "audit"), "backup": ("-m", "twin", "backup")}
PROGRAMS |= {name: ("-m", "twin", name) for name in ("restore", "person", "retention")}
WAIT_S = 180.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or failed, else what the program gave."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    root, rest = _root(given)
    places = Places(root=root)
    os.umask(0o022)  # what is installed is read by the service's user; what is secret says so itself
    try:
        if rest and rest[0] in PROGRAMS:
            return _program(places, rest)
        if not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help")):
            rest = ["install", *rest]
        return _command(places, parser().parse_args(rest))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1


def _root(given: list[str]) -> tuple[Path, list[str]]:
    """Take `--root FOLDER` out of what was typed, wherever it stands before a program's own arguments."""
    if "--root" not in given:
        return Path("/"), given
    at = given.index("--root")
    if at + 1 == len(given):
        raise SystemExit("--root FOLDER")
    return Path(given[at + 1]).resolve(), given[:at] + given[at + 2 :]


def parser() -> argparse.ArgumentParser:
    """Give the parser of the installer's own commands."""
    top = argparse.ArgumentParser(
        prog="onemap",
        description="安装与运行一张图 · install and run the one-map",
        epilog="onemap etl|audit|backup|restore|person|retention …: 以服务用户运行 · run as the service's user",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--key", type=Path, help="发布公钥 release.pub · the publisher's public key")
    common.add_argument(
        "--unsigned", action="store_true", help="允许没有签名的安装包 · let a bundle without a signature pass"
    )
    common.add_argument("--wait", type=float, default=WAIT_S, help="等待健康检查的秒数 · seconds for the health check")
    rooms = top.add_subparsers(required=True, dest="command", metavar="COMMAND")

    def room(name: str, said: str) -> argparse.ArgumentParser:
        return rooms.add_parser(name, parents=[common], help=said, description=said)

    install = room("install", "安装并启动(缺省)· install and start (the default)")
    install.add_argument("--port", type=int, default=8050, help="端口 · the port served on")
    room("check", "只检查安装包 · only check the bundle")
    upgrade = room("upgrade", "升级;不健康则自动退回 · upgrade; goes back by itself if not well")
    upgrade.add_argument("bundle", type=Path, nargs="?", default=HERE, help="安装包或其文件夹 · archive or folder")
    room("rollback", "退回上一版本 · return to the version before")
    room("start", "启动 · start")
    room("stop", "停止 · stop")
    room("health", "检查服务 · ask whether the service is well")
    nightly = room("nightly", "备份,清理旧备份和期满内容 · back up, remove old backups and what is past its time")
    nightly.add_argument("--keep", type=int, default=14, help="保留的备份数 · backups that stay")
    return top


def _command(places: Places, options: argparse.Namespace) -> int:
    if places.live and options.command != "check" and os.geteuid() != 0:
        raise Refused("need_root")
    return COMMANDS[options.command](places, options)


def _program(places: Places, given: list[str]) -> int:
    """Run one of the one-map's own programs as its user; only root may read the settings it needs."""
    if not places.version():
        raise Refused("no_current")
    if not os.access(places.settings, os.R_OK):
        raise Refused("need_root")
    return service.run(places, *PROGRAMS[given[0]], *given[1:]).returncode


def _install(places: Places, options: argparse.Namespace) -> int:
    version = steps.checked(HERE, places, options.key, unsigned=options.unsigned)
    return 0 if steps.install(HERE, places, version, key=options.key, seconds=options.wait, port=options.port) else 1


def _check(places: Places, options: argparse.Namespace) -> int:
    steps.checked(HERE, places, options.key, unsigned=options.unsigned)
    return 0


def _upgrade(places: Places, options: argparse.Namespace) -> int:
    """Check with the code that is installed; then let the new bundle's own code put it in place."""
    if options.bundle.is_dir():
        folder = options.bundle.resolve()
        version = steps.checked(folder, places, options.key, unsigned=options.unsigned)
        return 0 if steps.upgrade(folder, places, version, key=options.key, seconds=options.wait) else 1
    folder = steps.unpacked(options.bundle, places)
    try:
        steps.checked(folder, places, options.key, unsigned=options.unsigned)
        passed = ["--key", str(options.key)] if options.key else []
        passed += ["--unsigned"] if options.unsigned else []
        own = ["--root", str(places.root), "upgrade", str(folder), "--wait", str(options.wait)]
        environ = {**os.environ, "PYTHONPATH": str(folder)}
        return subprocess.run(
            [sys.executable, "-s", "-B", "-m", "machine", *own, *passed], env=environ, check=False
        ).returncode
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def _roll_back(places: Places, options: argparse.Namespace) -> int:
    return 0 if steps.roll_back(places, seconds=options.wait) else 1


def _start(places: Places, options: argparse.Namespace) -> int:
    if not places.version():
        raise Refused("no_current")
    say("running_already" if service.running(places) else "started")
    service.start(places)
    return 0 if service.wait_until_well(places, options.wait) else 1


def _stop(places: Places, _options: argparse.Namespace) -> int:
    service.stop(places)
    say("stopped")
    return 0


def _health(places: Places, _options: argparse.Namespace) -> int:
    base = service.address(read_settings(places.settings))
    found = service.ask(base)
    well = found.well and not found.broken
    say("healthy", address=base) if well else say("ill", address=base, said=found.said or f"{found.broken} broken")
    return 0 if well else 1


def _nightly(places: Places, options: argparse.Namespace) -> int:
    return steps.nightly(places, options.keep)


COMMANDS = {
    "install": _install,
    "check": _check,
    "upgrade": _upgrade,
    "rollback": _roll_back,
    "start": _start,
    "stop": _stop,
    "health": _health,
    "nightly": _nightly,
}

if __name__ == "__main__":
    sys.exit(main())
