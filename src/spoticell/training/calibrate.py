"""Fitting how far a network's probabilities can be trusted, on data sets that were held out of its training.

Axes: ``n`` cells, ``c`` labels, ``e`` cells with an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logit
from sklearn.linear_model import LogisticRegression, QuantileRegressor

from spoticell.biology.ontology import load_ontology
from spoticell.errors import TrainingError
from spoticell.model.calibration import CERTAIN, Softening, Stranger, Together, Trust, bounded_depth, log_depth


@dataclass(frozen=True)
class JudgedAnswers:
    """Answers of a network that never met a data set, seen in one way, one a cell, and whether they are right."""

    chance_e: NDArray[np.floating[Any]]
    """Probability of each answer."""
    counts_e: NDArray[np.floating[Any]]
    """Counts of its cell in known genes."""
    right_e: NDArray[np.bool_]
    """Whether it is right."""
    familiarity_e: NDArray[np.floating[Any]]
    """Of the cell."""


@dataclass(frozen=True)
class Weighed:
    """What a network that never met a data set says of its cells, seen in one way, and which labels they can be."""

    weight_nc: NDArray[np.float32]
    """The network's weight of each label."""
    counts_n: NDArray[np.floating[Any]]
    """Counts of each cell in known genes."""
    true_nc: NDArray[np.bool_]
    """Whether each label is the cell's, or a subtype."""


