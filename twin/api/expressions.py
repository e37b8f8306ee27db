"""MapLibre's style expressions worked out on the server, as far as layers use them; pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

Properties = Mapping[str, Any]
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SUMS: Mapping[str, Callable[[Any, Any], Any]] = {
    "-": operator.sub,
    "/": operator.truediv,
    "%": operator.mod,
    "^": operator.pow,
}


def evaluate(expression: Any, properties: Properties, zoom: float) -> Any:
    """Give the value of an expression for one feature at `zoom`; None where it is not known or cannot be worked out."""
    if not isinstance(expression, (list, tuple)):
        return expression
    if not expression or not isinstance(expression[0], str):
        return list(expression)
    name, *arguments = expression
    rule = RULES.get(name)
    if rule is None:
        return None
    try:
        return rule(arguments, properties, zoom)
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        return None


def _all(arguments: Sequence[Any], properties: Properties, zoom: float) -> list[Any]:
    return [evaluate(a, properties, zoom) for a in arguments]


def _match(arguments: Sequence[Any], properties: Properties, zoom: float) -> Any:
    value = evaluate(arguments[0], properties, zoom)
    for wanted, output in zip(arguments[1:-1:2], arguments[2:-1:2], strict=False):
        if value in wanted if isinstance(wanted, (list, tuple)) else value == wanted:
            return evaluate(output, properties, zoom)
    return evaluate(arguments[-1], properties, zoom)


def _case(arguments: Sequence[Any], properties: Properties, zoom: float) -> Any:
    for condition, output in zip(arguments[:-1:2], arguments[1:-1:2], strict=False):
        if evaluate(condition, properties, zoom):
            return evaluate(output, properties, zoom)
    return evaluate(arguments[-1], properties, zoom)


def _step(arguments: Sequence[Any], properties: Properties, zoom: float) -> Any:
    value = evaluate(arguments[0], properties, zoom)
    output = arguments[1]
    for stop, after in zip(arguments[2::2], arguments[3::2], strict=False):
        if value >= stop:
            output = after
    return evaluate(output, properties, zoom)


def _interpolate(arguments: Sequence[Any], properties: Properties, zoom: float) -> Any:
    base = arguments[0][1] if arguments[0][0] == "exponential" else 1
    value = evaluate(arguments[1], properties, zoom)
    stops = [(s, evaluate(o, properties, zoom)) for s, o in zip(arguments[2::2], arguments[3::2], strict=False)]
    if value <= stops[0][0]:
        return stops[0][1]
    for (low, before), (high, after) in pairwise(stops):
        if value < high:
            if isinstance(before, str):
                return before
            share = (
                (value - low) / (high - low) if base == 1 else (base ** (value - low) - 1) / (base ** (high - low) - 1)
            )
            return before + (after - before) * share
    return stops[-1][1]


def _compare(compare: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def rule(arguments: Sequence[Any], properties: Properties, zoom: float) -> bool:
        left, right = _all(arguments[:2], properties, zoom)
        return compare(left, right)

    return rule


def _binary(combine: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def rule(arguments: Sequence[Any], properties: Properties, zoom: float) -> Any:
        values = _all(arguments, properties, zoom)
        return combine(values[0], values[1]) if len(values) > 1 else -values[0]

    return rule


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _product(values: Sequence[Any]) -> Any:
    total = 1
    for value in values:
        total *= value
    return total


RULES: Mapping[str, Callable[[Sequence[Any], Properties, float], Any]] = {
    "literal": lambda a, _p, _z: a[0],
    "get": lambda a, p, z: p.get(evaluate(a[0], p, z)),
    "has": lambda a, p, _: a[0] in p,
    "zoom": lambda _a, _p, z: z,
    "match": _match,
    "case": _case,
    "step": _step,
    "interpolate": _interpolate,
    "coalesce": lambda a, p, z: next((v for v in _all(a, p, z) if v is not None), None),
    "to-string": lambda a, p, z: _text(evaluate(a[0], p, z)),
    "to-number": lambda a, p, z: float(evaluate(a[0], p, z) or 0),
    "to-color": lambda a, p, z: evaluate(a[0], p, z),
    "concat": lambda a, p, z: "".join(_text(v) for v in _all(a, p, z)),
    "slice": lambda a, p, z: evaluate(a[0], p, z)[slice(*a[1:3])],
    "in": lambda a, p, z: evaluate(a[0], p, z) in evaluate(a[1], p, z),
    "all": lambda a, p, z: all(_all(a, p, z)),
    "any": lambda a, p, z: any(_all(a, p, z)),
    "!": lambda a, p, z: not evaluate(a[0], p, z),
    "+": lambda a, p, z: sum(_all(a, p, z)),
    "*": lambda a, p, z: _product(_all(a, p, z)),
    **{name: _compare(c) for name, c in COMPARE.items()},
    **{name: _binary(c) for name, c in SUMS.items()},
}
"""What is understood; anything else counts as not known."""
