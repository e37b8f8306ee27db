"""What each command of `onemap` does and says, in Chinese and in English."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from twin import backup as backups
from twin import ops
from twin.accounts import house_secret
from twin.audit import Audit, Event, Fault, check
from twin.errors import BadRequest, OpsDown

if TYPE_CHECKING:
    import argparse

    from twin.settings import Settings

Language = Literal["zh", "en"]
Command = Callable[["argparse.Namespace", "Settings", Language], int]
GOOD, FAILED, BROKEN = 0, 1, 3
DEMO_KEPT = "demo_secret"
MONTH = timedelta(days=30.6875)
"""So that six months are the 184 days at least that entries stay."""
WORDS: dict[str, tuple[str, str]] = {
    "whole": (
        "审计记录完整:{count} 条,最后一条为第 {last} 条",
        "The record is whole: {count} entries, the last is number {last}",
    ),
    "broken": ("审计记录在第 {seq} 条处被改动:{kind}", "The record was changed at entry {seq}: {kind}"),
    "edited": ("内容被修改", "edited"),
    "deleted": ("被删除", "deleted"),
    "truncated": ("末尾被截断", "cut off at the end"),
    "reordered": ("顺序被调换", "put in another order"),
    "inserted": ("被插入", "put in"),
    "unknown_key": (
        "用未知密钥封印(轮换过密钥时请设置 ONEMAP_SECRET_PREVIOUS)",
        "sealed with an unknown key (after a change of secret, set ONEMAP_SECRET_PREVIOUS)",
    ),
    "anchor": (
        "锚点文件丢失或损坏,无法排除末尾被截断",
        "an anchor is missing or damaged, so its end may have been cut off",
    ),
    "note.head": ("(末条标记)", " (the mark of the last entry)"),
    "note.chain": ("(前后不相接)", " (it does not join the one before)"),
    "note.key": ("(用已停用的密钥封印)", " (sealed with a key no longer used)"),
    "note.anchor": ("(与锚点不符)", " (an anchor says otherwise)"),
    "note.missing": ("(丢失)", " (missing)"),
    "note.damaged": ("(损坏)", " (damaged)"),
    "exported": ("已导出第 {first} 至 {last} 条:{path}", "Entries {first} to {last} are in {path}"),
    "signed": (
        "签名有效:第 {first} 至 {last} 条,公钥 {public}",
        "The signature holds: entries {first} to {last}, public key {public}",
    ),
    "unpinned": (
        "未给出 --key:只能证明签名后未被改动,请核对公钥",
        "No --key given: only unchanged since it was signed; compare the public key",
    ),
    "archived": ("第 {first} 至 {last} 条已移入 {path}", "Entries {first} to {last} were moved to {path}"),
    "nothing": ("没有早于 {months} 个月的记录", "There are no entries older than {months} months"),
    "backed_up": ("已备份到 {path}:{files} 个文件,{mib:.1f} MiB", "Backed up to {path}: {files} files, {mib:.1f} MiB"),
    "damaged": ("▲ 备份前已损坏:{name}", "▲ damaged before the backup: {name}"),
    "sound": ("备份完好:{at},{files} 个文件", "The backup is sound: {at}, {files} files"),
    "restored": ("已恢复 {at} 的备份", "The backup of {at} is in place"),
    "aside": ("原有数据在 {path}", "What was there before is in {path}"),
    "lost": (
        "第 {first} 至 {last} 条审计记录在备份之后,已丢失;恢复已记录在案",
        "Entries {first} to {last} came after the backup and are lost, which is recorded",
    ),
}


def say(key: str, language: Language, **values: object) -> str:
    """Give the wording of `key` in `language`."""
    return WORDS[key][language == "en"].format(**values)


def places(settings: Settings) -> backups.Places:
    """Give what is backed up and restored."""
    url = settings.ops_url or f"sqlite:///{settings.data / 'run' / ops.FILE}"
    return backups.Places(data=settings.data, village=settings.village, ops_url=url)


@contextlib.contextmanager
def record(settings: Settings, *, as_it_is: bool = False) -> Iterator[Audit]:
    """Open the record of these settings, its schema brought up to date unless `as_it_is`; raises SettingError."""
    url = places(settings).ops_url
    secret = house_secret(settings) if settings.secret or (settings.data / "run" / DEMO_KEPT).is_file() else b""
    if not as_it_is:
        ops.upgrade(url)
    store = ops.Ops(url)
    try:
        yield Audit(store, secret, folder=settings.data / "run" / "audit", older=settings.older_secrets)
    finally:
        store.close()


def verify(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Say whether the record is whole, or every place where it is not."""
    with record(settings) as opened:
        faults = opened.verify(*(check(path, public_key=opened.public_key) for path in options.against))
        count, last = opened.count(), opened.reached()
    for fault in faults:
        print(_fault(fault, language))
    if not faults:
        print(say("whole", language, count=count, last=last))
    return BROKEN if faults else GOOD


