"""A day of the data engineer through real parts: a broken source mended and rerun, a hold approved, a table rolled back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from etl import catalog
from etl.schedule import arrivals, worker
from tests import scheduling
from tests.browser.harness import Visit
from tests.browser.page_server import served_asgi
from tests.browser.test_page import axe
from tests.receiving import deliver, feature
from twin import api, pages
from twin.store import Store

Opener = Callable[..., Visit]
DATA = Path(__file__).resolve().parents[2] / "data"


class Day:
    """A village of three departments, received by a real worker, served to a browser."""

    def __init__(self, root: Path) -> None:
        self.root = root
        settings = replace(scheduling.place(root, "broken", "shrunk", "wrong"), demo=True)
        shutil.copy(DATA / "grants.toml", root / "grants.toml")
        (root / "reports").mkdir()
        for name in ("data_quality.toml", "data_quality.xlsx"):
            shutil.copy(DATA / "reports" / name, root / "reports" / name)
        self.store = Store(settings.store)
        self.worker = scheduling.hand(settings)
        self.received()
        onemap = catalog.join(catalog.read(root), (), ())
        front = api.create(onemap, self.store, settings)
        self.app = api.mount(front, pages.create(onemap, self.store, settings), pages.draw)
        self.url = ""

    def received(self) -> None:
        """Let the worker do everything that is due."""
        until = time.monotonic() + 120
        while not worker.turn(self.worker):
            assert time.monotonic() < until

    def morning(self) -> None:
        """Break one source, let one shrink, and let one deliver what nobody should have believed."""
        (self.root / "raw" / "broken" / "cover.geojson").write_text("{", "utf-8")
        deliver(self.root, [feature(0)], "shrunk/cover.geojson")
        deliver(self.root, [feature(i) for i in range(6)], "wrong/cover.geojson")
        self.received()


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    monkeypatch.setattr(arrivals, "STILL_SECONDS", 0.0)
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(worker, "FILES_SECONDS", 0.0)
    made = Day(tmp_path)
    with served_asgi(made.app) as made.url:
        yield made
    worker.part(made.worker)


def test_a_source_is_mended_a_hold_approved_a_table_rolled_back_and_a_report_taken(day: Day, visit: Opener) -> None:
    day.morning()
    seen = visit(f"{day.url}signin?next=/data", width=1366, height=768)
    page = seen.page
    page.get_by_role("button", name="数据工程师").click()
    page.wait_for_url("**/data*")
    _mended(day, page)
    _approved(day, seen)
    _rolled_back(day, seen)
    page.goto(f"{day.url}reports?name=data_quality")
    expect(page.locator("#report-print")).to_be_visible()
    assert axe(seen) == []
    with page.expect_download() as taken:
        page.locator("#report-xlsx").click()
    assert taken.value.path().read_bytes()[:2] == b"PK"


def _mended(day: Day, page: Any) -> None:
    row = page.locator("tr[data-resource=broken]")
    expect(row).to_have_class("failed")
    expect(row.locator(".why")).not_to_be_empty()
    expect(page.locator("#data-table tbody tr").first).to_have_attribute("data-resource", "broken")
    expect(page.locator(".silent")).to_have_count(0)
    deliver(day.root, [feature(i) for i in range(5)], "broken/cover.geojson")
    page.locator("#rerun-broken").click()
    expect(row.locator(".phase")).to_have_text("已排队")
    day.received()
    expect(row).to_have_class("fresh", timeout=30_000)


def _approved(day: Day, seen: Visit) -> None:
    page = seen.page
    page.locator("tr[data-resource=shrunk]").get_by_role("link", name="审批").click()
    expect(page.locator("#held .evidence")).to_contain_text("少 80%")
    expect(page.locator("#held .bars dd")).to_have_text([" 5", " 1"])
    assert axe(seen) == []
    page.locator("#decide-why").fill("已与部门核实,确实只剩一块")
    page.get_by_role("button", name="批准发布").click()
    expect(page.locator("#data-told")).to_contain_text("已批准发布")
    day.received()
    expect(page.locator("tr[data-resource=shrunk]")).to_have_class("fresh on", timeout=30_000)


def _rolled_back(day: Day, seen: Visit) -> None:
    page = seen.page
    new, old = (v.version for v in day.store.versions("wrong"))
    page.goto(f"{day.url}data?r=wrong&tab=versions")
    page.get_by_role("link", name="与当前版本比较").click()
    expect(page.locator(".state.added b")).to_have_text("1")
    expect(page.locator(".how.added")).to_have_count(1)
    assert axe(seen) == []
    page.go_back()
    page.locator(f"input[value='{old}']").check()
    page.locator("#rollback-why").fill("多出的一块不是本村的")
    page.locator("#rollback-do").click()
    expect(page.locator("#data-told")).to_contain_text("已请求退回")
    day.received()
    assert day.store.current("wrong").version == old
    assert [(g.version, g.reason) for g in day.store.removed("wrong")] == [(new, "多出的一块不是本村的")]
    page.goto(f"{day.url}data?r=wrong&tab=runs")
    expect(page.locator(".history").first).to_contain_text("多出的一块不是本村的")
    expect(page.locator(".runs > li").first).to_contain_text("已退回旧版本")
