"""Colours of what has none of its own: lines of a diagram, values of any column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from spoticell.biology.palette import GREY, SLOTS, colors_of, oklab, seen_without_green
from spoticell.keys import UNKNOWN
from spoticell.report.plots.answers import term_of

FIRST = "#066cd1"
"""Of the colours that are handed out."""


@cache
def spread() -> tuple[str, ...]:
    """Give the colours of types in an order in which the first few differ most, also to eyes that see no green.

    Examples
    --------
    >>> spread()[0], len(spread()) == len(SLOTS)
    ('#066cd1', True)
    """
    seen = {slot: np.array([oklab(slot), seen_without_green(slot)]) for slot in SLOTS}
    chosen = [FIRST]
    while len(chosen) < len(SLOTS):
        free = [slot for slot in SLOTS if slot not in chosen]
        apart = [min(float(np.linalg.norm(seen[slot] - seen[one], axis=1).min()) for one in chosen) for slot in free]
        chosen.append(free[int(np.argmax(apart))])
    return tuple(chosen)


def value_colors(names: Sequence[str], held: Mapping[str, str]) -> dict[str, str]:
    """Give a colour to each value of any column: its own, that of its type, or one of those that can be told apart.

    Examples
    --------
    >>> found = value_colors(["mine", "B cell", "unknown"], {"mine": "#123456"})
    >>> found["mine"], found["B cell"] in SLOTS, found["unknown"]
    ('#123456', True, '#9a9a9a')
    """
    terms = {name: term_of(name) for name in names if name not in held}
    typed = colors_of([term for term in terms.values() if term is not None])
    taken = {name: held.get(name) or typed.get(terms[name] or "") for name in names}
    free = iter([slot for slot in spread() if slot not in taken.values()] + list(spread()) * (len(names) // 9))
    return {name: taken[name] or (GREY if name == UNKNOWN else next(free)) for name in names}
