"""How long a run will take: a guess from its cells and values, set right by the runs that this server has had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter

from spoticell.web.jobs import DONE, QUEUED, READY, RUNNING, Job
from spoticell.web.quota import values_of

BEGIN, A_MAP, A_CELL, A_VALUE = 0.8, 0.06, 1e-4, 3e-8
"""Seconds that a run takes on two cores: for itself, for the square root of its cells (the map is drawn from some of
them), for a cell and for a value above zero."""
QUICK = 2.0
"""Seconds of a check that tell nothing: a first process takes that long to start.  What a check takes beyond them, its
run takes too, because it reads the file again."""
LIKE = 8
"""How many of the past runs that are most like a new one in size say how long it takes."""


def guess(job: Job) -> float:
    """Guess how many seconds the run of a job takes that was checked, on a machine like that of the developers.

    Examples
    --------
    >>> job = Job("0" * 32, "a.h5ad", "b.h5ad", 9, 0, 0, findings={"cells": 10_000, "values": 7_300_000}, looked=1.3)
    >>> round(guess(job), 1)
    8.0
    """
    cells = int((job.findings or {}).get("cells", 0))
    reading = max(job.looked - QUICK, 0)
    return BEGIN + A_MAP * math.sqrt(cells) + A_CELL * cells + A_VALUE * values_of(job) + reading


def expected(guess: float, past: Sequence[tuple[float, float]]) -> float:
    """Give the seconds that a run will take.

    Parameters
    ----------
    guess
        As `guess` has it.
    past
        For each past run what was guessed and the seconds that it took, the last one first.

    Examples
    --------
    >>> expected(10, []), round(expected(10, [(10, 30)] * 8))
    (10.0, 27)
    """
    # of runs of one size the last ones count: the sort keeps their order
    far = [(round(abs(math.log(told / guess)), 1), math.log(seconds / told)) for told, seconds in past]
    like = [(math.exp(-2 * away), ratio) for away, ratio in sorted(far, key=itemgetter(0))[:LIKE]]
    # the guess itself counts as much as one run of the same size
    ratio = sum(weight * ratio for weight, ratio in like) / (1 + sum(weight for weight, _ in like))
    return guess * math.exp(ratio)


def seconds_left(total: float, since: float, progress: float) -> float:
    """Give the seconds that a run still takes, at least one.

    The nearer the end, the more counts how fast it went so far.

    Parameters
    ----------
    total
        Seconds that it was expected to take.
    since
        Seconds that it has taken.
    progress
        The share of the work that is done.

    Examples
    --------
    >>> [round(left) for left in (seconds_left(20, 0, 0), seconds_left(20, 20, 0.5), seconds_left(20, 20, 1))]
    [20, 8, 1]
    """
    so_far = since / progress if progress > 0 and since > 0 else total
    whole = math.exp((1 - progress) * math.log(total) + progress * math.log(so_far))
    # a run that takes longer than expected isn't almost done for ever
    return max(whole - since, (1 - progress) * since / 2, 1.0)


def times(job: Job, past: Sequence[tuple[float, float]], now: float) -> dict[str, float | None]:
    """Give how long the run of a job takes in all, and how long it still takes; None where that isn't known."""
    if job.findings is None or job.state not in {READY, QUEUED, RUNNING, DONE}:
        return {"seconds": None, "seconds_left": None}
    total = expected(guess(job), past)
    if job.state != RUNNING:
        return {"seconds": round(total, 1), "seconds_left": None}
    left = seconds_left(total, max(now - job.started, 0), job.progress)
    return {"seconds": round(total, 1), "seconds_left": round(left, 1)}
