"""What differs between an answer of Python and one of the browser's engine."""

from __future__ import annotations

import math
from typing import Any

PROBABILITIES = 1e-3
"""Of scores and second probabilities, and of shares that follow from them."""
FIGURES = 1e-6
"""Of all other numbers, in proportion."""
ROUGH = frozenset({"scores", "second_probabilities", "score", "second_probability"})


def differences(wanted: Any, found: Any, *, at: str = "", key: str = "") -> list[str]:
    """Tell where two plain values differ, by their places.

    Examples
    --------
    >>> differences({"scores": [0.5], "types": ["B cell"]}, {"scores": [0.5004], "types": ["T cell"]})
    ["types[0]: 'B cell' became 'T cell'"]
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        lacking = [f"{at}: {name!r} is in one only" for name in wanted.keys() ^ found.keys()]
        both = [name for name in wanted if name in found]
        return lacking + [
            line
            for name in both
            for line in differences(wanted[name], found[name], at=f"{at}.{name}".strip("."), key=name)
        ]
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return [f"{at}: {len(wanted)} became {len(found)}"]
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for place, (one, other) in pairs for line in differences(one, other, at=f"{at}[{place}]", key=key)]
    if _alike(wanted, found, key):
        return []
    return [f"{at}: {wanted!r} became {found!r}"]


def _alike(wanted: Any, found: Any, key: str) -> bool:
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not isinstance(found, int | float):
        return bool(wanted == found)
    if key in ROUGH:
        return abs(wanted - found) <= PROBABILITIES
    return math.isclose(wanted, found, rel_tol=FIGURES, abs_tol=FIGURES)
