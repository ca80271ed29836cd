"""Forms in which people store the values of cells, and what can be had back from each.

Axes: ``n`` cells, ``v`` genes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Form = Callable[[Floats, np.random.Generator], Floats]


class Back(StrEnum):
    """How much of the counts can be had back."""

    EXACTLY = "exactly"
    NEARLY = "nearly"
    NOT = "not"


@dataclass(frozen=True)
class Values:
    """A form: what it makes of counts, and how much comes back."""

    back: Back
    make: Form


def per_cell(counts_nv: Floats, target: float = 1e4) -> Floats:
    """Make every cell sum to a target."""
    scaled_nv: Floats = counts_nv / np.maximum(counts_nv.sum(axis=1, keepdims=True), 1e-12) * target
    return scaled_nv


def logs(counts_nv: Floats) -> Floats:
    """Give what most people store: log1p of counts per ten thousand."""
    logs_nv: Floats = np.log1p(per_cell(counts_nv))
    return logs_nv


def components(counts_nv: Floats, k: int) -> tuple[Floats, Floats]:
    """Principal components of logarithms: scores of cells ``(n, k)``, and of genes ``(k, v)``."""
    scores_nk, sizes_k, genes_kv = np.linalg.svd(logs(counts_nv), full_matrices=False)
    return scores_nk[:, :k] * sizes_k[:k], genes_kv[:k]


def smoothed(counts_nv: Floats, neighbours: int = 10) -> Floats:
    """Mean of each cell's nearest cells."""
    scores_nk, _ = components(counts_nv, 20)
    distance_nn = ((scores_nk[:, None] - scores_nk[None]) ** 2).sum(axis=-1)
    mean_nv: Floats = counts_nv[np.argsort(distance_nn, axis=1)[:, :neighbours]].mean(axis=1)
    return mean_nv


def denoised(counts_nv: Floats) -> Floats:
    """Give what few components say of each cell, its logarithm undone."""
    scores_nk, genes_kv = components(counts_nv, 15)
    values_nv: Floats = np.expm1(np.maximum(scores_nk @ genes_kv, 0))
    return values_nv


def per_length(counts_nv: Floats) -> Floats:
    """Divide counts by lengths of genes, and make each cell sum to a million."""
    length_v = np.random.default_rng(77).lognormal(7.5, 0.8, counts_nv.shape[1])
    return per_cell(counts_nv / length_v, 1e6)


def per_length_of_all(counts_nv: Floats, rng: np.random.Generator) -> Floats:
    """Divide the same by what reads of no gene add to each cell."""
    share_n1: Floats = rng.uniform(0.4, 0.9, (len(counts_nv), 1))
    return per_length(counts_nv) * share_n1


def ranks(counts_nv: Floats, rng: np.random.Generator) -> Floats:
    """Ranks of each cell's genes, the smallest count first."""
    order_nv = np.argsort(np.argsort(counts_nv + rng.random(counts_nv.shape) / 2, axis=1), axis=1) + 1.0
    none_n1 = (counts_nv == 0).sum(axis=1, keepdims=True)
    ranks_nv: Floats = np.where(counts_nv > 0, order_nv - none_n1, 0)
    return ranks_nv


def scored(counts_nv: Floats) -> Floats:
    """Give z-scores of logarithms, cut at 10."""
    logs_nv = logs(counts_nv)
    scores_nv: Floats = (logs_nv - logs_nv.mean(axis=0)) / np.maximum(logs_nv.std(axis=0), 1e-9)
    return np.clip(scores_nv, -10, 10)


def some(values_nv: Floats, others_nv: Floats, share: float, rng: np.random.Generator) -> Floats:
    """Take a share of the cells from other values."""
    chosen = rng.choice(len(values_nv), max(round(share * len(values_nv)), 1), replace=False)
    mixed_nv = values_nv.copy()
    mixed_nv[chosen] = others_nv[chosen]
    return mixed_nv


def without_ambient(counts_nv: Floats) -> Floats:
    """Take off what free RNA adds to each cell."""
    depth_n1 = counts_nv.sum(axis=1, keepdims=True)
    ambient_nv = 0.05 * counts_nv.mean(axis=0) * depth_n1 / depth_n1.mean()
    left_nv: Floats = np.maximum(counts_nv - ambient_nv, 0) * (counts_nv > 0)
    return left_nv


