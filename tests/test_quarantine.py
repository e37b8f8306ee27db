"""The quarantine desk through real parts: refused, decided, received again; the ledger exact at every step."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from etl import catalog, reasons
from etl import run as one
from tests import receiving
from tests.matrix import people
from tests.office_town import BASE, OWN, SECRET
from tests.receiving import deliver, feature, square
from twin import api, pages
from twin.accounts import people as everybody
from twin.api import multipart
from twin.errors import BadRequest
from twin.model import Text, Theme
from twin.ops import now
from twin.quarantine import acts, proving, rules
from twin.runs import reading
from twin.settings import Settings
from twin.store import Serving, Store

with __import__("warnings").catch_warnings():
    __import__("warnings").simplefilter("ignore")
    from starlette.testclient import TestClient

CIVIL = """
[department]
id = "civil"
title = { zh = "民政局", en = "Civil Affairs" }
provider_code = "Y"

[[resource]]
id = "home"
code = "2"
title = { zh = "住户", en = "Homes" }
class_path = ["试验"]
abstract = { zh = "住户", en = "Homes" }
format = "CSV"
reader = "table"
kind = "point"
key = "home_id"
share_type = "unconditional"
share_condition = ""
share_method = ""
open_attr = "开放"
update_cycle = "每年"
cadence_seconds = 31536000
published = 2024-01-01
theme = "planning"
layers = []
[[resource.source]]
location = "02_civil/homes.csv"
crs = "EPSG:4490"
encoding = "utf-8"
x = "经度"
y = "纬度"
[[resource.field]]
name = "home_id"
title = { zh = "户号", en = "Home" }
type = "string"
source = "户号"
sensitivity = "public"
required = true
[[resource.field]]
name = "head_name"
title = { zh = "户主", en = "Head" }
type = "string"
source = "户主"
sensitivity = "personal"
[[resource.field]]
name = "id_card"
title = { zh = "身份证号", en = "Identity number" }
type = "string"
source = "身份证号"
sensitivity = "personal"
pattern = "@gb11643"
[[resource.field]]
name = "people_count"
title = { zh = "人口", en = "People" }
type = "integer"
source = "人口"
sensitivity = "public"
maximum = 12
"""
HOMES = (
    "户号,户主,身份证号,人口,经度,纬度",
    "H1,张三丰,330521198001010131,3,119.970,30.530",
    "H2,李四海,3.30521E+17,4,119.971,30.531",
    "H3,王五湖,330521198001010131,2,30.532,119.972",
    "H4,赵六合,330521198001010131,2,119.90,30.60",
    "H5,=钱七,330521198001010131,15,119.973,30.533",
    "合计,,,26,,",
)
CARD = "330521198001010131"
BOW = [square(9)[i] for i in (0, 2, 1, 3, 0)]


class Village:
    """A village of two departments with refused rows, its service, and everybody of the offices signed in."""

    def __init__(self, folder: Path, *, demo: bool = False) -> None:
        receiving.village(folder)
        (folder / "catalog" / "02_civil.toml").write_text(CIVIL, "utf-8")
        (folder / "grants.toml").write_bytes((Path(__file__).parents[1] / "data" / "grants.toml").read_bytes())
        self.folder = folder
        outside = {"demo": True} if demo else {"secret": SECRET, "origin": BASE, "demo": False}
        self.settings = replace(Settings(data=folder, village=folder, tile_cache_mb=8), **outside)
        self.url = ""
        self.known = catalog.read(folder)
        self.cover(DLBM="011")
        self.homes(*HOMES)
        self.receive("cover")
        self.receive("home")
        themes = (Theme(id="planning", title=Text("规划", "Planning"), indicators=()),)
        onemap = catalog.join(self.known, themes, ())
        store = Store(self.settings.store)
        self.front = api.create(onemap, store, self.settings)
        api.mount(self.front, pages.create(onemap, store, self.settings), pages.draw)
        accounts = self.front.state.who.accounts
        self.ops, self.audit = accounts.ops, self.front.state.who.audit
        if demo:
            return
        code = self.known.village.code
        with accounts.ops.begin() as connection:
            made = [
                everybody.add(
                    connection, now(), name=role, role=role, prefix=code,
                    department="civil" if role == "department_owner" else "",
                    totp_secret="sealed elsewhere" if role in everybody.TWO_FACTORS else "",
                )
                for role in ("data_engineer", "department_owner", "official", "planner")
            ]  # fmt: skip
        self.headers = {account.role: people._shown(accounts, account) for account in made}
        self.client = TestClient(self.front, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)

    def cover(self, **bad: Any) -> None:
        deliver(self.folder, [feature(0), feature(1, **bad), feature(2, BOW), *(feature(n) for n in range(3, 12))])

    def homes(self, *lines: str) -> None:
        path = self.folder / "raw" / "02_civil" / "homes.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", "utf-8")

    def receive(self, resource: str) -> Any:
        """Run one resource, and hold its ledger to account."""
        report = one.run(self.known.resource(resource), self.known, self.settings)
        n = report.counts
        assert report.status in ("published", "unchanged"), report.reason_en
        assert n["read"] == n["published"] + n["quarantined"] + n["duplicates"]
        return report

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        serving = Serving(Store(self.settings.store))
        found = serving.select(table, sorted(serving.columns(table) - {"geom"}), order_by=("id",))
        serving.close()
        return {r["id"]: r for r in found}

    def listed(self, who: str = "data_engineer", **asked: str) -> dict[str, Any]:
        return self.client.get("/api/v1/quarantine", params=asked, headers=self.headers[who]).json()

    def named(self, key: str, who: str = "data_engineer") -> dict[str, Any]:
        """Give the refused row whose first value is `key`."""
        return next(r for r in self.listed(who)["rows"] if any(v["value"] == key for v in r["values"]))

    def page(self, who: str, **asked: str) -> str:
        answer = self.client.get("/data/quarantine", params=asked, headers=self.headers[who])
        assert answer.status_code == 200
        return unescape(answer.text)

    def post(self, who: str, to: str, **fields: str) -> Any:
        shown = self.headers[who]
        kept = {k: v for k, v in shown.items() if k != "x-csrf-token"}
        data = {"csrf": shown["x-csrf-token"], "why": "核对过台账", **fields}
        return self.client.post(f"/data/quarantine/{to}", data=data, headers={**OWN, **kept})

    def send_in(self, who: str, content: bytes, **fields: str) -> Any:
        shown = self.headers[who]
        kept = {k: v for k, v in shown.items() if k != "x-csrf-token"}
        data = {"csrf": shown["x-csrf-token"], "why": "部门已改正", **fields}
        files = {"file": ("回.xlsx", content, "application/octet-stream")}
        return self.client.post("/data/quarantine/return", data=data, files=files, headers={**OWN, **kept})

    def field_of(self, row: dict[str, Any], heading: str) -> str:
        return f"value-{[v['heading'] for v in row['values']].index(heading)}"

    def outcomes(self) -> list[str]:
        found = self.client.get("/api/v1/quarantine/acts", headers=self.headers["data_engineer"]).json()
        return [a["outcome"] for a in found["acts"]]


@pytest.fixture
def village(tmp_path: Path) -> Any:
    built = Village(tmp_path)
    with built.client:
        yield built


# seeing


def test_refused_rows_are_counted_and_filtered_masked_and_on_the_map_that_agrees_with_the_list(
    village: Village,
) -> None:
    found = village.listed()
    assert found["total"] == 7
    assert found["counts"]["state"] == {"waiting": 7}
    assert found["counts"]["rule"] == {
        "code_unknown": 1, "geometry_repair_area": 1, "id_damaged": 1, "axes_swapped": 1, "outside_village": 1,
        "above_maximum": 1, "totals_row": 1,
    }  # fmt: skip
    assert village.listed(rule="axes_swapped")["total"] == 1
    swapped = village.listed(rule="axes_swapped")["rows"][0]
    assert swapped["place"]["how"] == "exchanged"
    assert swapped["place"]["lon"] == pytest.approx(119.972, abs=2e-3)
    shown = json.dumps(found, ensure_ascii=False) + village.page("data_engineer", lang="en")
    for secret in (CARD, "张三丰", "李四海", "王五湖", "钱七", "3.30521E+17"):
        assert secret not in shown
    page = village.page("data_engineer", lang="zh")
    assert len(re.findall(r"<tr [^>]*data-row=", page)) == 7
    told = re.search(r"7 行中 (\d+) 行在图上", page)
    assert told
    assert int(told.group(1)) == len(re.findall(r'class="pin ', page)) == 5


def test_a_department_sees_and_decides_about_its_own_rows_only_and_others_find_no_such_page(village: Village) -> None:
    assert {r["department"] for r in village.listed("department_owner")["rows"]} == {"civil"}
    foreign = village.listed(resource="cover", rule="code_unknown")["rows"][0]
    refused = village.post(
        "department_owner", "correct", row=foreign["row"], **{village.field_of(foreign, "DLBM"): "0101"}
    )
    assert refused.status_code == 404
    assert village.post("department_owner", "send", department="land").status_code == 404
    assert village.post("department_owner", "rerun", resource="cover").status_code == 404
    with village.ops.read() as connection:
        assert acts.of(connection) == []
    for who in ("official", "planner"):
        for address in ("/data/quarantine", "/api/v1/quarantine", "/api/v1/quarantine/acts"):
            assert village.client.get(address, headers=village.headers[who]).status_code == 404


# deciding


def test_a_corrected_row_is_published_by_the_next_run_and_says_so_and_a_withdrawn_correction_brings_it_back(
    village: Village,
) -> None:
    bad = village.listed(rule="code_unknown")["rows"][0]
    done = village.post("data_engineer", "correct", row=bad["row"], now="1", **{village.field_of(bad, "DLBM"): "0101"})
    assert (done.status_code, done.headers["location"]) == (303, "/data/quarantine?done=correct")
    with village.ops.read() as connection:
        asked = reading.requests(connection, "cover")
    assert [(q.kind, q.why) for q in asked] == [("rerun", "核对过台账")]
    entry = village.audit.entries(action="quarantine.correct")[0]
    assert (entry["resource"], json.loads(entry["detail"])["why"], json.loads(entry["detail"])["columns"]) == (
        "cover",
        "核对过台账",
        "land_class",
    )
    assert village.listed(state="corrected")["total"] == 1
    report = village.receive("cover")
    assert dict(report.counts) == {"read": 12, "published": 11, "quarantined": 1, "duplicates": 0, "repaired": 1}
    assert report.repairs == {"desk_corrected": 1}
    assert village.rows("cover")["P1"]["land_class"] == "0101"
    told = Store(village.settings.store).current("cover").manifest["desk"]
    assert [(t["row"], t["kind"], t["columns"]) for t in told] == [("2", "corrected", ["land_class"])]
    assert village.outcomes() == ["applied"]
    assert village.receive("cover").status == "unchanged"
    assert village.post("data_engineer", "withdraw", act="1").status_code == 303
    assert village.post("data_engineer", "withdraw", act="1").status_code == 400
    assert village.outcomes() == ["undoes"]
    assert village.receive("cover").counts["quarantined"] == 2
    assert village.outcomes() == ["withdrawn"]


def test_exchanged_coordinates_masked_values_and_rows_accepted_in_spite_of_a_rule_are_published(
    village: Village,
) -> None:
    rows = {r["reasons"][0]["rule"]: r for r in village.listed(resource="home")["rows"]}
    assert village.post("data_engineer", "correct", row=rows["axes_swapped"]["row"], exchange="1").status_code == 303
    card = village.field_of(rows["id_damaged"], "身份证号")
    assert village.post("data_engineer", "correct", row=rows["id_damaged"]["row"], **{card: CARD}).status_code == 303
    for rule in ("outside_village", "above_maximum"):
        assert village.post("data_engineer", "accept", row=rows[rule]["row"]).status_code == 303
    assert village.post("data_engineer", "accept", row=rows["totals_row"]["row"]).status_code == 400
    report = village.receive("home")
    assert dict(report.counts) == {"read": 6, "published": 5, "quarantined": 1, "duplicates": 0, "repaired": 4}
    published = village.rows("home")
    assert published["H2"]["id_card"] == CARD
    assert published["H5"]["people_count"] == 15
    assert set(village.outcomes()) == {"applied"}
    assert set(report.repairs.items()) == {("desk_corrected", 2), ("desk_accepted", 2)}


def test_a_correction_whose_row_comes_otherwise_is_told_as_superseded_and_overwrites_nothing(village: Village) -> None:
    bad = village.listed(rule="code_unknown")["rows"][0]
    village.post("data_engineer", "correct", row=bad["row"], **{village.field_of(bad, "DLBM"): "0101"})
    village.cover(DLBM="012")
    assert village.receive("cover").counts["quarantined"] == 2
    assert village.outcomes() == ["superseded"]
    assert village.listed(rule="code_unknown")["rows"][0]["state"] == "waiting"
    village.cover(TBBH="P99")
    assert village.receive("cover").counts["published"] == 11
    assert village.outcomes() == ["gone"]
    assert village.rows("cover")["P99"]["land_class"] == "0101"


def test_what_does_not_fit_the_declaration_or_is_forged_is_refused_and_nothing_is_written(village: Village) -> None:
    bad = village.listed(rule="code_unknown")["rows"][0]
    field = village.field_of(bad, "DLBM")
    for value in ("0999", "nonsense", "x" * 2500, "01\x0001"):
        assert village.post("data_engineer", "correct", row=bad["row"], **{field: value}).status_code == 400
    assert "废止" in unescape(
        village.post("data_engineer", "correct", row=bad["row"], **{field: "0999"}, **{"back-row": bad["row"]}).text
    )
    for forged in (
        {"row": "x" * 20, field: "0101"}, {"row": "", field: "0101"}, {"row": bad["row"], "exchange": "1"},
        {"row": bad["row"], "value-99": "x"}, {"row": bad["row"], field: "0101", "why": " "},
    ):  # fmt: skip
        assert village.post("data_engineer", "correct", **forged).status_code in (400, 404)
    for number in ("", "-1", "999", "1 OR 1=1", "٣"):
        assert village.post("data_engineer", "withdraw", act=number).status_code == 404
    assert village.post("data_engineer", "correct", row=bad["row"], csrf="x", **{field: "0101"}).status_code == 403
    with village.ops.read() as connection:
        assert acts.of(connection) == []


# the workbook


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_goes_to_its_department_inert_and_masked_and_comes_back_as_corrections(village: Village) -> None:
    sent = village.post("department_owner", "send", department="civil")
    assert sent.headers["content-type"].startswith("application/vnd.openxmlformats")
    book = opened(sent.content)
    sheet = book.worksheets[1]
    texts = [str(c.value) for ws in book for row in ws.iter_rows() for c in row if c.value is not None]
    assert not any(secret in " ".join(texts) for secret in (CARD, "李四海", "钱七", "3.30521E+17"))
    assert all(c.data_type != "f" for ws in book for row in ws.iter_rows() for c in row)
    assert {r["state"] for r in village.listed(department="civil")["rows"]} == {"sent"}
    head = [c.value for c in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        if row[2].value == "3":
            row[head.index("身份证号")].value = CARD
        if row[2].value == "6":
            row[head.index("人口")].value = 5
    assert village.send_in("department_owner", saved(book), now="1").headers["location"].endswith("done=return")
    states = {r["reasons"][0]["rule"]: r["state"] for r in village.listed(department="civil")["rows"]}
    assert (states["id_damaged"], states["above_maximum"], states["axes_swapped"]) == ("returned", "returned", "sent")
    assert village.receive("home").counts["published"] == 3
    assert village.rows("home")["H5"]["people_count"] == 5


def test_a_returned_workbook_with_a_stranger_in_it_is_refused_whole_and_by_name(village: Village) -> None:
    book = opened(village.post("department_owner", "send", department="civil").content)
    sheet = book.worksheets[1]
    head = [c.value for c in sheet[1]]
    good = sheet.cell(3, head.index("人口") + 1).value
    wrong = {
        "行标识": lambda: sheet.cell(3, 1, "abcdefghij" * 2), "不符": lambda: sheet.cell(3, 3, "99"),
        "别的列": lambda: sheet.cell(1, len(head) + 1, "别的列"), "表头": lambda: sheet.cell(1, 1, "id"),
        "整数": lambda: sheet.cell(3, head.index("人口") + 1, "很多"),
    }  # fmt: skip
    for word, spoil in wrong.items():
        book = opened(saved(opened(village.post("department_owner", "send", department="civil").content)))
        sheet = book.worksheets[1]
        spoil()
        answer = village.send_in("department_owner", saved(book))
        assert (answer.status_code, word in unescape(answer.text)) == (400, True), word
    for content in (b"", b"PK\x03\x04 no", b"<svg/>"):
        assert village.send_in("department_owner", content).status_code in (400, 415)
    unchanged = village.send_in(
        "department_owner", village.post("department_owner", "send", department="civil").content
    )
    assert unchanged.status_code == 400
    assert good is not None
    assert village.client.post(
        "/data/quarantine/return", content=b"x", headers=village.headers["department_owner"]
    ).status_code in (400, 403)
    with village.ops.read() as connection:
        assert {a.kind for a in acts.of(connection)} == {"send"}


# small things


def test_every_reason_of_refusal_is_either_acceptable_or_not() -> None:
    assert set(reasons.RULES) == rules.ACCEPTABLE | rules.NEVER
    assert not rules.ACCEPTABLE & rules.NEVER
    assert all(rules.title(r).zh != r and rules.title(r).en != r for r in reasons.RULES)


@pytest.mark.parametrize(
    "body", [b"", b"--b\r\n", b"--b--", b"x--b\r\n\r\n--b--\r\n", b"--b\r\nname=x\r\n\r\nv\r\n--b--"]
)
def test_a_form_that_no_browser_sends_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        multipart.read("multipart/form-data; boundary=b", body)


def test_a_value_passes_the_desk_exactly_where_the_contract_takes_it() -> None:
    known = proving.is_id_card
    assert known(CARD)
    assert not known(CARD[:-1] + ("1" if CARD[-1] != "1" else "2"))
