"""Work on several things at once, the results in their order.

The work must let go of Python's lock where it takes long, as NumPy, SciPy, h5py and ONNX Runtime do.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


class End:
    """Stands behind the last thing, which may be anything."""


END = End()
AHEAD = 1
"""Things that wait for a thread to be free."""


def in_order(work: Callable[[Given], Made], things: Iterable[Given], *, threads: int) -> Generator[Made, None, None]:
    """Do the same work on each thing, on several at once, and give the results in the things' order.

    Things are taken one by one, in a thread of its own, and few more than there are threads are held: so memory is
    bounded, and who gives them needs no lock.

    Parameters
    ----------
    work
        What is done; what it raises is raised where its result would have come.
    things
        What it is done on.
    threads
        How many things are worked on at once; with 1 the work is done in the thread that asks.

    Examples
    --------
    >>> list(in_order(lambda number: number * number, range(5), threads=2))
    [0, 1, 4, 9, 16]
    """
    if threads <= 1:
        yield from map(work, things)
        return
    under_way: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="block")
    try:
        # closed here whatever ends the work, not when the last reference to it happens to go
        with closing(ahead(things)) as coming:
            for thing in coming:
                under_way.append(pool.submit(work, thing))
                if len(under_way) > threads + AHEAD:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
    finally:
        # who stops listening waits for the work that was begun, so that nothing is closed under it
        pool.shutdown(wait=True, cancel_futures=True)


def both(first: Callable[[], Given], second: Callable[[], Made], *, threads: int) -> tuple[Given, Made]:
    """Do two things, at once unless there is one thread only, and give what each gives.

    Examples
    --------
    >>> both(lambda: 1, lambda: "a", threads=2)
    (1, 'a')
    """
    if threads <= 1:
        return first(), second()
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as pool:
        coming = pool.submit(second)
        return first(), coming.result()


def ahead(things: Iterable[Given]) -> Generator[Given, None, None]:
    """Give things, the next of which is made while one is worked on.

    Examples
    --------
    >>> list(ahead(range(3)))
    [0, 1, 2]
    """
    left, pool = iter(things), ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        coming = pool.submit(next, left, END)
        while not isinstance(thing := coming.result(), End):
            coming = pool.submit(next, left, END)
            yield thing
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
