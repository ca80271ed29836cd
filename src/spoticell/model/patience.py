"""Work in a library that hears no signals, waited for with a limit of time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

GRACE = 5.0
"""Seconds that work has to end once it is asked to."""


def within(seconds: float, work: Callable[[], Result], *, stop: Callable[[], None] = lambda: None) -> Result:
    """Give what some work gives.

    It runs in a thread of its own, so that Ctrl-C and SIGTERM are heard meanwhile.

    Parameters
    ----------
    seconds
        How long it may take.
    work
        What to do; whatever it raises is raised here.
    stop
        Asks the work to end; called if it takes longer, or if a signal ends the waiting.

    Raises
    ------
    TimeoutError
        If the work takes longer.  A thread that doesn't stop is left behind and ends with the process.

    Examples
    --------
    >>> within(10, lambda: 7)
    7
    """
    results: list[Result] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, daemon=True).start()
    try:
        # not the thread's join: a signal that breaks it off makes Python take the thread for ended
        if not done.wait(seconds):
            raise TimeoutError(f"no end after {seconds} seconds")
    finally:
        if not done.is_set():
            stop()
            done.wait(GRACE)  # a thread that comes back while the interpreter ends would abort the process
    if errors:
        raise errors[0]
    return results[0]
