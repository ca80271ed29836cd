"""How often an answer is right, by how sure it is and by how familiar the cell looks.

Among the types that a network knows it will always find some that is likelier than the rest, also for a cell of a type
that it has never seen.  What tells such a cell is how little speaks for any type at all: before probabilities are made
of them, the network's logits say how much speaks for each label, and the logarithm of the sum of their exponentials
says how much does for all of them together.  It is called *familiarity* here; with the other sign it is the energy
score of Liu et al. 2020, arXiv:2010.03759.  Axis: ``n`` cells.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit, logit

from spoticell.calibration import CERTAIN, log_depth

Number = Annotated[float, Field(allow_inf_nan=False)]


class Trust(BaseModel):
    """The map to the log-odds of a right answer.

    It is ``chance`` x log-odds of its chance + ``depth`` x log10(counts / 1000) + ``familiarity`` x familiarity +
    ``intercept``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chance: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    depth: Number
    familiarity: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    intercept: Number
    doubt: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """An answer with a smaller score isn't given."""
    enough: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Counts from which a cell's answers are doubted: with fewer nothing looks familiar, however right it is."""

    def scores(
        self,
        chance_n: NDArray[np.floating[Any]],
        familiarity_n: NDArray[np.floating[Any]],
        counts_n: NDArray[np.floating[Any]],
    ) -> NDArray[np.float32]:
        """Give how often such answers are right.

        Parameters
        ----------
        chance_n
            Chance of each answer's term, in [0, 1].
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
        odds_n = logit(np.clip(chance_n, CERTAIN, 1 - CERTAIN))
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
