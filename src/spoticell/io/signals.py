"""Signals, and moments in which they have to wait: a library can't bear them, or what is half done is being removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let signals, such as that of Ctrl-C, wait for the end of the block.

    Examples
    --------
    >>> try:
    ...     with undisturbed():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("the block goes on")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    the block goes on
    interrupted
    """
    if threading.current_thread() is not threading.main_thread():  # no other one hears of signals
        yield
        return
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    waiting: list[tuple[int, FrameType | None]] = []

    def wait(number: int, frame: FrameType | None) -> None:
        waiting.append((number, frame))

    heard: dict[int, Callable[[int, FrameType | None], Any]] = {n: act for n, act in handlers.items() if callable(act)}
    try:
        for number in heard:
            signal.signal(number, wait)
        yield
    finally:
        for number, act in heard.items():
            signal.signal(number, act)
        for number, frame in waiting:
            heard[number](number, frame)
