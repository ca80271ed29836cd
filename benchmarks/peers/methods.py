"""The peers that other laboratories use, in one form: each learns from labelled cells and gives labels probabilities.

Here are those that come from libraries; the networks are in ``peer_networks``.  A gene that wasn't measured counts as
zero, as it does in practice; only CellTypist is told which were, and leaves the others out.
Axes: ``n`` cells, ``g`` genes, ``c`` labels.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

import anndata
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from spoticell.biology.genes import load_vocabulary
from spoticell.training.data.augment import Mask
from spoticell.training.data.labelled import LabelledCells

Scaling = Literal["log1p", "sqrt"]
LENGTH = 64.0
"""Length of a cell's square roots: about that of its log1p values."""


class RefusedError(ValueError):
    """A peer doesn't take cells of which so few genes were measured."""


class Peer(Protocol):
    """What learns from labelled cells."""

    labels: Sequence[str]
    """Cell Ontology terms, ``c``."""

    def fit(self, cells: LabelledCells, *, seed: int) -> Self:
        """Learn from cells; same cells and seed, same peer."""

    def probabilities(self, counts_ng: sparse.csr_array, measured_g: Mask) -> NDArray[np.floating]:
        """Give the probability of each label, ``(n, c)``, for cells on the packaged genes; may raise RefusedError."""


def log_normalised(counts_ng: sparse.csr_array) -> sparse.csr_matrix:
    """Give log1p of counts per 10,000."""
    total_n = np.asarray(counts_ng.sum(axis=1)).ravel()
    scaled = sparse.diags_array(1e4 / np.maximum(total_n, 1)) @ counts_ng
    return sparse.csr_matrix(scaled.log1p()).astype(np.float32)


def scaled(counts_ng: sparse.csr_array, how: Scaling) -> sparse.csr_matrix:
    """Make cells of different depth comparable: log1p of counts per 10,000, or square roots of one length."""
    if how == "log1p":
        return log_normalised(counts_ng)
    return sparse.csr_matrix(normalize(sparse.csr_matrix(counts_ng).sqrt()) * LENGTH).astype(np.float32)


def at_most(cells: LabelledCells, most: int, *, seed: int) -> LabelledCells:
    """Give at most so many cells of each label, drawn at random."""
    order_n = np.random.default_rng(seed).permutation(len(cells))
    rank_n = pd.Series(cells.label_n[order_n]).groupby(cells.label_n[order_n]).cumcount().to_numpy()
    return cells.take(np.sort(order_n[rank_n < most]))


@dataclass
class Neighbours:
    """PCA (uncentred, as for sparse counts) and the nearest cells' votes."""

    scaling: Scaling = "log1p"
    components: int = 50
    neighbours: int = 15

    def fit(self, cells: LabelledCells, *, seed: int) -> Self:
        """Find the components and keep the cells."""
        self.reduction = TruncatedSVD(self.components, random_state=seed)
        self.voters = KNeighborsClassifier(self.neighbours)
        self.voters.fit(self.reduction.fit_transform(scaled(cells.counts_ng, self.scaling)), cells.label_n.astype(str))
        self.labels = self.voters.classes_.tolist()
        return self

    def probabilities(self, counts_ng: sparse.csr_array, measured_g: Mask) -> NDArray[np.floating]:
        """Give the shares of the votes."""
        return self.voters.predict_proba(self.reduction.transform(scaled(counts_ng, self.scaling)))


