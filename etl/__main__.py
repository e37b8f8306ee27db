"""`python -m etl …`: build the demo, prove the catalogue, receive deliveries, and show what became of them."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from twin import policy
from twin import settings as setting
from twin.errors import TwinError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.commands import Command
    from etl.words import Language
    from twin.settings import Settings

FAILED = 1
Room = Callable[[str, str, str, "Command"], argparse.ArgumentParser]
"""Adds a command: its name, its help in Chinese and in English, what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code: 0 all good, 3 some deliveries not published, 1 failure."""
    options = parser().parse_args(arguments)
    language = cast("Language", options.lang)
    try:
        settings = setting.read()
        return options.command(options, settings, language)
    except TwinError as error:
        print(error.zh if language == "zh" else error.en, file=sys.stderr)
        return FAILED
    except (BrokenPipeError, KeyboardInterrupt):
        return FAILED


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m etl", description="接收部门数据 · receive the departments' data")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lang", choices=["zh", "en"], default="zh", help="语言 · language of what is printed")
    rooms = top.add_subparsers(required=True, metavar="COMMAND")

    def room(name: str, zh: str, en: str, command: Command) -> argparse.ArgumentParser:
        made = rooms.add_parser(name, parents=[common], help=f"{zh} · {en}", description=f"{zh} · {en}")
        made.set_defaults(command=command)
        return made

    for add in (_declared, _new, _received, _apart, _versions, _scheduled, _told):
        add(room)
    return top


def _later(module: str, name: str) -> Command:
    """Give the command `name` of `module`, which is loaded when it is run: what one command needs costs no other."""

    def command(options: argparse.Namespace, settings: Settings, language: Language) -> int:
        return getattr(importlib.import_module(module), name)(options, settings, language)

    return command


def _declared(room: Room) -> None:
    """Add what is done with the declarations."""
    demo = room("demo", "生成示例村的部门文件", "write the demo departments' files", _later("etl.commands", "demo"))
    demo.add_argument("--seed", type=int, default=330521, help="种子 · seed")
    demo.add_argument(
        "--villages", type=int, default=0, help="生成整县(村数) · a county of so many villages, for benchmarks"
    )
    demo.add_argument("--apart", action="store_true", help="每村一个文件 · one delivery for each village of a county")
    demo.add_argument("--out", default="", help="写到哪个文件夹(默认 raw) · folder to write to")
    demo.add_argument("--serve", action="store_true", help="扮演各部门的服务 · play the departments' servers")
    demo.add_argument("--port", type=int, default=8300, help="服务端口 · port of the servers")
    demo.add_argument(
        "--postgis", default="", help="装入数据的 PostGIS 地址 · PostGIS to be filled: postgresql://user@host/db"
    )
    demo.add_argument("--mysql", default="", help="装入数据的 MySQL 地址 · MySQL or MariaDB: mysql://user@host/db")
    room("check", "检查申报目录", "prove the declarations", _later("etl.commands", "check"))
    catalogue = _later("etl.cataloguing.command", "catalogue")
    listed = room("catalog", "目录统计、导出与导入", "count, export and import the catalogue", catalogue)
    listed.add_argument("what", choices=["matrix", "export", "import"])
    listed.add_argument("file", nargs="?", default="", metavar="FILE.xlsx")
    listed.add_argument("--replace", action="store_true", help="允许改写已有申报 · let it change what is declared")


def _new(room: Room) -> None:
    """Add looking at a source that nobody has declared."""
    look = _later("etl.looking.command", "new")
    new = room("new", "看一个新文件、表或服务,写出申报", "look at a source and write its declaration", look)
    new.add_argument("source", metavar="PATH|CONNECTION:PART")
    new.add_argument("--part", default="", help="图层或工作表 · layer or sheet")
    new.add_argument("--write", action="store_true", help="写入目录,待答的留空 · write it, open questions and all")
    for name, zh, en in (
        ("department", "提供部门", "who provides it"),
        ("id", "资源标识", "the resource's id"),
        ("title-zh", "名称", "its name in Chinese"),
        ("title-en", "英文名称", "its name in English"),
        ("theme", "专题", "its theme"),
        ("share-type", "共享类型", "unconditional, conditional or none"),
        ("open-attr", "开放属性", "开放, 依申请开放 or 不开放"),
        ("update-cycle", "更新周期", "such as 每月"),
        ("key", "主键列", "the column that names a row"),
        ("crs", "坐标系", "its coordinate system"),
    ):
        new.add_argument(f"--{name}", default="", help=f"{zh} · {en}")


def _received(room: Room) -> None:
    """Add what is done with deliveries."""
    run = room("run", "接收并发布", "receive and publish", _later("etl.commands", "run"))
    run.add_argument("resources", nargs="*", metavar="RESOURCE")
    run.add_argument("--all", action="store_true", help="全部资源 · every resource")
    run.add_argument("--accept", action="store_true", help="发布被暂缓的 · publish what a gate would hold")
    run.add_argument("--force", action="store_true", help="未变化的也重新接收 · receive again what has not changed")
    approve = room("approve", "批准发布待批的数据", "publish what a gate held", _later("etl.approval", "approve"))
    approve.add_argument("resource", metavar="RESOURCE")
    approve.add_argument("--reason", required=True, help="为何批准 · why")
    approve.add_argument("--by", default="", help="谁(默认当前系统用户) · who, the machine's user by default")
    room("status", "各资源的新鲜度", "how fresh each resource is", _later("etl.commands", "status"))
    quarantine = room("quarantine", "查看隔离的行", "show quarantined rows", _later("etl.commands", "quarantine"))
    quarantine.add_argument("resource", nargs="?", default="", metavar="RESOURCE")
    quarantine.add_argument("--limit", type=int, default=20, help="最多显示行数 · rows shown a resource")


def _apart(room: Room) -> None:
    """Add what is done with a county's tables, cut by administrative code."""
    county = _later("etl.scale.command", "county")
    made = room("county", "按行政区划分区接收", "receive a county's table cut by administrative code", county)
    made.add_argument("what", choices=["run", "show", "verify", "scheduler", "worker"])
    made.add_argument("table", nargs="?", default="", metavar="TABLE")
    made.add_argument("--deliveries", default="", help="报送所在:文件夹或 连接:前缀 · folder or connection:prefix")
    made.add_argument("--out", default="", help="分区所在:文件夹或 连接:前缀 · folder or connection:prefix")
    made.add_argument("--on", default="here", help="here、pool:进程数、tls://调度器 · pool:<n> or tls://<scheduler>")
    made.add_argument("--accept", action="store_true", help="发布被暂缓的 · publish what a gate would hold")
    made.add_argument("--tls", default="", help="ca.pem、cert.pem、key.pem 所在文件夹 · folder of the certificates")
    made.add_argument("--scheduler", default="", help="调度器地址 · the scheduler's address")
    made.add_argument("--listen", default="", help="监听地址,如 tls://10.0.0.2:8787 · address to be heard on")
    made.add_argument("--memory", default="1GiB", help="每个工作进程的内存上限 · memory of one worker")


