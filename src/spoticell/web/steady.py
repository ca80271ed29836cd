"""Threads that go on: an error in what they do over and over is logged once, and one that died is started anew."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from spoticell.web.child import where

log = logging.getLogger("spoticell.web")

PAUSE = 1.0
"""Seconds after an error until the next try."""


class Steady:
    """A thread that takes one step after another until it is told to end.

    Parameters
    ----------
    name
        For the log.
    step
        One step, which also waits until there is something to do.
    ending
        Set when it is to end.

    Examples
    --------
    >>> ending = threading.Event()
    >>> steady = Steady("the clock", ending.set, ending=ending)
    >>> steady.revive()
    True
    >>> steady.join(timeout=60)
    >>> steady.alive, steady.trouble
    (False, None)
    """

    def __init__(self, name: str, step: Callable[[], None], *, ending: threading.Event) -> None:
        self.name = name
        self.trouble: str | None = None
        """Kind of the error that the last step ended with; None if it went well."""
        self._step, self._ending = step, ending
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None and self._thread.is_alive()

    def revive(self) -> bool:
        """Start the thread, or start it anew if it died; say whether that was needed."""
        if self.alive or self._ending.is_set():
            return False
        thread = threading.Thread(target=self._go_on, name=self.name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads; it may later
            log.error("%s: it can't be started", self.name)
            return False
        self._thread = thread
        return True

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _go_on(self) -> None:
        while not self._ending.is_set():
            try:
                self._step()
                self.trouble = None
            except Exception as error:  # noqa: BLE001 - the thread is needed whatever happens
                kind = type(error).__name__
                if kind != self.trouble:  # a full disk is one line in the log, not one a second
                    log.error("%s: %s; it goes on", self.name, where(error))
                self.trouble = kind
                self._ending.wait(PAUSE)
