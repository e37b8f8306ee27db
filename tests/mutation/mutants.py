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
    """One fault: the line it is on and its text, what was done, in which function's body ("": none), and the module with it."""

    module: str
    line: int
    text: str
    what: str
    inside: str
    tree: ast.Module

    @property
    def named(self) -> tuple[str, str, str]:
        """Give what a fault goes by whatever else changes in its module."""
        return self.module, self.text, self.what


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Give every mutant of a module, one fault each."""
    tree = ast.parse(source)
    lines, inside = source.splitlines(), dict(_functions(tree, ""))
    left_alone = _left_alone(tree)
    nodes = [n for n in ast.walk(tree) if id(n) not in left_alone]
    order = {id(n): i for i, n in enumerate(ast.walk(tree))}
    for node in nodes:
        for what, change in _changes(node):
            fresh = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(fresh)) if i == order[id(node)])
            change(target)
            line = _line(node)
            text, where = lines[line - 1].strip(), inside.get(id(node), "")
            given = {"module": module, "line": line, "text": text, "what": what, "inside": where}
            yield Mutant(**given, tree=ast.fix_missing_locations(fresh))


def _line(node: ast.AST) -> int:
    return node.target.lineno if isinstance(node, ast.comprehension) else node.lineno  # type: ignore[attr-defined]


def _functions(node: ast.AST, within: str) -> Iterator[tuple[int, str]]:
    """Give each node of a function's body with that function's qualified name; the outermost function counts."""
    for below in ast.iter_child_nodes(node):
        if isinstance(below, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from ((id(n), f"{within}{below.name}") for statement in below.body for n in ast.walk(statement))
        elif isinstance(below, ast.ClassDef):
            yield from _functions(below, f"{within}{below.name}.")


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
        elif isinstance(node, ast.Assign) and node in tree.body and _is_type(node.value):
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


def _is_type(value: ast.expr) -> bool:
    """Say whether what is named at a module's top is a type: `tuple[…]`, `tuple[str, ...] | None`, a TypeVar."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "TypeVar"
    return isinstance(value.left if isinstance(value, ast.BinOp) else value, ast.Subscript)


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in COMPARED:
                yield f"compare {type(op).__name__}", lambda n, i=i, op=op: n.ops.__setitem__(i, COMPARED[type(op)]())
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield "and/or", lambda n: setattr(n, "op", other())
        for i in range(len(node.values)):
            yield f"drop operand {i} of {type(node.op).__name__.lower()}", lambda n, i=i: n.values.pop(i)
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield "negate condition", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    elif isinstance(node, ast.BinOp) and type(node.op) in COUNTED:
        yield "arithmetic", lambda n: setattr(n, "op", COUNTED[type(n.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "drop not", lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "drop filter", lambda n: n.ifs.clear()
    elif isinstance(node, ast.Return) and node.value is not None and not _says_no(node.value):
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


def _says_no(node: ast.AST) -> bool:
    """Say whether a value is None, False, 0 or "": to return nothing in its place is no fault."""
    return isinstance(node, ast.Constant) and not node.value
