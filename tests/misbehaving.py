"""A child whose readers misbehave in every way one could; run in the place of `etl.inside` by the tests of the sandbox."""

import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path

import pyarrow as pa

from etl import inside


def _one(rows=1):
    return pa.RecordBatch.from_pylist(
        [{"a": "x", "_row": str(i), "_geometry": None, "_note": None} for i in range(rows)]
    )


def segfault(job, report):
    yield _one()
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(job, report):
    yield _one()
    os._exit(3)


def raise_(job, report):
    raise RuntimeError("a mistake of ours")


def spin(job, report):
    yield _one()
    while True:
        pass


def hog(job, report):
    held = []
    while True:
        held.append(bytearray(64 << 20))


def sleep(job, report):
    yield _one()
    time.sleep(60)


def fill(job, report):
    with Path(os.environ.get("TMPDIR", "/tmp"), f"onemap-fill-{os.getpid()}").open("wb") as file:
        Path(file.name).unlink()
        file.writelines(bytes(1 << 20) for _ in range(200))
    yield _one()


def open_many(job, report):
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(5000)]
    report["notes"].append(len(held))
    yield _one()


def garbage(job, report):
    os.write(job_out(), b"\xff" * 65536)
    yield _one()


def job_out():
    """Find the pipe to the parent: the only FIFO above the standard three."""
    return next(fd for fd in range(3, 64) if Path(f"/proc/self/fd/{fd}").is_fifo())


def liar(job, report):
    offsets = pa.py_buffer(bytes([0, 0, 0, 0, 3, 0, 0, 0]))
    column = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(b"\xff\xfe\xfd")])
    yield pa.RecordBatch.from_arrays([column], names=["a"])


def chatty(job, report):
    print("to standard output", flush=True)
    os.write(1, b"x" * 100_000)
    yield _one()


def slow(job, report):
    for _ in range(3):
        yield _one(100_000)


def look(job, report):
    def can(path):
        try:
            list(Path(path).iterdir()) if Path(path).is_dir() else Path(path).read_bytes()
        except OSError:
            return False
        return True

    def connects(address):
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            return False
        return True

    def writes(path):
        try:
            Path(path).write_text("x")
        except OSError:
            return False
        return True

    host, port, canary, raw, *outside = job.part.split("|")
    report["notes"] = {
        "env": dict(os.environ),
        "limits": {
            n: resource.getrlimit(getattr(resource, f"RLIMIT_{n}"))[0] for n in ("AS", "CPU", "DATA", "NOFILE", "FSIZE")
        },
        "connects": connects((host, int(port))),
        "canary": can(canary),
        "raw": can(raw),
        "passwd": can("/etc/passwd"),
        "own": can(job.path),
        "job": sorted(p.name for p in Path(job.path).parent.iterdir()),
        "writes": [p for p in outside if writes(p)],
    }
    yield _one()


for name in (
    "segfault",
    "leave",
    "raise_",
    "spin",
    "hog",
    "sleep",
    "fill",
    "open_many",
    "garbage",
    "liar",
    "chatty",
    "slow",
    "look",
):
    module = type(sys)(f"tests.misbehaving_{name}")
    module.read = globals()[name]
    sys.modules[module.__name__] = module
    inside.READERS[name] = module.__name__

if __name__ == "__main__":
    sys.exit(inside.main())
