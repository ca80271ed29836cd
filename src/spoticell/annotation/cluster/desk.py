"""The files that a worker holds open between two tasks: to open one anew takes up to a third of a task's time."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from spoticell.io.open import open_source
from spoticell.io.source import CellSource

MOST = 4
"""Files that are held open while no task reads them."""
REMEMBERED = 1000
"""Runs that are known to be over."""


class Desk:
    """Some open files, each used by one task at a time.

    Parameters
    ----------
    most
        Files that are held open while nobody reads them.
    """

    def __init__(self, most: int = MOST) -> None:
        self._lock, self._most = threading.Lock(), most
        self._held: list[tuple[str, str, CellSource]] = []
        self._over: deque[str] = deque(maxlen=REMEMBERED)

    @contextmanager
    def opened(self, cells: str, *, run: str, check: Callable[[], None]) -> Iterator[CellSource]:
        """Give the open source of some cells; it stays open for the run's next task.

        Parameters
        ----------
        cells
            Path or address.
        run
            For which they are read: between two runs a file may have changed.
        check
            Called before they are opened, to refuse what can't be.
        """
        source = self._taken(cells, run)
        if source is None:
            check()
            source = open_source(cells)
        try:
            yield source
        except BaseException:
            source.close()
            raise
        self._put_back(cells, run, source)

    def clear(self, run: str) -> None:
        """Let go of all files of a run that is over."""
        with self._lock:
            self._over.append(run)
            gone = [source for _, of_run, source in self._held if of_run == run]
            self._held = [held for held in self._held if held[1] != run]
        for source in gone:
            source.close()

    def _taken(self, cells: str, run: str) -> CellSource | None:
        with self._lock:
            for at, (held, of_run, source) in enumerate(self._held):
                if (held, of_run) == (cells, run):
                    del self._held[at]
                    return source
        return None

    def _put_back(self, cells: str, run: str, source: CellSource) -> None:
        with self._lock:
            gone = [source] if run in self._over else []
            if not gone:
                self._held.append((cells, run, source))
                gone, self._held = [one for *_, one in self._held[: -self._most]], self._held[-self._most :]
        for one in gone:
            one.close()


@cache
def desk() -> Desk:
    """Give the one desk of this process."""
    return Desk()


def let_go(run: str) -> None:
    """Let go of what this process holds open for a run."""
    desk().clear(run)


def is_readable(cells: str) -> bool:
    """Whether a path can be read here; of an address nobody knows before it is opened."""
    return "://" in cells or os.access(cells, os.R_OK)
