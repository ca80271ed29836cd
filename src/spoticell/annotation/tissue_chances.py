"""How likely each tissue is for a sample, by the types that its cells look like.

Each type of some tissues speaks for these and against all others, more so the fewer they are.  Types of no tissue in
particular speak for none, but against blood if it can't hold them.  The cells of a sample aren't independent, since a
network that mistakes one mistakes its like: all together count as a few.
Axes: ``m`` ontology nodes, ``t`` tissues.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.ontology import load_ontology
from spoticell.biology.tissues import find_tissue, possible_labels, tissue_names, tissues_of

CELLS, FOREIGN, HIDDEN = 5.0, 0.1, 0.001
"""Independent cells that a sample counts as, chance of a type that a tissue lacks beside one that it alone has, and of
a tissue that doesn't show itself.  They are the likeliest for the data sets for training, see `sample_tissue.md` of the
benchmarks."""
SEEN, FIRST, FIRST_SHARE, ALONE = 0.01, 2, 0.02, 0.5
"""A tissue shows itself by so many types of its own with such a share of the sample each and together, or by one that
is half of it."""
BLOOD = "blood"
LEAST = 0.01
"""Chance from which a tissue is named."""


def tissue_chances(mean_m: NDArray[np.floating], nodes: Sequence[str]) -> dict[str, float]:
    """Give how likely a sample of one tissue is from each, the likeliest first; unlikely ones are left out.

    Parameters
    ----------
    mean_m
        Share of the sample that is of each node's own type.
    nodes
        Terms, length ``m``.

    Examples
    --------
    >>> nodes = ["CL:0000182", "CL:0000091", "CL:0000650", "CL:0000084"]  # hepatocyte, Kupffer, mesangial, T cell
    >>> tissue_chances(np.array([0.5, 0.2, 0.1, 0.2]), nodes)
    {'liver': 0.9997}
    """
    own_tm, telling_m, strange_m = _table(tuple(nodes))
    names = tissue_names()
    seen_m = np.where(mean_m >= SEEN, mean_m, 0)
    of_some_m = np.where(telling_m > 0, seen_m, 0)
    logs_m = np.log(telling_m, out=np.zeros_like(telling_m), where=telling_m > 0)
    for_t = CELLS * (np.where(own_tm, logs_m, np.log(FOREIGN)) @ of_some_m)
    share_t, types_t = own_tm @ seen_m, (own_tm & (seen_m > 0)).sum(axis=1)
    shows_t = (share_t >= ALONE) | ((share_t >= FIRST_SHARE) & (types_t >= FIRST))
    blood = names.index(BLOOD)
    # blood has next to no types of its own to show itself by
    shows_t[blood] = True
    for_t += np.where(shows_t, 0, np.log(HIDDEN))
    for_t[blood] += CELLS * np.log(FOREIGN) * seen_m[strange_m].sum()
    chance_t = np.exp(for_t - for_t.max())
    chance_t /= chance_t.sum()
    order = np.argsort(-chance_t, kind="stable")
    return {names[t]: round(float(chance_t[t]), 4) for t in order.tolist() if chance_t[t] >= LEAST}


@lru_cache(maxsize=4)
def _table(nodes: tuple[str, ...]) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]:
    """Give which tissues have which types of some tissues, how much these tell, and which others blood can't hold."""
    ontology = load_ontology()
    places_m = tissues_of(nodes, ontology)
    own_tm = np.array([[places is not None and name in places for places in places_m] for name in tissue_names()])
    telling_m = np.array([1 / len(places) if places else 0 for places in places_m], dtype=np.float64)
    in_blood_m = np.array(possible_labels(nodes, find_tissue(BLOOD), ontology), dtype=np.bool_)
    return own_tm, telling_m, ~in_blood_m & np.array([places is None for places in places_m])
