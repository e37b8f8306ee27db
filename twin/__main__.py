"""`onemap …` (or `python -m twin …`): the record, backups, what is past its time, and a person's own data."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from twin import clerk, console
from twin import settings as setting
from twin.errors import TwinError

Room = Callable[[Any, str, str, console.Command], argparse.ArgumentParser]


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
    restore = room(rooms, "restore", "从备份恢复 · bring a backup back", clerk.restored)
    restore.add_argument("path", type=Path)
    restore.add_argument("--replace", action="store_true", help="替换现有数据 · replace what is there")
    restore.add_argument("--check", action="store_true", help="只检查备份 · only check the backup")
    _persons(rooms, room)
    over = room(rooms, "retention", "列出并删除期满的内容 · what is past its time", clerk.retention)
    over.add_argument("--do", action="store_true", help="删除;缺省只列出 · remove; without it only a list")
    over.add_argument("--backups", type=Path, default=None, help="备份所在文件夹 · the folder backups are kept in")
    return top


def _persons(rooms: Any, room: Room) -> None:
    person = rooms.add_parser("person", help="本人的信息:查、导出、删除 · a person's data: find, export, erase")
    group = person.add_subparsers(required=True, metavar="COMMAND")
    commands = (
        ("find", "查在哪里 · where it lies", clerk.find),
        ("export", "导出给本人 · hand it to the person", clerk.export),
        ("erase", "请求删除(另一人批准)· ask for erasing; another approves", clerk.erase),
        ("approve", "批准并执行,或继续 · approve and carry out, or go on", clerk.approve),
    )
    for name, said, command in commands:
        made = room(group, name, said, command)
        if name == "approve":
            made.add_argument("request", help="请求编号 · the request's number")
        else:
            made.add_argument("--of", type=Path, default=None, help="写明是谁的 JSON,- 为标准输入 · who, as JSON")
        if name == "export":
            made.add_argument("--to", type=Path, required=True, help="写到哪个 zip · the archive to write")
        made.add_argument("--officer", default="", help="经办人账号 · the officer's account")
        made.add_argument("--backups", type=Path, default=None, help="备份所在文件夹 · the folder backups are kept in")
    room(group, "requests", "列出请求 · list the requests", clerk.listed)


if __name__ == "__main__":
    sys.exit(main())
