"""Rasters and scenes that are more than they seem, or lead elsewhere."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from tests import test_hostile as first
from tests.hostile import lies
from tests.test_hostile import TILESET, glb, text
from twin import rasters

BOUNDS = (497_000, 3_379_000, 497_060, 3_379_060)


def tif(path: Path, **changes: tuple[int, int, int]) -> Path:
    """Write a small GeoTIFF, then change tags of its first directory: name → (tag, type, value)."""
    rasters.write_geotiff(path, np.zeros((8, 8), "uint8"), BOUNDS, "EPSG:4549")
    data = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, at)[0]):
        tag = struct.unpack_from("<H", data, at + 2 + 12 * i)[0]
        for wanted, kind, value in changes.values():
            if tag == wanted:
                struct.pack_into("<HHII", data, at + 2 + 12 * i, tag, kind, 1, value)
    path.write_bytes(data)
    return path


def strip(
    path: Path, width: int, height: int, *, compress: str = "deflate", metadata: Mapping[str, str] | None = None
) -> Path:
    """Write a GeoTIFF of one strip that is as good as nothing packed and `width` × `height` bytes unpacked."""
    shape = {"width": width, "height": height, "count": 1, "dtype": "uint8", "crs": "EPSG:4549"}
    place = rasterio.transform.from_bounds(*BOUNDS, width, height)
    with rasterio.open(
        path, "w", driver="GTiff", transform=place, compress=compress, blockysize=height, SPARSE_OK=True, **shape
    ) as out:
        out.update_tags(**(metadata or {}))
    row = bytes(width)
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    data = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, at)[0]):
        tag = struct.unpack_from("<H", data, at + 2 + 12 * i)[0]
        if tag in (273, 279):
            struct.pack_into("<HHII", data, at + 2 + 12 * i, tag, 4, 1, len(data) if tag == 273 else len(stream))
    path.write_bytes(bytes(data) + stream)
    return path


def looped(path: Path) -> Path:
    """Write a GeoTIFF whose next directory is its first."""
    data = bytearray(tif(path).read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, at)[0]
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    path.write_bytes(data)
    return path


def png(width: int, height: int) -> bytes:
    """Give a picture of `width` × `height` pixels in about a kilobyte."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1 << 16)))
        + chunk(b"IEND", b"")
    )


def source(path: Path) -> str:
    return f"<VRTDataset rasterXSize='8' rasterYSize='8'><VRTRasterBand dataType='Byte' band='1'><SimpleSource><SourceFilename>{path}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"


def beside(folder: Path, name: str, content: str | bytes) -> Path:
    text(folder / name, content)
    return tif(folder / "a.tif")


Make = Callable[[Path, Path, int], Path]
RASTERS: Mapping[str, Make] = {
    "vrt-as-tif": lambda d, c, p: text(d / "a.tif", source(c)),
    "vrt-curl-as-tif": lambda d, c, p: text(d / "a.tif", source(Path(f"/vsicurl/http://127.0.0.1:{p}/a.tif"))),
    "wms-as-tif": lambda d, c, p: text(d / "a.tif", f"<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:{p}/</ServerUrl></Service></GDAL_WMS>"),
    "stacta-as-tif": lambda d, c, p: text(d / "a.tif", f'{{"stac_version":"1","assets":{{"a":{{"href":"http://127.0.0.1:{p}/"}}}}}}'),
    "jp2": lambda d, c, p: text(d / "a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n"),
    "ecw": lambda d, c, p: text(d / "a.ecw", b"\x65\x02" + bytes(99)),
    "img": lambda d, c, p: text(d / "a.img", b"EHFA_HEADER_TAG" + bytes(99)),
    "hdf": lambda d, c, p: text(d / "a.h5", b"\x89HDF\r\n\x1a\n" + bytes(99)),
    "fits": lambda d, c, p: text(d / "a.fits", "SIMPLE  =                    T" + " " * 2880),
    "png-of-60000": lambda d, c, p: text(d / "a.png", png(60_000, 60_000)),
    "png-as-tif": lambda d, c, p: text(d / "a.tif", png(60_000, 60_000)),
    "jpeg-polyglot": lambda d, c, p: text(d / "a.tif", b"\xff\xd8\xff\xe0<?php ?><script>" + bytes(99)),
    "svg-as-tif": lambda d, c, p: text(d / "a.tif", f"<svg><image href='file://{c}'/></svg>"),
    "tif-of-60000": lambda d, c, p: tif(d / "a.tif", w=(256, 4, 60_000), h=(257, 4, 60_000)),
    "tif-of-4-billion": lambda d, c, p: tif(d / "a.tif", w=(256, 4, 0xFFFFFFFF), h=(257, 4, 0xFFFFFFFF)),
    "tif-of-65535-bands": lambda d, c, p: tif(d / "a.tif", b=(277, 3, 65_535)),
    "tif-strip-elsewhere": lambda d, c, p: tif(d / "a.tif", at=(273, 4, 0xFFFFFFF0), tile=(324, 4, 0xFFFFFFF0)),
    "tif-noise": lambda d, c, p: text(d / "a.tif", b"II*\0" + b"\xff" * 4096),
    "bigtif-noise": lambda d, c, p: text(d / "a.tif", b"II+\0\x08\0\0\0" + b"\xff" * 4096),
    "no-position": lambda d, c, p: tif(d / "a.tif", s=(33550, 12, 0), t=(33922, 12, 0)),
}  # fmt: skip
RASTERS_READ: Mapping[str, Make] = {
    "tif-of-one-strip-of-400-mb": lambda d, c, p: strip(d / "a.tif", 20_000, 20_000),
    "tif-loop": lambda d, c, p: looped(d / "a.tif"),
    "ovr-that-is-a-vrt": lambda d, c, p: beside(d, "a.tif.ovr", source(c)),
    "aux-that-leads-elsewhere": lambda d, c, p: beside(d, "a.tif.aux.xml", f"<!DOCTYPE x [<!ENTITY e SYSTEM 'file://{c}'>]><PAMDataset><SRS>{c}</SRS><Metadata domain='OVERVIEWS'><MDI key='OVERVIEW_FILE'>{c}</MDI></Metadata></PAMDataset>"),
    "tfw-noise": lambda d, c, p: beside(d, "a.tfw", b"\xff" * 999),
    "metadata-that-leads-elsewhere": lambda d, c, p: strip(d / "a.tif", 64, 64, metadata={"x": f"<!DOCTYPE x SYSTEM 'file://{c}'>", "OVERVIEW_FILE": str(c)}),
}  # fmt: skip