def _fault(fault: Fault, language: Language) -> str:
    note = say(f"note.{fault.note}", language) if fault.note else ""
    return say("broken", language, seq=fault.seq, kind=say(fault.kind, language) + note)


def export(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Write a signed file of entries, which is itself recorded."""
    with record(settings) as opened:
        made = opened.export(options.path, first=options.first, last=options.last)
        opened.write(_event("audit.export", {"first": made.first, "last": made.last, "sha256": made.sha256}))
    print(say("exported", language, first=made.first, last=made.last, path=made.path))
    return GOOD


def check_export(options: argparse.Namespace, _settings: Settings, language: Language) -> int:
    """Check an exported file without record or secret."""
    made = check(options.path, public_key=options.key)
    print(say("signed", language, first=made.first, last=made.last, public=made.public_key))
    if not options.key:
        print(say("unpinned", language))
    return GOOD


def key(_options: argparse.Namespace, settings: Settings, _language: Language) -> int:
    """Print the public key that exports are checked with."""
    with record(settings) as opened:
        print(opened.public_key)
    return GOOD


def archive(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Move entries older than so many months into a signed file."""
    if not 6 <= options.months <= 1200:
        raise BadRequest("--months 须在 6 到 1200 之间", "--months must be from 6 to 1200")
    with record(settings) as opened:
        moved = opened.archive(before=ops.now() - options.months * MONTH)
    if moved is None:
        print(say("nothing", language, months=options.months))
    else:
        print(say("archived", language, first=moved.first, last=moved.last, path=moved.path))
    return GOOD


def backup(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Back everything up; 3 where something was damaged already and is in the backup as it is."""
    with record(settings) as opened:
        opened.write(_event("backup", {}))
    made = backups.make(places(settings), options.into, ops.now())
    print(say("backed_up", language, path=made.path, files=made.files, mib=made.bytes / 2**20))
    for name in made.damaged:
        print(say("damaged", language, name=name))
    return BROKEN if made.damaged else GOOD


def restore(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Bring a backup back and record that, and what the record lost by it."""
    sound = backups.check(options.path)
    if options.check:
        print(say("sound", language, at=sound.at, files=sound.files))
        return GOOD
    reached = _reached(settings)
    aside = backups.restore(options.path, places(settings), ops.now(), replace=options.replace)
    with record(settings) as opened:
        kept_to = opened.restored(lost_to=reached) - 1
        opened.write(_event("restore", {"at": sound.at}))
    print(say("restored", language, at=sound.at))
    for path in aside:
        print(say("aside", language, path=path))
    if reached > kept_to:
        print(say("lost", language, first=kept_to + 1, last=reached))
    return GOOD


def _reached(settings: Settings) -> int:
    """Give how far the record that is about to be replaced had come, as far as it can still be read.

    A newer program may have changed the schema around it: that is what a restore is for.
    """
    path = ops.parse(places(settings).ops_url)
    if path.get_backend_name() == "sqlite" and not Path(str(path.database)).exists():
        return 0
    try:
        with record(settings, as_it_is=True) as opened:
            return opened.reached()
    except OpsDown:
        return 0


def _event(action: str, detail: dict[str, object]) -> Event:
    return Event(action=action, subject=f"console:{getpass.getuser()}", role="system", via="console", detail=detail)
