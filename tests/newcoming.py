"""A service in the demo's own village with its real catalogue, and workbooks as clerks send them, for new sources."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from starlette.testclient import TestClient

from etl import catalog
from etl.looking import answering
from tests.matrix import people
from tests.office_town import BASE, OWN, SECRET
from twin import api, geodesy, ops, pages
from twin.model import OneMap
from twin.settings import Settings
from twin.store import Store

ROOT = Path(__file__).resolve().parents[1]
STAFF = ("data_engineer", "department_owner", "planner", "auditor")
PHONE = "1395720{:04d}"


def workbook(path: Path, *, rows: int = 14) -> Path:
    """Write a sheet with a title row, merged headings of two rows, telephones and GCJ-02 positions; two rows are bad."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["示范村充电桩台账(2025年11月)"])
    sheet.append(["编号", "名称", "负责人", None, "位置", None, "功率(kW)", "投用日期"])
    sheet.append([None, None, "姓名", "手机", "经度", "纬度", None, None])
    for one in ("A1:H1", "C2:D2", "E2:F2", "A2:A3", "B2:B3", "G2:G3", "H2:H3"):
        sheet.merge_cells(one)
    lon, lat = geodesy.wgs84_to_gcj02(np.linspace(119.958, 119.98, rows), np.linspace(30.522, 30.543, rows))
    names = [
        "王建国",
        "李秀英",
        "张伟",
        "陈明",
        "沈国良",
        "周芳",
        "吴敏",
        "徐强",
        "孙丽",
        "朱军",
        "胡燕",
        "林涛",
        "何静",
        "罗斌",
    ]
    for n in range(rows):
        place = [round(float(lon[n]), 6), round(float(lat[n]), 6)]
        sheet.append(
            [
                f"CDZ-{n + 1:03d}",
                f"{n + 1}号桩",
                names[n % 14],
                PHONE.format(n),
                *place,
                7 + n % 3 * 53.5,
                f"2025-0{n % 9 + 1}-15",
            ]
        )
    sheet.cell(row=8, column=7).value = "不详"
    sheet.cell(row=9, column=5).value = 121.5
    sheet.append(["合计", None, None, None, None, None, 100, None])
    book.save(path)
    return path


class Newtown:
    """One service over a copy of the demo's declarations; `work` is what `etl schedule` does for new sources."""

    def __init__(self, folder: Path, *, demo: bool = False) -> None:
        self.village = folder / "village"
        self.village.mkdir()
        for name in ("catalog", "codes"):
            shutil.copytree(ROOT / "data" / name, self.village / name)
        for name in ("village.toml", "grants.toml", "connections.toml"):
            shutil.copy(ROOT / "data" / name, self.village / name)
        for path in (self.village / "catalog").glob("*.toml"):
            if path.stem[:2] not in ("10", "48"):
                path.unlink()
        shutil.rmtree(self.village / "catalog" / "added", ignore_errors=True)
        self.settings = replace(
            Settings(), data=folder / "data", village=self.village, tile_cache_mb=8, demo=demo,
            **({} if demo else {"secret": SECRET, "origin": BASE}),
        )  # fmt: skip
        (folder / "data").mkdir()
        self.store = Store(self.settings.store)
        self.front = api.create(self.read(), self.store, self.settings, following=self.read)
        api.mount(self.front, pages.create(self.front.state.rooms.onemap, self.store, self.settings), pages.draw)
        accounts = self.front.state.who.accounts
        self.ops: ops.Ops = accounts.ops
        self.headers = {} if demo else {who: people.headers(accounts, who) for who in STAFF}
        self.client = TestClient(self.front, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)

    def read(self) -> OneMap:
        return catalog.join(catalog.read(self.village), THEMES, ())

    def get(self, who: str, address: str) -> Any:
        return self.client.get(address, headers=self.headers[who])

    def post(self, who: str, address: str, **fields: str) -> Any:
        shown = self.headers[who]
        kept = {k: v for k, v in shown.items() if k != "x-csrf-token"}
        data = {"csrf": shown.get("x-csrf-token", ""), **fields}
        return self.client.post(address, data=data, headers={**OWN, **kept})

    def send(self, who: str, path: Path) -> Any:
        shown = self.headers[who]
        kept = {k: v for k, v in shown.items() if k != "x-csrf-token"}
        files = {"file": (path.name, path.read_bytes(), "application/octet-stream")}
        data = {"csrf": shown.get("x-csrf-token", "")}
        return self.client.post("/data/new/file", data=data, files=files, headers={**OWN, **kept})

    def audit_actions(self) -> set[str]:
        return {e["action"] for e in self.front.state.who.audit.entries()}

    def work(self) -> None:
        while answering.answer(self.ops, self.settings, "test"):
            pass


from layers.themes import THEMES as DECLARED  # noqa: E402 - after what it stands beside
from twin.model import Theme  # noqa: E402

THEMES = tuple(Theme(id=t.id, title=t.title) for t in DECLARED)
"""The village's themes without their numbers, whose tables are not all declared here."""
