"""Every word the command line says, in Chinese and in English."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

WORDS: dict[str, tuple[str, str]] = {
    "status.published": ("● 已发布", "● published"),
    "status.unchanged": ("● 未变化", "● unchanged"),
    "status.held": ("◆ 待批", "◆ held"),
    "status.refused": ("✖ 已拒收", "✖ refused"),
    "status.failed": ("✖ 失败", "✖ failed"),
    "status.never": ("○ 未报送", "○ not delivered"),
    "fresh": ("● 正常", "● fresh"),
    "stale": ("▲ 过期", "▲ stale"),
    "failed": ("✖ 失败", "✖ failed"),
    "held": ("◆ 待批", "◆ held"),
    "unshared": ("⊘ 不共享", "⊘ not shared"),
    "never": ("○ 从未", "○ never"),
    "head.status": ("状态", "Status"),
    "head.resource": ("资源", "Resource"),
    "head.read": ("读取", "Read"),
    "head.published": ("发布", "Published"),
    "head.quarantined": ("隔离", "Quarantined"),
    "head.duplicates": ("重复", "Duplicates"),
    "head.repaired": ("修复", "Repaired"),
    "head.seconds": ("秒", "Seconds"),
    "head.reason": ("说明", "Reason"),
    "head.age": ("内容时间", "As of"),
    "head.cadence": ("周期", "Cadence"),
    "head.rule": ("规则", "Rule"),
    "head.rows": ("行数", "Rows"),
    "head.source": ("来源与行", "Source and row"),
    "head.remedy": ("怎么办", "What to do"),
    "head.table": ("表", "Table"),
    "total": ("合计", "Total"),
    "run.done": (
        (
            "{good} 项正常,{bad} 项未发布,{never} 项未报送;"
            "读取 {read} = 发布 {published} + 隔离 {quarantined} + 重复 {duplicates}"
        ),
        (
            "{good} good, {bad} not published, {never} not delivered; "
            "read {read} = published {published} + quarantined {quarantined} + duplicates {duplicates}"
        ),
    ),
    "new.what": ("项", "Fact"),
    "new.value": ("看到的", "Found"),
    "new.sure": ("把握", "Sure"),
    "new.why": ("依据", "Why"),
    "new.column": ("交付列", "Delivered"),
    "new.name": ("列名", "Column"),
    "new.type": ("类型", "Type"),
    "new.class": ("敏感级别", "Class"),
    "new.written": (
        "已写入 {path},尚有 {count} 项待答;答完后去掉文件名中的 .draft,再 python -m etl check",
        "Written to {path}; {count} questions are open. Answer them, drop .draft from its name, run etl check",
    ),
    "run.see": (
        "隔离的行:python -m etl quarantine;暂缓的资源核实后:python -m etl run 资源 --accept",
        "Quarantined rows: python -m etl quarantine; held, once checked: python -m etl run RESOURCE --accept",
    ),
    "run.start": ("正在接收 {title}", "receiving {title}"),
    "run.rows": ("正在接收 {title}:{rows} 行", "receiving {title}: {rows} rows"),
    "run.step": ("[{done}/{all}] {status} {title} {seconds:.1f} 秒", "[{done}/{all}] {status} {title} {seconds:.1f} s"),
    "check.good": (
        "申报无误:{departments} 个部门,{resources} 项资源,{systems} 个代码表",
        "The declarations are sound: {departments} departments, {resources} resources, {systems} code lists",
    ),
    "check.bad": ("申报有 {count} 处错误", "The declarations have {count} faults"),
    "check.remedy": ("改法", "remedy"),
    "unknown": (
        "没有资源 {name};共有:{names}",
        "There is no resource {name}; there are: {names}",
    ),
    "none": ("请指明资源,或用 --all", "Name a resource, or use --all"),
    "quarantine.none": ("没有隔离的行", "No rows are quarantined"),
    "quarantine.head": (
        "{title}({id}):隔离 {rows} 行,运行 {run}",
        "{title} ({id}): {rows} rows quarantined in run {run}",
    ),
    "quarantine.more": ("……另有 {rows} 行,用 --limit 查看", "… and {rows} more; see them with --limit"),
    "quarantine.back": (
        "在原文件中改正上列行,重新放入 {raw},再运行:python -m etl run {id}",
        "Correct these rows in the delivered file, put it back under {raw}, then: python -m etl run {id}",
    ),
    "approve.none": ("{id} 没有待批的数据", "Nothing of {id} is held"),
    "approve.why": ("请用 --reason 写明为何批准(至少两个字)", "Say why with --reason (two letters or more)"),
    "approve.done": ("{id} {status} {version}", "{id} {status} {version}"),
    "rollback.done": ("{table} 已退回版本 {version}({rows} 行)", "{table} is back at version {version} ({rows} rows)"),
    "rollback.why": ("请用 --reason 写明为何退回(至少两个字)", "Say why with --reason (two letters or more)"),
    "diff.head": ("{table}:{before} → {after}", "{table}: {before} → {after}"),
    "diff.counts": (
        "新增 {added} 行,删除 {removed} 行,修改 {changed} 行",
        "{added} rows added, {removed} removed, {changed} changed",
    ),
    "diff.only": ("只有一版有的列:{columns}", "Columns that only one version has: {columns}"),
    "diff.field": ("  {field}:{rows} 行", "  {field}: {rows} rows"),
    "diff.none": ("{table} 没有更早的版本可比较", "{table} has no earlier version to compare with"),
    "diff.more": ("……另有 {rows} 行,用 --limit 查看", "… and {rows} more; see them with --limit"),
    "gc.gone": ("{table} 版本 {version}", "{table} version {version}"),
    "gc.done": ("已清理 {count} 个旧版本", "{count} superseded versions are gone"),
    "gc.dry": ("可清理 {count} 个旧版本;加 --do 执行", "{count} superseded versions could go; do so with --do"),
    "gc.read": ("{table} 的 {count} 个版本正在被读取,留待下次", "{count} versions of {table} are being read and stay"),
    "verify.good": ("{tables} 张表的所有文件与清单一致", "Every file of {tables} tables is what its manifest names"),
    "verify.bad": ("有 {count} 处损坏", "{count} damaged files"),
    "report.written": ("已写出 {title}:{path}", "{title} is written to {path}"),
    "report.owed": ("待提供的部门:{departments}", "Still owed by {departments}"),
    "plan.rule": ("规则", "Rule"),
    "plan.count": ("问题", "Faults"),
    "plan.measured": ("合计 m²", "Together, m²"),
    "plan.written": ("已写出 {path}", "Written to {path}"),
    "plan.done": (
        "必须改正 {errors} 处,请核实 {warnings} 处(plan_fault 版本 {version})",
        "{errors} must be mended, {warnings} are to be looked at (plan_fault version {version})",
    ),
    "head.department": ("部门", "Department"),
    "theme.base": ("基础", "Base"),
    "theme.planning": ("规划", "Planning"),
    "theme.business": ("产业", "Business"),
    "theme.environment": ("环境", "Environment"),
    "theme.service": ("服务", "Services"),
    "theme.governance": ("治理", "Governance"),
    "catalog.file": ("请指明工作簿,如 catalog export 目录.xlsx", "Name a workbook: catalog export catalogue.xlsx"),
    "catalog.leads": ("按牵头专题:{led}", "By the theme each department leads: {led}"),
    "catalog.exported": (
        "{departments} 个部门、{resources} 项资源已写入 {path}",
        "{departments} departments and {resources} resources are written to {path}",
    ),
    "catalog.change": (
        "{department}:新增 {added},改动 {changed},删去 {removed}",
        "{department}: {added} added, {changed} changed, {removed} removed",
    ),
    "catalog.imported": ("已导入,{count} 个部门有变化", "Imported; {count} departments changed"),
    "catalog.same": ("与现有目录相同,没有改动", "The same as what is declared; nothing was changed"),
    "demo.done": ("示例数据已写入 {path}", "The demo is written to {path}"),
    "seconds": ("{n} 秒", "{n} s"),
    "minutes": ("{n} 分钟", "{n} min"),
    "hours": ("{n} 小时", "{n} h"),
    "days": ("{n} 天", "{n} d"),
    "once": ("一次", "delivered once"),
    "stale.reason": ("应{cadence}报送,已 {age} 未更新", "due every {cadence}, last updated {age} ago"),
    "head.next": ("下次", "Next"),
    "schedule.paused": ("已暂停", "paused"),
    "schedule.running": ("正在运行 {tick}({state},第 {attempt} 次)", "{tick}: {state}, attempt {attempt}"),
    "schedule.owes": ("{department} 欠:{what}", "{department} owes: {what}"),
    "head.town": ("乡镇", "Town"),
    "head.class": ("类别", "Class"),
    "head.mu": ("亩", "Mu"),
    "county.what": (
        "请写明表、--deliveries 和 --out,如 county run 表 --deliveries 报送 --out 分区",
        "Name the table, --deliveries and --out: county run TABLE --deliveries FOLDER --out FOLDER",
    ),
    "county.step": ("[{done}/{of}] {code} {seconds:.1f} 秒", "[{done}/{of}] {code} {seconds:.1f} s"),
    "county.done": (
        "{published} 个分区已发布,{unchanged} 个未变化,{bad} 个未发布;{by} 个工作进程;索引 {index}",
        "{published} partitions published, {unchanged} unchanged, {bad} not; {by} workers; {index}",
    ),
    "county.sums": (
        "读取 {read} = 发布 {published} + 隔离 {quarantined} + 重复 {duplicates}(修复 {repaired})",
        "read {read} = published {published} + quarantined {quarantined} + duplicates {duplicates}; mended {repaired}",
    ),
    "county.whole": ("{parts} 个分区的所有文件与清单一致", "Every file of {parts} partitions is as named"),
    "crash": ("程序错误,请报告:{what}", "A fault of ours, please report it: {what}"),
}


def say(key: str, language: Language, **values: object) -> str:
    """Give the words of `key` with `values` in place."""
    zh, en = WORDS[key]
    return (zh if language == "zh" else en).format(**values)


def span(seconds: float, language: Language) -> str:
    """Give a length of time in the largest whole unit that fits."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= size:
            return say(unit, language, n=round(seconds / size))
    return say("seconds", language, n=round(seconds))
