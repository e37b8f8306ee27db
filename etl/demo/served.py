"""What the demo departments' servers answer, protocol by protocol, rightly or with one named fault; pure."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from etl.demo.servers import Town

Row = dict[str, Any]
Query = Mapping[str, str]
CRS84 = "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
_Found = tuple[bytes | None, dict[str, str]]


def answered(town: Town, path: str, query: Query, headers: Query, what: str, host: str) -> _Found | None:
    """Give (body, headers) of what is asked, no body where it did not change, None where there is no such thing."""
    if path.startswith("/json/"):
        return _json(town, path.removeprefix("/json/"), query, headers, what, host)
    if path.startswith("/oapif/collections/"):
        return _features(town, query, what, host)
    if path == "/wfs":
        return _wfs(town, query, what)
    if path.startswith("/arcgis/"):
        return _arcgis(town, query, what)
    if path.startswith("/s3/"):
        return _bucket(town, unquote(path.removeprefix("/s3/")), query, headers)
    name = unquote(path.removeprefix("/files/"))
    return _file(town.files[name], headers) if path.startswith("/files/") and name in town.files else None


def _file(body: bytes, headers: Query) -> _Found:
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    known = {k.lower(): v for k, v in headers.items()}
    kept = {"ETag": tag, "Last-Modified": "Fri, 21 Nov 2025 02:00:00 GMT", "Content-Type": "application/octet-stream"}
    return (None if known.get("if-none-match") == tag else body), kept


def _page(town: Town, first: int, size: int, what: str, rows: list[Row] | None = None) -> list[Row]:
    every = town.rows if rows is None else rows
    found = every[first : first + min(size, town.most)]
    if what == "empty":
        return []
    return [*found[:-1], every[0]] if what == "doubled" and first else found


def _json(town: Town, style: str, query: Query, headers: Query, what: str, host: str) -> _Found | None:
    since = query.get("since", "")
    rows = [r for r in town.rows if str(r.get("updated_at", "")) >= since]
    size = int(query.get("size", query.get("limit", town.most)))
    said: dict[str, Any] = {"code": 0, "total": len(rows)}
    if style == "all":
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
    found = _page(town, first, size, what, rows)
    after = first + len(found)
    if style == "cursor":
        said["next"] = "0" if what == "circle" else str(after) if found and after < len(rows) else None
    if style == "link" and (after < len(rows) or what == "circle"):
        said["next"] = f"{host}/json/link?limit={size}&offset={0 if what == 'circle' else after}"
        if what == "elsewhere":
            said["next"] = f"{town.other}json/link?offset={after}"
    listed = found if what != "circle" or style != "page" else town.rows[:size]
    body = json.dumps({**said, "data": {"list": listed, "total": len(rows)}}, ensure_ascii=False)
    return body.encode(), {"Content-Type": "application/json"}


def _feature(row: Row, what: str) -> Row:
    place = [row["lat"], row["lon"]] if what == "axes" else [row["lon"], row["lat"]]
    columns = {k: v for k, v in row.items() if k not in ("id", "lon", "lat")}
    return {
        "type": "Feature",
        "id": row["id"],
        "geometry": {"type": "Point", "coordinates": place},
        "properties": columns,
    }


def _features(town: Town, query: Query, what: str, host: str) -> _Found:
    first, size = int(query.get("offset", "0")), int(query.get("limit", "10"))
    found = _page(town, first, size, what)
    said: dict[str, Any] = {
        "type": "FeatureCollection",
        "numberMatched": len(town.rows),
        "numberReturned": len(found),
        "timeStamp": f"{time.time()}",
        "features": [_feature(r, what) for r in found],
        "links": [],
    }
    after = 0 if what == "circle" else first + len(found)
    if after < len(town.rows) and found:
        said["links"] = [{"rel": "next", "href": f"{host}/oapif/collections/stand/items?offset={after}&limit={size}"}]
    system = "<http://www.opengis.net/def/crs/EPSG/0/4490>" if what == "crs" else CRS84
    return json.dumps(said, ensure_ascii=False).encode(), {
        "Content-Crs": system,
        "Content-Type": "application/geo+json",
    }


def _wfs(town: Town, query: Query, what: str) -> _Found:
    asked = {k.lower(): v for k, v in query.items()}
    matched = f'numberMatched="{len(town.rows)}"'
    top = (
        '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" '
        f'xmlns:t="http://demo/t" {matched}'
    )
    if asked.get("resulttype") == "hits":
        return f'{top} numberReturned="0"/>'.encode(), {"Content-Type": "application/gml+xml"}
    found = _page(town, int(asked.get("startindex", "0")), int(asked.get("count", "1000")), what)
    members = "".join(f"<wfs:member>{_member(r, what)}</wfs:member>" for r in found)
    body = f'<?xml version="1.0"?>{top} numberReturned="{len(found)}">{members}</wfs:FeatureCollection>'
    return body.encode(), {"Content-Type": "application/gml+xml"}


def _member(row: Row, what: str) -> str:
    place = f"{row['lon']} {row['lat']}" if what == "axes" else f"{row['lat']} {row['lon']}"
    columns = "".join(
        f"<t:{k}>{escape(str(v))}</t:{k}>" for k, v in row.items() if k not in ("id", "lon", "lat") and v is not None
    )
    point = f'<gml:Point srsName="urn:ogc:def:crs:EPSG::4490" gml:id={quoteattr("p" + row["id"])}>'
    return (
        f"<t:stand gml:id={quoteattr(row['id'])}>{columns}<t:geom>{point}<gml:pos>{place}</gml:pos>"
        "</gml:Point></t:geom></t:stand>"
    )


def _arcgis(town: Town, query: Query, what: str) -> _Found | None:
    numbered = [{**r, "OBJECTID": int(r["number"])} for r in town.rows]
    kind = {"Content-Type": "application/json"}
    if query.get("returnIdsOnly") == "true":
        ids = [r["OBJECTID"] for r in numbered]
        return json.dumps({"objectIdFieldName": "OBJECTID", "objectIds": ids or None}).encode(), kind
    wanted = {int(n) for n in query.get("objectIds", "").split(",") if n}
    if len(wanted) > town.most:
        return b'{"error": {"code": 400, "message": "too many objectIds"}}', kind
    found = [r for r in numbered if r["OBJECTID"] in wanted]
    found = [] if what == "empty" else found[:-1] if what == "lost" else found
    features = [
        {
            "attributes": {k: v for k, v in r.items() if k not in ("lon", "lat", "id")},
            "geometry": {"x": r["lat"], "y": r["lon"]} if what == "axes" else {"x": r["lon"], "y": r["lat"]},
        }
        for r in found
    ]
    said = {
        "objectIdFieldName": "OBJECTID",
        "geometryType": "esriGeometryPoint",
        "spatialReference": {"wkid": 4326 if what == "crs" else 4490},
        "features": features,
    }
    return json.dumps(said, ensure_ascii=False).encode(), kind


def _bucket(town: Town, path: str, query: Query, headers: Query) -> _Found | None:
    bucket, _, name = path.partition("/")
    if name:
        return _file(town.files[name], headers) if name in town.files else None
    names = sorted(n for n in town.files if n.startswith(query.get("prefix", "")))
    first = int(query.get("continuation-token", "0"))
    page = names[first : first + town.most]
    listed = "".join(
        f"<Contents><Key>{escape(n)}</Key><Size>{len(town.files[n])}</Size>"
        f"<ETag>&quot;{hashlib.sha256(town.files[n]).hexdigest()[:16]}&quot;</ETag></Contents>"
        for n in page
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
