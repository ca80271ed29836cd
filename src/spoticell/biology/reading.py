"""Reading cells: which scale each cell is on, what one count of it is, and which value stands for none.

If a cell's values, undone, are whole multiples of one number, that number is one count and the counts come back.
This holds for any choice of genes and is found for each cell alone.

Axes: ``n`` cells, ``v`` genes of the data set, ``e`` stored values, ``k`` values of a cell that are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.scales import SCALES, TINY, WHOLE_WITHIN, Floats, Kind, Scale, with_data

LOOKED_AT = 128
"""Values of a cell that are tested: spread evenly over its genes."""
LARGEST_RATIO = 30
"""Multiples above this are too large for rounding errors not to matter."""
LARGEST_STEP = 150
"""Multiples up to this are looked at to see that a unit is no fraction of the true one: prints have two decimals."""
EXACT, NEAR = 2, 1
"""How well a scale fits: values are whole multiples of a unit, or lie near them."""
FEWEST = 8
"""Values above the smallest that a cell needs to be tested."""
FEWEST_WHOLE = 20
"""Genes that a cell needs before the lack of a 1 says anything."""
FEWEST_NEARLY = 12
AT_ONCE = 1 << 15
"""Values that are looked at together, so that they stay in the processor's cache, which takes half the time."""
FLOOR_GENES = 100
"""Genes from which on a value that most of them share is no accident."""


@dataclass(frozen=True)
class Reading:
    """How each cell of a block can be read."""

    fit_ns: NDArray[np.int8]
    """How well each of the `SCALES` fits: `EXACT`, `NEAR` or 0, ``(n, s)``."""
    unit_ns: Floats
    """What one count is once the scale is undone, NaN where the scale doesn't fit, ``(n, s)``."""
    tested_n: NDArray[np.bool_]
    """Whether the cell has values enough to be tested, ``(n,)``."""
    full_n: NDArray[np.bool_]
    """Whether the cell has any value, ``(n,)``."""

    @property
    def odd_n(self) -> NDArray[np.bool_]:
        """Cells that were tested and that no scale fits, ``(n,)``."""
        return np.asarray(self.tested_n & ~self.fit_ns.any(axis=1), dtype=np.bool_)


