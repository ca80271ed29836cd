"""From which tissues a sample is, by the types that its cells look like; and which types it therefore can't hold.

A cell alone can't tell: to a network that knows the pericytes of the kidney but not those of the heart, these look
like those.  A sample can, since a tissue shows itself by several types of its own.
Axes: ``n`` cells of the sample, ``c`` labels, ``t`` tissues.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.tissue_chances import tissue_chances
from spoticell.biology.ontology import Ontology
from spoticell.biology.tissues import load_common_forms, tissues_of

SEEN = 0.01
"""Share of the sample that a type needs to speak for a tissue."""
ALONE = 0.5
"""Share of the sample from which one type speaks for a tissue alone."""
FIRST, FIRST_SHARE = 2, 0.02
"""Types of its own that the first tissue shows itself by, and the share of the sample that they have together."""
SURE, OTHER = 0.7, 5
"""A further tissue shows itself by so many cells, and `SEEN` of the sample, with such a weight for a telling type."""
SUREST = 0.99
"""No sentence is surer of a tissue."""
FEW = 512
"""Cells of a sample, chosen at random, that its tissues are found by."""
BLOOD = "blood"
"""Comes along with all tissues; types specific to it and some tissues are possible where none shows itself."""
BLOOD_CELL, MOSTLY = "CL:0000988", 0.9
"""What all cells of blood are, and the share of a sample from which it looks like blood."""


@dataclass(frozen=True)
class SampleTissues:
    """The tissues that a sample shows."""

    shares: dict[str, float]
    """Of each tissue the share of the sample that is of its own types, largest first; empty if none shows itself."""
    possible_m: NDArray[np.bool_]
    """Which nodes the sample can hold: those of its tissue, and those that are specific to none; all, if it shows
    several tissues."""
    blood: bool = False
    """Whether no tissue shows itself and nearly all cells are blood cells."""
    chances: dict[str, float] = field(default_factory=dict)
    """How likely the sample is from each tissue, largest first, see `tissue_chances`; empty where that isn't known, as
    it isn't of a mixture."""

    def looks(self) -> str:
        """Say what the cells look like, without a full stop.

        Examples
        --------
        >>> SampleTissues({}, np.ones(1, dtype=np.bool_), blood=True).looks()
        'The cells look like blood, or blood cells of another tissue'
        """
        if self.shares:
            shown = " and ".join(
                f"{name} ({self._likely(name, ', ')}{share:.0%} are of its own types)"
                for name, share in self.shares.items()
            )
            return f"The cells look like those of {shown}"
        if self.blood:
            return f"The cells look like blood{self._likely(BLOOD)}, or blood cells of another tissue"
        return "The cells show no tissue by types of its own"

    def _likely(self, name: str, after: str = "") -> str:
        if name not in self.chances:
            return ""
        said = f"probability {min(self.chances[name], SUREST):.2f}"
        return f"{said}{after}" if after else f" ({said})"

    def describe(self) -> str:
        """Say the same, and what follows from it, in a sentence.

        Examples
        --------
        >>> SampleTissues({"lung": 0.126}, np.ones(1, dtype=np.bool_)).describe()
        'The cells look like those of lung (13% are of its own types), so types of other tissues were no answer.'
        """
        if len(self.shares) > 1:
            return f"{self.looks()}, so types of all tissues were possible."
        barred = "other tissues" if self.shares else "single tissues"
        return f"{self.looks()}, so types of {barred} were no answer."


def show_tissues(
    weight_nc: NDArray[np.floating], label_c: NDArray[np.integer], nodes: Sequence[str], ontology: Ontology
) -> SampleTissues:
    """Find the tissues of a sample.

    Parameters
    ----------
    weight_nc
        Weight of each label for some cells of the sample, rows of one.
    label_c
        Position of each label among the nodes.
    nodes
        Terms, length ``m``.
    ontology
        Where they stand.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology
    >>> nodes = ["CL:0000182", "CL:0000091", "CL:0000650", "CL:0000084"]  # hepatocyte, Kupffer, mesangial, T cell
    >>> found = show_tissues(np.array([[0.5, 0.2, 0.1, 0.2]]), np.arange(4), nodes, load_ontology())
    >>> list(found.shares), found.possible_m.tolist()
    (['liver'], [True, True, False, True])
    """
    places_m = tissues_of(nodes, ontology)
    mean_m, sure_m = np.zeros(len(nodes)), np.zeros(len(nodes))
    if len(weight_nc):
        mean_m[label_c] = np.asarray(weight_nc, dtype=np.float64).mean(axis=0)
        np.add.at(sure_m, label_c[weight_nc.argmax(axis=1)], weight_nc.max(axis=1) >= SURE)
        sure_m[sure_m < max(OTHER, SEEN * len(weight_nc))] = 0
    shares: dict[str, float] = {}
    found = _first(mean_m, places_m)
    while found is not None:
        open_m = _own(places_m, found) & ~_of_tissues(places_m, shares)
        shares[found] = round(float(mean_m[open_m].sum()), 4)
        found = _further(sure_m, nodes, places_m, _of_tissues(places_m, shares), ontology)
    of_blood_m = np.array([BLOOD_CELL in ontology.ancestors(node) for node in nodes], dtype=np.bool_)
    blood = not shares and bool(mean_m[of_blood_m].sum() >= MOSTLY)
    chances = tissue_chances(mean_m, nodes) if len(weight_nc) and len(shares) < 2 else {}
    return SampleTissues(shares, _possible(places_m, shares), blood, chances)


