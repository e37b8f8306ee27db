"""Bodies that are none, and what every refusal has to be."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

from tests.wall import places

JSON = {**places.OWN, "content-type": "application/json"}
RING = places.RING
POLYGONS: Mapping[str, Any] = {
    "nothing": None,
    "a number": 7,
    "a text": "Polygon",
    "a list": [RING],
    "no type": {"coordinates": RING["coordinates"]},
    "a point": {"type": "Point", "coordinates": [1, 2]},
    "no coordinates": {"type": "Polygon"},
    "an open ring of two": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]},
    "texts": {"type": "Polygon", "coordinates": [[["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]]},
    "objects": {"type": "Polygon", "coordinates": [[{}, {}, {}, {}]]},
    "nulls": {"type": "Polygon", "coordinates": [[[None, None]] * 4]},
    "empty": {"type": "Polygon", "coordinates": []},
    "far away": {"type": "Polygon", "coordinates": [[[1e308, 0], [0, 1e308], [-1e308, 0], [1e308, 0]]]},
    "infinite": {"type": "Polygon", "coordinates": [[[1e999, 0], [0, 1], [1, 1], [1e999, 0]]]},
    "the whole world": {"type": "Polygon", "coordinates": [[[-180, -85], [180, -85], [180, 85], [-180, -85]]]},
    "a bow tie": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
    "too many vertices": {"type": "Polygon", "coordinates": [[[119.97 + n / 1e7, 30.53] for n in range(9_000)]]},
    "a feature of nothing": {"type": "Feature", "geometry": None},
    "a feature of a feature": {"type": "Feature", "geometry": {"type": "Feature", "geometry": RING}},
    "a collection": {"type": "GeometryCollection", "geometries": [RING]},
    "a prototype": {"__proto__": RING, "constructor": {"prototype": {}}},
    "an operator": {"$ne": None, "$where": "1"},
}
BODIES: Mapping[str, bytes] = {
    **{name: json.dumps(value).encode() for name, value in POLYGONS.items()},
    "no JSON": b"{",
    "JSON5": b"{type:'Polygon',}",
    "a comma too many": b'{"type":"Polygon",}',
    "not UTF-8": b'{"type":"\xff\xfe"}',
    "gzip": gzip.compress(json.dumps(RING).encode()),
    "half a character": b'{"type":"\\ud800"}',
    "a number of 5000 digits": b'{"type":' + b"9" * 5_000 + b"}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and whole": b'{"type":"Polygon","coordinates":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}",
    "empty": b"",
    "NUL": b"\x00" * 100,
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
}


def refused(answer: Any, *status: int) -> dict[str, Any]:
    assert answer.status_code in (status or range(400, 500)), (answer.status_code, answer.text[:200])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    assert any("一" <= c <= "鿿" for c in body["zh"])
    assert body["en"]
    assert not any("一" <= c <= "鿿" for c in body["en"])
    return body
