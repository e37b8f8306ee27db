"""From whom, by what, to where: sources → resource → table → layer → page, as a graph of what one subject may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from twin.api.answers import answer, gate
from twin.errors import NotFound, StoreBroken
from twin.policy import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.rooms import Rooms
    from twin.model import Layer, Resource
    from twin.policy import Subject

router = APIRouter(dependencies=[Depends(gate)])
Json = dict[str, Any]
PAGE = "page:/"
OF_FILE = ("sha256", "bytes", "year", "as_of", "crs", "rows")


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Nodes by id, and edges (from, to, by what)."""

    nodes: dict[str, Json] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, kind: str, name: str, **facts: Any) -> str:
        """Put a node in, and give its id."""
        node = f"{kind}:{name}"
        self.nodes[node] = {"id": node, "kind": kind, **facts}
        return node

    def around(self, node: str) -> Graph:
        """Give what leads to a node and what it leads to; raises NotFound, the same for hidden and unknown."""
        if node not in self.nodes:
            raise unknown(node)
        kept = {node, *self._reached(node, 0, 1), *self._reached(node, 1, 0)}
        edges = [e for e in self.edges if e[0] in kept and e[1] in kept]
        return Graph(nodes={n: facts for n, facts in self.nodes.items() if n in kept}, edges=edges)

    def _reached(self, node: str, at: int, to: int) -> Iterator[str]:
        seen, left = {node}, [node]
        while left:
            here = left.pop()
            following = {e[to] for e in self.edges if e[at] == here} - seen
            seen |= following
            left += following
            yield from following


@router.get("/api/v1/lineage")
def lineage(
    request: Request,
    of: Annotated[
        str, Query(max_length=200, description='"table:land_cover", "layer:L06", "source:…", "" for all')
    ] = "",
    language: Literal["zh-CN", "en"] = "zh-CN",
    as_of: Annotated[str, Query(max_length=25)] = "",
) -> Response:
    """Give where a table, a layer or a file comes from and where it goes; each table says how to ask of one row."""
    rooms = request.app.state.rooms.at(as_of)
    found = graph(rooms, request.scope["state"]["subject"], language)
    found = found.around(of) if of else found
    edges = [{"from": a, "to": b, "by": by} for a, b, by in found.edges]
    return answer(request, {"of": of, "nodes": list(found.nodes.values()), "edges": edges})


def graph(rooms: Rooms, subject: Subject, language: str) -> Graph:
    """Draw all that `subject` may see."""
    found = Graph()
    found.add("page", "/", title=rooms.onemap.village.name.in_(language), href="/")
    seen = {r.id: r for r in rooms.policy.tables(subject)}
    for resource in seen.values():
        _received(rooms, found, resource, language)
        inputs = [i for i in resource.inputs if i in seen]
        found.edges.extend((f"table:{i}", f"resource:{resource.id}", resource.transform or "derived") for i in inputs)
    for layer in rooms.policy.layers(subject):
        _drawn(found, layer, seen, language)
    return found


def _received(rooms: Rooms, found: Graph, resource: Resource, language: str) -> None:
    """Draw what a resource is received from, and the table that is made of it."""
    department = rooms.onemap.department(resource.department)
    owner = department.title.in_(language) if department else resource.department
    name = resource.title.in_(language)
    declared = found.add("resource", resource.id, title=name, department=owner, code=resource.code)
    try:
        manifest: Mapping[str, Any] = rooms.store.current(resource.id).manifest
        state: Json = {"state": "served"}
    except NotFound as why:
        manifest, state = {}, {"state": why.code, "zh": why.zh, "en": why.en}
    except StoreBroken as why:
        manifest, state = {}, {"state": "broken", "zh": why.zh, "en": why.en}
    told = {k: manifest.get(k) for k in ("version", "run", "rows", "as_of", "crs") if manifest.get(k) is not None}
    table = found.add(
        "table", resource.id, title=name, **state, **told, published_at=manifest.get("created_at"),
        row=f"/api/v1/features/{resource.id}/{{id}}", versions=f"/api/v1/tables/{resource.id}/versions",
    )  # fmt: skip
    found.edges.append((declared, table, _contract(resource)))
    known = {s.get("path"): s for s in manifest.get("sources") or ()}
    for location in dict.fromkeys([*(s.location for s in resource.sources), *(p for p in known if p)]):
        facts = {k: v for k, v in known.get(location, {}).items() if k in OF_FILE}
        source = found.add("source", location, title=location, delivered=location in known, **facts)
        found.edges.append((source, declared, resource.reader))


def _contract(resource: Resource) -> str:
    """Say what is done between the delivery and the table: the transform that is declared, and the check."""
    return " → ".join(filter(None, [resource.transform, "etl.contract"]))


def _drawn(found: Graph, layer: Layer, seen: Iterable[str], language: str) -> None:
    tables = list(dict.fromkeys(d.table for d in layer.draws if d.table in seen))
    if not tables:
        return
    node = found.add("layer", layer.id, title=layer.title.in_(language), theme=layer.theme)
    for table in tables:
        styles = ", ".join(dict.fromkeys(d.type for d in layer.draws if d.table == table))
        found.edges.append((f"table:{table}", node, styles))
    found.edges.append((node, PAGE, "twin.map"))
