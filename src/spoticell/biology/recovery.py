"""Counts worked back from what is stored, once it is known what that is.

Axes: ``n`` cells, ``v`` genes of the data set, ``e`` stored values of a matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.reading import EXACT, NEAR, Reading, above, exact_units, floors, look, read_cells
from spoticell.biology.scales import COMMON_TARGETS, CONSTANT_WITHIN, SCALES, Floats, Kind, with_data
from spoticell.errors import CountsError

MOST_COUNTS = 1e9
"""No gene has so many counts in a cell."""
REMEDY = "Put the raw counts into layers['counts'] or raw, or give the file with the counts."


@dataclass(frozen=True)
class CountsVerdict:
    """What a matrix holds, why that is believed, and what can be had from it."""

    kind: Kind
    evidence: str
    """One sentence with the numbers that decided, and what to do where the matrix can't be used."""
    usable: bool
    n_cells: int
    n_empty: int
    """Cells without any count."""
    recovers: Literal["counts", "proportions"] = "counts"
    """Whether `recover` gives whole counts or values proportional to counts within a cell."""
    exact: bool = True
    """Whether the counts are those that were stored, not only near them."""
    rounded: bool = False
    """Whether all values have few decimals, which is then why the counts aren't exact."""
    n_values: int = 0
    """Values above zero, or above what stands for zero."""
    target_sum: float | None = None
    """What each cell sums to once the scale is undone; None where that isn't constant."""
    unit: float | None = None
    """What one count is in every cell once the scale is undone; None where cells differ."""
    plain: bool = False
    """Whether every value is a whole count as it stands."""
    mean_within: tuple[float, float] | None = None
    """Between which means of its values, the scale undone, a cell without a unit is taken for proportions of counts;
    None where there is no such cell."""
    by_genes: bool = False
    """Whether a cell's counts are estimated from its genes: no value says what one count is."""
    empty_up_to: int = 0
    """Barcodes with at most so many counts are empty droplets; 0 where there are none."""
    beside: tuple[Kind, ...] = ()
    """Other scales that a fair share of the cells is on."""
    remarks: tuple[str, ...] = ()
    """Sentences that the owner of the matrix should read."""


def recover(values_nv: sparse.csr_array, verdict: CountsVerdict) -> sparse.csr_array:
    """Turn stored values into counts, or into something proportional to them within each cell.

    Each cell is read on the scale of its matrix or, where it doesn't fit that, on its own; a cell that fits none is
    left empty.

    Parameters
    ----------
    values_nv
        Values as stored, ``(n, v)``: any cells of the matrix that the verdict is about.
    verdict
        From `CountsProbe.verdict`.

    Returns
    -------
    ``(n, v)``, float32, canonical.

    Raises
    ------
    CountsError
        If nothing of the kind can be had; the message is the verdict's evidence.

    Examples
    --------
    >>> from spoticell.biology.counts import CountsProbe
    >>> counts_nv = np.random.default_rng(0).poisson(np.random.default_rng(1).gamma(0.5, size=90), (9, 90))
    >>> values_nv = sparse.csr_array(np.log1p(1e4 * counts_nv / counts_nv.sum(axis=1, keepdims=True)))
    >>> probe = CountsProbe()
    >>> probe.update(values_nv)
    >>> np.array_equal(recover(values_nv, probe.verdict()).toarray(), counts_nv)
    True
    """
    if not verdict.usable:
        raise CountsError(verdict.evidence)
    values_nv = canonical(values_nv)
    if verdict.plain:
        return _finished(with_data(values_nv, np.rint(values_nv.data)))
    return worked_back(*above_floor(values_nv), verdict)


