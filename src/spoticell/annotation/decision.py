"""What becomes of the network's probabilities: which types are possible, the answer, and how far to trust it.

Axes: ``n`` cells, ``c`` labels, ``m`` ontology nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.allowed import Allowed
from spoticell.biology.answer_rule import Standing, rule_of
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.model.bundle import Bundle
from spoticell.model.calibration import Together, Trust

if TYPE_CHECKING:
    from spoticell.model.runtime import Prediction

NEVER = 2.0
"""A threshold that no probability passes."""
POWER = 0.08
"""Of cells read together by a model that doesn't say: that of the packaged one, about."""


@dataclass(frozen=True)
class Grounds:
    """What the answers of ``n`` cells follow from at any threshold, see `answers_at`."""

    standing: Standing
    counts_n: NDArray[np.floating[Any]]
    """Counts of each cell in the bundle's genes; 0 where there is no cell to name."""
    familiarity_n: NDArray[np.floating[Any]] | None
    """How like the training cells the cells are; None where the bundle doesn't say."""


@dataclass(frozen=True)
class Answers:
    """The answers of ``n`` cells at a threshold; as in `Decision`."""

    answer_n: NDArray[np.intp]
    score_n: NDArray[np.float32]
    doubted_n: NDArray[np.bool_]
    margin_n: NDArray[np.float32] | None


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
    second_n: NDArray[np.intp]
    """Type that each cell would be if it weren't its answer; -1 for unknown, and where nothing else is likely."""
    second_probability_n: NDArray[np.float32]
    """Probability of that type; 0 where there is none."""
    weight_nc: NDArray[np.float32] | None = None
    """Calibrated weight of each label, of all tissues; None where single nodes are calibrated."""
    margin_n: NDArray[np.float32] | None = None
    """How far each cell is from being too strange to be named, below 0 if it is; None where the bundle doesn't say."""
    grounds: Grounds | None = None
    """What these answers follow from, and those at other thresholds."""


@dataclass(frozen=True)
class Said:
    """What a network says of cells that are read together with their neighbours."""

    weight_nc: NDArray[np.float32]
    """Weight of each label."""
    heard_n: NDArray[np.floating[Any]]
    """The neighbours' part in it, in [0, 1)."""
    familiarity_n: NDArray[np.floating[Any]] | None
    """How like the training cells the cells are; None where the bundle doesn't say."""
    n_measured: int
    """Known genes that are measured."""


def can_read_together(bundle: Bundle) -> bool:
    """Whether a bundle's cells can be read together: its probabilities are sums of labels' weights."""
    return bundle.is_of_this_ontology and bundle.manifest.calibration is None


def together_of(bundle: Bundle) -> Together:
    """Give what calibrates cells that are read together."""
    manifest = bundle.manifest
    return manifest.together or Together(power=POWER, trust=manifest.trust)


def answers_at(grounds: Grounds, threshold: float, *, trust: Trust | None, n_measured: int) -> Answers:
    """Answer cells at a threshold: the same as a run with that threshold answers.

    Parameters
    ----------
    grounds
        What the answers follow from.
    threshold
        Lowest probability at which a term is answered, in [0, 1].
    trust
        What an answer is worth; None where the bundle doesn't say.
    n_measured
        Known genes that are measured.

    Examples
    --------
    >>> standing = Standing(np.array([7, 3]), np.array([0.4, 0.9]), np.array([2]))  # node 7, else node 3 above it
    >>> grounds = Grounds(standing, np.array([1000.0]), None)
    >>> [answers_at(grounds, threshold, trust=None, n_measured=0).answer_n.tolist() for threshold in (0.3, 0.5, 0.95)]
    [[7], [3], [-1]]
    """
    standing, counts_n, known_n = grounds.standing, grounds.counts_n, grounds.familiarity_n
    margin_n: NDArray[np.float32] | None = None
    if trust is None or known_n is None:
        answer_n, score_n = standing.answers(threshold)
    else:
        # of all types, allowed or not: what a user knows of a cell makes it no stranger
        least_n = np.maximum(threshold, trust.least(known_n, counts_n, threshold=threshold))
        if trust.stranger is not None and n_measured and threshold > 0:
            margin_n = trust.stranger.margin(known_n, counts_n, n_measured)
            least_n = np.where(margin_n < 0, NEVER, least_n)
        answer_n, chance_n = standing.answers(least_n)
        score_n = np.where(answer_n >= 0, trust.scores(chance_n, known_n, counts_n), np.float32(0))
    doubted_n = (answer_n < 0) & (standing.answers(threshold)[0] >= 0)
    return Answers(answer_n, score_n, doubted_n, margin_n)


