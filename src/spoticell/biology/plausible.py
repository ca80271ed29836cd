"""Doubts about numbers that could be counts: whether genes and cells vary as counted molecules do.

Whole numbers may be ranks, masks, noise or sums over neighbouring cells.  Each test looks at some hundred cells and
says what speaks against counts, or nothing.

Axes: ``n`` cells of a sample, ``v`` genes of the data set, ``j`` genes that are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.scales import Floats, Kind

DEEP = 50
"""Genes that a cell needs for its values to say something."""
ANCHORS, TWIN_GENES, FEWEST_CELLS = 40, 1000, 20
"""Cells that are compared with all of the sample, the genes that are compared, and the cells that are needed."""
TOO_NEAR = 0.2
"""In 45 sets of real cells the nearest of 200 cells is .31 to .81 of the usual distance away, in sums over ten
neighbours mostly .01 to .13 where molecules have no barcodes."""
NEAR_GENES = 200
"""Genes from which on that holds: through 61 markers the nearest of real cells is .09 away, as many hold the same."""
BYTE, FEW_COUNTS = 255, 5
"""The largest number of eight bits; a cell's largest count that is small enough to be the same in many by chance."""
TOO_ALIKE = 4
"""Standard errors by which two cells differ less than two counts of one cell would: a tenth of the cells of 40 real
sets reach 0 to 1.4, of raw matrices up to 2.7, of sums over three or ten neighbours 3.5 to 18."""


class Doubt(NamedTuple):
    """What numbers are rather than counts, and what shows it."""

    kind: Kind
    evidence: str


FEWEST_RARE = 50
"""Rarely seen genes that are needed to compare genes."""


@dataclass(frozen=True)
class GeneSpread:
    """How the values of rarely seen genes compare, one count taken as 1; logs throughout."""

    n_genes: int
    middle: float
    """Median over genes of a gene's mean value: near 0 for counts, a rare gene being seen once a cell."""
    between: float
    """Standard deviation of that over genes, chance taken off: large where each gene has been divided by a number."""
    within: float
    """Standard deviation inside a gene: above 1 for reads without molecular barcodes."""


def doubt(counts_nv: sparse.csr_array) -> Doubt | None:
    """Say what speaks against numbers being counts; None if nothing does.

    Parameters
    ----------
    counts_nv
        What one takes for counts, ``(n, v)``, canonical.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> doubt(sparse.csr_array(rng.poisson(1.0, (60, 500)))).kind.value
    'noise'
    >>> doubt(sparse.csr_array(rng.poisson(rng.gamma(0.3, size=500), (60, 500)))) is None
    True
    """
    tests: tuple[Callable[[sparse.csr_array], Doubt | None], ...] = (_masked, _ranked, _even, alike)
    return next((found for test in tests if (found := test(counts_nv)) is not None), None)


def _masked(counts_nv: sparse.csr_array) -> Doubt | None:
    """Find values that are all 1 though genes are seen so often that some must be more."""
    if counts_nv.nnz < 200 or (counts_nv.data > 1.5).mean() > 1e-3:
        return None
    seen_v = np.clip(_n_cells(counts_nv) / counts_nv.shape[0], 0, 0.99)
    rate_v = -np.log1p(-seen_v)
    more = counts_nv.shape[0] * float((1 - np.exp(-rate_v) * (1 + rate_v)).sum())
    if more < 20 or (counts_nv.data > 1.5).sum() > 0.1 * more:
        return None
    return Doubt(
        Kind.MASK,
        f"{(counts_nv.data <= 1.5).mean():.1%} of {counts_nv.nnz:,} values are the same, though in counts about "
        f"{more:,.0f} would be larger: they say only which genes were seen, not how often",
    )