@dataclass(frozen=True)
class Look:
    """Some values of each cell, ``(n, k)`` with NaN at the end of short cells, and what zero is in it, ``(n,)``."""

    value_nk: Floats
    least_n: Floats
    """The smallest value above the floor."""
    floor_n: Floats
    n_values_n: NDArray[np.int64]

    @property
    def largest_n(self) -> Floats:
        """The largest of the values looked at, NaN where there is none."""
        largest_n: Floats = np.fmax.reduce(self.value_nk, axis=1, initial=-np.inf)
        return largest_n

    def undone(self, scale: Scale, cells: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Undo a scale in some cells: their values, and the smallest of each."""
        zero_n = scale.undo(self.floor_n[cells])
        least_n = np.fmax(scale.undo(self.least_n[cells]) - zero_n, TINY)
        return scale.undo(self.value_nk[cells]) - zero_n[:, None], least_n


def floors(values_nv: sparse.csr_array) -> Floats:
    """Find the value that stands for zero in each cell: one that most genes of the cell share, and none lies below.

    0 where a cell has zeros of its own and nothing negative, ``(n,)``; NaN where it has neither.

    Parameters
    ----------
    values_nv
        Values as stored, ``(n, v)``, without stored zeros.

    Examples
    --------
    >>> floors(sparse.csr_array(np.array([[1.5] * 150 + [2.5] * 50, [0] * 150 + [2.5] * 50]))).tolist()
    [1.5, 0.0]
    """
    n, v = values_nv.shape
    stored_n = np.diff(values_nv.indptr)
    least_n = np.zeros(n)
    least_n[stored_n > 0] = np.minimum.reduceat(values_nv.data, values_nv.indptr[:-1][stored_n > 0])
    asks_n = ((least_n < 0) | (stored_n >= 0.98 * v)) & (stored_n > 0) & (v >= FLOOR_GENES)
    floor_n = np.where(least_n < 0, np.nan, 0.0)
    for cell in np.flatnonzero(asks_n):
        values_e = values_nv.data[values_nv.indptr[cell] : values_nv.indptr[cell + 1]]
        within = 1e-5 + 1e-4 * abs(least_n[cell])
        if (values_e <= least_n[cell] + within).sum() >= 0.2 * v:
            floor_n[cell] = least_n[cell]
    return floor_n


def above(values_nv: sparse.csr_array, floor_n: Floats) -> sparse.csr_array:
    """Keep only the values that lie above their cell's floor, float64."""
    kept_nv = with_data(values_nv, values_nv.data.astype(np.float64))
    if floor_n.any():
        floor_e = np.repeat(floor_n, np.diff(values_nv.indptr))
        kept_nv = kept_nv.copy()
        kept_nv.data[kept_nv.data <= floor_e + 1e-5 + 1e-4 * np.abs(floor_e)] = 0
        kept_nv.eliminate_zeros()
    return kept_nv


def look(kept_nv: sparse.csr_array, floor_n: Floats) -> Look:
    """Pick the values that are tested.

    Parameters
    ----------
    kept_nv
        Values above their floor, ``(n, v)``.
    floor_n
        What zero is in each cell.
    """
    n_values_n = np.diff(kept_nv.indptr).astype(np.int64)
    k = int(min(LOOKED_AT, n_values_n.max(initial=0)))
    step_n = np.maximum(n_values_n / max(k, 1), 1)
    position_nk = np.minimum((np.arange(k) * step_n[:, None]).astype(np.int64), np.maximum(n_values_n - 1, 0)[:, None])
    there_nk = np.arange(k) < n_values_n[:, None]
    value_nk = np.full((len(n_values_n), k), np.nan)
    value_nk[there_nk] = kept_nv.data[(kept_nv.indptr[:-1, None] + position_nk)[there_nk]]
    least_n = np.full(len(n_values_n), np.nan)
    full_n = n_values_n > 0
    least_n[full_n] = np.minimum.reduceat(kept_nv.data, kept_nv.indptr[:-1][full_n]) if full_n.any() else 0
    return Look(value_nk, least_n, floor_n, n_values_n)


def read_cells(kept_nv: sparse.csr_array, floor_n: Floats, *, first: int | None = None) -> Reading:
    """Read each cell by itself.

    Parameters
    ----------
    kept_nv
        Values above their floor, ``(n, v)``, float64, from `above`.
    floor_n
        What zero is in each cell, from `floors`.
    first
        Position in `SCALES` of the likeliest scale: the others are tried only on cells that it doesn't fit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> counts_nv = sparse.csr_array(rng.poisson(1, (2, 90)) * np.array([[1.0], [0.25]]))
    >>> reading = read_cells(counts_nv, np.zeros(2))
    >>> reading.fit_ns[:, 0].tolist(), reading.unit_ns[:, 0].tolist()
    ([2, 2], [1.0, 0.25])
    """
    seen = look(kept_nv, floor_n)
    whole_n = _whole_cells(kept_nv)
    fit_ns = np.zeros((len(floor_n), len(SCALES)), dtype=np.int8)
    unit_ns = np.full(fit_ns.shape, np.nan)
    counted_n = whole_n & (np.abs(seen.least_n - seen.floor_n - 1) < WHOLE_WITHIN)
    fit_ns[counted_n, 0], unit_ns[counted_n, 0] = EXACT, 1
    reading = Reading(fit_ns, unit_ns, counted_n.copy(), seen.n_values_n > 0)
    others = tuple(position for position in range(len(SCALES)) if position != first)
    for try_on in (_try_exact, _try_near):
        for order in (others,) if first is None else ((first,), others):
            left_n = reading.full_n & ~fit_ns.any(axis=1)
            for position in order if left_n.any() else ():
                try_on(reading, seen, whole_n, left_n, position)
    # whole numbers above 1 are multiples of 1 whatever they mean, so that no scale fits says something
    reading.tested_n[whole_n & (seen.n_values_n >= FEWEST_WHOLE)] = True
    return reading


def _whole_cells(kept_nv: sparse.csr_array) -> NDArray[np.bool_]:
    whole_n = np.ones(kept_nv.shape[0], dtype=np.bool_)
    full_n = np.diff(kept_nv.indptr) > 0
    if full_n.any():
        whole_e = np.empty(kept_nv.nnz, dtype=np.bool_)
        for part in (slice(start, start + AT_ONCE) for start in range(0, kept_nv.nnz, AT_ONCE)):
            values = kept_nv.data[part]
            whole_e[part] = (np.abs(values - np.rint(values)) <= WHOLE_WITHIN) & (values > 0.5)
        whole_n[full_n] = np.logical_and.reduceat(whole_e, kept_nv.indptr[:-1][full_n])
    return whole_n


def _possible(seen: Look, whole_n: NDArray[np.bool_], left_n: NDArray[np.bool_], position: int) -> NDArray[np.intp]:
    """Give the cells on which a scale is worth a try."""
    scale = SCALES[position]
    possible_n = left_n & (seen.largest_n <= scale.largest) & (~whole_n | (position == 0))
    if scale.kind in (Kind.SQRT, Kind.FREEMAN_TUKEY):
        possible_n &= seen.floor_n >= 0
    return np.flatnonzero(possible_n)


def _try_exact(
    reading: Reading, seen: Look, whole_n: NDArray[np.bool_], left_n: NDArray[np.bool_], position: int
) -> None:
    cells = _possible(seen, whole_n, left_n, position)
    if len(cells):
        value_nk, least_n = seen.undone(SCALES[position], cells)
        unit_n, told_n = exact_units(value_nk, least_n)
        unit_n[whole_n[cells]] = common_divisors(value_nk[whole_n[cells]])
        reading.tested_n[cells[told_n & ~whole_n[cells]]] = True
        _record(reading, cells, position, unit_n, EXACT)


def _try_near(
    reading: Reading, seen: Look, whole_n: NDArray[np.bool_], left_n: NDArray[np.bool_], position: int
) -> None:
    cells = _possible(seen, whole_n, left_n, position)
    if len(cells):
        value_nk, least_n = seen.undone(SCALES[position], cells)
        unit_n = near_units(value_nk, least_n)
        # whole numbers lie near multiples of a small number by chance
        few_n = (value_nk < 4.5 * unit_n[:, None]).sum(axis=1) < FEWEST_WHOLE
        unit_n[whole_n[cells] & ((unit_n < 2.5) | few_n)] = np.nan
        _record(reading, cells, position, unit_n, NEAR)


def _record(reading: Reading, cells: NDArray[np.intp], position: int, unit_n: Floats, how: int) -> None:
    """Note in which of some cells a scale was found to fit."""
    fits_n = ~np.isnan(unit_n)
    reading.fit_ns[cells[fits_n], position], reading.unit_ns[cells[fits_n], position] = how, unit_n[fits_n]
    reading.tested_n[cells[fits_n]] = True


def exact_units(value_nk: Floats, least_n: Floats, *, fewest: int = FEWEST) -> tuple[Floats, NDArray[np.bool_]]:
    """Find the number of which a cell's values are whole multiples: its smallest, or a small fraction of that.

    Parameters
    ----------
    value_nk
        Values proportional to counts, ``(n, k)``, NaN where there is none.
    least_n
        The smallest value of each cell.
    fewest
        Values above the smallest that a cell needs; with 0 a unit is found wherever one fits.

    Returns
    -------
    Unit (NaN for none), and whether there were values enough to tell, each ``(n,)``.

    Examples
    --------
    >>> exact_units(np.array([[0.5, 1.0, 2.5, 1.5, 2.0, 1.0, 1.5, 1, 1]]), np.array([0.5]))[0].tolist()
    [0.5]
    """
    n = len(least_n)
    unit_n, told_n, first_n = np.full(n, np.nan), np.zeros(n, dtype=np.bool_), np.zeros(n)
    left = np.arange(n)
    for divisor in range(1, 7):
        if not len(left):
            break
        ratio_nk = value_nk[left] * (divisor / least_n[left])[:, None]
        telling_nk = (ratio_nk > 1.05 * divisor) & (ratio_nk <= LARGEST_RATIO)
        whole_nk = telling_nk & (np.abs(ratio_nk - np.rint(ratio_nk)) < 0.1)
        n_telling_n = telling_nk.sum(axis=1)
        share_n = np.where(n_telling_n > 0, whole_nk.sum(axis=1) / np.maximum(n_telling_n, 1), fewest == 0)
        # counts grow thinner step by step: without the next multiples the scale is another one
        next_n = (telling_nk & (ratio_nk < divisor + 2.2)).sum(axis=1) >= (0.05 * n_telling_n if fewest else 0)
        enough_n = n_telling_n >= fewest
        told_n[left] |= enough_n
        if divisor == 1:
            first_n = share_n
        # a few fractions among whole multiples are no reason for a smaller unit
        good_n = enough_n & (share_n >= 0.9) & next_n & ((first_n[left] < 0.75) | (divisor == 1))
        unit_n[left[good_n]] = least_n[left[good_n]] / divisor
        left = left[~good_n]
    if fewest:
        unit_n[_of_fractions(value_nk, unit_n)] = np.nan
    return unit_n, told_n


def _of_fractions(value_nk: Floats, unit_n: Floats) -> NDArray[np.bool_]:
    """Say which units are a mere fraction of one count, as where shared reads make halves and thirds.

    One multiple of it is then far commoner than itself and its neighbours: one count.
    """
    width = LARGEST_STEP + 2
    step_nk = np.rint(value_nk / unit_n[:, None])
    row_e, column_e = np.nonzero(step_nk <= LARGEST_STEP)
    place_e = row_e * width + step_nk[row_e, column_e].astype(np.intp)
    times_ns = np.bincount(place_e, minlength=len(unit_n) * width).reshape(-1, width)
    beside_ns = np.maximum(np.maximum(times_ns[:, 1:-2], times_ns[:, 3:]), times_ns[:, [1]])
    return np.asarray((times_ns[:, 2:-1] > 3 * beside_ns + 6).any(axis=1), dtype=np.bool_)


def common_divisors(value_nk: Floats) -> Floats:
    """Find the largest number of which a cell's whole values are all multiples.

    Parameters
    ----------
    value_nk
        Whole numbers, ``(n, k)``, NaN where there is none.

    Returns
    -------
    The number; NaN where it is 1 or a cell has too few values for it to mean anything; ``(n,)``.

    Examples
    --------
    >>> common_divisors(np.array([[10.0, 30, 20] * 5, [10.0, 30, 25] * 5, [10.0, 30, 21] * 5])).tolist()
    [10.0, 5.0, nan]
    """
    whole_nk = np.nan_to_num(np.rint(value_nk), nan=0.0, posinf=0.0)
    whole_nk[np.abs(whole_nk) > 2**52] = 0
    divisor_n: Floats = np.gcd.reduce(whole_nk.astype(np.int64), axis=1).astype(np.float64)
    divisor_n[(divisor_n < 1.5) | ((whole_nk > 0).sum(axis=1) < FEWEST_NEARLY)] = np.nan
    return divisor_n


def near_units(value_nk: Floats, least_n: Floats) -> Floats:
    """Find the number near whose multiples a cell's smaller values lie, as they do where values were rounded.

    Parameters
    ----------
    value_nk, least_n
        As for `exact_units`.

    Returns
    -------
    Unit, NaN for none, ``(n,)``.

    Examples
    --------
    >>> near_units(np.array([[4.0, 4, 9, 13, 4, 4, 4, 8, 9, 4, 4, 4, 13, 17]]), np.array([4.0])).round(1).tolist()
    [4.2]
    """
    unit_n, off_n = np.full(len(least_n), np.nan), np.full(len(least_n), np.inf)
    for start_n in (least_n, *_quantiles(value_nk, (0.1, 0.25, 0.4))):
        found_n = np.fmax(start_n, TINY)
        for _ in range(3):
            found_n = _refined(value_nk, found_n)
        ratio_nk = value_nk / found_n[:, None]
        close_nk = ratio_nk < 4.5
        # what is stored stands for one count at least
        miss_nk = np.where(close_nk, np.abs(ratio_nk - np.maximum(np.rint(ratio_nk), 1)), 0)
        n_close_n = np.maximum(close_nk.sum(axis=1), 1)
        fits_n = (close_nk & (miss_nk < 0.22)).sum(axis=1) >= 0.88 * n_close_n
        beyond_one_n = (close_nk & (ratio_nk > 1.5)).sum(axis=1)
        twos_n = (close_nk & (ratio_nk > 1.5) & (ratio_nk < 2.5)).sum(axis=1)
        mean_n = miss_nk.sum(axis=1) / n_close_n
        good_n = (
            fits_n
            & (n_close_n >= FEWEST_NEARLY)
            & (beyond_one_n >= 3)
            & (mean_n < off_n)
            & (twos_n >= 0.25 * beyond_one_n)
        )
        good_n[good_n] = ~_of_fractions(value_nk[good_n], found_n[good_n])
        unit_n[good_n], off_n[good_n] = found_n[good_n], mean_n[good_n]
    return unit_n


def _refined(value_nk: Floats, unit_n: Floats) -> Floats:
    """Fit the unit to the values that lie near its first three multiples."""
    ratio_nk = value_nk / unit_n[:, None]
    close_nk = ratio_nk < 3.5
    steps_n = np.where(close_nk, np.rint(ratio_nk), 0).sum(axis=1)
    refined_n = np.where(close_nk, value_nk, 0).sum(axis=1) / np.maximum(steps_n, 1)
    return np.asarray(np.maximum(refined_n, TINY), dtype=np.float64)


def _quantiles(value_nk: Floats, shares: tuple[float, ...]) -> list[Floats]:
    """Give quantiles of each row's numbers, NaN left out."""
    sorted_nk = np.sort(value_nk, axis=1)
    last_n = np.maximum((~np.isnan(value_nk)).sum(axis=1) - 1, 0)
    return [sorted_nk[np.arange(len(last_n)), (share * last_n).astype(np.intp)] for share in shares]