def decide(
    prediction: Prediction,
    counts_n: NDArray[np.floating[Any]],
    bundle: Bundle,
    *,
    threshold: float,
    allowed: Allowed | None = None,
    relatives: Relatives | None = None,
    second_best: bool = True,
) -> Decision:
    """Answer cells, each alone, by what the network says of them.

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
    relatives
        What gives the weight of types that the sample can't hold to others; none is taken if not given.
    second_best
        Whether to find what each cell would be if it weren't its answer.
    """
    restrict = None if allowed is None else allowed.restrict
    weight_nc: NDArray[np.float32] | None = None
    if can_read_together(bundle):
        softening = bundle.manifest.softening
        weight_nc = prediction.weight_nc
        if restrict is not None or weight_nc is None:
            said_nm = prediction.probabilities_nm
            weight_nc = bundle.label_weights.of(said_nm if restrict is None else restrict(said_nm))
        weight_nc = weight_nc if softening is None else softening.apply(weight_nc, counts_n)
        # also where nothing was changed, so that the same weights always give the same probabilities
        probability_nm = (relatives or bundle.label_weights).summed(weight_nc)
    else:
        said_nm = prediction.probabilities_nm
        probability_nm = said_nm if restrict is None else restrict(said_nm)
        # a calibration of single nodes comes last, as they are no sums of labels after it
        probability_nm = bundle.calibrated(probability_nm if relatives is None else relatives(probability_nm), counts_n)
    return _answered(
        probability_nm,
        prediction.familiarity_n,
        prediction.n_measured,
        counts_n,
        bundle,
        trust=bundle.manifest.trust,
        threshold=threshold,
        weight_nc=weight_nc,
        second_best=second_best,
    )


def decide_together(
    said: Said,
    counts_n: NDArray[np.floating[Any]],
    bundle: Bundle,
    *,
    threshold: float,
    relatives: Relatives | None = None,
) -> Decision:
    """Answer cells that were read together with their neighbours.

    Parameters
    ----------
    said
        What was read.
    counts_n, bundle, threshold, relatives
        As for `decide`.
    """
    together = together_of(bundle)
    calibrated_nc = together.apply(said.weight_nc, said.heard_n)
    return _answered(
        (relatives or bundle.label_weights).summed(calibrated_nc),
        said.familiarity_n,
        said.n_measured,
        counts_n,
        bundle,
        trust=together.trust,
        threshold=threshold,
        weight_nc=calibrated_nc,
    )


def grounds_of(
    weight_nc: NDArray[np.float32],
    counts_n: NDArray[np.floating[Any]],
    familiarity_n: NDArray[np.floating[Any]] | None,
    bundle: Bundle,
    relatives: Relatives | None,
) -> tuple[NDArray[np.float32], Grounds]:
    """Give the probability of each node, ``(n, m)``, and what answers follow from, from the weights of a `Decision`.

    With other ``relatives`` than those of the run they are those of a run in another tissue.

    Parameters
    ----------
    weight_nc, counts_n, familiarity_n
        Of a `Decision` and its `Grounds`.
    bundle
        Whose labels and nodes.
    relatives
        What gives the weight of types that the sample can't hold to others; none is taken if not given.
    """
    return _grounds((relatives or bundle.label_weights).summed(weight_nc), counts_n, familiarity_n, bundle)


def probabilities_of(
    weight_nc: NDArray[np.float32], counts_n: NDArray[np.floating[Any]], bundle: Bundle, relatives: Relatives | None
) -> NDArray[np.float32]:
    """Give the probability of each node, ``(n, m)``, from the weights of a `Decision`; as `grounds_of`."""
    return _of_full_cells((relatives or bundle.label_weights).summed(weight_nc), counts_n)


def _of_full_cells(probability_nm: NDArray[np.float32], counts_n: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Give probabilities with 0 for a cell without counts."""
    return np.where((np.asarray(counts_n) == 0)[:, None], np.float32(0), probability_nm)


def _grounds(
    probability_nm: NDArray[np.float32],
    counts_n: NDArray[np.floating[Any]],
    known_n: NDArray[np.floating[Any]] | None,
    bundle: Bundle,
) -> tuple[NDArray[np.float32], Grounds]:
    probability_nm = _of_full_cells(probability_nm, counts_n)
    standing = rule_of(bundle.nodes, load_ontology()).standing(probability_nm)
    return probability_nm, Grounds(standing, np.asarray(counts_n), known_n)


def _answered(
    probability_nm: NDArray[np.float32],
    known_n: NDArray[np.floating[Any]] | None,
    n_measured: int,
    counts_n: NDArray[np.floating[Any]],
    bundle: Bundle,
    *,
    trust: Trust | None,
    threshold: float,
    weight_nc: NDArray[np.float32] | None,
    second_best: bool = True,
) -> Decision:
    probability_nm, grounds = _grounds(probability_nm, counts_n, known_n, bundle)
    rule = rule_of(bundle.nodes, load_ontology())
    answers = answers_at(grounds, threshold, trust=trust, n_measured=n_measured)
    asked_n = answers.answer_n if second_best else np.full_like(answers.answer_n, -1)
    second_n, second_probability_n = rule.second_best(probability_nm, asked_n)
    return Decision(
        answers.answer_n,
        answers.score_n,
        probability_nm,
        answers.doubted_n,
        second_n,
        second_probability_n,
        weight_nc,
        answers.margin_n,
        grounds,
    )
