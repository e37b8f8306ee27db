"""What a mask leaves, by what a column is declared to mean and else by the end of its name."""

from __future__ import annotations

import pytest

from twin.policy import masks


@pytest.mark.parametrize(
    ("meaning", "value", "left"),
    [
        ("name", "张三丰", "张**"), ("name", "", ""), ("phone", "13900000103", "139****0103"),
        ("phone", "+86 139-0000-0103", "139****0103"), ("phone", "1234567", "****67"), ("phone", "123456", "***"),
        ("id_card", "330521199001010103", "330***********0103"), ("id_card", " 330521900101010 ", "330***********1010"),
        ("id_card", "33052119900101010", "***"), ("bank_card", "6222 0212 3456 7890 123", "****0123"),
        ("bank_card", "622202123456", "****3456"), ("bank_card", "62220212345", "***"), ("plate", "浙E12345", "浙E****5"),
        ("plate", "浙E·12345", "浙E****5"), ("plate", "浙e1234d", "浙E****D"), ("plate", "浙E1234", "***"),
        ("plate", "E123456", "***"), ("address", "浙江省德清县示范村12号", "浙江省德清县示范村***"), ("address", "12 Hill", "***"),
        ("coordinate", "119.97312,30.53088", "119.97,30.53"), ("coordinate", "119.97312", "119.97"),
        ("coordinate", "-30.53088", "-30.53"), ("coordinate", "119.97", "***"), ("coordinate", "523311.25, 3379000.5", "***"),
        ("coordinate", "523311.2512, 3379000.5123", "***"), ("plate", "浙E·1234", "***"), ("other", "anything", "***"),
    ],
)  # fmt: skip
def test_each_meaning_keeps_what_custom_keeps(meaning: str, value: str, left: str) -> None:
    assert masks.mask("whatever", value, meaning) == left


@pytest.mark.parametrize(
    ("column", "meaning"),
    [
        ("id_card", "id_card"), ("holder_id_number", "id_card"), ("bank_card", "bank_card"), ("pension_bank_account", "bank_card"),
        ("plate", "plate"), ("car_plate_number", "plate"), ("phone", "phone"), ("worker_mobile", "phone"),
        ("telephone", "phone"), ("address", "address"), ("lon", "coordinate"), ("home_lat", "coordinate"),
        ("coordinates", "coordinate"), ("holder_name", "name"), ("contact_person", "name"), ("income", "other"),
    ],
)  # fmt: skip
def test_a_name_says_what_its_values_are_unless_the_declaration_does(column: str, meaning: str) -> None:
    assert masks.meaning_of(column) == meaning
    assert masks.meaning_of(column, "plate") == "plate"


def test_nothing_stays_nothing_and_a_token_is_the_same_for_the_same_value_only() -> None:
    assert masks.mask("holder_name", None) is None
    assert masks.token(None) is None
    assert masks.token("张三") == masks.token("张三") != masks.token("李四")
    assert masks.token("张三").startswith("t_")
    assert len(masks.token(7)) == 18
    assert masks.mask("income", 12000) == masks.HIDDEN == "***"
