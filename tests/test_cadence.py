"""When a resource is due: crontab's fields, working days with days made up, time zones, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.running_runs import resource
from twin.errors import BadRequest, DeclarationError
from twin.model import Text
from twin.runs import cadence, cadence_words, calendar

ZONE = "Asia/Shanghai"
HERE = ZoneInfo(ZONE)
DECLARED = calendar.read(Path(__file__).resolve().parents[1] / "data")


def fires(text: str, begin: str, days: int, zone: str = ZONE) -> list[str]:
    after = datetime.fromisoformat(begin).replace(tzinfo=ZoneInfo(zone))
    found = cadence.fires(cadence.parse(text, zone), after, after + timedelta(days=days), DECLARED)
    return [f"{f.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for f in found]


def test_working_days_skip_the_festival_and_work_the_days_made_up() -> None:
    assert fires("workdays 06:30", "2025-01-24 12:00", 16) == [
        "01-26 06:30",  # a Sunday, made up
        "01-27 06:30",
        "02-05 06:30",
        "02-06 06:30",
        "02-07 06:30",
        "02-08 06:30",  # a Saturday, made up
    ]


def test_the_third_working_day_of_a_month_is_counted_after_the_holiday() -> None:
    assert fires("workday 3 09:00", "2025-09-20 00:00", 60) == ["10-11 09:00", "11-05 09:00"]
    assert fires("workday -1 17:00", "2026-09-01 00:00", 60) == ["09-30 17:00", "10-30 17:00"]


def test_a_year_that_is_not_declared_counts_monday_to_friday_and_says_so() -> None:
    assert not DECLARED.knows(date(2031, 1, 1))
    assert DECLARED.works(date(2031, 1, 1))
    assert not DECLARED.works(date(2031, 1, 4))
    assert DECLARED.knows(date(2026, 10, 1))


@pytest.mark.parametrize(("year", "off", "made_up"), [(2025, 28, 5), (2026, 33, 6)])
def test_the_published_years_are_whole(year: int, off: int, made_up: int) -> None:
    assert len([d for d in DECLARED.off if d.year == year]) == off
    assert len([d for d in DECLARED.made_up if d.year == year]) == made_up


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cron 0 6 * * 0", ["11-23 06:00", "11-30 06:00"]),  # 2025-11-23 is a Sunday
        ("cron 0 6 * * 7", ["11-23 06:00", "11-30 06:00"]),
        ("cron 0 6 * * 1", ["11-24 06:00", "12-01 06:00"]),
        ("cron 0 6 * * 5-7", ["11-22 06:00", "11-23 06:00", "11-28 06:00", "11-29 06:00", "11-30 06:00"]),
        ("cron 0 6 * * sat", ["11-22 06:00", "11-29 06:00"]),
        ("cron 0 0 29 2 *", []),
    ],
)
def test_weekdays_are_crontabs_where_sunday_is_nought_and_seven(text: str, expected: list[str]) -> None:
    assert fires(text, "2025-11-21 12:00", 11) == expected


def test_a_zone_with_summer_time_keeps_its_hour() -> None:
    assert fires("cron 30 3 * * *", "2025-03-29 00:00", 3, "Europe/Berlin") == [
        "03-29 03:30",
        "03-30 03:30",
        "03-31 03:30",
    ]


def test_parts_together_are_due_at_each_and_arrival_and_inputs_at_no_time() -> None:
    rule = cadence.parse("cron 0 6 * * *; workdays 18:00; arrival; after road bridge", ZONE)
    assert (rule.arrival, rule.inputs, rule.timed) == (True, ("road", "bridge"), True)
    assert fires(rule.text, "2025-11-21 12:00", 1) == ["11-21 18:00", "11-22 06:00"]
    assert cadence.next_fire(cadence.parse("arrival", ZONE), datetime.now(UTC)) is None


@pytest.mark.parametrize(
    "text",
    ["", "often", "cron", "cron 0 6 * *", "cron 61 6 * * *", "cron 0 6 31 2 *", "cron 0 6 1 * 1", "cron 0 6 * * 8",
     "workdays", "workdays 25:00", "workday 0 09:00", "workday 40 09:00", "workday x 09:00", "after", "arrival now",
     "cron 0 6 * * *;", "cron 0 6 * * 5-1"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_ways_to_write_it(text: str) -> None:
    with pytest.raises(BadRequest, match=r"cron 30 6|limits both"):
        cadence.parse(text, ZONE)


@given(
    seconds=st.integers(0, 10**9), name=st.text("abcdefgh_", min_size=1, max_size=20), after=st.datetimes(
        datetime(2020, 1, 1), datetime(2035, 1, 1))
)  # fmt: skip
def test_every_promise_gives_a_cadence_that_keeps_it(seconds: int, name: str, after: datetime) -> None:
    rule = cadence.parse(cadence.derived(resource(name, cadence_seconds=seconds)), ZONE)
    assert rule.arrival
    at = after.replace(tzinfo=UTC)
    fire = cadence.next_fire(rule, at, DECLARED)
    if seconds == 0:
        assert fire is None
    else:
        assert fire is not None
        assert fire > at
        gap = cadence.interval(rule, at, DECLARED)
        assert gap is not None
        assert gap.total_seconds() <= max(seconds * 1.25, 300)


def test_what_is_derived_at_night_is_spread() -> None:
    times = {cadence.derived(resource(f"r{n}")) for n in range(100)}
    assert len(times) > 60


@pytest.mark.parametrize(
    "text",
    ["[[year]]\nyear = 2025", "[[year]]\nyear = 2025\noff = [[2025-01-02, 2025-01-01]]\nmade_up = []",
     "[[year]]\nyear = 2025\noff = []\nmade_up = [2025-01-01]", "[[year"],
)  # fmt: skip
def test_a_calendar_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "calendar.toml").write_text(text)
    with pytest.raises(DeclarationError, match="calendar"):
        calendar.read(tmp_path)


def test_without_a_calendar_monday_to_friday_are_worked(tmp_path: Path) -> None:
    assert calendar.read(tmp_path) == calendar.PLAIN


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("workdays 06:30", "每个工作日 06:30", "every working day at 06:30"),
        ("workday 3 09:00", "每月第 3 个工作日 09:00", "on the 3rd working day of each month at 09:00"),
        ("workday -1 09:00", "每月最后一个工作日 09:00", "on the last working day of each month at 09:00"),
        ("cron 30 6 * * 1-5", "每周一至周五 06:30", "every day from Monday to Friday at 06:30"),
        ("cron 0 8,20 * * 7", "每周日 08:00、20:00", "every Sunday at 08:00 and 20:00"),
        ("cron 1 2 10 1,7 *", "每年 1、7 月 10 日 02:01", "each year on the 10th of Jan and Jul at 02:01"),
        ("cron */5 * * * *; arrival", "每 5 分钟;报送文件一到就接收", "every 5 minutes; whenever its files arrive"),
        ("after poor", "低保更新之后", "after Register was updated"),
        ("cron 0-30/3 8 * * *", "按定时规则 0-30/3 8 * * *(分 时 日 月 周)", None),
    ],
)
def test_a_cadence_is_said_in_words(text: str, zh: str, en: str | None) -> None:
    said = cadence_words.words(text, ZONE, {"poor": Text("低保", "Register")})
    assert said.zh == zh
    assert said.en == en or en is None


def test_every_cadence_that_is_derived_is_said_without_its_rule() -> None:
    for seconds in (0, 60, 3600, 86400, 7 * 86400, 31 * 86400, 92 * 86400, 183 * 86400, 366 * 86400):
        said = cadence_words.words(cadence.derived(resource("poor", cadence_seconds=seconds)), ZONE)
        assert "cron" not in said.zh + said.en
        assert "规则" not in said.zh
