"""Who does the work on parts: this process, several processes of this machine, or the workers of a Dask scheduler.

All three take the same picklable function and give what it gave as it comes, in any order. A worker that is killed
costs the parts it was at, which are done again by the others.
"""

from __future__ import annotations

import functools
import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module

from etl.scale import parts
from etl.scale.parts import Kept, Part
from twin.errors import BadRequest, SourceError
from twin.settings import Settings

Executor = Callable[[Iterable[Part]], Iterator[Kept]]
ATTEMPTS = 3
"""How often the part a worker died of is given to another."""
AHEAD = 2
"""Parts under way or waiting for each worker: a county of any size is never in memory as a whole."""


def chosen(text: str, settings: Settings, tls: str = "") -> Executor:
    """Give the executor `text` names: "here", "pool:<processes>", or a scheduler's address ("tls://10.0.0.1:8786").

    `tls` is the folder of certificates that a scheduler is spoken to with. Raises BadRequest for any other text.
    """
    if text == "here":
        return functools.partial(here, settings=settings)
    kind, _, rest = text.partition(":")
    if kind == "pool" and rest.isdigit() and int(rest):
        return functools.partial(pool, processes=int(rest), settings=settings)
    if kind in ("tls", "tcp"):
        cluster = import_module("etl.scale.cluster")  # an optional extra
        return functools.partial(cluster.spread, address=text, tls=tls)
    raise BadRequest(
        f"不认识执行方式 {text!r};可用 here、pool:进程数、tls://调度器地址",
        f"{text!r} is no way to run it; there are here, pool:<processes> and tls://<scheduler>",
    )


def here(work: Iterable[Part], *, settings: Settings) -> Iterator[Kept]:
    """Do one part after the other in this process."""
    for part in work:
        yield parts.receive(part, settings)


def pool(work: Iterable[Part], *, processes: int, settings: Settings) -> Iterator[Kept]:
    """Do parts in `processes` processes of this machine; a pool broken by a killed process is made anew."""
    waiting = ((part, 1) for part in work)
    while True:
        lost: list[tuple[Part, int]] = []
        yield from _pooled(waiting, processes, settings, lost)
        if not lost:
            return
        spent = next((p for p, n in lost if n >= ATTEMPTS), None)
        if spent is not None:
            raise died(spent.code)
        waiting = itertools.chain([(p, n + 1) for p, n in lost], waiting)


def _pooled(
    waiting: Iterator[tuple[Part, int]], processes: int, settings: Settings, lost: list[tuple[Part, int]]
) -> Iterator[Kept]:
    """Give results until all is done or the pool broke; `lost` is then what was under way."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as executor:
        under_way: dict[Future[Kept], tuple[Part, int]] = {}
        while True:
            for part, attempt in itertools.islice(waiting, AHEAD * processes - len(under_way)) if not lost else ():
                try:
                    under_way[executor.submit(parts.receive, part, settings)] = (part, attempt)
                except BrokenProcessPool:
                    lost.append((part, attempt))
                    break
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                one = under_way.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(one)
                else:
                    yield future.result()


def died(code: str) -> SourceError:
    """Make the refusal of a part whose workers died again and again."""
    return SourceError(
        f"分区 {code} 的进程 {ATTEMPTS} 次被终止(内存不足?),未完成;其余分区不受影响,可重跑",
        f"The workers at partition {code} were killed {ATTEMPTS} times (out of memory?); run again, the rest is kept",
        partition=code,
    )