def _first(mean_m: NDArray[np.float64], places_m: Sequence[frozenset[str] | None]) -> str | None:
    """Give the tissue that types of its own have most of the sample's weight for, if it is enough."""
    tissues = sorted(set().union(*(places for places in places_m if places)) - {BLOOD})
    own = {tissue: _own(places_m, tissue) & ~_own(places_m, BLOOD) for tissue in tissues}
    # a type of one tissue says more than one of several
    said_m = mean_m * np.array([1 + 1 / len(places) if places else 0 for places in places_m])
    best = max(tissues, key=lambda tissue: float(said_m[own[tissue]].sum()), default=None)
    if best is None:
        return None
    seen_m = mean_m[own[best]]
    share, types = seen_m.sum(), int((seen_m >= SEEN).sum())
    return best if share >= ALONE or (share >= FIRST_SHARE and types >= FIRST) else None


def _further(
    sure_m: NDArray[np.float64],
    nodes: Sequence[str],
    places_m: Sequence[frozenset[str] | None],
    possible_m: NDArray[np.bool_],
    ontology: Ontology,
) -> str | None:
    """Give the tissue beside those shown that most cells are surely of a telling type of, if there is one.

    No telling type is one that all organs have in a form of their own, nor a form of a type that the tissues shown
    have: a network that doesn't know a laboratory's takes it for that of another organ.
    """
    shown = {node for node, places, possible in zip(nodes, places_m, possible_m, strict=True) if places and possible}
    cells: defaultdict[str, float] = defaultdict(float)
    for m in np.flatnonzero((sure_m > 0) & ~possible_m).tolist():
        places = places_m[m] or frozenset()
        if BLOOD not in places and not ontology.ancestors(nodes[m]) & (load_common_forms() | shown):
            for tissue in places:
                cells[tissue] += sure_m[m] * (1 + 1 / len(places))
    return max(sorted(cells), key=lambda tissue: cells[tissue], default=None)


def of_tissues(
    shares: dict[str, float],
    nodes: Sequence[str],
    ontology: Ontology,
    *,
    blood: bool,
    chances: dict[str, float] | None = None,
) -> SampleTissues:
    """Give the tissues of a sample as they were found, by what is written of them.

    Parameters
    ----------
    shares, blood, chances
        As in `SampleTissues`.
    nodes
        Terms, length ``m``.
    ontology
        Where they stand.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology
    >>> nodes = ["CL:0000182", "CL:0000650", "CL:0000084"]  # hepatocyte, mesangial cell, T cell
    >>> of_tissues({"liver": 0.7}, nodes, load_ontology(), blood=False).possible_m.tolist()
    [True, False, True]
    """
    return SampleTissues(shares, _possible(tissues_of(nodes, ontology), shares), blood, chances or {})


def _possible(places_m: Sequence[frozenset[str] | None], shares: dict[str, float]) -> NDArray[np.bool_]:
    """Say which nodes a sample can hold that shows some tissues, or none."""
    # a file of several organs may hold more than show themselves
    return np.ones(len(places_m), dtype=np.bool_) if len(shares) > 1 else _of_tissues(places_m, shares)


def _of_tissues(places_m: Sequence[frozenset[str] | None], shares: dict[str, float]) -> NDArray[np.bool_]:
    """Say which nodes some tissues have, or blood has where there are none."""
    possible_m = _own(places_m, None)
    for tissue in shares or [BLOOD]:
        possible_m |= _own(places_m, tissue)
    return possible_m


def _own(places_m: Sequence[frozenset[str] | None], tissue: str | None) -> NDArray[np.bool_]:
    """Say which nodes are specific to some tissues, this one among them; with None, which are specific to none."""
    return np.array(
        [places is None if tissue is None else places is not None and tissue in places for places in places_m],
        dtype=np.bool_,
    )
