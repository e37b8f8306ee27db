"""How the receiving side answers for sources that people bring: it looks, tries, publishes, and says how each ended."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import catalog, run
from etl.looking import asking, declaring, landing, look, trying, values
from twin import duck, durable, ops
from twin.errors import BadRequest, OpsDown, TwinError
from twin.runs import calendar, newcomers, standing

if TYPE_CHECKING:
    from etl.catalog import Catalog
    from etl.looking.values import Look
    from twin.runs.newcomers import Newcomer
    from twin.settings import Settings

LOG = logging.getLogger("onemap.newcomers")
LOOK_SECONDS = 1.0
BROKEN = (OSError, duck.Error, pa.ArrowException, MemoryError, ValueError, KeyError)
FAILED = (
    "没有成功,请换一种方式另存后重试;管理员可在日志中看到原因",
    "It failed; save the file anew and try again. The log says why",
)


def keep(store: ops.Ops, settings: Settings, owner: str, stopping: threading.Event) -> None:
    """Answer whatever is asked until `stopping`."""
    while not stopping.wait(LOOK_SECONDS):
        try:
            while not stopping.is_set() and answer(store, settings, owner):
                pass
        except OpsDown as error:
            LOG.warning("%s", error.en)


def answer(store: ops.Ops, settings: Settings, owner: str) -> bool:
    """Do the oldest thing that is asked; gives whether there was one."""
    with store.read() as connection:
        if not newcomers.waits(connection, datetime.now(UTC)):
            return False
    with store.begin() as connection:
        taken = newcomers.claim(connection, owner, datetime.now(UTC))
    if taken is None:
        return False
    try:
        told = _STEPS[taken.state](taken, settings, store)
    except TwinError as error:
        told = {"state": _after(taken), "reason": (error.zh, error.en)}
    except BROKEN:
        LOG.exception("%s of the source %s failed", taken.state, taken.id)
        told = {"state": _after(taken), "reason": FAILED}
    state = told.pop("state")
    with store.begin() as connection:
        newcomers.done(connection, taken.id, owner, state, datetime.now(UTC), **told)
    return True


def _after(taken: Newcomer) -> str:
    """Give where a source stands once a step failed: a look is over, a preview goes back to what was answered."""
    return {"looking": "refused", "previewing": "looked", "publishing": "previewed"}[taken.state]


def _look(taken: Newcomer, settings: Settings, _store: ops.Ops) -> dict[str, Any]:
    known = catalog.read(settings.village)
    origin = taken.origin
    if origin.get("connection"):
        found = asking.at(origin["connection"], origin.get("part", ""), known, settings, key=str(origin.get("key", "")))
    else:
        path, part = _file(taken, settings), str(origin.get("part", ""))
        header = str(origin.get("header_rows", ""))
        found = look.at(path, known, part=part, name=taken.name, store=settings.store, header=header)
    return {"state": "looked", "found": found.told()}


def _preview(taken: Newcomer, settings: Settings, _store: ops.Ops) -> dict[str, Any]:
    known = catalog.read(settings.village)
    found, place, made, asked, text = _declared(taken, settings, known)
    if asked:
        told = [{"field": k, "zh": _asked(k)[0], "en": _asked(k)[1]} for k in asked]
        return {"state": "previewed", "preview": {"faults": told}, "resource": made["id"]}
    path = None if found.connection else _file(taken, settings)
    shown = trying.preview(found, path, place, made["id"], text, settings=settings)
    return {"state": "previewed", "preview": shown, "resource": made["id"]}


def _asked(name: str) -> tuple[str, str]:
    kind, _, column = name.partition(":")
    if kind == "sensitivity":
        return f"{column} 未分级:请选公开、内部、个人或敏感", f"{column} is unclassified: choose its class"
    zh, en = declaring.ASKED[kind]
    return f"待答:{zh}", f"Open: {en}"


def _publish(taken: Newcomer, settings: Settings, store: ops.Ops) -> dict[str, Any]:
    """Let a source in: its file into raw/, its declaration into the catalogue, its rows into the store."""
    known = catalog.read(settings.village)
    name = taken.resource
    if known.resource(name) is None:
        found, place, made, asked, text = _declared(taken, settings, known)
        if asked or made["id"] != name:
            raise BadRequest(
                "预览之后申报变了,请重新预览", "The declaration changed since the preview; preview it again"
            )
        if not found.connection and not (settings.raw / place).exists():
            landing.land(_file(taken, settings), settings.raw, place, found)
        landing.declare(settings.village, name, text)
        known = catalog.read(settings.village)
    resource = known.resource(name)
    if resource is None:
        raise BadRequest("申报没有写成", "The declaration was not written")
    rules = standing.Rules(zone=known.village.time_zone, calendar=calendar.read(settings.village))
    with store.begin() as connection:
        standing.declare(connection, known.whole, rules, ops.now())
    home = settings.data / "run" / "schedule" / "locks"
    durable.make_directory(home)
    with durable.lock(home / f"{name}.lock"):
        report = run.run(resource, known, settings, accept=True)
    if report.status not in ("published", "unchanged"):
        return {"state": "published", "reason": (report.reason_zh, report.reason_en)}
    folder = _folder(taken, settings)
    if folder.is_dir():
        durable.remove_tree(folder)
    return {
        "state": "published",
        "preview": {**taken.preview, "layers": list(resource.layers), "counts": report.counts},
    }


def _declared(taken: Newcomer, settings: Settings, known: Catalog) -> tuple[Look, str, dict[str, Any], list[str], str]:
    found = values.of(taken.found)
    answers = dict(taken.answers)
    if taken.resource and not answers.get("id") and known.resource(taken.resource) is None:
        answers["id"] = taken.resource
    made, _ = declaring.table(found, answers, known)
    department = str(answers.get("department", ""))
    place = landing.location(settings.village, department, made["id"], found)
    answers |= {"id": made["id"]}
    made, asked = declaring.table(found, landing.answered(found, place, answers), known)
    return found, place, made, asked, declaring.text(found, made, asked, department)


def _folder(taken: Newcomer, settings: Settings) -> Path:
    return settings.data / newcomers.FOLDER / taken.id


def _file(taken: Newcomer, settings: Settings) -> Path:
    path = _folder(taken, settings) / str(taken.origin.get("file", ""))
    if not taken.origin.get("file") or not path.is_file():
        raise BadRequest("文件已不在,请重新上传", "The file is gone; send it anew")
    return path


_STEPS = {"looking": _look, "previewing": _preview, "publishing": _publish}
