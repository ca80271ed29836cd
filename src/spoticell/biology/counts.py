"""Counts: what a matrix holds, judged from all of its values, and how to get counts back from it.

Networks and scores here start from counts, but people have logarithms, normalised values and worse.  `CountsProbe`
watches every cell go by and keeps sums only; its verdict says which scale fits the evidence, or that none does.
How the fit of a scale is measured is in `spoticell.biology.scales`.

Axes: ``n`` cells, ``v`` genes of the data set, ``e`` stored values of a matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.scales import CONSTANT_WITHIN, SCALES, WHOLE_WITHIN, Fit, Floats, Kind, Moments, units, with_data
from spoticell.errors import CountsError

__all__ = ["CountsProbe", "CountsVerdict", "Kind", "recover"]

SENSIBLE_DEPTH = 1e4
"""What proportions are made to sum to."""
DEEP, FLAT = 200, 12
"""A cell with so many genes and no value above the second number hardly ever holds counts: some gene has more."""
REMEDY = "Put the raw counts into layers['counts'] or raw, or give the file with the counts."


@dataclass(frozen=True)
class CountsVerdict:
    """What a matrix holds, why that is believed, and what can be had from it."""

    kind: Kind
    evidence: str
    """One sentence with the numbers that decided, and what to do where the matrix can't be used."""
    usable: bool
    base: float
    """Base of the logarithm; 1 where there is none."""
    target_sum: float | None
    """What each cell sums to once the scale is undone; None where that isn't constant."""
    recovers: Literal["counts", "proportions"]
    """Whether `recover` gives whole counts or values proportional to counts within a cell."""
    n_cells: int
    n_empty: int
    """Cells without any count."""