def worked_back(kept_nv: sparse.csr_array, floor_n: Floats, verdict: CountsVerdict) -> sparse.csr_array:
    """Do the same to values above their floor; as `recover` in everything else."""
    if verdict.kind is Kind.NEAR_COUNTS:
        return _finished(with_data(kept_nv, undo(kept_nv, floor_n, np.zeros(len(floor_n), dtype=np.intp))))
    position = position_of(verdict.kind)
    if verdict.recovers == "proportions":
        undone_nv = with_data(kept_nv, undo(kept_nv, floor_n, np.full(len(floor_n), position)))
        one_n = sums(undone_nv) / depth_of(kept_nv) if verdict.by_genes else one_count(undone_nv)
        return _finished(with_data(kept_nv, undone_nv.data / np.repeat(one_n, np.diff(kept_nv.indptr))))
    reading = read_cells(kept_nv, floor_n, first=position)
    return _finished(with_data(kept_nv, _counts(kept_nv, floor_n, reading, position, verdict)))


def _counts(
    kept_nv: sparse.csr_array, floor_n: Floats, reading: Reading, position: int, verdict: CountsVerdict
) -> Floats:
    """Work out each value: on the matrix's scale, or on the cell's own, or as it stands."""
    scale_n = np.full(len(floor_n), position)
    here_n = reading.fit_ns[:, position] > 0
    if verdict.target_sum is not None:
        # a cell that sums to what the others do is on their scale, whatever else seems to fit
        sum_n = sums(with_data(kept_nv, undo(kept_nv, floor_n, scale_n)))
        here_n |= np.abs(sum_n / verdict.target_sum - 1) <= CONSTANT_WITHIN
    if verdict.unit is not None and position:
        # values that are whole as they stand may be logarithms of 1 and 3 counts
        here_n |= _all_whole(undo(kept_nv, floor_n, scale_n) / verdict.unit, kept_nv)
    elsewhere = np.flatnonzero((reading.fit_ns.max(axis=1) == EXACT) & ~here_n)
    for cell in elsewhere.tolist():
        scale_n[cell] = _own_scale(kept_nv[[cell]], floor_n[[cell]], reading, cell, verdict)
    undone_nv = with_data(kept_nv, undo(kept_nv, floor_n, scale_n))
    unit_n = reading.unit_ns[np.arange(len(scale_n)), scale_n]
    # values that only come near multiples on another scale tell nothing
    untold_n = reading.full_n & np.isnan(unit_n) & (here_n | ~reading.tested_n | (reading.fit_ns.max(axis=1) == NEAR))
    guessed_n = np.zeros_like(here_n)
    if verdict.unit is not None:
        unit_n[untold_n] = verdict.unit
    elif untold_n.any():
        seen = look(undone_nv[untold_n], np.zeros(int(untold_n.sum())))
        unit_n[untold_n] = exact_units(seen.value_nk, seen.least_n, fewest=0)[0]
        guessed_n = untold_n & np.isnan(unit_n)
        unit_n[guessed_n] = _least(undone_nv)[guessed_n]
    # where the others are whole multiples, a cell that only comes near is one too, of another number
    near_n = reading.fit_ns[np.arange(len(scale_n)), scale_n] == NEAR
    if verdict.unit is not None:
        unit_n[near_n & (np.abs(unit_n / verdict.unit - 1) < 0.25)] = verdict.unit
    as_it_is_n = guessed_n | (near_n & (verdict.exact and verdict.unit is None))
    if verdict.mean_within is not None:
        mean_n = cell_means(undone_nv)
        odd_n = reading.odd_n & in_line(mean_n, _all_whole(kept_nv.data, kept_nv), verdict)
        unit_n[odd_n] = verdict.unit if verdict.unit is not None else _least(undone_nv)[odd_n]
        as_it_is_n |= odd_n
    genes_n = np.diff(kept_nv.indptr)
    ratio_e: Floats = undone_nv.data / np.repeat(unit_n, genes_n)
    np.rint(ratio_e, out=ratio_e, where=np.repeat(~as_it_is_n, genes_n))
    # a cell without a unit, or whose unit leads to absurd counts, has none
    absurd_n = np.zeros(len(floor_n), dtype=np.bool_)
    if reading.full_n.any():
        largest_n = np.maximum.reduceat(ratio_e, kept_nv.indptr[:-1][reading.full_n])
        absurd_n[reading.full_n] = ~(largest_n < MOST_COUNTS)
    ratio_e[np.repeat(absurd_n, genes_n)] = 0
    return ratio_e