def known_scene(name: str, folder: Path, canary: Path, port: int) -> Path:
    return first.scene(folder / "scene", name)


def scene(folder: Path, files: Mapping[str, bytes], **tileset: Any) -> Path:
    root = {**TILESET["root"], "content": {"uri": next(iter(files))}}
    text(folder / "scene" / "tileset.json", json.dumps({**TILESET, "root": root, **tileset}))
    for name, data in files.items():
        text(folder / "scene" / name, data)
    return folder / "scene"


def b3dm(body: bytes, batch: bytes = b"") -> bytes:
    return b"b3dm" + struct.pack("<6I", 1, 28 + len(batch) + len(body), 0, 0, len(batch), 0) + batch + body


def i3dm(address: str) -> bytes:
    features = b'{"INSTANCES_LENGTH":0}  '
    whole = 32 + len(features) + len(address)
    return b"i3dm" + struct.pack("<7I", 1, whole, len(features), 0, 0, 0, 0) + features + address.encode()


def cmpt(*inner: bytes) -> bytes:
    return b"cmpt" + struct.pack("<III", 1, 16 + sum(map(len, inner)), len(inner)) + b"".join(inner)


def old_glb(port: int) -> bytes:
    body = json.dumps({"shaders": {"s": {"uri": f"http://127.0.0.1:{port}/s.glsl"}}}).encode()
    return b"glTF" + struct.pack("<IIII", 1, 20 + len(body), len(body), 0) + body


def saying(document: Any) -> bytes:
    body = json.dumps({"asset": {"version": "2.0"}, **document}).encode()
    body += b" " * (-len(body) % 4)
    return b"glTF" + struct.pack("<III4s", 2, 20 + len(body), len(body), b"JSON") + body


GOOD = saying({})
OUT = "http://127.0.0.1:9/x"
SCENES: Mapping[str, Make] = {
    "b3dm-behind-a-decoy": lambda d, c, p: scene(d, {"a.b3dm": b3dm(glb(OUT), b'{"x":"glTF....................."}')}),
    "b3dm-without-gltf": lambda d, c, p: scene(d, {"a.b3dm": b3dm(b"x" * 64)}),
    "i3dm-of-an-address": lambda d, c, p: scene(d, {"a.i3dm": i3dm(OUT)}),
    "cmpt-of-an-address": lambda d, c, p: scene(d, {"a.cmpt": cmpt(b3dm(GOOD), i3dm(OUT))}),
    "cmpt-in-itself": lambda d, c, p: scene(d, {"a.cmpt": _russian(2_000)}),
    "gltf-1-shaders": lambda d, c, p: scene(d, {"a.glb": old_glb(p)}),
    "gltf-in-json": lambda d, c, p: scene(d, {"a.gltf": json.dumps({"asset": {"version": "2.0"}, "images": [{"uri": OUT}]}).encode()}),
    "gltf-extension-leads-out": lambda d, c, p: scene(d, {"a.glb": saying({"extensions": {"X": {"deep": [{"uri": OUT}]}}})}),
    "gltf-climbs-out": lambda d, c, p: scene(d, {"a.glb": glb("../../../../etc/passwd")}),
    "gltf-deep": lambda d, c, p: scene(d, {"a.glb": _deep()}),
    "schema-elsewhere": lambda d, c, p: scene(d, {"a.glb": GOOD}, schemaUri=OUT),
    "subtrees-elsewhere": lambda d, c, p: scene(d, {"a.glb": GOOD}, root={**TILESET["root"], "content": {"uri": "a.glb"}, "implicitTiling": {"subtrees": {"uri": OUT + "/{level}"}}}),
    "extension-leads-out": lambda d, c, p: scene(d, {"a.glb": GOOD}, extensions={"X": {"href": f"file://{c}"}}),
    "a-link-inside": lambda d, c, p: lies.link(scene(d, {"a.glb": GOOD}), "b.glb", c),
    "html-as-png": lambda d, c, p: scene(d, {"a.png": b"<script>alert(1)</script>"}),
    "a-million-tiles": lambda d, c, p: scene(d, {"a.glb": GOOD}, root={"children": [{}] * 1_100_000, "content": {"uri": "a.glb"}}),
}  # fmt: skip


def _russian(depth: int) -> bytes:
    body = b3dm(GOOD)
    for _ in range(depth):
        body = cmpt(body)
    return body


def _deep() -> bytes:
    body = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    return b"glTF" + struct.pack("<III4s", 2, 20 + len(body), len(body), b"JSON") + body


__all__ = ["RASTERS", "RASTERS_READ", "SCENES", "io", "known_scene"]
