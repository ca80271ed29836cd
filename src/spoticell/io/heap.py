"""How the C library holds memory: what suits a training, and what suits blocks of cells in several threads.

Each step of a training makes arrays of tens of megabytes and drops them.  The GNU C library gives such memory back to
the system at once, which then has to hand out, and empty, the same pages in the next step: up to a fifth of a step's
time.  And it has a heap for each thread, none of which gives back what the others could use: a third of a run's memory.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Names of the settings, as ``malloc.h`` of the GNU C library numbers them."""
LIMIT = 1 << 30
"""Free memory that is kept, and the size of arrays from which memory isn't kept, in bytes."""
USUAL, LARGE = 128 << 10, 32 << 20
"""What the library starts with, for both settings, and what it goes up to by itself."""


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory for the next step while a training runs; afterwards all of it goes back to the system.

    Does nothing where there is another C library.

    Examples
    --------
    >>> with kept_memory():
    ...     sum(range(3))
    3
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    library = ctypes.CDLL(None)
    library.mallopt(MMAP_THRESHOLD, LIMIT)
    library.mallopt(TRIM_THRESHOLD, LIMIT)
    try:
        yield
    finally:
        library.mallopt(MMAP_THRESHOLD, USUAL)
        library.mallopt(TRIM_THRESHOLD, USUAL)
        library.malloc_trim(0)


def usual_memory() -> None:
    """Hold freed memory as a process does by itself after some use, whatever its environment says.

    Dask has its workers give all of it back at once, which doubled the time of a task.  Does nothing where there is
    another C library.

    Examples
    --------
    >>> usual_memory()
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, LARGE)
        library.mallopt(TRIM_THRESHOLD, 2 * LARGE)


def one_heap() -> None:
    """Let all threads of the process share one heap; to be called before there are any.

    Does nothing where there is another C library.

    Examples
    --------
    >>> one_heap()
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)
