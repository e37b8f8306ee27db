"""A Dask scheduler, its workers, and how they are spoken to; the only importer of `distributed` (pip install .[dask]).

Whoever may speak to a scheduler may run any program on its workers: that is what it is for, tasks travel as pickles.
So beyond the loopback it speaks TLS only, each side showing a certificate of the cluster's own authority, and listens
on the one address it is given. No dashboard: the web server Dask insists on stays on the loopback, without a route.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from etl.scale import parts
from etl.scale.executors import AHEAD, ATTEMPTS, died
from etl.scale.parts import Kept, Part
from twin import durable
from twin.errors import SettingError, SourceError
from twin.settings import LOOPBACK

try:
    import dask.config
    from distributed import Client, Scheduler, Worker, as_completed
    from distributed.scheduler import KilledWorker
    from distributed.security import Security
except ImportError as wrong:
    raise SettingError("没有安装 Dask:pip install '.[dask]'", "Dask is not installed: pip install '.[dask]'") from wrong

CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
NOWHERE = "127.0.0.1:0"
"""Where Dask's web server listens, without a route."""
PATIENCE = "30s"
WORKERLESS_SECONDS = 120.0
_OTHERS_MAY = 0o077
_CONFIG = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.allowed-failures": ATTEMPTS,
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.comm.timeouts.connect": PATIENCE,
    "distributed.comm.retry.count": 3,
}


def spread(work: Iterable[Part], *, address: str, tls: str) -> Iterator[Kept]:
    """Have the workers of the scheduler at `address` do the parts; give each result as it comes.

    What a killed worker was at is done by another. Raises SettingError where the address is not to be trusted,
    SourceError where no worker comes in WORKERLESS_SECONDS, or workers died of the same part again and again.
    """
    _hush()
    with dask.config.set(_CONFIG), _client(address, tls) as client:
        work = iter(work)
        width = AHEAD * max(1, _threads(client))
        under_way = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        for part in islice(work, width):
            under_way.add(_sent(client, part))
        for future, result in under_way:
            if not isinstance(
                result, Kept
            ):  # what it says of a future may be of its repetition: its worker died after it
                raise _failed(future.key, result)
            yield result
            future.release()
            wider = AHEAD * _threads(client)  # workers come and go
            for part in islice(work, max(0, wider - under_way.count())):
                under_way.add(_sent(client, part))


def _threads(client: Client) -> int:
    found: Any = client.nthreads()
    return sum(found.values())


def _client(address: str, tls: str) -> Client:
    try:
        client = Client(address, security=security(address, tls), timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError) as wrong:
        raise SourceError(f"连不上调度器 {address}:{wrong}", f"No scheduler answers at {address}: {wrong}") from wrong
    try:
        client.wait_for_workers(1, timeout=WORKERLESS_SECONDS)
    except TimeoutError as wrong:
        client.close()
        raise SourceError("调度器没有工作进程", f"The scheduler at {address} has no worker") from wrong
    return client


def _sent(client: Client, part: Part):  # noqa: ANN202 - a Future, which distributed does not type
    return client.submit(parts.receive, part, key=f"{part.resource.id}-{part.code}", pure=False, retries=0)


def _failed(key: str, result: object) -> Exception:
    error = result[1] if isinstance(result, tuple) and len(result) > 1 else result
    if isinstance(error, KilledWorker):
        return died(str(key).rpartition("-")[2])
    return error if isinstance(error, Exception) else SourceError(f"{key}:{error}", f"{key}: {error}")


def security(address: str, tls: str) -> Security | None:
    """Give the certificates of folder `tls` (ca.pem, cert.pem, key.pem); none only on the loopback, by tcp.

    Raises SettingError where an address beyond the loopback has none, or others may read the key.
    """
    parts_of = urlsplit(address)
    if parts_of.scheme == "tcp" and parts_of.hostname in LOOPBACK and not tls:
        return None
    if parts_of.scheme != "tls" or not tls:
        raise SettingError(
            "本机以外只用 tls://,并以 --tls 指明证书文件夹(ca.pem、cert.pem、key.pem)",
            "Beyond the loopback only tls:// is spoken; name the folder of ca.pem, cert.pem and key.pem with --tls",
        )
    paths = [Path(tls) / name for name in CERTIFICATES]
    if not all(p.is_file() for p in paths) or paths[2].stat().st_mode & _OTHERS_MAY:
        raise SettingError(
            f"{tls} 中要有 ca.pem、cert.pem、key.pem,key.pem 只许本人读(chmod 600)",
            f"{tls} must hold ca.pem, cert.pem and key.pem, the last readable by nobody else (chmod 600)",
        )
    ca, cert, key = map(str, paths)
    pairs = {f"tls_{role}_{what}": p for role in ("scheduler", "worker", "client") for what, p in _pair(cert, key)}
    return Security(tls_ca_file=ca, require_encryption=True, **pairs)


def _pair(cert: str, key: str) -> tuple[tuple[str, str], ...]:
    return ("cert", cert), ("key", key)


def scheduler(listen: str, tls: str) -> None:
    """Be the scheduler at `listen` ("tls://10.0.0.1:8786") until told to end."""
    asyncio.run(_scheduling(listen, tls))


async def _scheduling(listen: str, tls: str) -> None:
    to = urlsplit(listen)
    _hush()
    with dask.config.set(_CONFIG):
        async with Scheduler(
            host=to.hostname,
            port=to.port or 0,
            protocol=to.scheme,
            security=security(listen, tls),
            dashboard=False,
            dashboard_address=NOWHERE,
        ) as made:
            print(made.address, flush=True)
            await _told_to_end()


def worker(address: str, listen: str, tls: str, *, memory: str, folder: Path) -> None:
    """Be one worker of the scheduler at `address`, heard on `listen`, one part at a time, until told to end.

    What Dask spills beyond `memory` ("1GiB") goes below `folder`.
    """
    durable.make_directory(folder)
    asyncio.run(_working(address, listen, tls, memory, folder))


async def _working(address: str, listen: str, tls: str, memory: str, folder: Path) -> None:
    to = urlsplit(listen)
    security(listen, tls)
    _hush()
    with dask.config.set(_CONFIG):
        async with Worker(
            address,
            host=to.hostname,
            port=to.port or 0,
            protocol=to.scheme,
            security=security(address, tls),
            nthreads=1,
            memory_limit=memory,
            local_directory=str(folder),
            dashboard=False,
            dashboard_address=NOWHERE,
            death_timeout=PATIENCE,
        ) as made:
            print(made.address, flush=True)
            ended = asyncio.ensure_future(_told_to_end())
            finished = asyncio.ensure_future(made.finished())
            await asyncio.wait([ended, finished], return_when=asyncio.FIRST_COMPLETED)


def _hush() -> None:
    logging.getLogger("distributed").setLevel(logging.WARNING)


async def _told_to_end() -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
