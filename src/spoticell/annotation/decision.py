"""What becomes of the network's probabilities: which types are possible, the answer, and how far to trust it.

Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.allowed import Allowed
from spoticell.biology.ontology import answers, load_ontology
from spoticell.model.bundle import Bundle
from spoticell.model.runtime import Prediction


@dataclass(frozen=True)
class Decision:
    """Answers for ``n`` cells."""

    answer_n: NDArray[np.intp]
    """Position in the bundle's nodes; -1 is unknown."""
    score_n: NDArray[np.float32]
    """Probability that the answer is right; 0 for unknown."""
    probability_nm: NDArray[np.float32]
    """Calibrated probability of each node; 0 for a cell without counts."""
    doubted_n: NDArray[np.bool_]
    """Which cells are unknown because their answer would have been too doubtful."""


def decide(
    prediction: Prediction,
    counts_n: NDArray[np.floating[Any]],
    bundle: Bundle,
    *,
    threshold: float,
    allowed: Allowed | None = None,
) -> Decision:
    """Answer cells by what the network says of them.

    Parameters
    ----------
    prediction
        What it says.
    counts_n
        Counts of each cell in the bundle's genes; a cell without any is unknown.
    bundle
        Its calibration and trust are used.
    threshold
        Lowest probability at which a term is answered, in [0, 1].
    allowed
        The types that an answer may be; any that the bundle knows if not given.
    """
    possible_nm = prediction.probabilities_nm if allowed is None else allowed.restrict(prediction.probabilities_nm)
    probability_nm = bundle.calibrated(possible_nm, counts_n)
    empty_n = np.asarray(counts_n) == 0
    probability_nm[empty_n] = 0
    answer_n, score_n = answers(probability_nm, bundle.nodes, load_ontology(), threshold=threshold)
    trust, doubted_n = bundle.manifest.trust, np.zeros(len(answer_n), dtype=np.bool_)
    if trust is not None and prediction.familiarity_n is not None:
        # of all types, allowed or not: what a user knows of a cell makes it no stranger
        score_n = trust.scores(score_n, prediction.familiarity_n, counts_n)
        doubted_n = (answer_n >= 0) & ~empty_n & trust.doubts(score_n, counts_n, threshold=threshold)
    # with a threshold of 0 a cell without counts would have an answer
    answer_n[empty_n | doubted_n] = -1
    score_n[answer_n < 0] = 0
    return Decision(answer_n, score_n, probability_nm, doubted_n)
