"""No personal data in the record: told by arithmetic, so that the codes the record is full of pass."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import recording
from tests.recording import event
from twin.audit import personal
from twin.errors import BadRequest

SHAPES = st.sampled_from(["{}", "身份证 {}", "<{}>", "{},", "tel:{}", "为{}的地块"])


def id_card(area: int, born: date, order: int, end: str = "") -> str:
    body = f"{area:06d}{born:%Y%m%d}{order:03d}"
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body))
    return body + (end or "X" * ((12 - total % 11) % 11 == 10) or str((12 - total % 11) % 11))


def luhn(body: str) -> str:
    digits = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(body))]
    return body + str(-sum(d - 9 * (d > 9) for d in digits) % 10)


BORN = st.dates(date(1920, 1, 1), date(2025, 12, 31))
ID_CARDS = st.builds(id_card, st.integers(110000, 820000), BORN, st.integers(1, 999))
CARDS = st.builds(lambda n: luhn(f"62{n:013d}"), st.integers(0, 10**13 - 1))
PHONES = st.builds(lambda a, n: f"1{a}{n:09d}", st.integers(3, 9), st.integers(0, 10**9 - 1))


def kinds(value: object) -> set[str]:
    return {found.kind for found in personal.in_value(value)}


@given(number=ID_CARDS, shape=SHAPES)
def test_every_identity_number_is_told_wherever_it_stands(number: str, shape: str) -> None:
    assert personal.ID_CARD in kinds({"a": [{"b": shape.format(number)}]})
    assert personal.ID_CARD in kinds({shape.format(number.lower()): 1})
    assert personal.ID_CARD in kinds(f"{number[:6]} {number[6:14]} {number[14:]}")


@given(number=PHONES, shape=SHAPES)
def test_every_mobile_number_is_told_wherever_it_stands(number: str, shape: str) -> None:
    assert personal.PHONE in kinds(shape.format(number))
    assert personal.PHONE in kinds(int(number))
    assert personal.PHONE in kinds(f"+86 {number[:3]}-{number[3:7]}-{number[7:]}")
    assert personal.PHONE in kinds(number.translate({ord(str(d)): 0xFF10 + d for d in range(10)}))


@given(number=CARDS, shape=SHAPES)
def test_every_bank_card_is_told_wherever_it_stands(number: str, shape: str) -> None:
    assert personal.BANK_CARD in kinds(shape.format(number))
    assert personal.BANK_CARD in kinds(" ".join(number[i : i + 4] for i in range(0, 16, 4)))


@given(number=ID_CARDS, wrong=st.integers(1, 9))
def test_a_number_of_that_length_with_another_check_digit_passes(number: str, wrong: int) -> None:
    changed = number[:17] + str(((10 if number[17] == "X" else int(number[17])) + wrong) % 10)
    assert personal.ID_CARD not in kinds(changed) or changed == number


@pytest.mark.parametrize(
    "code",
    [
        "330521199201", "330521199201001", "ZD-0118", "parcel:ZD-0118", "3305211992010010012", "2026-11-21T23:35:37.123456Z",
        "20261121T233537.123456Z-1f3a", "1763768137123", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", "a13800138000b",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "EPSG:4549", "119.972345678,30.531234567",
    ],
)  # fmt: skip
def test_codes_of_villages_grids_parcels_runs_and_places_pass(code: str) -> None:
    assert kinds({"id": code}) == set()


def test_a_chinese_name_is_told_in_a_name_field_only() -> None:
    for key in ("name", "holder_name", "姓名", "Name"):
        assert kinds({"detail": [{key: "张三丰"}]}) == {personal.NAME}
        assert kinds({key: "阿卜杜拉·买买提"}) == {personal.NAME}
    assert kinds({"layer": "土地利用", "name": "homestead", "names": 3}) == set()


@pytest.mark.parametrize("more", [
    {"detail": {"who": [{"phone": "13800138000"}]}}, {"detail": {"n": 13800138000}}, {"detail": {"name": "李四"}},
    {"detail": {id_card(330521, date(1990, 1, 1), 12): 1}}, {"purpose": "核实 13800138000 的来电"},
])  # fmt: skip
def test_personal_data_in_detail_or_purpose_is_refused_by_place_and_never_repeated(tmp_path: Path, more: dict) -> None:
    recorded = recording.audit(tmp_path)
    with pytest.raises(BadRequest) as refused:
        recorded.write(event(1, **more))
    told = f"{refused.value} {refused.value.where}"
    assert not any(secret in told for secret in ("13800138000", "李四", "330521199001010"))
    assert next(iter(more)) in refused.value.where["field"]
    assert recorded.entries() == []


def test_personal_data_that_comes_from_outside_is_replaced_and_the_entry_stands(tmp_path: Path) -> None:
    recorded = recording.audit(tmp_path)
    number = id_card(330521, date(1990, 1, 1) + timedelta(3), 12)
    recorded.write(event(1, subject="13800138000", resource=f"person:{number}", outcome="refused"))
    recorded.write(event(2, subject="138-0013-8000\0\ud800", resource="x" * 5000))
    second, first = recorded.entries()
    assert first["resource"].startswith("person:[id_card:")
    assert first["subject"].startswith("[phone:")
    assert second["subject"].startswith(first["subject"]), "the same number has the same stand-in"
    assert len(second["resource"]) == 2000
    assert number not in str(recorded.entries())
    assert recorded.verify() == []


def test_an_event_with_too_much_detail_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="16 KiB"):
        recording.audit(tmp_path).write(event(1, detail={"rows": ["x" * 99] * 200}))
