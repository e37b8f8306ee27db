"""One bad source never delays another: 58 sources in simulated time, 20 of them hung, slow or sending garbage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import simulating
from twin import ops

MOST = 1.05


@pytest.mark.parametrize("hours", [4, pytest.param(48, marks=pytest.mark.soak)])
def test_twenty_bad_sources_of_fifty_eight_make_the_others_at_most_a_twentieth_later(
    tmp_path: Path, hours: int
) -> None:
    late = {}
    for present in (False, True):
        url = f"sqlite:///{tmp_path / str(present)}.sqlite"
        ops.upgrade(url)
        store = ops.Ops(url)
        late[present] = simulating.simulate(store, bad=20, present=present, hours=hours)
        store.close()
    assert len(late[True]) == len(late[False]) == 38 * hours, "every delivery of a good source was published"
    for share in (0.5, 0.99):
        assert simulating.percentile(late[True], share) <= MOST * simulating.percentile(late[False], share)
