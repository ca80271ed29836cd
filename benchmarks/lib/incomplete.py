"""Cells seen through panels of genes or at less depth, what an answer is worth there, and how a curve is summed up.

Axes: ``g`` the bundle's genes, ``v`` views.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.lib.answering import coarser, mean_depth
from benchmarks.lib.studies import random_panel
from spoticell.annotation.figures import score
from spoticell.biology.genes import Vocabulary
from spoticell.training.data.panels import read_panels

SIZES = (5000, 2000, 1000, 500, 300, 200, 100, 50)
FEWEST_GENES = 50
"""A real panel of which a set measures fewer genes isn't tried there, as ``annotate`` refuses such cells."""
ALL = "all"

Panel = NDArray[np.bool_]


def named_panels(folder: Path, vocabulary: Vocabulary) -> dict[str, Panel]:
    """Read the gene panels of a folder, by the names of their files."""
    names = [path.stem for path in sorted(folder.glob("*.txt"))]
    return dict(zip(names, read_panels(folder, vocabulary), strict=True))


@dataclass(frozen=True)
class View:
    """Some of the genes that a set measures."""

    name: str
    """``all``, a number of random genes, or the name of a real panel."""
    draw: int
    panel_g: Panel


def views(measured_g: Panel, panels: Mapping[str, Panel], draws: int, sizes: Sequence[int] = SIZES) -> Iterator[View]:
    """Give all genes of a set, random ones of each size that it has, and the real panels.

    Examples
    --------
    >>> measured_g = np.arange(200) < 150
    >>> [(view.name, view.draw, int(view.panel_g.sum())) for view in views(measured_g, {}, 2, (500, 100))]
    [('all', 0, 150), ('100', 0, 100), ('100', 1, 100)]
    """
    yield View(ALL, 0, measured_g)
    for size in sizes:
        if size <= measured_g.sum():
            for draw in range(draws):
                yield View(str(size), draw, random_panel(measured_g, size, seed=draw))
    for name, panel_g in panels.items():
        if (panel_g & measured_g).sum() >= FEWEST_GENES:
            yield View(name, 0, panel_g & measured_g)


def thinned(counts_ng: sparse.csr_array, share: float, rng: np.random.Generator) -> sparse.csr_array:
    """Give cells as if they had been sequenced less: each count is kept by chance.

    Examples
    --------
    >>> cells = sparse.csr_array(np.full((2, 500), 10.0))
    >>> 0.18 < thinned(cells, 0.2, np.random.default_rng(0)).sum() / cells.sum() < 0.22
    True
    """
    fewer_ng = counts_ng.copy()
    fewer_ng.data = rng.binomial(np.rint(counts_ng.data).astype(np.int64), share).astype(np.float32)
    fewer_ng.eliminate_zeros()
    return fewer_ng


def worth(truth_n: Sequence[str], answer_n: Sequence[str]) -> dict[str, float]:
    """Say how good answers are, how deep they go, and which part of them is right but coarser than the label."""
    figures: dict[str, Any] = score(truth_n, answer_n)
    kept = ("macro_f1", "hierarchical_f1", "accuracy", "coverage")
    return {
        **{key: figures[key] for key in kept},
        "depth": mean_depth(answer_n),
        "coarser": float(coarser(truth_n, answer_n).mean()),
    }


def area_under(genes_v: Sequence[float], value_v: Sequence[float]) -> float:
    """Give the mean of a curve over the logarithm of the number of genes.

    Examples
    --------
    >>> round(area_under([100, 1000, 10000], [0.2, 0.4, 0.8]), 3)
    0.45
    """
    order = np.argsort(genes_v)
    log_v, rising_v = np.log(np.asarray(genes_v, dtype=np.float64)[order]), np.asarray(value_v)[order]
    return float(np.trapezoid(rising_v, log_v) / (log_v[-1] - log_v[0]))
