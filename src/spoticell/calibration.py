"""How far a network's probabilities can be trusted on cells of other laboratories.

A network is too sure of cells that it has never seen the like of, the more so the fewer counts a cell has.  Its
probabilities are therefore mapped to how often such answers were right on data sets that were held out of training:
Platt scaling (Platt 1999) with the depth of the cell as a second input.  The map rises with the probability, so a
parent stays at least as probable as its child.
Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit, logit

CERTAIN = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""


class Calibration(BaseModel):
    """The map: log-odds of being right = ``slope`` x log-odds + ``depth`` x log10(counts / 1000) + ``intercept``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    depth: Annotated[float, Field(allow_inf_nan=False)]
    intercept: Annotated[float, Field(allow_inf_nan=False)]

    def apply(
        self, probabilities_nm: NDArray[np.floating[Any]], counts_n: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """Give the chance that each node is right; 0 stays 0.

        Parameters
        ----------
        probabilities_nm
            The network's probabilities, in [0, 1].
        counts_n
            Counts of each cell in known genes.

        Returns
        -------
        Chances, ``(n, m)``, in [0, 1).

        Examples
        --------
        >>> calibration = Calibration(slope=0.5, depth=1.0, intercept=0.0)
        >>> calibration.apply(np.array([[0.9, 0.0], [0.9, 0.0]]), np.array([1000, 100])).round(2).tolist()
        [[0.75, 0.0], [0.5199999809265137, 0.0]]
        """
        odds_nm = logit(np.clip(probabilities_nm, CERTAIN, 1 - CERTAIN))
        shift_n = self.intercept + self.depth * log_depth(counts_n)
        chance_nm = expit(self.slope * odds_nm + shift_n[:, None])
        return np.where(probabilities_nm > 0, chance_nm, 0).astype(np.float32)


def log_depth(counts_n: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Give log10 of counts per thousand; a cell without counts has that of one count.

    Examples
    --------
    >>> log_depth(np.array([0, 1000])).tolist()
    [-3.0, 0.0]
    """
    return np.log10(np.maximum(np.asarray(counts_n, dtype=np.float64), 1.0)) - 3.0
