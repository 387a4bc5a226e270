"""Processes that work side by side.

They begin clean, not as copies of ours: a copy of a process whose database has threads may wait for ever.
"""

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import forkserver
from typing import Final, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_PRELOADED: Final = ["loaders.ingest", "pandas"]
"""What every process needs; Arrow imports pandas when it is first given a list."""


@contextmanager
def started(jobs: int) -> Iterator[Executor | None]:
    """`jobs` processes as long as the block lasts; None for one, which needs no other.

    They look for cycles as seldom as we do.
    """
    if jobs < 2:
        yield None
        return
    has_server = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if has_server else "spawn")
    if has_server:
        context.set_forkserver_preload(_PRELOADED)
        forkserver.ensure_running()
    for name in _PRELOADED:  # while the server does
        import_module(name)
    with ProcessPoolExecutor(jobs, context, gc.set_threshold, gc.get_threshold()) as workers:
        yield workers


def a_few_ahead(
    workers: Executor | None, function: Callable[[Given], Made], items: Iterable[Given], ahead: int = 3
) -> Iterator[Made]:
    """`map`, in other processes where there are any; it takes at most so many items before their results are asked."""
    if workers is None:
        yield from map(function, items)
        return
    waiting: deque[Future[Made]] = deque()
    for item in items:
        waiting.append(workers.submit(function, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
