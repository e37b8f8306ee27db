"""Every small fault a module can be given: comparisons, connectives, conditions, constants, sums, returns, statements.

Left alone: annotations, docstrings, imports, and sentences for people (strings with a space or Chinese in them).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COUNTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault: the line it is on, what was done, and the module with it."""

    line: int
    what: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Give every mutant of a module, one fault each."""
    tree = ast.parse(source)
    nodes = [n for n in ast.walk(tree) if id(n) not in _left_alone(tree)]
    order = {id(n): i for i, n in enumerate(ast.walk(tree))}
    for node in nodes:
        for what, change in _changes(node):
            fresh = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(fresh)) if i == order[id(node)])
            change(target)
            yield Mutant(line=getattr(node, "lineno", 0), what=what, tree=ast.fix_missing_locations(fresh))


def _left_alone(tree: ast.Module) -> set[int]:
    out: set[int] = set()
    for node in ast.walk(tree):
        skipped: list[ast.AST] = []
        if isinstance(node, (ast.Import, ast.ImportFrom)) or (
            isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        ):
            skipped = [node]
        elif isinstance(node, ast.AnnAssign):
            skipped = [node.annotation]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript) and node in tree.body:
            skipped = [node]  # a type alias
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "TypeVar":
            skipped = [node]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            skipped = [a.annotation for a in (*node.args.args, *node.args.kwonlyargs) if a.annotation]
            skipped += [*([node.returns] if node.returns else []), *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            skipped = list(node.decorator_list)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped = [node]
        out |= {id(n) for s in skipped for n in ast.walk(s)}
    return out


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in COMPARED:
                yield f"compare {type(op).__name__}", lambda n, i=i, op=op: n.ops.__setitem__(i, COMPARED[type(op)]())
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield "and/or", lambda n: setattr(n, "op", other())
        for i in range(len(node.values)):
            yield f"drop operand {i}", lambda n, i=i: n.values.pop(i)
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield "negate condition", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    elif isinstance(node, ast.BinOp) and type(node.op) in COUNTED:
        yield "arithmetic", lambda n: setattr(n, "op", COUNTED[type(n.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "drop not", lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "drop filter", lambda n: n.ifs.clear()
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "return nothing", lambda n: setattr(n, "value", ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "drop call", lambda n: setattr(n, "value", ast.Constant(None))
    elif isinstance(node, ast.Constant):
        yield from _constants(node)


def _constants(node: ast.Constant) -> Iterator[tuple[str, object]]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value}", lambda n: setattr(n, "value", not value)
    elif isinstance(value, (int, float)):
        yield f"number {value}", lambda n: setattr(n, "value", value + 1)
    elif isinstance(value, str) and " " not in value and value.isascii():
        yield f"text {value!r}", lambda n: setattr(n, "value", value + "_x")


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