class CountsProbe:
    """Watches all cells of a matrix and says what it holds; its memory doesn't grow.

    Examples
    --------
    >>> probe = CountsProbe()
    >>> probe.update(sparse.csr_array(np.array([[1.0, 0.0, 4.0], [0.0, 0.0, 0.0]])))
    >>> verdict = probe.verdict()
    >>> verdict.kind.value, verdict.usable, verdict.n_cells, verdict.n_empty
    ('counts', True, 2, 1)
    """

    def __init__(self) -> None:
        self.n_cells = 0
        self.n_empty = 0
        self._n_genes = 0
        self._n_values = 0
        self._n_whole_values = 0
        self._n_whole_cells = 0
        self._largest_whole = 0.0
        self._largest_fractional = 0.0
        self._n_telling = 0
        self._n_above_one = 0
        self._n_deep = 0
        self._n_deep_flat = 0
        self._totals = Moments()
        self._log_totals = Moments()
        self._log_genes = Moments()
        self._log_both = 0.0
        self._fits = tuple(Fit(scale) for scale in SCALES)

    def update(self, values_nv: sparse.csr_array) -> None:
        """Take in the next cells.

        Parameters
        ----------
        values_nv
            Values as stored, ``(n, v)``, of any number type.

        Raises
        ------
        CountsError
            If a value is NaN, infinite or negative; the matrix can't hold counts then.
        """
        values_nv = _canonical(values_nv)
        _refuse_impossible(values_nv, self.n_cells)
        genes_n = np.diff(values_nv.indptr)
        self.n_cells += len(genes_n)
        self.n_empty += int((genes_n == 0).sum())
        self._n_genes = values_nv.shape[1]
        if values_nv.nnz == 0:
            return
        if not genes_n.all():
            values_nv = values_nv[genes_n > 0]
        whole_e = np.abs(values_nv.data - np.rint(values_nv.data)) <= WHOLE_WITHIN
        is_whole_n = np.logical_and.reduceat(whole_e, values_nv.indptr[:-1])
        self._n_values += values_nv.nnz
        self._n_whole_values += int(whole_e.sum())
        self._n_whole_cells += int(is_whole_n.sum())
        self._add_shape(values_nv)
        if is_whole_n.any():
            self._add_whole(values_nv if is_whole_n.all() else values_nv[is_whole_n])
        if not is_whole_n.all():
            self._add_fractional(values_nv[~is_whole_n] if is_whole_n.any() else values_nv)

    def _add_shape(self, cells_nv: sparse.csr_array) -> None:
        starts_n, genes_n = cells_nv.indptr[:-1], np.diff(cells_nv.indptr)
        deep_n = genes_n >= DEEP
        self._n_deep += int(deep_n.sum())
        self._n_deep_flat += int((deep_n & (np.maximum.reduceat(cells_nv.data, starts_n) <= FLAT)).sum())
        totals_n = np.add.reduceat(cells_nv.data, starts_n, dtype=np.float64)
        log_genes_n, log_totals_n = np.log(genes_n), np.log(totals_n)
        self._totals.add(totals_n)
        self._log_genes.add(log_genes_n)
        self._log_totals.add(log_totals_n)
        self._log_both += float(log_genes_n @ log_totals_n)

    def _add_whole(self, cells_nv: sparse.csr_array) -> None:
        starts_n, genes_n = cells_nv.indptr[:-1], np.diff(cells_nv.indptr)
        smallest_n = np.minimum.reduceat(cells_nv.data, starts_n)
        self._largest_whole = max(self._largest_whole, float(cells_nv.data.max()))
        self._n_telling += int((genes_n >= 20).sum())
        self._n_above_one += int(((genes_n >= 20) & (smallest_n > 1.5)).sum())

    def _add_fractional(self, cells_nv: sparse.csr_array) -> None:
        self._largest_fractional = max(self._largest_fractional, float(cells_nv.data.max()))
        cells_nv = with_data(cells_nv, cells_nv.data.astype(np.float64))
        for fit in self._fits:
            fit.add(cells_nv)

    @property
    def _slope(self) -> float:
        """Growth of a cell's total with its genes, both in logs: near or above 1 for counts, NaN where none varies."""
        n, spread = self._log_genes.n, self._log_genes.deviation**2
        if n < 3 or spread < 1e-9:
            return float("nan")
        return float(self._log_both / n - self._log_genes.mean * self._log_totals.mean) / spread

    @property
    def _slope_at_most(self) -> float:
        """Three standard errors above the slope; NaN where there is none."""
        slope, deviation = self._slope, self._log_genes.deviation
        if np.isnan(slope):
            return slope
        unexplained = max(self._log_totals.deviation**2 - (slope * deviation) ** 2, 0.0)
        return slope + 3 * float(np.sqrt(unexplained / (self._log_genes.n - 2))) / deviation

    def verdict(self) -> CountsVerdict:
        """Say what the cells seen so far hold."""
        n_full = self.n_cells - self.n_empty
        if n_full == 0:
            return self._say(Kind.COUNTS, f"None of the {self.n_cells:,} cells has a value above zero.")
        if self._n_whole_cells == n_full:
            return self._judge_whole()
        return self._judge_mixture(n_full) or self._judge_fractional()

    def _judge_mixture(self, n_full: int) -> CountsVerdict | None:
        apart = self._largest_fractional <= 20 < self._largest_whole
        if apart and 0.05 < self._n_whole_cells / n_full < 0.95:
            return self._refuse(
                Kind.MIXED,
                f"{self._n_whole_cells:,} of {n_full:,} cells hold whole numbers up to {self._largest_whole:,.0f} and "
                f"the others fractions up to {self._largest_fractional:.2f}: counts and transformed values are mixed.",
            )
        return None

    def _judge_whole(self) -> CountsVerdict:
        seen = f"All {self._n_values:,} values are whole numbers up to {self._largest_whole:,.0f}"
        above = self._n_above_one / max(self._n_telling, 1)
        if above >= 0.05 and self._largest_whole <= 40:
            return self._refuse(
                Kind.ROUNDED_LOG,
                f"{seen}, but in {above:.0%} of the cells with 20 genes or more the smallest is above 1, as it never "
                "is in counts: they look like rounded logarithms.",
            )
        if above >= 0.05 and self._totals.spread <= CONSTANT_WITHIN:
            evidence = (
                f"{seen}, all cells sum to about {self._totals.mean:,.0f}, and few have ones: rounded when normalised."
            )
            return self._say(Kind.NORMALISED, evidence, target_sum=self._totals.mean, recovers="proportions")
        flat = self._n_deep_flat / max(self._n_deep, 1)
        # plain Poisson numbers are flat too, but their totals grow as counts do; thinned counts may all sum the same
        lags = self._slope_at_most < 0.95 and self._totals.spread > 1e-3
        if self._n_deep >= 20 and flat >= 0.9 and lags:
            return self._refuse(
                Kind.ROUNDED_LOG,
                f"{seen}, but {flat:.0%} of the cells with {DEEP} genes or more have none above {FLAT} and totals grow "
                f"slower than the number of genes (exponent {self._slope:.2f}): they look like rounded logarithms.",
            )
        mean = float(np.exp(self._log_totals.mean))
        return self._say(Kind.COUNTS, f"{seen}; a typical cell sums to {mean:,.0f}.")

    def _judge_fractional(self) -> CountsVerdict:
        fitting = [fit for fit in self._fits if fit.gives_counts]
        if fitting:
            return self._accept(max(fitting, key=lambda fit: fit.whole_share), recovers="counts")
        constant = [fit for fit in self._fits if fit.possible and fit.constant]
        if constant:
            best = min(constant, key=lambda fit: fit.sums.spread)
            return self._refuse_per_length(best) or self._accept(best, recovers="proportions")
        return self._judge_unconstant()

    def _judge_unconstant(self) -> CountsVerdict:
        whole = self._n_whole_values / self._n_values
        largest = max(self._largest_fractional, self._largest_whole)
        seen = f"{whole:.0%} of the values are whole numbers, the largest is {largest:,.4g}"
        flat = self._n_deep_flat / max(self._n_deep, 1)
        if self._n_deep >= 20 and 0.1 < flat < 0.9 and largest > 100:
            return self._refuse(
                Kind.MIXED,
                f"{seen}, but {flat:.0%} of the cells with {DEEP} genes or more have none above {FLAT}: logged and "
                "other values are mixed.",
            )
        if whole >= 0.25 or (largest > 25 and self._slope >= 0.7):
            return self._say(
                Kind.NEAR_COUNTS,
                f"{seen}, and totals vary by {self._totals.spread:.0%} between cells, as counts corrected for "
                "ambient RNA or shared reads do.",
                recovers="proportions",
            )
        if largest > 25 and self._slope < 0.7:
            return self._refuse(
                Kind.PER_LENGTH,
                f"{seen}, and totals don't grow with the number of genes as counts do (exponent {self._slope:.2f}): "
                "they look like RPKM, FPKM or TPM, which are divided by gene length.",
            )
        logged = self._fits[1]
        filled = self._n_values / max(self._log_genes.n * self._n_genes, 1)
        if 2 < largest <= 9.3 and filled < 0.7 and logged.sums.spread < 0.6:
            return self._accept(logged, recovers="proportions")
        return self._refuse(
            Kind.UNKNOWN,
            f"{seen}, and no known scale (normalised, log1p, log2, log10, square root, log1p twice) makes the cells' "
            "sums equal or their values whole.",
        )

    def _refuse_per_length(self, fit: Fit) -> CountsVerdict | None:
        million = abs(fit.sums.mean / 1e6 - 1) < CONSTANT_WITHIN
        tenth = fit.scale.kind is Kind.LOG2 and abs(fit.sums.mean / 1e5 - 1) < CONSTANT_WITHIN
        if not (million or tenth):
            return None
        return self._refuse(
            Kind.PER_LENGTH,
            f"Read as {fit.scale.kind.value}, all cells sum to {fit.sums.mean:,.0f} but the values aren't multiples "
            "of one count: they look like TPM, which is divided by gene length.",
        )

    def _accept(self, fit: Fit, *, recovers: Literal["counts", "proportions"]) -> CountsVerdict:
        sums = f"cells sum to {fit.sums.mean:,.0f} (spread {fit.sums.spread:.2%})"
        share = fit.n_values_whole / max(fit.n_values_tested, 1)
        whole = f"{share:.0%} of the values tested are whole multiples of one count"
        return self._say(
            fit.scale.kind,
            f"Read as {fit.scale.kind.value}, {sums}" + (f" and {whole}." if recovers == "counts" else "."),
            base=fit.scale.base,
            target_sum=fit.sums.mean if fit.constant else None,
            recovers=recovers,
        )

    def _refuse(self, kind: Kind, evidence: str) -> CountsVerdict:
        return self._say(kind, f"{evidence} {REMEDY}", usable=False, recovers="proportions")

    def _say(
        self,
        kind: Kind,
        evidence: str,
        *,
        usable: bool = True,
        base: float = 1.0,
        target_sum: float | None = None,
        recovers: Literal["counts", "proportions"] = "counts",
    ) -> CountsVerdict:
        return CountsVerdict(
            kind=kind,
            evidence=evidence,
            usable=usable,
            base=base,
            target_sum=target_sum,
            recovers=recovers,
            n_cells=self.n_cells,
            n_empty=self.n_empty,
        )


