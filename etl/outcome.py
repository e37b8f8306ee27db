"""What a run tells of a delivery beside its fate: the counts of its ledger, and what a person should know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl import amending, fetch, tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl import contract, staging
    from etl.tasks import Task

MOST_NAMES = 12


def facts(task: Task, delivered: Sequence[staging.Delivered], verdict: contract.Verdict) -> dict[str, Any]:
    """Give the counts, rules, repairs, dates and remarks of a judged delivery, for its report."""
    notes = [(n["zh"], n["en"]) for d in delivered for n in d.report.get("notes", ()) if isinstance(n, dict)]
    if verdict.erased or verdict.emptied:
        zh = f"含已删除个人信息的人:未收录 {verdict.erased} 行,{verdict.emptied} 行不含个人信息"
        en = (
            f"People who were erased: {verdict.erased} rows were held out, {verdict.emptied} emptied of personal values"
        )
        notes.append((zh, en))
    if task.errand.why and task.accepted:
        notes.append((f"批准发布:{task.errand.why}", f"Approved: {task.errand.why}"))
    notes += amending.note(task.amending)
    absent = fetch.absent(task.resource, task.sources)
    notes += [(f"未报送:{name}", f"Not delivered: {name}") for name in absent]
    for one in delivered:
        if one.drift.added:
            zh, en = _listed(one.drift.added, "、", "等 {} 列"), _listed(one.drift.added, ", ", ", … {} in all")
            notes.append(
                (f"{one.location} 有未申报的列,未接收:{zh}", f"{one.location} has undeclared columns, left out: {en}")
            )
    return {
        "counts": verdict.ledger(),
        "rules": verdict.rules,
        "warnings": {k: v for k, v in verdict.warnings.items() if v},
        "repairs": verdict.repairs,
        "as_of": tasks.as_of(task.sources),
        "notes": tuple(notes),
    }


def _listed(names: Sequence[str], between: str, more: str) -> str:
    """Give the first names of a list, and how many it has where it is long."""
    shown = between.join(names[:MOST_NAMES])
    return shown + (more.format(len(names)) if len(names) > MOST_NAMES else "")
