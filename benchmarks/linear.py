"""The plain peer for incomplete profiles: logistic regression on log1p of counts per 10,000 over some genes.

Axes: ``n`` cells, ``g`` genes.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from peer_models import log_normalised
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

MOST_STEPS = 60
"""Of L-BFGS, as in ``development_tests``; more hardly change held-out figures."""


class Linear:
    """Logistic regression, fitted on labelled cells through a panel.

    Parameters
    ----------
    counts_ng
        Counts of the training cells.
    label_n
        Their terms.
    panel_g
        The genes to learn from.
    """

    def __init__(self, counts_ng: sparse.csr_array, label_n: NDArray[np.object_], panel_g: NDArray[np.bool_]) -> None:
        self.panel_g = panel_g
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model = LogisticRegression(max_iter=MOST_STEPS).fit(self._features(counts_ng), label_n.astype(str))

    def answer(self, counts_ng: sparse.csr_array) -> NDArray[np.object_]:
        """Give the most probable label of each cell; a gene that wasn't measured counts as zero."""
        return self.model.predict(self._features(counts_ng)).astype(object)

    def _features(self, counts_ng: sparse.csr_array) -> sparse.csr_matrix:
        return log_normalised(sparse.csr_array(counts_ng[:, np.flatnonzero(self.panel_g)]))
