"""What reaches a database, as the source has it: functions, calls, names, attributes, and the places of asking."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SINKS = frozenset({"execute", "executemany", "sql", "exec_driver_sql", "execute_async"})
SINK_FUNCTIONS = frozenset({"text", "literal_column"})
"""Of SQLAlchemy, where a module imports them from it or through `twin.ops`."""


@dataclass(kw_only=True)
class Function:
    """One function (or a module's own body): its parameters, answers and what its names are given."""

    module: Module
    name: str
    node: ast.AST
    parameters: tuple[str, ...] = ()
    defaults: Mapping[str, ast.expr] = field(default_factory=dict)
    given: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    answers: list[ast.expr] = field(default_factory=list)
    is_method: bool = False
    outer: Function | None = None


@dataclass(kw_only=True)
class Module:
    """One file."""

    path: str
    tree: ast.Module
    body: Function | None = None
    imported: dict[str, str] = field(default_factory=dict)


class Sources:
    """The files looked at, and what is known of their functions, classes and attributes."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.functions: dict[str, list[Function]] = defaultdict(list)
        self.calls: dict[str, list[tuple[Function, ast.Call]]] = defaultdict(list)
        self.attributes: dict[str, list[tuple[Function, ast.expr]]] = defaultdict(list)
        self.fields: dict[str, tuple[str, ...]] = {}
        self.sinks: list[tuple[Function, ast.Call, ast.expr]] = []
        for path, text in files.items():
            self._module(Module(path=path, tree=ast.parse(text)))

    @classmethod
    def below(cls, root: Path, *rooms: str) -> Sources:
        """Read every Python file of these rooms."""
        paths = [p for room in rooms for p in sorted((root / room).rglob("*.py")) if "node_modules" not in p.parts]
        return cls({str(p.relative_to(root)): p.read_text("utf-8") for p in paths})

    def _module(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom):
                module.imported |= {(a.asname or a.name): node.module or "" for a in node.names}
            if isinstance(node, ast.ClassDef):
                named = [s for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]
                self.fields[node.name] = tuple(s.target.id for s in named if isinstance(s.target, ast.Name))
                for s in named:
                    if s.value is not None and isinstance(s.target, ast.Name):
                        self._defaults(module, s.target.id, s.value)
        module.body = Function(module=module, name="<module>", node=module.tree)
        self._body(module.body, module.tree.body)

    def _defaults(self, module: Module, name: str, value: ast.expr) -> None:
        if not (isinstance(value, ast.Call) and getattr(value.func, "id", "") == "field"):
            self.attributes[name].append((Function(module=module, name="<class>", node=value), value))

    def _body(self, here: Function, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._node(here, statement)

    def _node(self, here: Function, node: ast.AST, *, in_class: bool = False) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._function(here, node, is_method=in_class)
            return
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                self._node(here, inner, in_class=True)
            return
        self._taken(here, node)
        for child in ast.iter_child_nodes(node):
            self._node(here, child)

    def _function(self, here: Function, node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args]
        names = [a.arg for a in arguments]
        keyed = [a.arg for a in node.args.kwonlyargs]
        given = zip(names[len(names) - len(node.args.defaults) :], node.args.defaults, strict=True)
        more = {n: d for n, d in zip(keyed, node.args.kw_defaults, strict=True) if d is not None}
        made = Function(
            module=here.module, name=node.name, node=node, parameters=(*names, *keyed),
            defaults={**dict(given), **more}, outer=here,
            is_method=is_method and not any(getattr(d, "id", "") == "staticmethod" for d in node.decorator_list),
        )  # fmt: skip
        if any(getattr(d, "id", "") in ("property", "cached_property") for d in node.decorator_list):
            self.attributes[node.name].append((made, ast.Call(func=ast.Name(id=node.name), args=[], keywords=[])))
        self.functions[node.name].append(made)
        self._body(made, node.body)

    def _taken(self, here: Function, node: ast.AST) -> None:
        """Note what a statement or expression gives to names and attributes, and what it calls."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._target(here, target, node.value)
        elif (isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value is not None) or isinstance(
            node, ast.NamedExpr
        ):
            self._target(here, node.target, node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._target(here, node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._target(here, node.optional_vars, node.context_expr)
        elif (isinstance(node, (ast.Return, ast.Yield)) and node.value is not None) or isinstance(node, ast.YieldFrom):
            here.answers.append(node.value)
        elif isinstance(node, ast.Call):
            self._called(here, node)

    def _target(self, here: Function, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            here.given[target.id].append(value)
        elif isinstance(target, ast.Attribute):
            self.attributes[target.attr].append((here, value))
        elif isinstance(target, ast.Starred):
            self._target(here, target.value, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = (
                value.elts if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts) else ()
            )
            for n, inner in enumerate(target.elts):
                told = ast.Subscript(value=value, slice=ast.Constant(n)) if isinstance(value, ast.Call) else value
                self._target(here, inner, parts[n] if parts else ast.copy_location(told, value))
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            here.given[target.value.id].append(value)

    def _called(self, here: Function, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        self.calls[name].append((here, node))
        if isinstance(node.func, ast.Attribute) and name in ("append", "add", "extend", "update", "setdefault"):
            owner = node.func.value
            values = [*node.args, *(k.value for k in node.keywords)]
            for value in values:
                if isinstance(owner, ast.Name):
                    here.given[owner.id].append(value)
        for keyword in node.keywords:
            if keyword.arg and name[:1].isupper() | (name in ("replace", "cls")):
                self.attributes[keyword.arg].append((here, keyword.value))
        for n, value in enumerate(node.args):
            if name in self.fields and n < len(self.fields[name]):
                self.attributes[self.fields[name][n]].append((here, value))
        is_sink = isinstance(node.func, ast.Attribute) and name in SINKS
        imported = here.module.imported.get(name, "")
        is_sink |= (
            isinstance(node.func, ast.Name)
            and name in SINK_FUNCTIONS
            and imported.startswith(("sqlalchemy", "twin.ops"))
        )
        if is_sink and node.args:
            self.sinks.append((here, node, node.args[0]))