def quantiles(counts_nv: Floats) -> Floats:
    """Give all cells one distribution of logarithms."""
    logs_nv = logs(counts_nv)
    same_nv: Floats = np.sort(logs_nv, axis=1).mean(axis=0)[np.argsort(np.argsort(logs_nv, axis=1), axis=1)]
    return same_nv


_EXACTLY: dict[str, Form] = {
    "counts": lambda c, _: c,
    "log1p of 1e4": lambda c, _: logs(c),
    "log1p of 1e4, 4 decimals": lambda c, _: np.round(logs(c), 4),
    "CPM": lambda c, _: per_cell(c, 1e6),
    "log2 of CPM + 1": lambda c, _: np.log2(per_cell(c, 1e6) + 1),
    "log10 of 1e4 + 1": lambda c, _: np.log10(per_cell(c) + 1),
    "log1p of counts": lambda c, _: np.log1p(c),
    "square roots": lambda c, _: np.sqrt(c),
    "log1p twice": lambda c, _: np.log1p(logs(c)),
    "arsinh of 1e4": lambda c, _: np.arcsinh(per_cell(c)),
    "Freeman-Tukey": lambda c, _: np.sqrt(c) + np.sqrt(c + 1) - 1,
    "x 10": lambda c, _: c * 10,
    "/ 100": lambda c, _: c / 100,
    "counts + 1": lambda c, _: c + 1,
    "log2 of CPM + 1, of counts + 1": lambda c, _: np.log2(per_cell(c + 1, 1e6) + 1),
    "over size factors": lambda c, rng: c / rng.lognormal(0, 0.4, (len(c), 1)),
    "few cells of logs among counts": lambda c, rng: some(c, logs(c), 0.04, rng),
    "third of log2 among log1p": lambda c, rng: some(logs(c), np.log2(per_cell(c) + 1), 0.33, rng),
}
_NEARLY: dict[str, Form] = {
    "1e4, whole": lambda c, _: np.rint(per_cell(c)),
    "log1p of 1e4, 1 decimal": lambda c, _: np.round(logs(c), 1),
    "ambient taken off": lambda c, _: without_ambient(c),
    "some fractions": lambda c, rng: c + ((c > 0) & (rng.random(c.shape) < 0.1)) * rng.choice([0.05, 0.33], c.shape),
}
_NOT: dict[str, Form] = {
    "seen or not": lambda c, _: (c > 0) * 1.0,
    "ranks": ranks,
    "logs, whole": lambda c, _: np.rint(logs(c)),
    "mean of 10 nearest": lambda c, _: smoothed(c),
    "denoised": lambda c, _: denoised(c),
    "over gene means": lambda c, _: c / np.maximum(c.mean(axis=0), 1e-9),
    "TPM": lambda c, _: per_length(c),
    "log2 of TPM + 1": lambda c, _: np.log2(per_length(c) + 1),
    "FPKM, whole": lambda c, rng: np.rint(per_length_of_all(c, rng)),
    "log2 of FPKM + 1": lambda c, rng: np.log2(per_length_of_all(c, rng) + 1),
    "log1p of FPKM, 2 decimals": lambda c, rng: np.round(np.log1p(per_length_of_all(c, rng)), 2),
    "z-scores": lambda c, _: scored(c),
    "logs cut at 3": lambda c, _: np.minimum(logs(c), 3),
    "quantile-normalised": lambda c, _: quantiles(c),
    "noise": lambda c, rng: rng.poisson(0.2, c.shape) * 1.0,
    "up to half of each count lost": lambda c, rng: c * rng.uniform(0.5, 1, c.shape),
    "third of TPM among counts": lambda c, rng: some(c, per_length(c), 0.33, rng),
    "nothing": lambda c, _: c * 0,
}

FORMS = {
    name: Values(back, make)
    for back, group in ((Back.EXACTLY, _EXACTLY), (Back.NEARLY, _NEARLY), (Back.NOT, _NOT))
    for name, make in group.items()
}
"""Plain counts first."""