def _ranked(counts_nv: sparse.csr_array) -> Doubt | None:
    """Find cells whose values only order their genes."""
    distinct = gapless = bare = deep = tall = 0
    for cell in range(counts_nv.shape[0]):
        values = counts_nv.data[counts_nv.indptr[cell] : counts_nv.indptr[cell + 1]]
        if len(values) < DEEP:
            continue
        levels = np.unique(values)
        deep += 1
        distinct += len(levels) >= 0.9 * len(values)
        bare += levels[-1] > 10 and not ((values > 1.5) & (values < 3.5)).any()
        tall += levels[-1] >= 15
        gapless += levels[-1] >= 15 and len(levels) == int(levels[-1])
    for count, of, how in (
        (distinct, deep, "hardly any value occurs twice"),
        (bare, deep, "none is 2 or 3"),
        (gapless, tall, "every number up to the largest occurs"),
    ):
        if of >= 3 and count >= 0.8 * of:
            return Doubt(Kind.RANKS, f"in {count} of {of} cells {how}, as in ranks and never in counts")
    return None


def _even(counts_nv: sparse.csr_array) -> Doubt | None:
    """Find numbers in which every gene is as frequent as every other."""
    total_v = np.asarray(counts_nv.sum(axis=0), dtype=np.float64).ravel()
    if len(total_v) < DEEP or total_v.mean() < 10:
        return None
    spread = float((total_v.var() - total_v.mean()) / total_v.mean() ** 2)
    if spread > 0.05:
        return None
    return Doubt(
        Kind.NOISE,
        f"all {len(total_v):,} genes are equally frequent (their totals vary by {total_v.std() / total_v.mean():.0%}), "
        "as in random numbers and never in cells",
    )


def alike(counts_nv: sparse.csr_array) -> Doubt | None:
    """Find cells that are more alike than two counts of one and the same cell could be.

    Parameters
    ----------
    counts_nv
        Counts, or values divided by what one count may be, ``(n, v)``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> counts_nv = rng.poisson(rng.gamma(0.3, size=400), (60, 400))
    >>> summed_nv = sum(np.roll(counts_nv, shift, axis=0) for shift in range(9))
    >>> alike(sparse.csr_array(counts_nv)) is None, alike(sparse.csr_array(summed_nv)).kind.value
    (True, 'smoothed over cells')
    """
    n, v = counts_nv.shape
    if n < FEWEST_CELLS or v < DEEP:
        return None
    total_v = np.asarray(counts_nv.sum(axis=0)).ravel()
    top_j = np.argsort(-total_v, kind="stable")[:TWIN_GENES]
    counts_nj = counts_nv[:, top_j].toarray().astype(np.float32)
    depth_n = np.asarray(counts_nv.sum(axis=1), dtype=np.float64).ravel()
    anchors = np.unique(np.linspace(0, n - 1, min(ANCHORS, n)).astype(np.intp))
    score = np.array([_most_alike(counts_nj, depth_n, int(anchor)) for anchor in anchors])
    n_alike = int((score > TOO_ALIKE).sum())
    # counts are noisier than chance alone where molecules have no barcodes, and only distances tell
    too_near = v >= NEAR_GENES and _nearest(counts_nj, depth_n, anchors) <= TOO_NEAR
    if n_alike < max(3, 0.1 * len(anchors)) and not too_near:
        return None
    return Doubt(
        Kind.SMOOTHED,
        f"{n_alike} of {len(anchors)} cells looked at have another one that is more like them than chance allows"
        if n_alike
        else "most cells have another one that is far nearer to them than cells ever are",
    )


def _nearest(counts_nj: NDArray[np.float32], depth_n: Floats, anchors: NDArray[np.intp]) -> float:
    """Give how far the nearest other cell is, as a share of the distance of a usual one; copies don't count."""
    log_nj = np.log1p(counts_nj * (1e4 / np.maximum(depth_n, 1e-12)).astype(np.float32)[:, None])
    square_n = (log_nj * log_nj).sum(axis=1)
    distance_an = square_n[anchors, None] + square_n - 2 * (log_nj[anchors] @ log_nj.T)
    if not np.median(distance_an) > 0:
        return 1.0
    distance_an[distance_an < 1e-4 * np.median(distance_an)] = np.inf
    near_a = distance_an.min(axis=1) / np.median(distance_an, axis=1)
    return float(np.median(np.nan_to_num(near_a, nan=1.0)))


