"""Versions written anew or taken out: the chain keeps its order and times, and says honestly what is gone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests import keeping
from twin.errors import BadRequest, NotFound, PublishConflict
from twin.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give a store with three versions of a pond."""
    made = Store(tmp_path)
    for value in ("first", "second", "third"):
        made.publish("pond", keeping.small(value), version=value)
    return made


def values(store: Store) -> list[str]:
    return [store.at("pond", v.version).manifest["value"] for v in store.versions("pond")]


def test_a_version_written_anew_keeps_its_place_and_time_and_the_old_bytes_are_gone(store: Store) -> None:
    before = store.versions("pond")
    store.change("pond", {"second": keeping.small("mended"), "third": keeping.small("also")}, "erasure")
    after = store.versions("pond")
    assert values(store) == ["also", "mended", "first"]
    assert [v.created_at for v in after] == [v.created_at for v in before]
    assert [v.version for v in after] == ["third.a1", "second.a1", "first"]
    assert sorted(p.name for p in (store.root / "pond").glob("v=*")) == ["v=first", "v=second.a1", "v=third.a1"]
    assert store.current("pond").manifest["anew"]["before_sha256"] == before[0].manifest_sha256
    assert store.verify() == []
    store.change("pond", {"second.a1": keeping.small("again")}, "erasure")
    assert [v.version for v in store.versions("pond")] == ["third.a1", "second.a2", "first"]
    assert store.removed("pond") == [], "what was written anew is still there"
    assert store.rollback("pond").manifest["value"] == "again"


def test_the_current_version_is_never_taken_out(store: Store) -> None:
    with pytest.raises(BadRequest, match="never removed"):
        store.change("pond", {"third": None}, "retention")
    with pytest.raises(NotFound):
        store.change("pond", {"nowhere": None}, "retention")
    assert values(store) == ["third", "second", "first"]


def test_whoever_asks_for_a_version_that_was_taken_out_is_told_so(store: Store) -> None:
    at = datetime.fromisoformat(store.versions("pond")[1].created_at)
    store.change("pond", {"second": None, "first": None}, "retention")
    assert values(store) == ["third"]
    assert [r.version for r in store.removed("pond")] == ["second", "first"]
    for ask in (lambda: store.rollback("pond"), lambda: store.at("pond", "second"), lambda: store.as_of("pond", at)):
        with pytest.raises(NotFound, match=r"Version second was removed on \d{4}-\d\d-\d\d because its time was over"):
            ask()
    store.publish("pond", keeping.small("fourth"))
    assert store.rollback("pond").manifest["value"] == "third"


def test_what_a_rollback_left_behind_is_swept_by_a_change(store: Store) -> None:
    store.rollback("pond")
    assert (store.root / "pond" / "v=third").is_dir()
    store.change("pond", {}, "erasure")
    assert not (store.root / "pond" / "v=third").exists()
    assert values(store) == ["second", "first"]


def test_a_publish_that_came_between_wins_and_nothing_is_changed(store: Store) -> None:
    def fill(directory: Path) -> dict[str, str]:
        Store(store.root).publish("pond", keeping.small("between"))
        return keeping.small("late")(directory)

    with pytest.raises(PublishConflict):
        store.change("pond", {"first": fill}, "erasure")
    assert values(store) == ["between", "third", "second", "first"]


def test_nothing_is_touched_where_the_pointer_cannot_be_read(store: Store) -> None:
    for path in (store.root / "pond").glob("current*.json"):
        path.write_bytes(b"{}")
    with pytest.raises(NotFound):
        store.change("pond", {}, "retention")
    assert len(list((store.root / "pond").glob("v=*"))) == 3
