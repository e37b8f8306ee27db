"""Who may see which layer, table, column and row; the one place every surface asks, and the only one that masks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from twin.errors import BadRequest, DeclarationError, NotFound
from twin.policy.masks import mask

if TYPE_CHECKING:
    from twin.model import Draw, Layer, OneMap, Resource, Sensitivity

Access = Literal["clear", "masked"]
Action = Literal["see", "select", "filter", "sort", "group", "count", "tile"]
Row = dict[str, Any]

USES: frozenset[str] = frozenset({"filter", "sort", "group", "count"})
"""Actions whose answer depends on a column's true values; a masked column would be guessed through them."""

ENGINE: Mapping[str, Sensitivity] = {
    "year": "public",
    "area_m2": "public",
    "length_m": "public",
    "area_disagrees": "public",
    "_resource": "internal",
    "_run": "internal",
    "_source": "internal",
    "_source_sha256": "internal",
    "_row": "internal",
}
"""The columns the engine adds to every row; `id` has the class of the resource's key field."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Who asks: `role` names the grants, `prefix` the administrative code they hold in (6, 9 or 12 digits, "" all).

    `grid` is a grid worker's 15-digit grid code, `via` the way in ("session", "key", "demo" or "none"), `scopes` what a
    connected system's key is limited to.
    """

    id: str
    role: str
    prefix: str = ""
    grid: str = ""
    purpose: str = ""
    department: str = ""
    via: str = "none"
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one role may see: column classes and how, and share classes of layers and resources."""

    columns: Mapping[Sensitivity, Access]
    layers: frozenset[str]
    resources: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Permit:
    """The answer yes: columns that may be shown and how (absent = hidden), and the rows it is limited to.

    `rows` holds (column, operator, value); `digest` names this very answer, for caches.
    """

    resource: str
    columns: Mapping[str, Access] = field(default_factory=dict)
    rows: tuple[tuple[str, str, Any], ...] = ()
    digest: str = ""


ANONYMOUS_LOCAL = Subject(id="local", role="local", via="demo")
"""Whoever sits at this machine: until there is sign-in the only subject there is, and only on the loopback."""

GRANTS: Mapping[str, Grant] = {
    "local": Grant(
        columns={"public": "clear", "internal": "clear", "personal": "masked"},
        layers=frozenset({"open", "conditional", "masked", "sensitive"}),
        resources=frozenset({"unconditional", "conditional"}),
    ),
}
"""No rule is deny: a role, class or share type that is not written here sees nothing."""

NOBODY = Grant(columns={}, layers=frozenset(), resources=frozenset())
IN_TILES: frozenset[Sensitivity | None] = frozenset({"public"})
"""Tiles are cached and copied; only public columns enter one, whoever asks."""
ROWLESS = frozenset({"raster", "scene"})
"""Kinds of resource whose files hold no rows, hence no key."""
DEEPEST = 16
"""The last zoom whose vector tiles a browser asks for: closer, it draws from those."""
VECTOR_TYPES = frozenset({"fill", "line", "circle", "symbol", "fill-extrusion", "heatmap"})


def class_of(resource: Resource, column: str) -> Sensitivity | None:
    """Give the sensitivity class of a column of `resource`; None for what is unclassified or unknown, alike."""
    name = resource.key if column == "id" else column
    declared = resource.field_named(name)
    if declared is not None:
        return declared.sensitivity
    return ENGINE.get(name)


def named_in(expression: Any) -> Iterator[str]:
    """Give every column a MapLibre expression reads by `get` or `has`."""
    if isinstance(expression, Mapping):
        for value in expression.values():
            yield from named_in(value)
    elif isinstance(expression, Sequence) and not isinstance(expression, str):
        if len(expression) == 2 and expression[0] in ("get", "has") and isinstance(expression[1], str):
            yield expression[1]
        else:
            for value in expression:
                yield from named_in(value)


def drawn_columns(draw: Draw) -> tuple[str, ...]:
    """Give the columns a draw needs in its tiles: class column, declared ones, and all its expressions read."""
    named = [draw.classes.column] if draw.classes else []
    named += [*draw.columns, *named_in(draw.paint), *named_in(draw.layout), *named_in(draw.filter)]
    return tuple(dict.fromkeys(c for c in named if c != "id"))


class Policy:
    """The grants over one village's declarations."""

    def __init__(self, onemap: OneMap, grants: Mapping[str, Grant] = GRANTS) -> None:
        self._onemap = onemap
        self._grants = grants
        self._resources = {r.id: r for r in onemap.resources}
        self._layers = {x.id: x for x in onemap.layers}
        self._permits: dict[tuple[Subject, Action, str], Permit] = {}

    def decide(self, subject: Subject, action: Action, resource: str, purpose: str = "") -> Permit:
        """Permit `action` on a layer id or a table for `purpose`; raises NotFound, the same for hidden and unknown."""
        del purpose  # no grant asks for one yet
        key = (subject, action, resource)
        permit = self._permits.get(key)
        if permit is None:
            permit = self._judge(subject, action, resource)
            self._permits[key] = permit
        return permit

    def _judge(self, subject: Subject, action: Action, name: str) -> Permit:
        grant = self._grants.get(subject.role, NOBODY)
        layer = self._layers.get(name)
        if layer is not None and layer.share in grant.layers:
            return _permit(subject, action, name, {})
        resource = self._resources.get(name)
        if resource is None or resource.share_type not in grant.resources:
            raise unknown(name)
        columns: dict[str, Access] = {}
        for column in columns_of(resource):
            access = _access(grant, resource, column, action)
            if access is not None:
                columns[column] = access
        if "id" not in columns and resource.kind not in ROWLESS:
            raise unknown(name)
        return _permit(subject, action, name, columns)

    def columns(
        self, subject: Subject, table: str, wanted: Iterable[str] | None = None, action: Action = "select"
    ) -> tuple[str, ...]:
        """Give the `wanted` columns (None: all there are) that `action` may touch.

        Raises BadRequest for the first that may not, in the words used for a column that does not exist.
        """
        permit = self.decide(subject, action, table)
        if wanted is None:
            return tuple(permit.columns)
        named = tuple(wanted)
        for column in named:
            if column not in permit.columns:
                raise no_column(column)
        return named

    def reveal(self, subject: Subject, table: str, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
        """Give the rows as `subject` may read them: hidden columns gone, masked ones masked."""
        permit = self.decide(subject, "select", table)
        return [
            {c: mask(c, v) if permit.columns[c] == "masked" else v for c, v in row.items() if c in permit.columns}
            for row in rows
        ]

    def layers(self, subject: Subject) -> tuple[Layer, ...]:
        """Give the layers `subject` may see, in drawing order."""
        grant = self._grants.get(subject.role, NOBODY)
        return tuple(x for x in self._onemap.layers if x.share in grant.layers)

    def tables(self, subject: Subject) -> tuple[Resource, ...]:
        """Give the resources `subject` may see, in catalogue order."""
        return tuple(r for r in self._onemap.resources if self.sees(subject, r.id))

    def sees(self, subject: Subject, name: str) -> bool:
        """Say whether `subject` may see the layer or table `name`."""
        try:
            self.decide(subject, "see", name)
        except NotFound:
            return False
        return True

    def layer(self, subject: Subject, layer_id: str) -> Layer:
        """Give a layer `subject` may see; raises NotFound."""
        found = self._layers.get(layer_id)
        if found is None:
            raise unknown(layer_id)
        self.decide(subject, "see", layer_id)
        return found

    def resource(self, subject: Subject, table: str) -> Resource:
        """Give a resource `subject` may see; raises NotFound."""
        found = self._resources.get(table)
        if found is None:
            raise unknown(table)
        self.decide(subject, "see", table)
        return found

    def tile_columns(self, subject: Subject, layer: Layer, zoom: int = DEEPEST) -> dict[str, tuple[str, ...]]:
        """Give, for each table a layer draws as vectors at `zoom` and `subject` may see, the columns of its tiles."""
        found: dict[str, tuple[str, ...]] = {}
        for draw in layer.draws:
            drawn = draw.type in VECTOR_TYPES and min(draw.minzoom, DEEPEST) <= zoom
            if not drawn or not self.sees(subject, draw.table):
                continue
            permit = self.decide(subject, "tile", draw.table)
            wanted = (*found.get(draw.table, ()), *drawn_columns(draw))
            found[draw.table] = tuple(dict.fromkeys(c for c in wanted if c in permit.columns))
        return found

    def digest(self, subject: Subject, names: Iterable[str]) -> str:
        """Name what `subject` is permitted on `names` together, for cache keys."""
        parts = [self.decide(subject, "tile", n).digest for n in names if self.sees(subject, n)]
        return hashlib.blake2b("|".join(parts).encode(), digest_size=8).hexdigest()


def columns_of(resource: Resource) -> tuple[str, ...]:
    """Give every column a row of `resource` may have: id, the declared fields, the engine's own."""
    return tuple(dict.fromkeys(("id", *(f.name for f in resource.fields), *ENGINE)))


def _access(grant: Grant, resource: Resource, column: str, action: Action) -> Access | None:
    sensitivity = class_of(resource, column)
    if sensitivity is None or (action == "tile" and column != "id" and sensitivity not in IN_TILES):
        return None
    access = grant.columns.get(sensitivity)
    return None if access == "masked" and (action in USES or action == "tile" or column == "id") else access


def _permit(subject: Subject, action: Action, name: str, columns: Mapping[str, Access]) -> Permit:
    text = f"{subject.role}|{subject.prefix}|{action}|{name}|{sorted(columns.items())}"
    return Permit(resource=name, columns=columns, digest=hashlib.blake2b(text.encode(), digest_size=8).hexdigest())


def unknown(name: str) -> NotFound:
    """Give the one refusal for what is not there and for what may not be seen."""
    return NotFound(f"没有“{name[:80]}”", f"There is no {name[:80]!r}")


def no_column(column: str) -> BadRequest:
    """Give the one refusal for a column that is not there and for one that may not be used."""
    return BadRequest(f"没有可用的字段“{column[:80]}”", f"There is no column {column[:80]!r} to use")


def faults(onemap: OneMap) -> list[DeclarationError]:
    """List every drawn, carded or counted column that its resource does not classify for that use."""
    found: list[DeclarationError] = []
    for layer in onemap.layers:
        for draw in layer.draws:
            resource = onemap.resource(draw.table)
            if resource is None:
                found.append(_fault(layer.id, draw.table, "没有这个资源", "is no catalogued resource"))
                continue
            drawn = drawn_columns(draw) if draw.type in VECTOR_TYPES else ()
            found += [
                _fault(layer.id, f"{draw.table}.{c}", "不是公开字段,不能进入瓦片", "is not public and cannot be drawn")
                for c in drawn
                if class_of(resource, c) not in IN_TILES
            ]
            found += [
                _fault(layer.id, f"{draw.table}.{c}", "未分类,不能显示", "is unclassified and cannot be shown")
                for c in draw.popup
                if class_of(resource, c) is None
            ]
    return found


def _fault(layer: str, what: str, zh: str, en: str) -> DeclarationError:
    return DeclarationError(f"{what} {zh}", f"{what} {en}", layer=layer)