def _most_alike(counts_nj: NDArray[np.float32], depth_n: Floats, anchor: int) -> float:
    """Give how much likelier than by chance the cell most like one is, in standard errors; copies don't count."""
    own_j = counts_nj[anchor]
    share_n = depth_n[anchor] / np.maximum(depth_n[anchor] + depth_n, 1e-12)
    both_nj = own_j + counts_nj
    telling_nj = both_nj >= 2
    # given what two cells have together, chance alone splits it with this variance
    variance_nj = np.maximum(both_nj * (share_n * (1 - share_n)).astype(np.float32)[:, None], 1e-9)
    miss_nj = own_j - both_nj * share_n.astype(np.float32)[:, None]
    # squares of small numbers spread more widely, so they weigh less
    weight_nj = np.where(telling_nj, 1 / (2 + 1 / variance_nj), 0)
    total_n = weight_nj.sum(axis=1, dtype=np.float64)
    below_n = (weight_nj * (1 - miss_nj * miss_nj / variance_nj)).sum(axis=1, dtype=np.float64)
    enough_n = (total_n >= 5) & (np.abs(counts_nj - own_j).max(axis=1) > 1e-6)
    return float((below_n[enough_n] / np.sqrt(total_n[enough_n])).max(initial=0.0))


def gene_spread(units_nv: sparse.csr_array) -> GeneSpread:
    """Compare the values of rarely seen genes.

    Parameters
    ----------
    units_nv
        Values divided by what one count may be in each cell, ``(n, v)``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> counts_nv = rng.poisson(rng.gamma(0.3, size=900), (60, 900))
    >>> by_length_nv = counts_nv / rng.lognormal(0, 0.8, 900)
    >>> [gene_spread(sparse.csr_array(values_nv)).between > 0.4 for values_nv in (counts_nv, by_length_nv)]
    [False, True]
    """
    n, counts_v = units_nv.shape[0], _n_cells(units_nv)
    log_nv = sparse.csr_array((np.log(units_nv.data), units_nv.indices, units_nv.indptr), shape=units_nv.shape)
    first_v = np.bincount(log_nv.indices, weights=log_nv.data, minlength=units_nv.shape[1])
    second_v = np.bincount(log_nv.indices, weights=log_nv.data**2, minlength=units_nv.shape[1])
    rare_v = (counts_v >= 4) & (counts_v <= 0.3 * n)
    if not rare_v.any():
        return GeneSpread(0, np.nan, np.nan, np.nan)
    counts_j = counts_v[rare_v]
    mean_j = first_v[rare_v] / counts_j
    variance_j = np.maximum(second_v[rare_v] / counts_j - mean_j**2, 0)
    chance = float((variance_j / (counts_j - 1)).mean())
    return GeneSpread(
        n_genes=len(mean_j),
        middle=float(np.median(mean_j)),
        between=float(np.sqrt(max(mean_j.var() - chance, 0))),
        within=float(np.sqrt(variance_j.mean())),
    )


def _n_cells(values_nv: sparse.csr_array) -> NDArray[np.intp]:
    """Count the cells in which each gene is seen, ``(v,)``."""
    return np.bincount(values_nv.indices, minlength=values_nv.shape[1])


