"""Progress over several things done one after another, told as that of one."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps there are; the latter may be 0 where nobody knows."""

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