@dataclass
class BoostedTrees:
    """LightGBM on principal components.  A tree a label a round: so many labels leave time for few rounds and cells."""

    scaling: Scaling = "log1p"
    components: int = 256
    leaves: int = 15
    learning_rate: float = 0.1
    penalty: float = 1.0
    """On the square of a leaf's value.  Without it the first trees of a rare label step hundreds too far."""
    rounds: int = 40
    most: int = 150
    """Most cells of a label."""

    def fit(self, cells: LabelledCells, *, seed: int) -> Self:
        """Find the components with all cells, grow the trees with some."""
        from lightgbm import LGBMClassifier  # noqa: PLC0415 - the other peers do without

        self.reduction = TruncatedSVD(self.components, random_state=seed).fit(scaled(cells.counts_ng, self.scaling))
        few = at_most(cells, self.most, seed=seed)
        self.trees = LGBMClassifier(
            n_estimators=self.rounds,
            num_leaves=self.leaves,
            learning_rate=self.learning_rate,
            reg_lambda=self.penalty,
            min_child_samples=5,
            colsample_bytree=0.25,
            random_state=seed,
            n_jobs=1,
            verbosity=-1,
        )
        self.trees.fit(self._reduced(few.counts_ng), few.label_n.astype(str))
        self.labels = self.trees.classes_.tolist()
        return self

    def probabilities(self, counts_ng: sparse.csr_array, measured_g: Mask) -> NDArray[np.floating]:
        """Give the softmax over the labels."""
        return self.trees.predict_proba(self._reduced(counts_ng))

    def _reduced(self, counts_ng: sparse.csr_array) -> pd.DataFrame:
        reduced_nk = self.reduction.transform(scaled(counts_ng, self.scaling))
        # LightGBM gives numpy arrays names of its own and then warns that they have none
        return pd.DataFrame(reduced_nk, columns=[f"component{k}" for k in range(reduced_nk.shape[1])])


@dataclass
class CellTypist:
    """CellTypist trained by stochastic gradient descent, one label against all others.

    Its other way of training passes ``multi_class`` on, which scikit-learn 1.8 no longer takes.  Features stay sparse
    (``with_mean=False``).  Source: Domínguez Conde et al. 2022, doi:10.1126/science.abl5197.
    """

    alpha: float = 1e-4
    feature_selection: bool = False
    iterations: int = 10
    most: int = 150
    """Most cells of a label, as its makers advise for large references."""

    def fit(self, cells: LabelledCells, *, seed: int) -> Self:
        """Train with the package's own function."""
        import celltypist  # noqa: PLC0415 - takes seconds, and the other peers do without

        logging.getLogger("celltypist").setLevel(logging.ERROR)
        few = at_most(cells, self.most, seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that so few iterations don't converge
            self.model = celltypist.train(
                log_normalised(few.counts_ng),
                labels=few.label_n.astype(str),
                genes=np.array(load_vocabulary().ids),
                with_mean=False,
                check_expression=False,
                use_SGD=True,
                alpha=self.alpha,
                max_iter=self.iterations,
                feature_selection=self.feature_selection,
                random_state=seed,
            )
        self.labels = self.model.classifier.classes_.tolist()
        return self

    def probabilities(self, counts_ng: sparse.csr_array, measured_g: Mask) -> NDArray[np.floating]:
        """Give its scores, which are each label's own, as shares of their sum."""
        import celltypist  # noqa: PLC0415

        genes = pd.DataFrame(index=np.array(load_vocabulary().ids)[measured_g])
        # dense, since it can't cut the tops of sparse values that it has scaled
        cells = anndata.AnnData(log_normalised(counts_ng)[:, measured_g].toarray(), var=genes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score_nc = celltypist.annotate(cells, model=self.model).probability_matrix.to_numpy()
        return score_nc / np.maximum(score_nc.sum(axis=1, keepdims=True), 1e-12)


@dataclass
class Pretrained:
    """panhuman_distill_v1 as it is shipped, with the terms that it is shipped with; it learns nothing here."""

    def fit(self, cells: LabelledCells, *, seed: int) -> Self:
        """Load it."""
        from benchmarks.peers.panhuman import Panhuman  # noqa: PLC0415 - needs actinn-jax

        self.model: Any = Panhuman(better_terms=False)
        self.labels = self.model.terms
        return self

    def probabilities(self, counts_ng: sparse.csr_array, measured_g: Mask) -> NDArray[np.floating]:
        """Give the probability of each of its terms; classes of one term are added up."""
        from benchmarks.peers.panhuman import TooFewGenesError  # noqa: PLC0415

        try:
            return self.model.teach(counts_ng, measured_g, load_vocabulary()).probabilities_nt
        except TooFewGenesError as error:
            raise RefusedError(str(error)) from error