def recover(values_nv: sparse.csr_array, verdict: CountsVerdict) -> sparse.csr_array:
    """Turn stored values into counts, or into something proportional to them within each cell.

    Parameters
    ----------
    values_nv
        Values as stored, ``(n, v)``: any cells of the matrix that the verdict is about.
    verdict
        From `CountsProbe.verdict`.

    Returns
    -------
    ``(n, v)``, float32, canonical.  Where only proportions can be had and the cells' sums are known, each cell sums
    to 10,000.

    Raises
    ------
    CountsError
        If nothing of the kind can be had; the message is the verdict's evidence.

    Examples
    --------
    >>> counts_nv = np.random.default_rng(0).poisson(2, (9, 60))
    >>> values_nv = sparse.csr_array(np.log1p(1e4 * counts_nv / counts_nv.sum(axis=1, keepdims=True)))
    >>> probe = CountsProbe()
    >>> probe.update(values_nv)
    >>> np.array_equal(recover(values_nv, probe.verdict()).toarray(), counts_nv)
    True
    """
    if not verdict.usable:
        raise CountsError(verdict.evidence)
    values_nv = _canonical(values_nv)
    if verdict.kind is Kind.NEAR_COUNTS:
        return _finished(values_nv, values_nv.data)
    if verdict.kind is Kind.COUNTS:
        return _finished(values_nv, np.rint(values_nv.data))
    scale = next(scale for scale in SCALES if scale.kind is verdict.kind)
    undone_nv = with_data(values_nv, scale.undo(values_nv.data.astype(np.float64)))
    if verdict.recovers == "counts":
        return _finished(values_nv, _whole_counts(undone_nv))
    return _finished(values_nv, undone_nv.data * (SENSIBLE_DEPTH / (verdict.target_sum or SENSIBLE_DEPTH)))