def possible(label_n: NDArray[np.object_], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Say which of a network's labels cells of some types can be, ``(n, c)``.

    Those at or below the type; where the network has none, those at or below the nearest type above it that has.

    Examples
    --------
    >>> labels = ("CL:0000542", "CL:0000084", "CL:0000236")  # lymphocyte, T cell, B cell
    >>> possible(np.array(["CL:0000542", "CL:0000236", "CL:0000625"], dtype=object), labels).tolist()
    [[True, True, True], [False, False, True], [False, True, False]]
    """
    ontology = load_ontology()
    above_c = [ontology.ancestors(label) for label in labels]
    known = frozenset[str]().union(*above_c)

    def below(label: str) -> NDArray[np.bool_]:
        node = max(ontology.ancestors(label) & known, key=lambda term: (ontology.depth(term), term))
        return np.array([node in above for above in above_c], dtype=np.bool_)

    found = {label: below(label) for label in set(label_n.tolist())}
    return np.stack([found[label] for label in label_n.tolist()])


def fit_softening(weighed: Sequence[Weighed]) -> Softening:
    """Fit how much the weights of labels are softened: so that those of the cells' types are most likely.

    Parameters
    ----------
    weighed
        One entry a data set and view; each counts alike, whatever its size.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> weight_nc = rng.dirichlet([0.3, 0.3, 0.3], 4000).astype(np.float32)
    >>> true_n = np.array([rng.choice(3, p=weight_c / weight_c.sum()) for weight_c in weight_nc.astype(np.float64)])
    >>> cells = Weighed(weight_nc, np.full(4000, 1000), np.eye(3, dtype=bool)[true_n])
    >>> abs(fit_softening([cells]).power) < 0.05
    True
    """

    def surprise(numbers: NDArray[np.float64]) -> float:
        softening = Softening(power=float(numbers[0]), depth=float(numbers[1]))
        losses = []
        for part in weighed:
            right_n = (softening.apply(part.weight_nc, part.counts_n) * part.true_nc).sum(axis=1)
            losses.append(-np.log(np.maximum(right_n, CERTAIN)).mean())
        return float(np.mean(losses))

    simplex = np.array([[0, 0], [-0.2, 0], [0, 0.2]])  # the usual one has no size at zero
    found = minimize(
        surprise, simplex[0], method="Nelder-Mead", bounds=[(-2.0, 2.0)] * 2, options={"initial_simplex": simplex}
    )
    return Softening(power=round(float(found.x[0]), 4), depth=round(float(found.x[1]), 4))


@dataclass(frozen=True)
class Heard:
    """What is said of cells that a network never met, read together, and which labels they can be."""

    weight_nc: NDArray[np.float32]
    heard_n: NDArray[np.floating[Any]]
    """The neighbours' part in the weights."""
    true_nc: NDArray[np.bool_]
    """Whether each label is the cell's, or a subtype."""


def fit_power(heard: Sequence[Heard]) -> float:
    """Fit the power of weights that are read together: so that those of the cells' types are most likely.

    Parameters
    ----------
    heard
        One entry a data set and view; each counts alike, whatever its size.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> weight_nc = rng.dirichlet([0.5, 0.5], 4000)
    >>> true_n = (rng.random(4000) < weight_nc[:, 1] ** 2 / (weight_nc**2).sum(axis=1)).astype(int)
    >>> cells = Heard(weight_nc.astype(np.float32), np.ones(4000), np.eye(2, dtype=bool)[true_n])
    >>> bool(abs(fit_power([cells]) - np.log10(2)) < 0.05)
    True
    """

    def surprise(power: float) -> float:
        together = Together(power=power)
        rights = [(together.apply(part.weight_nc, part.heard_n) * part.true_nc).sum(axis=1) for part in heard]
        return float(np.mean([-np.log(np.maximum(right_n, CERTAIN)).mean() for right_n in rights]))

    return round(float(minimize_scalar(surprise, bounds=(-0.5, 0.9), method="bounded").x), 4)


@dataclass(frozen=True)
class Seen:
    """Cells of known types that a network never met, seen in one way."""

    familiarity_n: NDArray[np.floating[Any]]
    counts_n: NDArray[np.floating[Any]]
    """Counts of each cell in known genes."""
    n_measured: int
    """Known genes that are measured."""


def fit_stranger(seen: Sequence[Seen], *, share: float) -> Stranger:
    """Fit below which familiarity a cell is strange, by its depth and the genes measured: a linear quantile.

    Source: Koenker & Bassett 1978, Regression quantiles, https://doi.org/10.2307/1913643.

    Parameters
    ----------
    seen
        One entry a data set and view; each counts alike, whatever its size.
    share
        Share of these cells that is strange.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cells = [Seen(rng.normal(9 + genes, 1, 500), np.full(500, 1000), 1000 * 10**genes) for genes in (0, 1)]
    >>> abs(fit_stranger(cells, share=0.5).genes - 1) < 0.2
    True
    """
    depth_e = bounded_depth(np.concatenate([part.counts_n for part in seen]))
    genes_e = np.concatenate([np.full(len(part.counts_n), np.log10(part.n_measured / 1000)) for part in seen])
    weight_e = np.concatenate([np.full(len(part.counts_n), 1 / max(len(part.counts_n), 1)) for part in seen])
    model = QuantileRegressor(quantile=share, alpha=0)
    model.fit(np.stack([depth_e, genes_e], axis=1), np.concatenate([part.familiarity_n for part in seen]), weight_e)
    counts, genes = (round(float(value), 4) for value in model.coef_)
    return Stranger(counts=counts, genes=genes, intercept=round(float(model.intercept_), 4))


def fit_trust(judged: Sequence[JudgedAnswers], *, doubt: float = 0.0, enough: float = 0.0) -> Trust:
    """Fit the map from chance, depth and familiarity to how often answers are right.

    Parameters
    ----------
    judged
        One entry a data set and view; each counts alike, whatever its size.
    doubt, enough
        As in `Trust`.

    Raises
    ------
    TrainingError
        If all answers are right, or all wrong, or familiar cells are no more often answered rightly.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> familiarity_e, half_e = rng.normal(10, 1, 4000), np.full(4000, 0.5)
    >>> right_e = rng.random(4000) < 1 / (1 + np.exp(10 - familiarity_e))
    >>> cells = JudgedAnswers(half_e, np.full(4000, 1000), right_e, familiarity_e)
    >>> abs(fit_trust([cells], doubt=0.3, enough=200).familiarity - 1) < 0.1
    True
    """
    familiarity_e = np.concatenate([part.familiarity_e for part in judged])
    (chance, depth, familiarity), intercept = _fit(judged, [_log_odds(judged), _depth(judged), familiarity_e])
    if chance < 0:
        # a surer answer mustn't get a lower score
        chance, ((depth, familiarity), intercept) = 0.0, _fit(judged, [_depth(judged), familiarity_e])
    if familiarity < 0:
        raise TrainingError("familiar cells are no more often answered rightly on the held-out cells.")
    return Trust(chance=chance, depth=depth, familiarity=familiarity, intercept=intercept, doubt=doubt, enough=enough)


def _log_odds(judged: Sequence[JudgedAnswers]) -> NDArray[np.float64]:
    chance_e = np.concatenate([part.chance_e for part in judged]).astype(np.float64)
    return np.asarray(logit(np.clip(chance_e, CERTAIN, 1 - CERTAIN)))


def _depth(judged: Sequence[JudgedAnswers]) -> NDArray[np.float64]:
    return log_depth(np.concatenate([part.counts_e for part in judged]))


def _fit(judged: Sequence[JudgedAnswers], inputs: Sequence[NDArray[np.floating[Any]]]) -> tuple[list[float], float]:
    """Give the slopes and the intercept of the log-odds of being right."""
    right_e = np.concatenate([part.right_e for part in judged])
    if len(np.unique(right_e)) < 2:
        raise TrainingError("a calibration needs answers that are right and answers that are wrong on held-out cells.")
    weight_e = np.concatenate([np.full(len(part.right_e), 1 / max(len(part.right_e), 1)) for part in judged])
    model = LogisticRegression(C=1e6, max_iter=1000)  # as good as no penalty: there are few numbers to find
    model.fit(np.stack(inputs, axis=1), right_e, sample_weight=weight_e * len(weight_e) / weight_e.sum())
    return [round(float(value), 4) for value in model.coef_[0]], round(float(model.intercept_[0]), 4)
