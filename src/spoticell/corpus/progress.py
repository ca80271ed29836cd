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
