"""How well a signal tells cells of known types from others, and how near a type is to those that are known.

A signal is higher for cells that look more like what is known.  Axes: ``n`` cells, ``s`` signals.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.lib.studies import is_right
from spoticell.biology.ontology import DOINGS, TOO_GENERAL, load_ontology
from spoticell.keys import UNKNOWN

SIBLING, COUSIN, LINEAGE = "sibling", "cousin", "lineage"
GENERATIONS = 3
"""Steps up from a type to what it shares with its cousins: natural killer cells are three below lymphocytes."""

Floats = NDArray[np.floating]


def distance(term: str, known: Collection[str]) -> str:
    """Say how near a type that isn't known is to the known labels.

    ``sibling``: a known label of its broad type is below one of its parents.  ``cousin``: one is of its broad type, or
    below a term at most `GENERATIONS` above it.  Else it is of another ``lineage``.  Terms that are no answer, because
    they fit any cell or only say what it does, make no kin.

    Examples
    --------
    CD4 T cells are siblings of CD8 T cells, plasma cells cousins of B cells, and endothelial cells kin of neither:

    >>> known = {"CL:0000625", "CL:0000236"}
    >>> [distance(term, known) for term in ("CL:0000624", "CL:0000786", "CL:0000115")]
    ['sibling', 'cousin', 'lineage']
    """
    ontology = load_ontology()
    family = ontology.broad(term)
    others = [label for label in known if not is_right(term, label)]
    kin = [label for label in others if family != UNKNOWN and ontology.broad(label) == family]
    if _below(_above(term, 1), kin):
        return SIBLING
    return COUSIN if kin or _below(_above(term, GENERATIONS), others) else LINEAGE


def _above(term: str, steps: int) -> set[str]:
    """Give the terms at most so many steps above a term that say something."""
    found, reached = set(), {term}
    for _ in range(steps):
        reached = {parent for one in reached for parent in load_ontology().parents(one)}
        found |= reached
    return found - TOO_GENERAL - DOINGS


def _below(above: Collection[str], labels: Sequence[str]) -> bool:
    return any(is_right(term, label) for term in above for label in labels)


def auroc(known_n: Floats, strange_n: Floats, weight_n: Floats | None = None) -> float:
    """Give how often a known cell has the higher signal of the two, ties half; known cells may have weights.

    Examples
    --------
    >>> auroc(np.array([3.0, 1.0]), np.array([0.0, 2.0]))
    0.75
    """
    weight_n = np.ones(len(known_n)) if weight_n is None else weight_n
    is_known_n = np.r_[np.ones(len(known_n)), np.zeros(len(strange_n))]
    weights_n = np.r_[weight_n, np.ones(len(strange_n))]
    return float(roc_auc_score(is_known_n, np.r_[known_n, strange_n], sample_weight=weights_n))


def false_known(known_n: Floats, strange_n: Floats, weight_n: Floats | None = None, *, kept: float = 0.95) -> float:
    """Give the share of strange cells that pass where 95 % of the known ones do (FPR95).

    Examples
    --------
    >>> false_known(np.arange(100), np.array([-1.0, 3.0, 50.0, 200.0]))
    0.5
    """
    weight_n = np.ones(len(known_n)) if weight_n is None else weight_n
    order = np.argsort(-known_n, kind="stable")
    reached_n = np.cumsum(weight_n[order]) / weight_n.sum()
    bar = known_n[order][min(np.searchsorted(reached_n, kept - 1e-9), len(order) - 1)]
    return float((strange_n >= bar).mean())


class Combination:
    """A logistic combination of signals: known against strange cells.

    Parameters
    ----------
    pairs
        Signals ``(n, s)`` of known and of strange cells of one set each, which are taken from the mean of the known
        ones: sets differ in how familiar all of their cells look.  All pairs, and both sides, count alike.
    """

    def __init__(self, pairs: Sequence[tuple[Floats, Floats]]) -> None:
        signal_ns = np.concatenate([side_ns - pair[0].mean(axis=0) for pair in pairs for side_ns in pair])
        is_known_n = np.concatenate(
            [np.full(len(side), known) for pair in pairs for side, known in zip(pair, (1, 0), strict=True)]
        )
        weight_n = np.concatenate([np.full(len(side_ns), 1 / len(side_ns)) for pair in pairs for side_ns in pair])
        # nearly without a penalty: there are a few coefficients and thousands of cells
        weight_n *= len(weight_n) / weight_n.sum()
        self._model = LogisticRegression(C=1e4, max_iter=1000).fit(signal_ns, is_known_n, sample_weight=weight_n)

    @property
    def coefficients(self) -> list[float]:
        """One for each signal."""
        found: list[float] = self._model.coef_[0].tolist()
        return found

    def __call__(self, signal_ns: Floats) -> NDArray[np.float64]:
        """Give the combined signal, as log-odds but for a constant."""
        return signal_ns @ self._model.coef_[0]
