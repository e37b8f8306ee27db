"""`onemap …` (or `python -m twin …`): check and hand out the record, back everything up, and bring it back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from twin import console
from twin import settings as setting
from twin.errors import TwinError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code: 0 all good, 3 something is not whole, 1 refused or failed."""
    options = parser().parse_args(arguments)
    language = cast("console.Language", options.lang)
    try:
        return options.command(options, setting.read(), language)
    except TwinError as error:
        print(error.zh if language == "zh" else error.en, file=sys.stderr)
        return console.FAILED
    except (BrokenPipeError, KeyboardInterrupt):
        return console.FAILED


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = argparse.ArgumentParser(prog="onemap", description="运行一张图 · run the one-map")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lang", choices=["zh", "en"], default="zh", help="语言 · language of what is printed")
    rooms = top.add_subparsers(required=True, metavar="COMMAND")

    def room(
        group: argparse._SubParsersAction, name: str, said: str, command: console.Command
    ) -> argparse.ArgumentParser:
        made = group.add_parser(name, parents=[common], help=said, description=said)
        made.set_defaults(command=command)
        return made

    audit = rooms.add_parser("audit", help="审计记录 · the record").add_subparsers(required=True, metavar="COMMAND")
    verify = room(audit, "verify", "检查记录是否被改动 · find any change of the record", console.verify)
    verify.add_argument("--against", type=Path, nargs="*", default=[], help="此前的导出文件 · exports made before")
    export = room(audit, "export", "导出签名文件 · write a signed file", console.export)
    export.add_argument("path", type=Path)
    export.add_argument("--first", type=int, default=1, help="起始序号 · first entry")
    export.add_argument("--last", type=int, default=None, help="终止序号 · last entry")
    check = room(audit, "check", "离线核对导出文件 · check an export by itself", console.check_export)
    check.add_argument("path", type=Path)
    check.add_argument("--key", default="", help="事先取得的公钥 · the public key as handed over before")
    room(audit, "key", "显示导出的公钥 · show the public key of exports", console.key)
    archive = room(audit, "archive", "把旧记录移入签名文件 · move old entries into a signed file", console.archive)
    archive.add_argument("--months", type=int, default=12, help="保留月数(至少 6) · months that stay (6 at least)")
    backup = room(rooms, "backup", "备份 · back up", console.backup)
    backup.add_argument("into", type=Path, help="备份所在文件夹 · the folder backups are kept in")
    restore = room(rooms, "restore", "从备份恢复 · bring a backup back", console.restore)
    restore.add_argument("path", type=Path)
    restore.add_argument("--replace", action="store_true", help="替换现有数据 · replace what is there")
    restore.add_argument("--check", action="store_true", help="只检查备份 · only check the backup")
    return top


if __name__ == "__main__":
    sys.exit(main())
