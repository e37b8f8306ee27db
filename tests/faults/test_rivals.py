"""Two processes that publish the same table: one chain, nothing lost, nothing torn."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests import keeping
from tests.faults import harness
from twin.store import Store

ROUNDS = 30
RIVAL = """
import json, pathlib, sys, time
from tests import keeping
from twin.errors import PublishConflict
from twin.store import Store

root, name, rounds = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
published, refused = [], 0


def begun(directory):
    # waits until the other rival is filling its first too, so that they meet whatever the machine does
    (root.parent / f"begun-{name}").touch()
    while len(list(root.parent.glob("begun-*"))) < 2:
        time.sleep(0.001)
    return keeping.small(f"{name}{len(published)}")(directory)


while len(published) < rounds:
    try:
        snapshot = Store(root).publish("pond", begun)
        published.append([snapshot.manifest["parent"], snapshot.version])
    except PublishConflict:
        refused += 1
print(json.dumps({"published": published, "refused": refused}))
"""


def test_two_publishers_make_one_chain_without_a_fork_or_a_loss(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir()
    command = [sys.executable, "-c", RIVAL, str(root)]
    running = [subprocess.Popen([*command, name, str(ROUNDS)], stdout=subprocess.PIPE) for name in "ab"]
    said = [json.loads(p.communicate(timeout=120)[0]) for p in running]
    links = dict(link for rival in said for link in rival["published"])
    assert len(links) == 2 * ROUNDS  # every version has a parent of its own
    version, length = None, 0
    while version in links:
        version, length = links[version], length + 1
    assert length == 2 * ROUNDS
    assert Store(root).current("pond").version == version
    assert harness.litter(root) == []
    assert sum(rival["refused"] for rival in said) > 0


def test_a_publisher_that_slept_through_anothers_publish_is_refused_when_it_wakes(tmp_path: Path) -> None:
    root = tmp_path / "store"
    Store(root).publish("pond", keeping.small("old"))
    code = (
        "import os, pathlib, signal, sys\nfrom tests import keeping\nfrom twin.errors import PublishConflict\n"
        "from twin.store import Store\n"
        "def fill(d):\n    os.kill(os.getpid(), signal.SIGSTOP)\n    return keeping.small('late')(d)\n"
        "try: Store(pathlib.Path(sys.argv[1])).publish('pond', fill)\n"
        "except PublishConflict: sys.exit(7)\n"
    )
    sleeper = subprocess.Popen([sys.executable, "-c", code, str(root)])
    while Path(f"/proc/{sleeper.pid}/stat").read_text().split(")")[1].split()[0] != "T":
        time.sleep(0.01)
    Store(root).publish("pond", keeping.small("new"))
    os.kill(sleeper.pid, signal.SIGCONT)
    assert sleeper.wait(timeout=60) == 7
    assert harness.state(root) == "new"
    assert harness.litter(root) == []
