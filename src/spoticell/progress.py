"""What long work reports to: a function, a bar, or the progress of a larger whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps there are; the latter may be 0 where nobody knows."""

PATIENCE = 2.0
"""Seconds after which a bar is shown."""

STEPS = 1000
"""Steps that each thing counts for."""


def part(on_progress: Progress | None, position: int, parts: int) -> Progress:
    """Give what the thing at ``position`` of ``parts`` shall report its own progress to.

    Examples
    --------
    >>> second = part(lambda done, total: print(f"{done} of {total}"), 1, 2)
    >>> second(50, 200)
    1250 of 2000
    """

    def report(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(position * STEPS + min(done * STEPS // max(total, 1), STEPS), parts * STEPS)

    return report


def stretch(on_progress: Progress | None, *, start: int, stop: int) -> Progress:
    """Turn the progress of a part of the work, from ``start`` to ``stop`` percent of it, into that of the whole.

    Examples
    --------
    >>> stretch(lambda done, total: print(f"{done} of {total}"), start=20, stop=90)(1, 10)
    270 of 1000
    """

    def report(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(start * total + done * (stop - start), 100 * total)

    return report


@contextmanager
def shown(wanted: Progress | bool, title: str, *, unit: str = "") -> Iterator[Progress | None]:  # noqa: FBT001
    """Give what long work shall report to.

    Parameters
    ----------
    wanted
        A function; or whether a bar shall appear in a terminal or notebook if the work takes long.
    title
        What the bar says.
    unit
        What the steps are, such as ``cells``, if the bar shall say how many are done in a second.

    Yields
    ------
    A function, or None where nobody looks on.

    Examples
    --------
    >>> with shown(False, "naming cells") as on_progress:
    ...     print(on_progress)
    None
    """
    if callable(wanted):
        yield wanted
    elif wanted and (_is_terminal(sys.stderr) or _is_notebook()):
        bar = _LateBar(title, unit)
        try:
            yield bar.update
        finally:
            bar.close()
    else:
        yield None


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks on; there is no stream at all where it was closed before Python began."""
    return stream is not None and stream.isatty()


def _is_notebook() -> bool:
    """Whether a bar can be drawn in a notebook; rich warns at each step where ipywidgets is missing."""
    return "ipykernel" in sys.modules and find_spec("ipywidgets") is not None


class _LateBar:
    """A bar that appears only if the work takes long."""

    def __init__(self, title: str, unit: str) -> None:
        self._title, self._unit, self._start = title, unit, time.monotonic()
        self._first: tuple[float, int] | None = None
        """When the work was first heard of, and how much was done by then: a resumed one begins in the middle."""
        self._bar: Bar | None = None

    def update(self, done: int, total: int) -> None:
        with suppress(OSError):  # the terminal may be closed by now, and the work goes on
            self._update(done, total)

    def _update(self, done: int, total: int) -> None:
        now = time.monotonic()
        self._first = self._first or (now, done)
        if self._bar is None:
            if now - self._start < PATIENCE:
                return
            self._bar = self._shown(total)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total, speed=self._speed(now, done))

    def close(self) -> None:
        if self._bar is not None:
            with suppress(OSError):
                self._bar.stop()

    def _shown(self, total: int) -> Bar:
        from rich.console import Console  # noqa: PLC0415 - slow to load, and often not wanted
        from rich.progress import Progress as Bar  # noqa: PLC0415
        from rich.progress import TextColumn  # noqa: PLC0415

        columns = [*Bar.get_default_columns(), TextColumn("{task.fields[speed]}")]
        bar = Bar(*columns, console=Console(stderr=True), transient=True)
        bar.add_task(self._title, total=total, speed="")
        bar.start()
        return bar

    def _speed(self, now: float, done: int) -> str:
        """Say how much is done in a second, '' where that isn't asked for or not yet known."""
        start, before = self._first or (now, done)
        return f"{(done - before) / (now - start):,.0f} {self._unit}/s" if self._unit and now > start else ""
