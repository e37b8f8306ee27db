"""The invented households: names, members, resident numbers that belong to nobody, telephones that ring nowhere."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from etl.demo.frame import CLOCK, chance

if TYPE_CHECKING:
    import numpy as np

Row = dict[str, Any]
# 330599 is no county: a number that begins so, valid in form and check digit, was never issued to a person.
NOWHERE = "330599"
_SURNAMES = "张王李沈陈徐姚钱朱章费蔡潘施陆杨吴周俞许郑冯严顾邱莫"
_MALE, _FEMALE = (
    "国强建平志明伟民海根林福荣华永金水法兴良军峰涛斌杰浩宇晨轩",
    "秀英美琴玉珍凤仙丽芳雅萍月娟慧敏红霞佳怡雨婷欣悦梦琪",
)
WALKED_ADDRESS = "溪口38号"
_WALKED_AGES = [("户主", "男", 52), ("配偶", "女", 50), ("子", "男", 27), ("孙子", "男", 4), ("母亲", "女", 76)]


def check_digit(first17: str) -> str:
    """Return the check character of a resident number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(c) * (2 ** (17 - k) % 11) for k, c in enumerate(first17))
    return "10X98765432"[total % 11]


def resident_number(born: date, sequence: int) -> str:
    """Return a fictitious resident number: right in form and check digit, of a county that does not exist."""
    body = f"{NOWHERE}{born:%Y%m%d}{sequence:03d}"
    return body + check_digit(body)


def telephone(k: int) -> str:
    """Return the k-th fictitious telephone number, 1390000xxxx."""
    return f"1390000{k % 10000:04d}"


def make_households(addresses: list[tuple[str, str]], seed: int) -> list[Row]:
    """Return one household for each (household_id, address), with its members."""
    rng, rows, serial = chance(seed, "people"), [], {}
    for k, (household_id, address) in enumerate(addresses):
        rows.append(_household(k, household_id, address, rng, serial))
    return rows


def _household(k: int, household_id: str, address: str, rng: np.random.Generator, serial: dict) -> Row:
    surname = rng.choice(list(_SURNAMES))
    elders_only = rng.random() < 0.13
    ages = _ages(elders_only, rng)
    if address == WALKED_ADDRESS:
        surname, ages = "张", _WALKED_AGES
    members = [_member(surname, relation, sex, age, rng, serial) for relation, sex, age in ages]
    living = [m for m in members if m["is_resident"]] or members[:1]
    for m in living:
        m["is_resident"] = True
    head = members[0]
    return {
        "household_id": household_id,
        "head_name": head["name"],
        "id_card": head["id_card"],
        "phone": telephone(1000 + k),
        "members": members,
        "persons": len(members),
        "residents": len(living),
        "address": address,
        "elders_alone": all(m["age"] >= 65 for m in living),
        "elders": sum(m["age"] >= 60 for m in members),
        "children": sum(m["age"] < 14 for m in members),
        "group_name": f"第{k % 9 + 1}村民小组",
    }


def _ages(elders_only: bool, rng: np.random.Generator) -> list[tuple[str, str, int]]:  # noqa: FBT001
    if elders_only:
        old = int(rng.integers(66, 89))
        return [("户主", "男", old)] + ([("配偶", "女", old - int(rng.integers(0, 5)))] if rng.random() < 0.55 else [])
    head = int(rng.integers(34, 72))
    people = [("户主", "男" if rng.random() < 0.87 else "女", head), ("配偶", "女", head - int(rng.integers(-1, 5)))]
    if head > 48:
        people += [
            ("子", "男", head - 25 - int(rng.integers(0, 4))),
            ("儿媳", "女", head - 26 - int(rng.integers(0, 4))),
        ][: int(rng.integers(0, 3))]
        people += (
            [("孙" + ("子" if rng.random() < 0.5 else "女"), "男", max(1, head - 52))]
            if head > 55 and rng.random() < 0.5
            else []
        )
    else:
        people += [("子", "男", max(1, head - 27)), ("女", "女", max(1, head - 30))][: int(rng.integers(0, 3))]
    if head < 62 and rng.random() < 0.34:
        people.append(("母亲" if rng.random() < 0.6 else "父亲", "女", head + int(rng.integers(22, 29))))
    return people[:7]


def _member(surname: str, relation: str, sex: str, age: int, rng: np.random.Generator, serial: dict) -> Row:
    sex = (
        "女"
        if relation in ("配偶", "儿媳", "母亲", "女", "孙女")
        else "男"
        if relation in ("子", "父亲", "孙子")
        else sex
    )
    family = surname if relation not in ("配偶", "儿媳", "母亲") else rng.choice(list(_SURNAMES))
    given = "".join(
        rng.choice(list(_MALE if sex == "男" else _FEMALE), size=int(rng.choice([1, 2], p=[0.22, 0.78])), replace=False)
    )
    born = CLOCK.date().replace(day=1) - timedelta(days=int(age * 365.25 + rng.integers(0, 360)))
    serial[born] = serial.get(born, 0) + 1
    sequence = 2 * serial[born] - (1 if sex == "男" else 0)
    away = relation in ("子", "儿媳", "女") and rng.random() < 0.5 and age > 18
    return {
        "name": str(family) + given,
        "relation": relation,
        "sex": sex,
        "age": (CLOCK.date() - born).days // 365,
        "birth_date": born,
        "id_card": resident_number(born, sequence),
        "is_resident": not away,
    }