def _scheduled(room: Room) -> None:
    """Add what is done by the clock."""
    schedule = room("schedule", "按周期接收", "receive by schedule", _later("etl.schedule.command", "schedule"))
    schedule.add_argument("what", nargs="?", choices=["run", "worker", "status"], default="run")
    schedule.add_argument("--workers", type=int, default=2, help="进程数 · processes")
    schedule.add_argument("--beside", action="store_true", help="随页面开始和结束 · begin and end with the page")
    schedule.add_argument("--once", action="store_true", help="做完到期的即结束 · end when nothing is due")


def _told(room: Room) -> None:
    """Add what is told of what was published."""
    report = room("report", "填报表", "fill a report from what is published", _later("etl.reporting", "report"))
    report.add_argument("name", nargs="?", default="", metavar="NAME")
    report.add_argument("--period", default="", help="期间,如 2025、2025-10 · such as 2025 or 2025-10")
    report.add_argument("--out", default="out", help="写到哪个文件夹 · folder to write to")
    report.add_argument("--role", default="data_engineer", choices=policy.ROLES, help="身份 · filled for which role")
    report.add_argument("--department", default="", help="部门数据主管的部门 · a department owner's department")
    check_plan = _later("etl.plan_check", "check_plan")
    plan = room("check-plan", "村庄规划质检", "check the village plan by its rule set", check_plan)
    plan.add_argument("--out", default="out", help="写到哪个文件夹 · folder to write to")
    plan.add_argument("--force", action="store_true", help="未变化也重查 · check again what has not changed")
    room("verify", "核对已发布文件", "hash every published file again", _later("etl.commands", "verify"))


def _versions(room: Room) -> None:
    """Add what is done with the versions of a table."""
    rollback = room("rollback", "退回上一版本", "return to the version before", _later("etl.versions", "rollback"))
    rollback.add_argument("table", metavar="TABLE")
    rollback.add_argument(
        "--to", default="", metavar="VERSION", help="退回到哪个版本(默认上一版) · the version before by default"
    )
    rollback.add_argument("--reason", default="", help="为何退回 · why")
    rollback.add_argument("--by", default="", help="谁(默认当前系统用户) · who, the machine's user by default")
    diff = room("diff", "比较两个版本", "compare two versions", _later("etl.versions", "diff"))
    diff.add_argument("table", metavar="TABLE")
    diff.add_argument("--from", dest="before", default="", help="版本名(默认前一版) · version, else the one before")
    diff.add_argument("--to", dest="after", default="", help="版本名(默认当前) · version, else the current one")
    diff.add_argument("--limit", type=int, default=20, help="最多显示行数 · rows shown")
    gc = room(
        "gc",
        "按保留规则清理旧版本",
        "let superseded versions go by the rules of retention",
        _later("etl.versions", "gc"),
    )
    gc.add_argument("tables", nargs="*", metavar="TABLE")
    gc.add_argument("--do", action="store_true", help="执行(否则只列出) · do so, else only list")


if __name__ == "__main__":
    sys.exit(main())
