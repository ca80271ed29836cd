"""Fitting how far a network's probabilities can be trusted, on data sets that were held out of its training.

Axes: ``n`` cells, ``m`` nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from spoticell.calibration import CERTAIN, Calibration, log_depth
from spoticell.errors import TrainingError


@dataclass(frozen=True)
class Answered:
    """Cells of one data set, seen in one way, with the answers of a network that never met the data set."""

    probability_n: NDArray[np.float32]
    """The network's probability of each answer."""
    counts_n: NDArray[np.floating[Any]]
    """Counts of each cell in known genes."""
    right_n: NDArray[np.bool_]
    """Whether the answer was the cell's label or a subtype of it."""


def fit_calibration(answered: Sequence[Answered]) -> Calibration:
    """Fit the map from probabilities to chances of being right.

    Parameters
    ----------
    answered
        One entry a data set and view; each counts alike, whatever its size.

    Raises
    ------
    TrainingError
        If all answers are right, or all wrong, or surer ones are no more often right: there is nothing to fit then.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> probability_n = rng.random(4000).astype(np.float32)
    >>> cells = Answered(probability_n, np.full(4000, 1000, dtype=np.float32), rng.random(4000) < probability_n)
    >>> abs(fit_calibration([cells]).slope - 1) < 0.1
    True
    """
    right_n = np.concatenate([part.right_n for part in answered])
    if len(np.unique(right_n)) < 2:
        raise TrainingError("a calibration needs answers that are right and answers that are wrong on held-out cells.")
    sure_n = np.concatenate([part.probability_n for part in answered])
    depth_n = log_depth(np.concatenate([part.counts_n for part in answered]))
    inputs_n2 = np.stack([logit(np.clip(sure_n.astype(np.float64), CERTAIN, 1 - CERTAIN)), depth_n], axis=1)
    weight_n = np.concatenate([np.full(len(part.right_n), 1 / max(len(part.right_n), 1)) for part in answered])
    model = LogisticRegression(C=1e6, max_iter=1000)  # as good as no penalty: there are three numbers to find
    model.fit(inputs_n2, right_n, sample_weight=weight_n * len(weight_n) / weight_n.sum())
    slope, depth = (round(float(value), 4) for value in model.coef_[0])
    if slope <= 0:
        raise TrainingError("surer answers are no more often right on the held-out cells; there is nothing to trust.")
    return Calibration(slope=slope, depth=depth, intercept=round(float(model.intercept_[0]), 4))