def in_line(mean_n: Floats, whole_n: NDArray[np.bool_], verdict: CountsVerdict) -> NDArray[np.bool_]:
    """Say which cells without a unit are taken as they stand.

    Parameters
    ----------
    mean_n
        Means of their values, the scale undone.
    whole_n
        Whether all their values are whole: deep cells whose genes all have several counts, if the mean isn't low.
    verdict
        Of their matrix.
    """
    low, high = verdict.mean_within or (0.0, 0.0)
    return np.asarray((mean_n >= low) & ((mean_n <= high) | whole_n), dtype=np.bool_)


def _own_scale(cell_nv: sparse.csr_array, floor_n: Floats, reading: Reading, cell: int, verdict: CountsVerdict) -> int:
    """Choose among the scales that fit a cell exactly one that makes sense of it, else that of its matrix."""
    likeliest = np.flatnonzero(reading.fit_ns[cell] == EXACT)
    totals = [float(undo(cell_nv, floor_n, np.array([scale])).sum()) for scale in likeliest]
    off = [min(abs(total / target - 1) for target in COMMON_TARGETS) for total in totals]
    if min(off) < CONSTANT_WITHIN:
        return int(likeliest[np.argmin(off)])
    # a few logarithms seem to be on another logarithm by chance; whole numbers and logarithms are never taken for
    # each other, counts whose logarithm was taken have 1 as their unit, and chance doesn't choose one for many cells
    position = position_of(verdict.kind)
    sure = (likeliest == 0) | (position == 0) | (np.abs(reading.unit_ns[cell, likeliest] - 1) < 1e-3)
    sure |= np.isin(likeliest, [position_of(kind) for kind in verdict.beside])
    return int(likeliest[sure][0]) if sure.any() else position


def undo(kept_nv: sparse.csr_array, floor_n: Floats, scale_n: NDArray[np.integer]) -> Floats:
    """Undo in each cell the scale it is on: values proportional to counts within a cell, ``(e,)``."""
    genes_n = np.diff(kept_nv.indptr)
    undone_e = kept_nv.data.copy()
    positions: list[int] = np.unique(scale_n).tolist()
    for position in positions:
        scale = SCALES[position]
        on_e = np.repeat(scale_n == position, genes_n) if len(positions) > 1 else slice(None)
        undone_e[on_e] = scale.undo(np.minimum(undone_e[on_e], scale.largest))
        if floor_n.any():
            undone_e[on_e] -= np.repeat(scale.undo(np.minimum(floor_n, scale.largest)), genes_n)[on_e]
    return undone_e


