"""Whole groups of cells dealt to the sides of a split, so that nothing that belongs together is torn apart.

Axes: ``g`` groups, ``s`` sets of groups that belong together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")
"""Sides of a split, from the one that is fitted on to the one that is kept away longest."""


def linked(group: Sequence[str], donor: Sequence[str]) -> list[tuple[str, ...]]:
    """Put groups that share a donor, directly or through others, into one set.

    Parameters
    ----------
    group, donor
        Pairs that occur together, of equal length.

    Returns
    -------
    The ``s`` sets, each sorted, by their first group.

    Examples
    --------
    >>> linked(["a", "b", "b", "c"], ["Ann", "Ann", "Bob", "Cid"])
    [('a', 'b'), ('c',)]
    """
    group_codes, groups = pd.factorize(np.asarray(group, dtype=object), sort=True)
    donor_codes, donors = pd.factorize(np.asarray(donor, dtype=object))
    size = len(groups) + len(donors)
    places = (group_codes, len(groups) + donor_codes)  # a graph whose nodes are groups, then donors
    graph = sparse.csr_array((np.ones(len(group_codes), dtype=np.int8), places), shape=(size, size))
    _, set_of = connected_components(graph, directed=False)
    sets: dict[int, list[str]] = {}
    for name, number in zip(groups, set_of[: len(groups)], strict=True):
        sets.setdefault(int(number), []).append(str(name))
    return sorted(tuple(names) for names in sets.values())


def shuffled(sets: Sequence[tuple[str, ...]], seed: int) -> list[tuple[str, ...]]:
    """Give sets in an order that follows from the seed and their first names alone.

    Examples
    --------
    >>> shuffled([("a", "b"), ("c",)], 0) == shuffled([("c",), ("a", "b")], 0)
    True
    """
    return sorted(sets, key=lambda names: (hashlib.sha256(f"{seed}:{names[0]}".encode()).digest(), names))


def deal(sizes: Sequence[int], shares: Mapping[Side, float]) -> list[Side]:
    """Give each set in turn to the side that has the most room left, so that every side gets at least one.

    No side gets more than its share and the size of one set.

    Parameters
    ----------
    sizes
        Cells of each of the ``s`` sets, in the order of dealing; at least as many as there are sides.
    shares
        Part of all cells that each side shall have, above 0; they sum to 1.

    Returns
    -------
    The side of each set.

    Examples
    --------
    >>> deal([40, 10, 30, 20], {"train": 0.7, "test": 0.3})
    ['train', 'train', 'test', 'train']
    """
    room = {side: share * sum(sizes) for side, share in shares.items()}
    empty = set(room)
    dealt = []
    for position, size in enumerate(sizes):
        waiting = [side for side in room if side in empty or len(sizes) - position > len(empty)]
        side = max(waiting, key=lambda side: room[side])
        room[side] -= size
        empty.discard(side)
        dealt.append(side)
    return dealt
