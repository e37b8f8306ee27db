"""One content tile as bytes: glTF 2.0 in a Batched 3D Model (3D Tiles 1.0), with the features' properties."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pygltflib as gltf

from twin.scenes.mesh import ROOF, SHADES, Mesh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADER = struct.Struct("<4s6I")
"""magic, version, byteLength, feature table JSON and binary, batch table JSON and binary bytes."""
WALL = np.array([0.95, 0.92, 0.87])
"""Of a wall in full light; sRGB, 0–1, as all colours here."""
ROOF_COLOUR = np.array([0.73, 0.44, 0.35])
DARKEST = 0.55
"""What is left of a wall's colour in full shadow."""
UNLIT = "KHR_materials_unlit"
"""The light is in the colours: what a renderer adds of its own differs from one to the next, and darkens."""
BATCH = "_BATCHID"
"""The vertex attribute that says which feature a vertex belongs to."""


def encode(mesh: Mesh, properties: Mapping[str, Sequence[Any]], count: int) -> bytes:
    """Give the b3dm of `count` features; `properties` are equally long columns of JSON values."""
    feature_table = _padded(json.dumps({"BATCH_LENGTH": count}), HEADER.size)
    batch_table = _padded(json.dumps(properties, ensure_ascii=False), 0)
    glb = _glb(mesh)
    glb += b"\0" * (-len(glb) % 8)
    size = HEADER.size + len(feature_table) + len(batch_table) + len(glb)
    header = HEADER.pack(b"b3dm", 1, size, len(feature_table), 0, len(batch_table), 0)
    return header + feature_table + batch_table + glb


def decode(data: bytes) -> tuple[int, Mapping[str, Any], gltf.GLTF2]:
    """Give (number of features, properties, glTF) of a b3dm; raises ValueError where it is not one."""
    magic, version, size, table, table_binary, batch, batch_binary = HEADER.unpack_from(data)
    if magic != b"b3dm" or version != 1 or size != len(data):
        raise ValueError("not a b3dm of its stated length")
    start = HEADER.size
    count = json.loads(data[start : start + table])["BATCH_LENGTH"]
    start += table + table_binary
    properties = json.loads(data[start : start + batch]) if batch else {}
    start += batch + batch_binary
    if start % 8:
        raise ValueError("glTF is not aligned to 8 bytes")
    model = gltf.GLTF2.load_from_bytes(data[start:])
    if model is None:
        raise ValueError("the glTF cannot be read")
    return count, properties, model


def _padded(text: str, before: int) -> bytes:
    data = text.encode()
    return data + b" " * (-(before + len(data)) % 8)


def _glb(mesh: Mesh) -> bytes:
    """Write the mesh y-up, as glTF has it: east, up, south."""
    turned = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    model = gltf.GLTF2(
        asset=gltf.Asset(version="2.0"),
        scene=0,
        scenes=[gltf.Scene(nodes=[0])],
        nodes=[gltf.Node(mesh=0)],
        materials=[_material(number) for number in range(ROOF + 1)],
        extensionsUsed=[UNLIT],
    )
    blob = bytearray()
    arrays = (mesh.positions @ turned.T, mesh.normals @ turned.T, mesh.feature)
    position, normal, batch = (_accessor(model, blob, a.astype("<f4"), gltf.ARRAY_BUFFER) for a in arrays)
    attributes = gltf.Attributes(POSITION=position, NORMAL=normal)
    setattr(attributes, BATCH, batch)
    primitives = []
    for number in np.unique(mesh.material):
        chosen = mesh.triangles[mesh.material == number].ravel().astype("<u4")
        indices = _accessor(model, blob, chosen, gltf.ELEMENT_ARRAY_BUFFER)
        primitives.append(gltf.Primitive(attributes=attributes, indices=indices, material=int(number)))
    model.meshes = [gltf.Mesh(primitives=primitives)]
    model.buffers = [gltf.Buffer(byteLength=len(blob))]
    model.set_binary_blob(bytes(blob))
    return b"".join(model.save_to_bytes())


def _accessor(model: gltf.GLTF2, blob: bytearray, array: np.ndarray, target: int) -> int:
    view = gltf.BufferView(buffer=0, byteOffset=len(blob), byteLength=array.nbytes, target=target)
    model.bufferViews.append(view)
    blob.extend(array.tobytes())
    vector = array.ndim == 2
    model.accessors.append(
        gltf.Accessor(
            bufferView=len(model.bufferViews) - 1,
            componentType=gltf.UNSIGNED_INT if array.dtype.kind == "u" else gltf.FLOAT,
            count=len(array),
            type="VEC3" if vector else "SCALAR",
            min=np.atleast_1d(array.min(axis=0)).tolist() if vector else None,
            max=np.atleast_1d(array.max(axis=0)).tolist() if vector else None,
        )
    )
    return len(model.accessors) - 1


def _material(number: int) -> gltf.Material:
    light = DARKEST + (1 - DARKEST) * number / (SHADES - 1)
    colour = ROOF_COLOUR if number == ROOF else WALL * light
    factor = [*(round(float(c), 4) for c in _linear(colour)), 1.0]
    return gltf.Material(
        name="roof" if number == ROOF else f"wall-{number}",
        pbrMetallicRoughness=gltf.PbrMetallicRoughness(baseColorFactor=factor, metallicFactor=0.0, roughnessFactor=0.9),
        extensions={UNLIT: {}},
        doubleSided=True,
    )


def _linear(srgb: np.ndarray) -> np.ndarray:
    """Give the linear light of sRGB values, which glTF's factors are (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
