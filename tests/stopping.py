"""Stopping work at every moment at which it opens, makes, moves or removes a file."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CHANGES = {"open", "os.link", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.scandir"}
_acts: list[Callable[[], None]] = []


def _hear(event: str, _: tuple[object, ...]) -> None:
    if event in CHANGES and _acts and threading.current_thread() is threading.main_thread():
        act = _acts.pop()  # what it does itself with files goes unheard
        try:
            act()
        finally:
            _acts.append(act)


sys.addaudithook(_hear)  # for good: Python can't take it back


@contextmanager
def at_every_change(act: Callable[[], None]) -> Iterator[None]:
    """Do something just before every touch of a file by this thread, while the block runs."""
    _acts.append(act)
    try:
        yield
    finally:
        _acts.clear()
