"""How a command ends that is told to: by Ctrl-C, a closed terminal, the end of a batch job.

The signal becomes an exception, so that what is half done is removed on the way out.
"""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name))
"""What ends a command; not all systems have all."""
PATIENCE = 5.0
"""Seconds after a signal in which another one says nothing new: half-done things are being removed."""


class Ending:
    """Takes the signals that end a command.

    Parameters
    ----------
    clock
        Gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = -math.inf

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise what ends the command with the exit code of the signal."""
        now = self._clock()
        if now - self._told < PATIENCE:
            return
        self._told = now
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)


def end_cleanly() -> None:
    """Have signals end this process cleanly, but those that it was started to ignore, as by ``nohup``."""
    ending = Ending()
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, ending)
