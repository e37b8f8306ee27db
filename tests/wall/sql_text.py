"""Whether a query is built from text: every string that reaches a database is followed back to where it was written.

Trusted are strings in the source, numbers, and what has passed the doors `duck.quote` and `duck.literal`; texts put
together of these only; and names, parameters, attributes and answers of functions whose every origin is trusted. What
is left (a row's value, a request's, a file's) is a fault where it comes to `execute` or its kin.
"""

# ruff: noqa: C419, N802, N815 - every origin is gathered, not the first; a rule is named as its node
from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.wall.sql_sources import Function, Sources

DOORS = frozenset({"quote", "literal"})
NUMBERS = frozenset(
    {
        "int",
        "float",
        "len",
        "round",
        "abs",
        "bool",
        "ord",
        "id",
        "sum",
        "ceil",
        "floor",
        "radians",
        "cos",
        "range",
        "startswith",
        "endswith",
    }
)
CARRY = frozenset(
    {"list", "tuple", "sorted", "set", "dict", "zip", "enumerate", "reversed", "max", "min", "next", "iter", "fromkeys",
     "frozenset", "pairwise", "chain", "str", "map"},
)  # fmt: skip
"""Functions whose answer is made of what they are given."""
METHODS = frozenset(
    {"join", "format", "strip", "lstrip", "rstrip", "lower", "upper", "replace", "removeprefix", "removesuffix", "get",
     "items", "values", "keys", "partition", "split", "pop", "copy", "bit_length"},
)  # fmt: skip
"""Methods whose answer is made of their object and what they are given."""
BUILT = frozenset(
    {"text", "select", "insert", "update", "delete", "func", "and_", "or_", "not_", "CreateTable", "DropTable"}
)
"""Where a statement of SQLAlchemy begins; its values are always bound."""
STATEMENTS = frozenset(
    {"where", "values", "returning", "join_from", "order_by", "limit", "offset", "select_from", "with_for_update", "execution_options", "join",
     "group_by", "outerjoin", "select", "insert", "update", "delete", "label", "desc", "asc", "having", "distinct", "columns"},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, order=True)
class Fault:
    """A text of unknown origin that comes to a database: where, in which function, and the expression it comes from."""

    path: str
    function: str
    origin: str
    line: int = field(compare=False)


