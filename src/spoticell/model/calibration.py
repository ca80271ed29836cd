"""What a network's probabilities are worth on cells of other laboratories: calibrated probabilities, and scores.

A network is too sure of cells that it has never seen the like of, the more so the fewer counts a cell has.  Its
probabilities are therefore mapped to how often such answers were right on data sets that were held out of training:
Platt scaling (Platt 1999) with the depth of the cell as a second input.  The map rises with the probability, so a
parent stays at least as probable as its child.

A network always finds some type likelier than the rest, also for a cell of a type that it has never seen.  What tells
such a cell is its familiarity: the log-sum-exp of the network's logits, before they become probabilities (the negative
energy score of Liu et al. 2020, arXiv:2010.03759).  It has a part in the score of an answer.
Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit, logit

MOST = 1000.0
"""Largest number in a map: more makes every answer sure, whatever the network says."""
Number = Annotated[float, Field(ge=-MOST, le=MOST)]
Weight = Annotated[float, Field(ge=0, le=MOST)]

CERTAIN = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""


class Calibration(BaseModel):
    """The map: log-odds of being right = ``slope`` x log-odds + ``depth`` x log10(counts / 1000) + ``intercept``."""

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
        odds_nm = logit(np.clip(probabilities_nm, CERTAIN, 1 - CERTAIN))
        shift_n = self.intercept + self.depth * log_depth(counts_n)
        probability_nm = expit(self.slope * odds_nm + shift_n[:, None])
        return np.where(probabilities_nm > 0, probability_nm, 0).astype(np.float32)


def log_depth(counts_n: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Give log10 of counts per thousand; a cell without counts has that of one count.

    Examples
    --------
    >>> log_depth(np.array([0, 1000])).tolist()
    [-3.0, 0.0]
    """
    return np.log10(np.maximum(np.asarray(counts_n, dtype=np.float64), 1.0)) - 3.0


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
        odds_n = logit(np.clip(probability_n, CERTAIN, 1 - CERTAIN))
        known_n = self.familiarity * familiarity_n + self.depth * log_depth(counts_n)
        score_n = expit(self.chance * odds_n + known_n + self.intercept)
        return np.asarray(score_n, dtype=np.float32)

    def doubts(
        self, score_n: NDArray[np.floating[Any]], counts_n: NDArray[np.floating[Any]], *, threshold: float
    ) -> NDArray[np.bool_]:
        """Say which answers are too doubtful to be given.

        Parameters
        ----------
        score_n
            Of each answer.
        counts_n
            Counts of each cell in known genes.
        threshold
            That the answers were chosen by; who asks for less sure ones gets more doubtful ones too.
        """
        return (score_n < min(self.doubt, threshold)) & (np.asarray(counts_n) >= self.enough)
