"""Two machines' networks on one: namespaces joined by a bridge, with no way out; and what runs in them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

NOT_PERMITTED = "network namespaces are not permitted here"


@dataclass(frozen=True, kw_only=True)
class Net:
    """A bridge with our address, and namespaces by name, each with an address of its own."""

    address: str
    others: dict[str, str]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def permitted() -> bool:
    """Say whether this machine lets us make a network namespace."""
    try:
        _ip("netns", "add", name := f"omt{os.getpid():x}")
        _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextlib.contextmanager
def net(count: int) -> Iterator[Net]:
    """Give a network of `count` namespaces while the block runs."""
    mark, third = f"{os.getpid():x}", os.getpid() % 250
    bridge, ours = f"omb{mark}", f"10.86.{third}.1"
    others = {f"om{mark}n{n}": f"10.86.{third}.{n + 2}" for n in range(count)}
    with contextlib.ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("address", "add", f"{ours}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, (name, address) in enumerate(others.items()):
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("link", "add", f"omv{mark}{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"omv{mark}{number}", "master", bridge, "up")
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield Net(address=ours, others=others)


def heard_on(name: str) -> set[str]:
    """Give the addresses on which anything listens in a namespace."""
    told = subprocess.run(["ip", "netns", "exec", name, "ss", "-ltunH"], check=True, capture_output=True, text=True)
    return {line.split()[4].rpartition(":")[0] for line in told.stdout.splitlines()}