def one_count(undone_nv: sparse.csr_array) -> Floats:
    """Guess what one count is in each cell whose values are no whole multiples: a fifth of its values are below."""
    unit_n = np.full(undone_nv.shape[0], np.nan)
    for cell in np.flatnonzero(np.diff(undone_nv.indptr)):
        values = undone_nv.data[undone_nv.indptr[cell] : undone_nv.indptr[cell + 1]]
        unit_n[cell] = np.partition(values, len(values) // 5)[len(values) // 5]
    return unit_n


def depth_of(values_nv: sparse.csr_array) -> Floats:
    """Estimate the counts of each cell from the genes that it has, as a droplet with so many of them would have.

    Twice the genes take nearly three times the counts; 500 genes stand for 1,000 counts, 2,000 for 8,000.  It is a rule
    of thumb: proportions don't say how many molecules or reads they were made of.

    Examples
    --------
    >>> depth_of(sparse.csr_array(np.ones((1, 500)))).tolist()
    [1000.0]
    """
    return np.asarray(1000 * (np.maximum(np.diff(values_nv.indptr), 1) / 500) ** 1.5)


def position_of(kind: Kind) -> int:
    """Give the place of a scale in `SCALES`; counts are plain numbers."""
    return next((place for place, scale in enumerate(SCALES) if scale.kind is kind), 0)


def _all_whole(ratio_e: Floats, like_nv: sparse.csr_array) -> NDArray[np.bool_]:
    """Say of each cell whether all its values are whole numbers."""
    off_n = np.zeros(like_nv.shape[0])
    np.maximum.at(off_n, np.repeat(np.arange(len(off_n)), np.diff(like_nv.indptr)), np.abs(ratio_e - np.rint(ratio_e)))
    return np.asarray(off_n < 0.01, dtype=np.bool_)


def _least(values_nv: sparse.csr_array) -> Floats:
    least_n = np.full(values_nv.shape[0], np.nan)
    full_n = np.diff(values_nv.indptr) > 0
    if full_n.any():
        least_n[full_n] = np.minimum.reduceat(values_nv.data, values_nv.indptr[:-1][full_n])
    return least_n


def cell_means(values_nv: sparse.csr_array) -> Floats:
    """Give the mean of each cell's values, 0 where there is none, ``(n,)``."""
    return sums(values_nv) / np.maximum(np.diff(values_nv.indptr), 1)


def sums(values_nv: sparse.csr_array) -> Floats:
    """Give the sum of each cell's values, ``(n,)``."""
    return np.asarray(values_nv.sum(axis=1), dtype=np.float64).ravel()


def canonical(values_nv: sparse.csr_array) -> sparse.csr_array:
    """Give the matrix as floats, sorted, without repeats or stored zeros; the given one isn't changed."""
    precise = values_nv.dtype in (np.float32, np.float64)
    canonical_nv = values_nv if precise else values_nv.astype(np.float64)
    if not canonical_nv.has_canonical_format:
        canonical_nv = canonical_nv.copy()
        canonical_nv.sum_duplicates()
    if not canonical_nv.data.all():
        canonical_nv = canonical_nv.copy()
        canonical_nv.eliminate_zeros()
    return canonical_nv


def above_floor(values_nv: sparse.csr_array, first_cell: int = 0) -> tuple[sparse.csr_array, Floats]:
    """Take off what stands for zero.

    Parameters
    ----------
    values_nv
        Values as stored, canonical, ``(n, v)``.
    first_cell
        Where the first of these cells stands in its matrix.

    Returns
    -------
    The values above it, as stored, float64; and what zero is in each cell, ``(n,)``.

    Raises
    ------
    CountsError
        If a value is NaN or infinite, or a cell has negative values and none that stands for zero.
    """
    _refuse_no_numbers(values_nv, first_cell)
    floor_n = floors(values_nv)
    if np.isnan(floor_n).any():
        bad_e = (values_nv.data < 0) & np.repeat(np.isnan(floor_n), np.diff(values_nv.indptr))
        raise CountsError(
            f"{int(bad_e.sum()):,} of the values read so far are negative ({_place(values_nv, bad_e, first_cell)}), so "
            f"the matrix looks scaled or batch-corrected, and counts can't be had from it. {REMEDY}"
        )
    return above(values_nv, floor_n), floor_n


def _refuse_no_numbers(values_nv: sparse.csr_array, first_cell: int) -> None:
    # the sum isn't finite if a value isn't, and is quicker to have than a look at each
    if values_nv.nnz == 0 or np.isfinite(values_nv.data.sum(dtype=np.float64)):
        return
    bad_e = ~np.isfinite(values_nv.data)
    raise CountsError(
        f"{int(bad_e.sum()):,} of the values read so far are NaN or infinite ({_place(values_nv, bad_e, first_cell)}); "
        "counts are numbers. Replace or drop them first."
    )


def _place(values_nv: sparse.csr_array, bad_e: NDArray[np.bool_], first_cell: int) -> str:
    first = int(bad_e.argmax())
    cell = first_cell + int(np.searchsorted(values_nv.indptr, first, side="right")) - 1
    return f"the first at cell {cell:,}, gene {int(values_nv.indices[first]):,}, counting from 0"


def _finished(values_nv: sparse.csr_array) -> sparse.csr_array:
    finished_nv = values_nv.astype(np.float32, copy=False)
    if finished_nv.data.all():
        return finished_nv
    # a copy, as places are shared with what was given
    finished_nv = finished_nv.copy()
    finished_nv.eliminate_zeros()
    return finished_nv
