"""A person's data erased everywhere it lies, proved by a search of every file, and certified without telling of whom.

What is approved is marked first and taken out after: killed anywhere, the same call goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin import durable, ops
from twin.ops import tables
from twin.quarantine import acts
from twin.retention import applying, copies, decoded, finding, uploaded
from twin.retention.applying import Taken

if TYPE_CHECKING:
    from twin.quarantine.acts import Act
    from twin.retention.copies import Left
    from twin.retention.marks import Marks
    from twin.retention.requests import Request

FORMAT = "onemap-erasure-1"
FOLDER = "certificates"
ERASED = "erased-"
"""What the name of an account begins with, once it was erased."""
ACCOUNT = tables.account
STAYS = {
    "record": (
        "审计记录不含个人信息，只有账号编号和加密指纹，按法律至少留六个月",
        "The record holds no personal data, only ids and keyed hashes; law keeps it six months at least",
    ),
    "source": (
        "报送部门自己的登记不在本系统，须另向该部门提出；部门再报来的同一行会被挡住",
        "The departments' own registers are not here: ask them; a row they send again is held out",
    ),
    "memory": (
        "正在运行的服务最多 60 秒后放开旧文件，浏览器中已打开的页面由使用者关闭",
        "A running service lets go of replaced files 60 seconds after its next answer; open pages are in browsers",
    ),
    "disk": (
        "已删除文件的磁盘块由系统重用时覆盖；整盘加密或销毁由机房负责",
        "Blocks of deleted files are overwritten when the system uses them again; the disk is the machine room's",
    ),
    "database": (
        "业务库用 PostgreSQL 时，其旧页与日志由数据库自身回收，不在逐个文件的复查之内",
        "Where the operational store is PostgreSQL, its old pages and log are its own and were not searched",
    ),
    "pictures": (
        "照片和图片只按上传人认定，画面里的人和文字没有查；随照片上传的位置等信息在接收时已去除",
        "Photos and pictures are known by who sent them: faces and words in them were not searched",
    ),
    "outside": (
        "已导出、下载、打印或拷走的备份不在本系统控制之内",
        "What was exported, downloaded, printed or copied away is beyond this system",
    ),
}
"""What is left by law or by arithmetic, beside the copies that have a day."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What the search after erasing has seen: files, and in which a marked number still stands; the list's hash."""

    files: int
    occurrences: int
    sha256: str
    where: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where everything lies, and how long a backup is kept."""

    data: Path
    village: Path
    backups: Path | None
    backup_days: int
    store: ops.Ops | None


def apply(ground: Ground, marks: Marks, at: datetime, say: Callable[[str], None] = lambda _: None) -> list[Taken]:
    """Take marked people out of tables, quarantines, deliveries, working folders, files sent in and accounts."""
    taken = applying.apply_to_store(ground.data / "store", marks, say)
    say("raw")
    taken += copies.remove_deliveries(ground.data, marks)
    copies.sweep_stage(ground.data)
    say("uploads")
    taken += uploaded.remove(ground.data, marks, _owners(ground.store, marks))
    if ground.store is not None:
        say("account")
        taken += _accounts(ground.store, marks, at)
        taken += _decided(ground.store, marks, at)
    return taken


def _owners(store: ops.Ops | None, marks: Marks) -> set[str]:
    """Give the ids of marked accounts, and of those that were erased before: none of their files stays."""
    if store is None:
        return set()
    with store.read() as connection:
        return {r.id for r in connection.execute(ACCOUNT.select()) if r.name.startswith(ERASED) or _is_marked(r, marks)}


def _accounts(store: ops.Ops, marks: Marks, at: datetime) -> list[Taken]:
    """Shut the accounts of marked people for good: the id stays for the record, everything else goes."""
    with store.begin() as connection:
        rows = connection.execute(ACCOUNT.select()).all()
        held = [r.id for r in rows if _is_marked(r, marks)]
        for name in held:
            connection.execute(tables.session.delete().where(tables.session.c.account_id == name))
            gone = {"name": f"{ERASED}{name}", "display_name": "", "password_hash": "", "totp_secret": ""}
            gone |= {"grid": "", "department": ""}
            connection.execute(ACCOUNT.update().where(ACCOUNT.c.id == name).values(**gone, disabled_at=at))
    if held:
        ops.forget_deleted(store)
    return [Taken(where=f"account/{name}", rows=1, how="account") for name in held]


def _decided(store: ops.Ops, marks: Marks, at: datetime) -> list[Taken]:
    """Empty what was decided about a marked person's refused row: that it was decided, when and by whom stays."""

    def marked(act: Act) -> bool:
        told = (*act.changes.values(), act.on.key, act.why)
        return any(map(marks.holds, told)) or marks.holds_row(act.on.resource, act.on.key, act.changes.values())

    with store.begin() as connection:
        held = [a.id for a in acts.of(connection) if marked(a)]
        acts.empty(connection, held, at)
    if held:
        ops.forget_deleted(store)
    return [Taken(where=f"quarantine_act/{number}", rows=1, how="values") for number in held]