def _whole_counts(undone_nv: sparse.csr_array) -> Floats:
    """Divide each cell by its unit; a cell without one keeps its proportions, its smallest value made 1."""
    genes_n = np.diff(undone_nv.indptr)
    full_nv, genes_n = undone_nv[genes_n > 0], genes_n[genes_n > 0]
    _, unit_n = units(full_nv, n_telling=0)
    has_unit_e = np.repeat(~np.isnan(unit_n), genes_n)
    smallest_n = np.minimum.reduceat(full_nv.data, full_nv.indptr[:-1]) if full_nv.nnz else unit_n
    ratio_e: Floats = full_nv.data / np.repeat(np.fmin(unit_n, smallest_n), genes_n)
    np.rint(ratio_e, out=ratio_e, where=has_unit_e)
    return ratio_e


def _canonical(values_nv: sparse.csr_array) -> sparse.csr_array:
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


def _finished(like_nv: sparse.csr_array, data_e: NDArray[np.floating]) -> sparse.csr_array:
    finished_nv = with_data(like_nv, data_e.astype(np.float32)).copy()
    finished_nv.eliminate_zeros()
    return finished_nv


def _refuse_impossible(values_nv: sparse.csr_array, first_cell: int) -> None:
    if values_nv.nnz == 0 or (values_nv.data.min() >= 0 and values_nv.data.max() < np.inf):
        return
    finite_e = np.isfinite(values_nv.data)
    bad_e = ~finite_e if not finite_e.all() else values_nv.data < 0
    first = int(bad_e.argmax())
    cell = first_cell + int(np.searchsorted(values_nv.indptr, first, side="right")) - 1
    where = f"the first at cell {cell:,}, gene {int(values_nv.indices[first]):,}, counting from 0"
    if not finite_e.all():
        raise CountsError(
            f"{int(bad_e.sum()):,} of the values read so far are NaN or infinite ({where}); counts are numbers. "
            "Replace or drop them first."
        )
    raise CountsError(
        f"{int(bad_e.sum()):,} of the values read so far are negative ({where}), so the matrix looks scaled or "
        f"batch-corrected, and counts can't be had from it. {REMEDY}"
    )