class Judge:
    """Follow what reaches the sinks; a cycle is trusted unless something else in it is not."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._known: dict[tuple[int, str], bool] = {}
        self.origins: list[tuple[Function, ast.AST]] = []

    def faults(self) -> list[Fault]:
        """Give every sink's texts of unknown origin, each origin once."""
        found: set[Fault] = set()
        for here, call, text in self._sources.sinks:
            self._known, self.origins = {}, []
            if self._statement(here, text) or self._trusted(here, text):
                continue
            for function, node in self.origins or [(here, text)]:
                line = getattr(node, "lineno", call.lineno)
                found.add(
                    Fault(path=function.module.path, function=function.name, origin=ast.unparse(node)[:120], line=line)
                )
        return sorted(found)

    def _bad(self, here: Function, node: ast.AST) -> bool:
        self.origins.append((here, node))
        return False

    def _all(self, here: Function, nodes: Iterable[ast.AST | None]) -> bool:
        return all([self._trusted(here, n) for n in nodes if n is not None])

    def _statement(self, here: Function, node: ast.AST) -> bool:
        """Say whether an expression is a statement built by SQLAlchemy, or a name for one."""
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in BUILT and not isinstance(node.func, ast.Attribute):
                return True
            if isinstance(node.func, ast.Attribute):
                owner = node.func.value
                of_library = isinstance(owner, ast.Name) and owner.id in ("ops", "sqlalchemy", "sa") and name in BUILT
                of_table = name in ("insert", "select", "update", "delete") and not node.args
                return of_library or of_table or (name in STATEMENTS and self._statement(here, owner))
            made = self._meant(here, node)
            return bool(made) and all(f.answers and all(self._statement(f, a) for a in f.answers) for f in made)
        if isinstance(node, ast.Name):
            given = here.given.get(node.id, [])
            if not given and here.outer is not None:
                return self._statement(here.outer, node)
            first = [g for g in given if not _names(g, node.id)]
            grown = all(_grown(g, node.id) for g in given if g not in first)
            own = node.id not in here.parameters
            return bool(first) and own and grown and all(self._statement(here, g) for g in first)
        return isinstance(node, ast.IfExp) and self._statement(here, node.body) and self._statement(here, node.orelse)

    def _trusted(self, here: Function, node: ast.AST) -> bool:
        if isinstance(node, (ast.Constant, ast.Compare, ast.UnaryOp)):
            return True
        rule = getattr(self, f"_of_{type(node).__name__}", None)
        return rule(here, node) if rule else self._bad(here, node)

    def _of_Name(self, here: Function, node: ast.Name) -> bool:
        key = (id(here), node.id)
        if key not in self._known:
            self._known[key] = True
            self._known[key] = self._name(here, node)
        return self._known[key]

    def _name(self, here: Function, node: ast.Name) -> bool:
        name = node.id
        given = here.given.get(name, [])
        if name in ("str", "repr", "int", "float"):
            return True  # handed to `map`; what is mapped is followed beside it
        if name in here.parameters:
            return all([self._parameter(here, name), self._all(here, given)])
        if given:
            return self._all(here, given)
        if here.outer is not None:
            return self._of_Name(here.outer, node)
        if name in here.module.imported and name.isupper():
            return True
        return self._bad(here, node)

    def _parameter(self, here: Function, name: str) -> bool:
        """Follow a parameter to every call of a function of this name."""
        calls = [(w, c) for w, c in self._sources.calls.get(here.name, []) if here in self._meant(w, c)]
        if not calls:
            return self._bad(here, ast.Name(id=name))
        place = here.parameters.index(name) - (1 if here.is_method else 0)
        return all([self._argument(where, call, name, place, here) for where, call in calls])

    def _argument(self, where: Function, call: ast.Call, name: str, place: int, of: Function) -> bool:
        value = next((k.value for k in call.keywords if k.arg == name), None)
        if (
            value is None
            and place < len(call.args)
            and not any(isinstance(a, ast.Starred) for a in call.args[: place + 1])
        ):
            value = call.args[place]
        if value is None:
            spread = [k.value for k in call.keywords if k.arg is None] + [
                a for a in call.args if isinstance(a, ast.Starred)
            ]
            if name in of.defaults:
                return True
            return self._all(where, spread) if spread else True  # another function of the same name
        return self._trusted(where, value)

    def _of_Attribute(self, here: Function, node: ast.Attribute) -> bool:
        if node.attr.isupper() or node.attr in DOORS or (isinstance(node.value, ast.Name) and node.value.id == "math"):
            return True
        key = (id(here.module), node.attr)
        if key not in self._known:
            self._known[key] = True
            everywhere = self._sources.attributes.get(node.attr, [])
            near = [(w, v) for w, v in everywhere if w.module.path == here.module.path]
            alone = len({w.module.path for w, _ in everywhere}) == 1
            origins = near or (everywhere if alone else [])
            self._known[key] = all([self._trusted(w, v) for w, v in origins]) if origins else self._bad(here, node)
        return self._known[key]

    def _of_JoinedStr(self, here: Function, node: ast.JoinedStr) -> bool:
        return self._all(here, node.values)

    def _of_FormattedValue(self, here: Function, node: ast.FormattedValue) -> bool:
        spec = ast.unparse(node.format_spec)[2:-1] if node.format_spec else ""
        return True if spec[-1:] in ("d", "x", "e") else self._trusted(here, node.value)

    def _of_BinOp(self, here: Function, node: ast.BinOp) -> bool:
        return self._all(here, (node.left, node.right))

    def _of_BoolOp(self, here: Function, node: ast.BoolOp) -> bool:
        return self._all(here, node.values)

    def _of_IfExp(self, here: Function, node: ast.IfExp) -> bool:
        return self._all(here, (node.body, node.orelse))

    def _of_Subscript(self, here: Function, node: ast.Subscript) -> bool:
        if isinstance(node.value, ast.Call) and isinstance(node.slice, ast.Constant):
            made = self._meant(here, node.value)
            parts = [(f, _part(a, node.slice.value)) for f in made for a in f.answers]
            if parts and all(part is not None for _, part in parts):
                return all([self._trusted(f, part) for f, part in parts if part is not None])
        return self._trusted(here, node.value)

    def _of_Starred(self, here: Function, node: ast.Starred) -> bool:
        return self._trusted(here, node.value)

    def _of_NamedExpr(self, here: Function, node: ast.NamedExpr) -> bool:
        return self._trusted(here, node.value)

    def _of_Tuple(self, here: Function, node: ast.Tuple) -> bool:
        return self._all(here, node.elts)

    _of_List = _of_Set = _of_Tuple

    def _of_Dict(self, here: Function, node: ast.Dict) -> bool:
        return self._all(here, [*node.keys, *node.values])

    def _of_GeneratorExp(self, here: Function, node: ast.GeneratorExp) -> bool:
        return self._trusted(here, node.elt)

    _of_ListComp = _of_SetComp = _of_GeneratorExp

    def _of_DictComp(self, here: Function, node: ast.DictComp) -> bool:
        return self._all(here, (node.key, node.value))

    def _of_Call(self, here: Function, node: ast.Call) -> bool:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in DOORS | NUMBERS:
            return True
        given = [*node.args, *(k.value for k in node.keywords)]
        if isinstance(node.func, ast.Attribute) and name == "get":
            return self._all(here, [node.func.value, *given[1:]])
        if isinstance(node.func, ast.Attribute) and name in METHODS:
            return self._all(here, [node.func.value, *given])
        if name in CARRY:
            return self._all(here, given)
        made = self._meant(here, node)
        if name in self._sources.fields:
            return True  # an object; what stands in its fields is followed when they are read
        if not made:
            return self._bad(here, node)
        return all([self._answered(f) for f in made])

    def _meant(self, here: Function, node: ast.Call) -> list[Function]:
        """Give the functions a call can mean: by what is imported, of its own module, or the only one of its name."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        named = self._sources.functions.get(name, [])
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if owner is None:
            there = here.module.imported.get(name)
        elif isinstance(owner, ast.Name) and owner.id in here.module.imported:
            there = f"{here.module.imported[owner.id]}.{owner.id}"
        else:
            there = None if isinstance(owner, ast.Name) and owner.id in ("self", "cls") else "*"
        if there is None:
            return [f for f in named if f.module.path == here.module.path]
        if there == "*":
            return named if len({f.module.path for f in named}) == 1 and all(f.is_method for f in named) else []
        start = there.replace(".", "/")
        found = [f for f in named if f.module.path in (f"{start}.py", f"{start}/__init__.py")]
        return found or [f for f in named if f.module.path.startswith(start + "/")]

    def _answered(self, made: Function) -> bool:
        key = (id(made), "->")
        if key not in self._known:
            self._known[key] = True
            self._known[key] = self._all(made, made.answers)
        return self._known[key]


def _names(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _part(answer: ast.expr, n: object) -> ast.expr | None:
    """Give the nth of an answer of several; None where it is not written as such."""
    return answer.elts[n] if isinstance(answer, ast.Tuple) and isinstance(n, int) and n < len(answer.elts) else None


def _grown(node: ast.AST, name: str) -> bool:
    """Say whether a statement becomes another by SQLAlchemy's methods only."""
    if isinstance(node, ast.IfExp):
        return _grown(node.body, name) and _grown(node.orelse, name)
    return _method(node) in STATEMENTS or (isinstance(node, ast.Name) and node.id == name)


def _method(node: ast.AST) -> str:
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""


def faults(files: Mapping[str, str]) -> list[Fault]:
    """Give the faults of these files, by their text."""
    return Judge(Sources(files)).faults()