def _is_marked(row: Any, marks: Marks) -> bool:
    told = (row.name, row.display_name)
    return any(map(marks.holds, told)) or marks.holds_row(finding.ACCOUNT, row.id, told)


def prove(ground: Ground, marks: Marks) -> Proof:
    """Search every file again, decoded, but the copies that have a day; raises nothing, it tells."""
    left = [one.path for one in lefts(ground)]
    lines, where, unread, total = [], [], [], 0
    roots = [ground.data, *([] if ground.village.resolve().is_relative_to(ground.data.resolve()) else [ground.village])]
    for seen in decoded.search(roots, marks.holds):
        if any(seen.path.is_relative_to(p) for p in left):
            continue
        name = seen.path.as_posix()
        lines.append(f"{seen.sha256}  {name}\n")
        total += seen.found
        where += [name] if seen.found else []
        unread += [name] if seen.unread else []
    again = [f"row {t}" for t in _rows_left(ground, marks)]
    again += uploaded.left(ground.data, marks, _owners(ground.store, marks))
    digest = hashlib.sha256("".join(dict.fromkeys(lines)).encode()).hexdigest()
    return Proof(
        files=len(set(lines)),
        occurrences=total + len(again),
        sha256=digest,
        where=tuple(dict.fromkeys((*where, *again))),
        unread=tuple(dict.fromkeys(unread)),
    )


def _rows_left(ground: Ground, marks: Marks) -> list[str]:
    """Give the versions in which a marked row still stands: names are proved row by row."""
    found = []
    for name, store in applying.stores(ground.data / "store").items():
        for table in store.tables():
            found += [f"{name}/{table}/{s.version}" for s in applying.whole(store, table) if applying.holds(s, marks)]
    return found


def lefts(ground: Ground) -> list[Left]:
    """Give the copies that are not changed and the day each is removed."""
    return copies.kept(ground.data, ground.village, ground.backups, ground.backup_days)


def certify(ground: Ground, request: Request, taken: list[Taken], proof: Proof, at: datetime) -> tuple[Path, str]:
    """Write the certificate of a request, which holds no personal data; gives its file and SHA-256."""
    body: Mapping[str, Any] = {
        "format": FORMAT,
        "request": request.id,
        "asked": {"by": request.asked_by, "at": request.asked_at},
        "approved": {"by": request.approved_by, "at": request.approved_at},
        "at": at.isoformat(),
        "taken": [asdict(t) for t in taken],
        "proof": asdict(proof),
        "copies": [{"path": c.path.as_posix(), "until": c.until.date().isoformat()} for c in lefts(ground)],
        "stays": [{"what": k, "zh": zh, "en": en} for k, (zh, en) in STAYS.items()],
    }
    data = json.dumps(body, ensure_ascii=False, indent=1).encode()
    folder = ground.data / "run" / FOLDER
    durable.make_directory(folder)
    path = folder / f"{request.id}.json"
    durable.write(path, data)
    return path, hashlib.sha256(data).hexdigest()
