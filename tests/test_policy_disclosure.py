"""Sums over people tell of no fewer than ten, however they are subtracted from one another."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from scipy.optimize import linprog

from twin.policy import small_numbers


def attacked(counts: dict, lines: list, k: int) -> list:
    """Give every set of parts whose number an attacker can work out, and which is small.

    He knows what is told, what adds up to what, that people are counted in whole numbers from 0, and nothing else. Sums
    of parts are tried one by one: the least and the most a sum can be, by linear programming, are equal or they are not.
    """
    keys = list(counts)
    index = {key: n for n, key in enumerate(keys)}
    kept = small_numbers.told(counts, lines, k)
    equal, right = [], []
    for whole, parts in lines:
        row = np.zeros(len(keys))
        row[index[whole]] = 1
        for part in parts:
            row[index[part]] -= 1
        equal.append(row)
        right.append(0.0)
    for key in kept:
        row = np.zeros(len(keys))
        row[index[key]] = 1
        equal.append(row)
        right.append(float(counts[key]))
    leaves = [key for key in keys if key not in {w for w, _ in lines}]
    broken = []
    for size in range(1, min(len(leaves), 4) + 1):
        for some in itertools.combinations(leaves, size):
            if all(key in kept for key in some):
                continue
            cost = np.zeros(len(keys))
            cost[[index[key] for key in some]] = 1
            least, most = (linprog(s * cost, A_eq=equal, b_eq=right, bounds=(0, None), method="highs") for s in (1, -1))
            if most.status == 0 and least.status == 0 and abs(least.fun + most.fun) < 1e-6 and least.fun < k - 1e-6:
                broken.append((some, round(least.fun)))
    return broken


def hierarchy(rnd: random.Random) -> tuple[dict, list]:
    """Give a village of towns of grids with the people in each, and which add up to which."""
    counts: dict = {}
    lines: list = []
    towns = [f"t{i}" for i in range(rnd.randint(1, 3))]
    for town in towns:
        grids = [f"{town}g{i}" for i in range(rnd.randint(1, 4))]
        counts.update({g: rnd.choice([0, 1, 2, 5, 9, 10, 11, 15, 40]) for g in grids})
        counts[town] = sum(counts[g] for g in grids)
        lines.append((town, grids))
    counts["village"] = sum(counts[t] for t in towns)
    return counts, [*lines, ("village", towns)]


def test_the_attack_does_find_what_plain_suppression_gives_away(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"all": 47, "a": 3, "b": 20, "c": 24}
    lines = [("all", ["a", "b", "c"])]
    assert attacked(counts, lines, 10) == []
    monkeypatch.setattr(small_numbers, "told", lambda c, _lines, k: frozenset(x for x in c if c[x] >= k))
    assert attacked(counts, lines, 10) == [(("a",), 3)]


@pytest.mark.parametrize(
    ("counts", "whole", "kept"),
    [
        ({"a": 20, "b": 30}, True, {"a", "b"}),
        ({"a": 10, "b": 30}, True, {"a", "b"}),
        ({"a": 9, "b": 30}, True, set()),
        ({"a": 9, "b": 30, "c": 40}, True, {"c"}),
        ({"a": 9, "b": 1, "c": 40}, True, {"c"}),
        ({"a": 8, "b": 1, "c": 40, "d": 50}, True, {"d"}),
        ({"a": 4, "b": 5}, False, set()),
        ({"a": 9}, False, set()),
        ({"a": 12}, True, {"a"}),
        ({}, False, set()),
        ({"a": 0, "b": 30, "c": 40}, True, {"c"}),
    ],
)
def test_groups_are_told_as_far_as_their_sum_does_not_give_a_small_one_away(
    counts: dict, whole: bool, kept: set
) -> None:
    assert small_numbers.groups(counts) == (whole, frozenset(kept))


def test_where_nothing_is_left_to_hide_the_whole_is_not_told() -> None:
    assert small_numbers.told({"w": 12, "a": 3, "b": 9}, [("w", ["a", "b"])]) == {"w"}
    assert small_numbers.told({"w": 15, "p": 15, "a": 15}, [("w", ["p"]), ("p", ["a"])]) == {"w", "p", "a"}
    assert small_numbers.told({"w": 19, "a": 10, "b": 9}, [("w", ["a", "b"])]) == {"w"}
    assert small_numbers.told({"w": 39, "t": 30, "a": 15, "b": 15, "u": 9}, [("w", ["t", "u"]), ("t", ["a", "b"])]) == {
        "w",
        "b",
    }
    town = {"w": 79, "t": 30, "a": 15, "b": 15, "u": 9, "v": 40}
    assert small_numbers.told(town, [("w", ["t", "u", "v"]), ("t", ["a", "b"])]) == {"w", "t", "a", "b"}
    assert small_numbers.told({"w": 9, "a": 9}, [("w", ["a"])]) == frozenset()
    assert small_numbers.told({"a": 3, "b": 30}) == {"b"}
    assert small_numbers.told({"a": 3, "b": 30}, k=3) == {"a", "b"}


def test_of_parts_alike_the_one_named_first_is_given_up() -> None:
    assert small_numbers.groups({"d": 20, "c": 20, "b": 1})[1] == {"c"}


@pytest.mark.parametrize("seed", range(24))
def test_no_small_number_can_be_worked_out_from_what_is_told_of_a_fixed_hierarchy(seed: int) -> None:
    counts, lines = hierarchy(random.Random(seed))
    kept = small_numbers.told(counts, lines)
    assert all(counts[key] >= 10 for key in kept)
    assert attacked(counts, lines, 10) == []
