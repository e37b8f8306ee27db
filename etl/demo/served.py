"""What the demo departments' servers answer, protocol by protocol, rightly or with one named fault; pure."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from etl.demo.shaped import Feature, Row, esri, geojson, gml, pole

if TYPE_CHECKING:
    from etl.demo.servers import Town

__all__ = ["Query", "Row", "answered"]

Query = Mapping[str, str]
MODIFIED = "Fri, 21 Nov 2025 02:00:00 GMT"
CRS84 = "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
_SINCE = re.compile(r"(\w+)[\"\s]*>=\s*(?:TIMESTAMP)?\W*([^')\"]+)")
"""`column >= 'moment'`, as ArcGIS and CQL2 write it."""
_LITERAL = re.compile(r"<fes:ValueReference>([^<]+)</fes:ValueReference><fes:Literal>([^<]+)</fes:Literal>")
_Found = tuple[bytes | None, dict[str, str]]


def answered(town: Town, path: str, query: Query, headers: Query, what: str, host: str) -> _Found | None:
    """Give (body, headers) of what is asked, no body where it did not change, None where there is no such thing."""
    path = unquote(path)
    if path.startswith("/json/"):
        return _json(town, path.removeprefix("/json/"), query, headers, what, host)
    if path.startswith("/oapif/collections/"):
        return _features(town, path.split("/")[3], query, what, host)
    if path == "/wfs":
        return _wfs(town, query, what)
    if path.startswith("/arcgis/"):
        return _arcgis(town, path.removeprefix("/arcgis/").removesuffix("/query"), query, what)
    if path.startswith("/s3/"):
        return _bucket(town, path.removeprefix("/s3/"), query, headers)
    name = path.removeprefix("/files/")
    return _file(_bytes(town.files[name]), headers, town) if path.startswith("/files/") and name in town.files else None


def _bytes(file: bytes | Path) -> bytes:
    return file.read_bytes() if isinstance(file, Path) else file


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _file(body: bytes, headers: Query, town: Town | None = None) -> _Found:
    tag, modified = _tag(body), town.modified if town else MODIFIED
    known = {k.lower(): v for k, v in headers.items()}
    kept = {"Last-Modified": modified, "Content-Type": "application/octet-stream"}
    if town is None or not town.tagless:
        kept["ETag"] = tag
        same = known.get("if-none-match") == tag
    else:
        same = known.get("if-modified-since") == modified
    return (None if same else body), kept


def _table(town: Town, name: str, since: tuple[str, str] | None = None) -> list[Feature]:
    """Give the features of a table, those only that changed `since` (a column, a moment) where that is given."""
    found = [pole(r) for r in town.rows] if not town.tables else list(town.tables.get(name, ()))
    return [f for f in found if str(f.columns.get(since[0], "")) >= since[1]] if since else found


def _since(text: str, form: re.Pattern[str]) -> tuple[str, str] | None:
    found = form.search(text)
    return (found[1], found[2]) if found else None


def _page(town: Town, every: Sequence[Any], first: int, size: int, what: str) -> list[Any]:
    found = list(every[first : first + min(size, town.most)])
    if what == "empty":
        return []
    return [*found[:-1], every[0]] if what == "doubled" and first else found


def _rows(town: Town, name: str, query: Query) -> list[Row]:
    since = query.get("since", "")
    only = query.get("fields", "")
    if town.tables:
        rows = [dict(f.columns) for f in _table(town, name, (town.watermark, since) if since else None)]
    else:
        rows = [r for r in town.rows if str(r.get("updated_at", "")) >= since]
    return [{only: r[only]} for r in rows] if only else rows


def _json(town: Town, path: str, query: Query, headers: Query, what: str, host: str) -> _Found | None:
    style = town.style or path
    rows = _rows(town, path, query)
    size = int(query.get("size", query.get("limit", town.most)))
    said: dict[str, Any] = {"code": 0, "total": len(rows)}
    if style in ("all", "none"):
        body, kept = _file(
            json.dumps({"data": {"list": rows, "total": len(rows)}}, ensure_ascii=False).encode(), headers
        )
        return body, {**kept, "Content-Type": "application/json"}
    first = {
        "page": (int(query.get("page", "1")) - 1) * size,
        "offset": int(query.get("offset", "0")),
        "cursor": int(query.get("cursor", "0")),
        "link": int(query.get("offset", "0")),
    }.get(style)
    if first is None:
        return None
    found = _page(town, rows, first, size, what)
    after = first + len(found)
    if style == "cursor":
        said["next"] = "0" if what == "circle" else str(after) if found and after < len(rows) else None
    if style == "link" and (after < len(rows) or what == "circle"):
        rest = "".join(f"&{k}={quote(query[k])}" for k in ("since", "fields") if k in query)
        said["next"] = f"{host}/json/{path}?limit={size}&offset={0 if what == 'circle' else after}{rest}"
        if what == "elsewhere":
            said["next"] = f"{town.other}json/link?offset={after}"
    listed = found if what != "circle" or style != "page" else rows[:size]
    body = json.dumps({**said, "data": {"list": listed, "total": len(rows)}}, ensure_ascii=False)
    return body.encode(), {"Content-Type": "application/json"}


def _features(town: Town, name: str, query: Query, what: str, host: str) -> _Found:
    first, size = int(query.get("offset", "0")), int(query.get("limit", "10"))
    every = _table(town, name, _since(query.get("filter", ""), _SINCE))
    found = _page(town, every, first, size, what)
    features = [geojson(f, exchanged=what == "axes") for f in found]
    if query.get("skipGeometry") == "true":
        features = [f | {"geometry": None, "properties": {}} for f in features]
    said: dict[str, Any] = {
        "type": "FeatureCollection",
        "numberMatched": len(every),
        "numberReturned": len(found),
        "timeStamp": f"{time.time()}",
        "features": features,
        "links": [],
    }
    after = 0 if what == "circle" else first + len(found)
    if after < len(every) and found:
        rest = "".join(f"&{k}={quote(query[k])}" for k in ("filter", "skipGeometry") if k in query)
        href = f"{host}/oapif/collections/{name}/items?offset={after}&limit={size}{rest}"
        said["links"] = [{"rel": "next", "href": href}]
    system = "<http://www.opengis.net/def/crs/EPSG/0/4490>" if what == "crs" else CRS84
    return json.dumps(said, ensure_ascii=False).encode(), {
        "Content-Crs": system,
        "Content-Type": "application/geo+json",
    }


def _wfs(town: Town, query: Query, what: str) -> _Found:
    asked = {k.lower(): v for k, v in query.items()}
    name = asked.get("typenames", "")
    every = _table(town, name, _since(asked.get("filter", ""), _LITERAL))
    if asked.get("request") == "DescribeFeatureType":
        return _described(every), {"Content-Type": "application/gml+xml"}
    top = (
        '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" '
        f'xmlns:t="http://demo/t" numberMatched="{len(every)}"'
    )
    if asked.get("resulttype") == "hits":
        return f'{top} numberReturned="0"/>'.encode(), {"Content-Type": "application/gml+xml"}
    found: list[Feature] = _page(town, every, int(asked.get("startindex", "0")), int(asked.get("count", "1000")), what)
    only = asked.get("propertyname", "")
    if only:
        found = [Feature(id=f.id, number=f.number, columns={only: f.columns[only]}, shape=None) for f in found]
    system = f"urn:ogc:def:crs:EPSG::{town.systems.get(name, '4490')}"
    members = "".join(f"<wfs:member>{gml(f, system, exchanged=what == 'axes')}</wfs:member>" for f in found)
    body = f'<?xml version="1.0"?>{top} numberReturned="{len(found)}">{members}</wfs:FeatureCollection>'
    return body.encode(), {"Content-Type": "application/gml+xml"}


def _described(every: Sequence[Feature]) -> bytes:
    names = dict.fromkeys(name for f in every for name in f.columns)
    listed = "".join(f'<xsd:element name="{escape(n)}" type="xsd:string" minOccurs="0"/>' for n in names)
    place = '<xsd:element name="geom" type="gml:GeometryPropertyType" minOccurs="0"/>'
    return (
        '<?xml version="1.0"?><xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:complexType name="stand">'
        f"<xsd:complexContent><xsd:extension><xsd:sequence>{listed}{place}</xsd:sequence></xsd:extension>"
        "</xsd:complexContent></xsd:complexType></xsd:schema>"
    ).encode()


def _arcgis(town: Town, name: str, query: Query, what: str) -> _Found | None:
    every = _table(town, name, _since(query.get("where", ""), _SINCE))
    kind = {"Content-Type": "application/json"}
    if query.get("returnIdsOnly") == "true":
        ids = [f.number for f in every]
        return json.dumps({"objectIdFieldName": "OBJECTID", "objectIds": ids or None}).encode(), kind
    wanted = {int(n) for n in query.get("objectIds", "").split(",") if n}
    if len(wanted) > town.most:
        return b'{"error": {"code": 400, "message": "too many objectIds"}}', kind
    found = [f for f in every if f.number in wanted]
    found = [] if what == "empty" else found[:-1] if what == "lost" else found
    system = int(town.systems.get(name, "4490"))
    said = {
        "objectIdFieldName": "OBJECTID",
        "spatialReference": {"wkid": 4326 if what == "crs" else system},
        "features": [esri(f, exchanged=what == "axes") for f in found],
    }
    return json.dumps(said, ensure_ascii=False).encode(), kind


def _bucket(town: Town, path: str, query: Query, headers: Query) -> _Found | None:
    bucket, _, name = path.partition("/")
    if name:
        return _file(_bytes(town.files[name]), headers) if name in town.files else None
    names = sorted(n for n in town.files if n.startswith(query.get("prefix", "")))
    first = int(query.get("continuation-token", "0"))
    page = {n: _bytes(town.files[n]) for n in names[first : first + town.most]}
    listed = "".join(
        f"<Contents><Key>{escape(n)}</Key><Size>{len(body)}</Size><ETag>{escape(_tag(body))}</ETag></Contents>"
        for n, body in page.items()
    )
    after = first + len(page)
    more = after < len(names)
    token = f"<NextContinuationToken>{after}</NextContinuationToken>" if more else ""
    body = (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{escape(bucket)}</Name><KeyCount>{len(page)}</KeyCount>"
        f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{listed}</ListBucketResult>"
    )
    return body.encode(), {"Content-Type": "application/xml"}