def doubt_of_levels(kept_nv: sparse.csr_array, floor_n: Floats) -> Doubt | None:
    """Say what speaks against stored values being counts on any scale: ranks with ties, values that were cut off.

    Parameters
    ----------
    kept_nv
        Values above their floor, as stored, ``(n, v)``; no cell empty.
    floor_n
        What zero is in each cell.

    Examples
    --------
    >>> values_nv = np.array([[1.5, 1.5, 3, 4, *range(5, 90)]] * 3) + np.arange(3)[:, None] * 0
    >>> doubt_of_levels(sparse.csr_array(values_nv), np.zeros(3)).kind.value
    'ranks'
    """
    v = kept_nv.shape[1]
    genes_n = np.diff(kept_nv.indptr)
    deep_n = genes_n >= DEEP
    if deep_n.sum() < 3:
        return None
    total_n = np.asarray(kept_nv.sum(axis=1), dtype=np.float64).ravel() + floor_n * (v - genes_n)
    n_deep = int(deep_n.sum())
    ranked_n = np.zeros_like(deep_n)
    for ranked in (genes_n, np.full_like(genes_n, v)):
        ranked_n |= deep_n & (np.abs(total_n / (ranked * (ranked + 1) / 2) - 1) < 1e-6)
    if ranked_n.sum() >= 0.8 * n_deep:
        return Doubt(Kind.RANKS, f"{int(ranked_n.sum())} of {n_deep} cells sum to what the ranks of their genes would")
    deep_n[deep_n] &= _first_of_its_kind(kept_nv[deep_n])
    n_deep = int(deep_n.sum())
    largest_n = np.maximum.reduceat(kept_nv.data, kept_nv.indptr[:-1])[deep_n]
    level, count = np.unique(np.round(largest_n, 4), return_counts=True)
    common = float(level[count.argmax()])
    whole = bool((np.rint(kept_nv.data) == kept_nv.data).all())
    if n_deep >= 10 and whole and level[-1] == BYTE and (largest_n > 0.9 * BYTE).mean() >= 0.8:
        return Doubt(Kind.CAPPED, f"no value is above {BYTE}, all that a byte holds, and most cells come near it")
    # few counts have the same largest one in many cells
    if n_deep < 10 or count.max() < 0.5 * n_deep or (whole and common < FEW_COUNTS):
        return None
    upper, times = np.unique(np.round(kept_nv.data[kept_nv.data > 0.5 * common], 4), return_counts=True)
    at_top, below = int(times[upper == common].sum()), int(times[upper < common][-1:].sum())
    # in counts the largest value is rarer than the one below it; a pile at the top is a limit
    piled = at_top > 2 * below
    same_throughout = count.max() >= 0.9 * n_deep and abs(at_top - below) <= 0.1 * n_deep
    if not piled and (whole or not same_throughout):
        return None
    return Doubt(
        Kind.CAPPED,
        f"in {int(count.max())} of {n_deep} cells the largest value is the same ({common:g}): values were cut off "
        "there, or cells were quantile-normalised",
    )


def _first_of_its_kind(values_nv: sparse.csr_array) -> NDArray[np.bool_]:
    """Say of each cell whether no earlier one is the same."""
    bounds = zip(values_nv.indptr[:-1], values_nv.indptr[1:], strict=True)
    keys = [values_nv.indices[a:b].tobytes() + values_nv.data[a:b].tobytes() for a, b in bounds]
    first_n = np.zeros(len(keys), dtype=np.bool_)
    first_n[list({key: place for place, key in reversed(list(enumerate(keys)))}.values())] = True
    return first_n


def doubt_of_genes(units_nv: sparse.csr_array) -> Doubt | None:
    """Say what speaks against values in units of one count being counts, by the genes.

    Rare genes must look as counted, and cells no more alike than chance allows.

    Parameters
    ----------
    units_nv
        Values divided by what one count seems to be in each cell.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> doubt_of_genes(sparse.csr_array(rng.gamma(2.0, size=(60, 600)))).kind.value
    'smoothed over cells'
    """
    n, v = units_nv.shape
    if n < 20 or v < 2 * FEWEST_RARE:
        return None
    filled = units_nv.nnz / (n * v)
    spread = gene_spread(units_nv)
    if spread.n_genes < FEWEST_RARE:
        evidence = f"{filled:.0%} of all values are above zero: zeros were filled in"
        return Doubt(Kind.SMOOTHED, evidence) if filled > 0.5 else None
    reads = spread.within > 1
    if spread.between > (0.8 if reads else 0.2):
        return Doubt(
            Kind.PER_LENGTH,
            f"values of rarely seen genes differ {np.exp(spread.between):.1f}-fold from gene to gene, as where "
            "each gene was divided by its length, mean or largest value",
        )
    if spread.middle > 0.5 and not reads:
        return Doubt(Kind.UNKNOWN, "rarely seen genes have the larger values, as where genes were weighted")
    return None if reads else alike(units_nv)
