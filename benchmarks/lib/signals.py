"""What a bundle gives to tell whether a cell is of a type that it knows: signals from its answer and its fingerprint.

Axes: ``n`` cells, ``s`` signals, ``r`` references, ``m`` nodes, ``c`` labels, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from benchmarks.accuracy.development_tests import own_probabilities
from benchmarks.lib.answering import answer_cells
from benchmarks.lib.fewer_cells import is_below
from benchmarks.lib.studies import STUDY, Cells, is_right, nearest
from spoticell.biology.genes import load_vocabulary
from spoticell.model.runtime import Runtime
from spoticell.training.data.labelled import read_labelled
from spoticell.training.rehearsal import EXAMPLES

SCORE, FAMILIARITY, LARGEST, ENTROPY, CELL, EXAMPLE = SIGNALS = (
    "score of the answer",
    "familiarity",
    "largest label probability",
    "entropy of the labels",
    "nearest training cell",
    "nearest example",
)

Known = NDArray[np.bool_]


class Knower:
    """A bundle with the cells that it was trained on.

    Parameters
    ----------
    runtime
        The bundle's.
    folder
        Its training cells, one h5ad a data set.
    without
        Types that it was trained without.
    """

    def __init__(self, runtime: Runtime, folder: Path, without: Sequence[str] = ()) -> None:
        self.runtime, self.without = runtime, tuple(without)
        self.labels = runtime.bundle.manifest.labels
        if taught := [label for label in self.labels if is_below(label, without)]:
            raise SystemExit(f"{runtime.bundle.name} was trained on {', '.join(taught)}, which should be left out.")
        cells = read_labelled(folder, load_vocabulary())
        self.sets = frozenset(cells.datasets)
        self._study_r = np.array([STUDY.get(name, name) for name in cells.datasets], dtype=object)[cells.dataset_n]
        self._reference_rd = np.concatenate(
            [
                runtime.predict(cells.counts_ng[cells.dataset_n == s], cells.measured_sg[s]).fingerprint_nd
                for s in range(len(cells.datasets))
            ]
        )
        members_rd = load(runtime.bundle.read(EXAMPLES))["fingerprint_kd"].astype(np.float32)
        # of a network of several members they lie side by side
        example_rd = members_rd.reshape(len(members_rd), -1, runtime.bundle.manifest.fingerprint_size).sum(axis=1)
        self._example_rd = example_rd / np.linalg.norm(example_rd, axis=1, keepdims=True)

    def knows(self, term: str) -> bool:
        """Say whether cells with a label are all of known types, as far as that can be said."""
        below = any(is_right(term, label) for label in self.labels)
        return below and not is_below(term, self.without) and not any(is_right(term, kind) for kind in self.without)

    def ask(self, cells: Cells) -> Asked:
        """Answer cells and give their signals."""
        found = answer_cells(cells, self.runtime)
        said = found.prediction
        own_nm = own_probabilities(said.probabilities_nm, self.labels, self.runtime.bundle.nodes)
        own_nc = np.maximum(own_nm[:, [self.runtime.bundle.nodes.index(label) for label in self.labels]], 0)
        others = self._study_r != cells.study
        signal_ns = np.stack(
            [
                found.score_n,
                said.familiarity_n,
                own_nc.max(axis=1),
                -entropy(own_nc),
                nearest(said.fingerprint_nd, self._reference_rd[others], 1)[1][:, 0],
                nearest(said.fingerprint_nd, self._example_rd, 1)[1][:, 0],
            ],
            axis=1,
        )
        return Asked(cells, found.term_n, signal_ns)


@dataclass(frozen=True)
class Asked:
    """Cells with what a bundle says of them."""

    cells: Cells
    answer_n: NDArray[np.object_]
    signal_ns: NDArray[np.float64]
    """In the order of `SIGNALS`; each is higher for cells that look more like what is known."""


def entropy(chance_nc: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the entropy of each cell's label probabilities; of a cell without any, the greatest that can be.

    Examples
    --------
    >>> entropy(np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 0.0]])).round(2).tolist()
    [0.0, 0.69, 0.69]
    """
    total_n1 = chance_nc.sum(axis=1, keepdims=True)
    share_nc = np.where(total_n1 > 0, chance_nc / np.maximum(total_n1, 1e-12), 1 / chance_nc.shape[1])
    return -(share_nc * np.log(np.maximum(share_nc, 1e-12))).sum(axis=1) + 0.0
