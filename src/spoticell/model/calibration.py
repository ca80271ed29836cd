"""What a network's probabilities are worth on cells of other laboratories: calibrated probabilities, and scores.

A network is too sure of cells that it has never seen the like of, the more so the fewer counts a cell has.  The weights
of its labels are therefore softened as held-out data sets ask for, and summed up the ontology after that: temperature
scaling (Guo et al. 2017, arXiv:1706.04599) with a temperature that depends on the depth of the cell.  So weights that
exclude each other still add up to at most one, and a parent stays at least as probable as its child.

A network always finds some type likelier than the rest, also for a cell of a type that it has never seen.  What tells
such a cell is its familiarity: the log-sum-exp of the network's logits, before they become probabilities (the negative
energy score of Liu et al. 2020, arXiv:2010.03759).  It has a part in the score of an answer.
Axes: ``n`` cells, ``c`` labels, ``m`` ontology nodes.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import scipy  # its parts are loaded when they are first used: `special` is slow to load, and checks do without
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

MOST = 1000.0
"""Largest number in a map: more makes every answer sure, whatever the network says."""
Number = Annotated[float, Field(ge=-MOST, le=MOST)]
Weight = Annotated[float, Field(ge=0, le=MOST)]

CERTAIN = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""


class Calibration(BaseModel):
    """The map of bundles up to format 1.2, node by node.

    Log-odds of being right = ``slope`` x log-odds + ``depth`` x log10(counts / 1000) + ``intercept``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: Annotated[float, Field(gt=0, le=MOST)]
    depth: Number
    intercept: Number

    def apply(
        self, probabilities_nm: NDArray[np.floating[Any]], counts_n: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """Give the calibrated probability that each node is right; 0 stays 0.

        Parameters
        ----------
        probabilities_nm
            The network's probabilities, in [0, 1].
        counts_n
            Counts of each cell in known genes.

        Returns
        -------
        Probabilities, ``(n, m)``, in [0, 1).

        Examples
        --------
        >>> calibration = Calibration(slope=0.5, depth=1.0, intercept=0.0)
        >>> calibration.apply(np.array([[0.9, 0.0], [0.9, 0.0]]), np.array([1000, 100])).round(2).tolist()
        [[0.75, 0.0], [0.5199999809265137, 0.0]]
        """
        odds_nm = scipy.special.logit(np.clip(probabilities_nm, CERTAIN, 1 - CERTAIN))
        shift_n = self.intercept + self.depth * log_depth(counts_n)
        probability_nm = scipy.special.expit(self.slope * odds_nm + shift_n[:, None])
        return np.where(probabilities_nm > 0, probability_nm, 0).astype(np.float32)


SHALLOWEST, DEEPEST = -1.5, 0.5
"""Log10 of counts per thousand between which the depth of a cell counts; beyond, nothing was held out to learn from."""


class Softening(BaseModel):
    """The map: each label's weight to the power of ``10**(power + depth x log10(counts / 1000))``, made one again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    power: Annotated[float, Field(ge=-3, le=3)]
    depth: Annotated[float, Field(ge=-3, le=3)]

    def apply(self, weight_nc: NDArray[np.floating[Any]], counts_n: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Give the softened weight of each label; 0 stays 0, and a cell without weights stays without.

        Parameters
        ----------
        weight_nc
            The network's weights, in [0, 1].
        counts_n
            Counts of each cell in known genes.

        Returns
        -------
        Weights, ``(n, c)``, of one in each row.

        Examples
        --------
        >>> softening = Softening(power=-0.3, depth=0.0)
        >>> softening.apply(np.array([[0.9, 0.1]]), np.array([1000])).round(2).tolist()
        [[0.75, 0.25]]
        """
        return _to_the_power(weight_nc, 10 ** (self.power + self.depth * bounded_depth(counts_n)))


def _to_the_power(weight_nc: NDArray[np.floating[Any]], power_n: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give weights to a power of each cell's own, made one again."""
    # most labels have none, and powers take time
    place_e = np.flatnonzero(weight_nc > CERTAIN)
    power_e = power_n.astype(np.float32).take(place_e // max(weight_nc.shape[1], 1))
    powered_nc = np.zeros_like(weight_nc, order="C")
    powered_nc.ravel()[place_e] = weight_nc.take(place_e) ** power_e
    total_n1 = powered_nc.sum(axis=1, keepdims=True)
    return (powered_nc / np.where(total_n1 > 0, total_n1, 1)).astype(np.float32)


def log_depth(counts_n: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Give log10 of counts per thousand; a cell without counts has that of one count.

    Examples
    --------
    >>> log_depth(np.array([0, 1000])).tolist()
    [-3.0, 0.0]
    """
    return np.log10(np.maximum(np.asarray(counts_n, dtype=np.float64), 1.0)) - 3.0


def bounded_depth(counts_n: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Give log10 of counts per thousand, between depths that were held out to learn from."""
    return np.clip(log_depth(counts_n), SHALLOWEST, DEEPEST)


class Stranger(BaseModel):
    """When a cell is too strange to be named, whatever speaks for its answer.

    Shallow cells and cells seen through few genes look less familiar.  A cell is strange if its familiarity is below
    ``intercept`` + ``counts`` x log10(counts / 1000) + ``genes`` x log10(measured genes / 1000): below all but a few of
    the cells of known types that were held out, seen in the same way.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    counts: Number
    genes: Number
    intercept: Number

    def is_strange(
        self, familiarity_n: NDArray[np.floating[Any]], counts_n: NDArray[np.floating[Any]], n_measured: int
    ) -> NDArray[np.bool_]:
        """Say which cells are too strange.

        Parameters
        ----------
        familiarity_n
            How much speaks for all labels together.
        counts_n
            Counts of each cell in known genes.
        n_measured
            Known genes that are measured.

        Examples
        --------
        >>> stranger = Stranger(counts=0.2, genes=1.3, intercept=7.0)
        >>> stranger.is_strange(np.array([9.0, 8.0]), np.array([1000, 1000]), 20_000).tolist()
        [False, True]
        """
        return np.asarray(self.margin(familiarity_n, counts_n, n_measured) < 0, dtype=np.bool_)

    def margin(
        self, familiarity_n: NDArray[np.floating[Any]], counts_n: NDArray[np.floating[Any]], n_measured: int
    ) -> NDArray[np.float32]:
        """Give how far each cell's familiarity is above the bound; it is strange below zero."""
        seen_n = self.counts * bounded_depth(counts_n) + self.genes * np.log10(max(n_measured, 1) / 1000)
        return np.asarray(familiarity_n - self.intercept - seen_n, dtype=np.float32)


class Trust(BaseModel):
    """The map to the score of an answer.

    Log-odds of being right = ``chance`` x log-odds of the answer's probability + ``depth`` x log10(counts / 1000) +
    ``familiarity`` x familiarity + ``intercept``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chance: Weight
    depth: Number
    familiarity: Weight
    intercept: Number
    doubt: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """An answer with a smaller score isn't given."""
    enough: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Counts from which a cell's answers are doubted: with fewer nothing looks familiar, however right it is."""
    stranger: Stranger | None = None
    """Which cells are too strange to be named; None where nothing but the score says it."""

    def scores(
        self,
        probability_n: NDArray[np.floating[Any]],
        familiarity_n: NDArray[np.floating[Any]],
        counts_n: NDArray[np.floating[Any]],
    ) -> NDArray[np.float32]:
        """Give how often such answers are right.

        Parameters
        ----------
        probability_n
            Calibrated probability of each answer's term, in [0, 1].
        familiarity_n
            How much speaks for all labels together.
        counts_n
            Counts of each cell in known genes.

        Returns
        -------
        Scores, in [0, 1].

        Examples
        --------
        >>> trust = Trust(chance=0.1, depth=0.4, familiarity=1.0, intercept=-9.0)
        >>> trust.scores(np.array([0.9, 0.9]), np.array([10.0, 7.0]), np.array([2000, 2000])).round(2).tolist()
        [0.7900000214576721, 0.1599999964237213]
        """
        odds_n = scipy.special.logit(np.clip(probability_n, CERTAIN, 1 - CERTAIN))
        known_n = self.familiarity * familiarity_n + self.depth * log_depth(counts_n)
        score_n = scipy.special.expit(self.chance * odds_n + known_n + self.intercept)
        return np.asarray(score_n, dtype=np.float32)

    def least(
        self, familiarity_n: NDArray[np.floating[Any]], counts_n: NDArray[np.floating[Any]], *, threshold: float
    ) -> NDArray[np.float64]:
        """Give the probability that an answer needs so that its score isn't too low to be given.

        Parameters
        ----------
        familiarity_n
            How much speaks for all labels together.
        counts_n
            Counts of each cell in known genes.
        threshold
            That answers are chosen by; who asks for less sure ones gets more doubtful ones too.

        Returns
        -------
        Probabilities; 0 where any answer may be given, more than 1 where none may.

        Examples
        --------
        >>> trust = Trust(chance=0.5, depth=0.0, familiarity=1.0, intercept=-9.0, doubt=0.2)
        >>> trust.least(np.array([10.0, 7.0, 0.0]), np.full(3, 1000), threshold=0.3).round(3).tolist()
        [0.008, 0.773, 2.0]
        """
        bound, counts_n = min(self.doubt, threshold), np.asarray(counts_n)
        known_n = self.familiarity * familiarity_n + self.depth * log_depth(counts_n) + self.intercept
        lacking_n = np.full(len(counts_n), -np.inf) if bound == 0 else scipy.special.logit(bound) - known_n
        # a chance that hardly counts can't make up for anything
        needed_n = scipy.special.expit(lacking_n / max(self.chance, CERTAIN))
        needed_n = np.where(needed_n > 1 - CERTAIN, 2.0, needed_n)
        return np.where(counts_n >= self.enough, needed_n, 0.0)


class Together(BaseModel):
    """The map for cells that are read together with their neighbours.

    Their weights are means, which are less sure than they may be: each is taken to the power of
    ``10**(power x heard)``, where ``heard`` is the neighbours' part in the mean.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    power: Annotated[float, Field(ge=-1, le=1)]
    trust: Trust | None = None
    """As in the manifest, for a cell's familiarity read together with that of its neighbours."""

    def apply(self, weight_nc: NDArray[np.floating[Any]], heard_n: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Give the calibrated weight of each label.

        Parameters
        ----------
        weight_nc
            Weights of labels, read together, in [0, 1].
        heard_n
            The neighbours' part in them, in [0, 1).

        Returns
        -------
        Weights, ``(n, c)``, of one in each row.

        Examples
        --------
        >>> Together(power=0.3).apply(np.array([[0.7, 0.3]] * 2), np.array([0.9, 0.0])).round(2).tolist()
        [[0.8299999833106995, 0.17000000178813934], [0.699999988079071, 0.30000001192092896]]
        """
        return _to_the_power(weight_nc, 10 ** (self.power * np.asarray(heard_n, dtype=np.float64)))
