"""A small catalogue and a run ledger made by hand, for the tests of schedules."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from twin.model import Department, Field, Resource, Source, Text
from twin.runs.standing import Rules

NOON = datetime(2025, 11, 21, 4, 0, tzinfo=UTC)
RULES = Rules(zone="Asia/Shanghai")
DAY = 86400


def resource(name: str, department: str = "land", **more: Any) -> Resource:
    values: dict[str, Any] = {
        "id": name,
        "code": "1/1",
        "title": Text(f"{name}名录", f"Register {name}"),
        "department": department,
        "class_path": ("基础",),
        "abstract": Text("", ""),
        "format": "CSV",
        "reader": "table",
        "kind": "none",
        "sources": (Source(location=f"{department}/{name}.csv"),),
        "key": "id",
        "fields": (Field(name="id", title=Text("编号", "Number"), type="string", source="BH"),),
        "share_type": "conditional",
        "share_condition": "",
        "share_method": "",
        "open_attr": "",
        "update_cycle": "每日",
        "cadence_seconds": DAY,
        "published": date(2025, 1, 1),
        "theme": "planning",
        "layers": (),
        "contact_person": "陈明亮",
        "contact_phone": "139 0000 0101",
    }
    return Resource(**{**values, **more})


def department(name: str, *resources: Resource) -> Department:
    return Department(id=name, title=Text(f"{name}局", f"{name} bureau"), provider_code="1", resources=resources)


def line(name: str, status: str, at: datetime, rows: int = 10, **more: Any) -> dict[str, Any]:
    counts = {"read": rows, "published": rows, "quarantined": 0, "duplicates": 0, "repaired": 0}
    return {
        "resource": name,
        "run": f"{at:%Y%m%dT%H%M%S}-{status}",
        "started_at": at.isoformat(),
        "finished_at": at.isoformat(),
        "status": status,
        "ledger": counts,
        "reason_zh": "" if status in ("published", "unchanged") else f"{status} 的原因",
        "reason_en": "" if status in ("published", "unchanged") else f"why {status}",
        "version": "v1",
        "as_of": None,
        **more,
    }


def write(ledger: Path, *lines: dict[str, Any]) -> Path:
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)
    return ledger
