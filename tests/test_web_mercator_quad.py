"""The square every tile is cut from: one arithmetic for vectors, rasters and terrain."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin import web_mercator_quad as quad

ADDRESS = st.integers(0, 24).flatmap(
    lambda z: st.tuples(st.just(z), st.integers(0, 2**z - 1), st.integers(0, 2**z - 1))
)


def test_the_half_side_is_half_the_equator_of_the_sphere() -> None:
    assert pytest.approx(math.pi * 6378137.0, abs=1e-8) == quad.HALF_M


def test_the_tile_of_zoom_0_is_the_whole_square() -> None:
    assert quad.bounds(0, 0, 0) == (-quad.HALF_M, -quad.HALF_M, quad.HALF_M, quad.HALF_M)


@given(ADDRESS)
def test_four_children_fill_their_parent(at) -> None:
    z, x, y = at
    children = [quad.bounds(z + 1, 2 * x + i, 2 * y + j) for i in (0, 1) for j in (0, 1)]
    west, south, east, north = zip(*children, strict=True)
    assert (min(west), min(south), max(east), max(north)) == pytest.approx(quad.bounds(z, x, y), abs=1e-6)
    assert sum((c[2] - c[0]) * (c[3] - c[1]) for c in children) == pytest.approx(quad.side_m(z) ** 2)


@given(ADDRESS, st.floats(0, 1))
def test_a_buffer_widens_every_side_alike(at, buffer) -> None:
    plain, wide = quad.bounds(*at), quad.bounds(*at, buffer)
    edge = buffer * quad.side_m(at[0])
    assert wide == pytest.approx((plain[0] - edge, plain[1] - edge, plain[2] + edge, plain[3] + edge), abs=1e-6)


def test_it_agrees_with_the_projection_library() -> None:
    from twin import geodesy

    x, y = geodesy.to_mercator(119.97, 30.53)
    n = 2**14
    column, row = int((119.97 + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(30.53))) / math.pi) / 2 * n)
    west, south, east, north = quad.bounds(14, column, row)
    assert west <= x < east
    assert south < y <= north


def test_it_loads_no_library() -> None:
    code = "import sys; import twin.web_mercator_quad; print([m for m in ('pyproj', 'numpy', 'rasterio') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
