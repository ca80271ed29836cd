"""Judging what a matrix holds: the scale that explains its cells, unless something speaks against counts.

The winner must explain most of the cells that can be tested.  Where none does, values may still be proportional to
counts; else the matrix is refused with the two best guesses.

Axes: ``n`` cells of a sample, ``v`` genes of the data set, ``s`` scales.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from spoticell.biology.droplets import LOW
from spoticell.biology.fit import Fit
from spoticell.biology.plausible import Doubt, doubt, doubt_of_genes, doubt_of_levels, gene_spread
from spoticell.biology.reading import read_cells
from spoticell.biology.recovery import REMEDY, CountsVerdict, cell_means, one_count, undo, worked_back
from spoticell.biology.remarks import remarks_on
from spoticell.biology.sample import CellSample
from spoticell.biology.scales import (
    COMMON_TARGETS,
    CONSTANT_WITHIN,
    SCALES,
    TINY,
    Kind,
    Moments,
    decimals,
    with_data,
)
from spoticell.biology.shared_ratios import MAYBE_LOG, UNTOLD, told_logarithm
from spoticell.biology.tallies import DEEP, FLAT, Tallies

EXACT_SHARE, NEAR_SHARE = 0.5, 0.75
"""Share of the tested cells that a scale must fit, exactly or nearly."""
GROWS = 0.4
"""A cell's total grows with its genes at least with this exponent in counts, and hardly in RPKM, FPKM and TPM."""
MOSTLY_WHOLE = 0.75
"""Share of whole numbers among values that only counts reach."""
STEADY = 2e-3
"""Sums that vary by less are the same by intention: of proportions with any total."""
LEVEL, DEEP_READS = 0.3, 5e4
"""Exponent, with three standard errors, below which totals surely don't grow with the genes, and what a cell of RPKM or
FPKM sums to at least: in counts of reads of seven laboratories it is .36 or more."""


class Judge:
    """Weighs what all cells and a sample of them say.

    Parameters
    ----------
    tallies
        Of all cells.
    sample
        Of the cells that have values.
    """

    def __init__(self, tallies: Tallies, sample: CellSample) -> None:
        self.tallies, self._sample = tallies, sample
        self._fits: dict[int, Fit] = {}

    def verdict(self) -> CountsVerdict:
        """Say what the cells hold."""
        tallies = self.tallies
        if tallies.n_full == 0:
            above = " above the one that nearly all genes share" if tallies.n_floored else " above zero"
            return self._refuse(Kind.NOTHING, f"None of the {tallies.n_cells:,} cells has a value{above}.")
        self.kept_nv, self.floor_n, _ = self._sample.cells()
        found = doubt_of_levels(self.kept_nv, self.floor_n)
        if found is not None:
            return self._doubted(found)
        position = self._winner()
        if position is not None:
            return self._accept(self._fit(position))
        whole = bool((np.abs(self.kept_nv.data - np.rint(self.kept_nv.data)) < 1e-6).all())
        return self._judge_whole() if whole else self._judge_fractional()

    @property
    def fits(self) -> list[Fit]:
        """The sampled cells with each of the scales undone."""
        return [self._fit(position) for position in range(len(SCALES))]

    def _fit(self, position: int) -> Fit:
        """Undo a scale when it is first asked for: most matrices are on the first that is tried."""
        if position not in self._fits:
            self._fits[position] = self._undone(position)
        return self._fits[position]

    def _undone(self, position: int) -> Fit:
        undone_e = undo(self.kept_nv, self.floor_n, np.full(len(self.floor_n), position))
        sums = Moments()
        sums.add(np.add.reduceat(undone_e, self.kept_nv.indptr[:-1]))
        possible = self.tallies.largest <= SCALES[position].largest
        return Fit(position, possible, with_data(self.kept_nv, undone_e), sums)

    def _winner(self) -> int | None:
        """Give the scale that explains most of the cells, None where none explains enough."""
        tallies = self.tallies
        if tallies.n_tested == 0:
            return self._winner_of_few()
        printed = self._printed()
        for n_s, least in ((tallies.n_exact_s, EXACT_SHARE), (tallies.n_fitting_s, NEAR_SHARE)):
            n_s[0] *= not printed
            if n_s.max() >= least * tallies.n_tested:
                best: list[int] = np.flatnonzero(n_s >= 0.95 * n_s.max()).tolist()
                constant = [position for position in best if self._fit(position).target is not None]
                return min(constant, key=self._oddness) if constant else best[0]
        return None

    def _oddness(self, position: int) -> tuple[bool, float]:
        """Rank scales on which all cells sum to the same: those with a customary sum first."""
        fit = self._fit(position)
        customary = any(abs(fit.sums.mean / target - 1) < CONSTANT_WITHIN for target in COMMON_TARGETS)
        return (not customary, fit.spread)

    def _winner_of_few(self) -> int | None:
        """Test the values of all sampled cells together, where each cell alone has too few."""
        for fit in self.fits:
            values_e = fit.undone_nv.data
            least_n = np.minimum.reduceat(values_e, self.kept_nv.indptr[:-1])
            ratio_e = values_e / np.repeat(np.fmax(least_n, TINY), np.diff(self.kept_nv.indptr))
            telling_e = (ratio_e > 1.05) & (ratio_e <= 30)
            whole_e = telling_e & (np.abs(ratio_e - np.rint(ratio_e)) < 0.1)
            low_e = telling_e & (ratio_e < 3.2)
            n_telling = int(telling_e.sum())
            if (
                fit.possible
                and n_telling >= 20
                and whole_e.sum() >= 0.8 * n_telling
                and low_e.sum() >= 0.15 * n_telling
            ):
                return fit.position
        return None

    def _printed(self) -> bool:
        """Say whether plain numbers are multiples only of the last decimal that was written."""
        values_e = self.kept_nv.data
        last = decimals(values_e)
        if last in {None, 1} or not self._middle_unit() < 3.5 * last:
            return False
        ones = float((values_e < 1.5 * last).mean())
        return ones < 0.25 and not self.tallies.slope >= GROWS

    def _accept(self, fit: Fit) -> CountsVerdict:
        tallies, position = self.tallies, fit.position
        n_exact, n_fitting = int(tallies.n_exact_s[position]), int(tallies.n_fitting_s[position])
        exact = 2 * n_exact >= n_fitting
        counted = position == 0 and 2 * tallies.n_counted >= n_exact
        unit = 1.0 if counted and exact else tallies.unit(position) if exact else None
        kind = fit.kind
        if position == 0 and unit is not None:
            kind = Kind.COUNTS
        elif position == 0 and not exact and fit.target is None and 0.8 <= self._middle_unit() <= 1.25:
            kind = Kind.NEAR_COUNTS
        verdict = self._say(
            kind,
            self._evidence(fit, kind, n_fitting, exact=exact),
            target_sum=None if kind in (Kind.COUNTS, Kind.NEAR_COUNTS) else fit.target,
            unit=unit,
            exact=exact,
            rounded=not exact and decimals(self.kept_nv.data) is not None,
            recovers="proportions" if kind is Kind.NEAR_COUNTS else "counts",
            plain=kind is Kind.COUNTS and tallies.n_counted == tallies.n_tested and not tallies.n_floored,
            mean_within=self._means(fit) if tallies.n_odd else None,
            beside=tuple(SCALES[scale].kind for scale in tallies.others(position)),
        )
        found = self._flat() if position == 0 else None
        found = found or doubt(worked_back(self.kept_nv, self.floor_n, verdict))
        if found is not None:
            return self._doubted(found)
        if kind is Kind.COUNTS and self._rounded():
            return self._proportions(fit, "whole numbers that sum to nearly the same")
        if kind is Kind.COUNTS and self._level(fit):
            return self._per_length(fit, f"{verdict.evidence[:-1]}, but {self._hardly_grows()}.")
        if exact and tallies.droplets_s[position].empty(n_full=tallies.n_full):
            verdict = replace(verdict, empty_up_to=LOW)
        return remarks_on(verdict, tallies, position)

    def _middle_unit(self) -> float:
        """Give the median of what one count is in the sampled cells, read as plain numbers."""
        units = read_cells(self.kept_nv, self.floor_n, first=0).unit_ns[:, 0]
        return float(np.nanmedian(units)) if not np.isnan(units).all() else np.nan

    def _means(self, fit: Fit) -> tuple[float, float]:
        """Between which means of their values, the scale undone, the cells lie that it fits."""
        reading = read_cells(self.kept_nv, self.floor_n, first=fit.position)
        log_mean_n = np.log(cell_means(fit.undone_nv)[reading.fit_ns[:, fit.position] > 0])
        if not len(log_mean_n):
            return (0.0, 0.0)
        middle = float(np.median(log_mean_n))
        width = max(4.5 * float(np.median(np.abs(log_mean_n - middle))), 0.5)
        return (float(np.exp(middle - width)), float(np.exp(middle + width)))

    def _flat(self) -> Doubt | None:
        """Find whole numbers whose large ones are missing, as in rounded logarithms."""
        tallies = self.tallies
        flat = tallies.n_deep_flat / max(tallies.n_deep, 1)
        # counts may be flat too, but their totals grow with their genes; thinned counts may all sum to the same
        lags = tallies.slope_at_most < 0.95 and tallies.totals.spread > 1e-3
        if tallies.n_deep < 20 or flat < 0.9 or not lags:
            return None
        return Doubt(
            Kind.ROUNDED_LOG,
            f"{flat:.0%} of the cells with {DEEP} genes or more have no value above {FLAT}, and totals grow slower "
            f"than the number of genes (exponent {tallies.slope:.2f})",
        )

    def _rounded(self) -> bool:
        """Say whether cells sum to nearly the same but not quite: rounded after they were normalised."""
        totals = self.tallies.totals
        customary = any(0.95 <= totals.mean / target <= 1.01 for target in COMMON_TARGETS)
        return totals.n >= 10 and 1e-7 < totals.spread < 0.03 and customary

    def _level(self, fit: Fit) -> bool:
        """Say whether whole numbers without molecular barcodes sum to much the same, however many genes a cell has."""
        level = self.tallies.slope_at_most < LEVEL and self.tallies.totals.spread > STEADY
        return level and fit.sums.mean > DEEP_READS and gene_spread(fit.undone_nv).within > 1

    def _hardly_grows(self) -> str:
        return (
            f"totals don't grow with the number of genes as counts do (exponent {self.tallies.slope:.2f}): they look "
            "like RPKM, FPKM or TPM, which are divided by gene length"
        )

    def _judge_whole(self) -> CountsVerdict:
        values_e, largest = self.kept_nv.data, self.tallies.largest
        if self.tallies.n_tested == 0:
            return self._say(Kind.COUNTS, f"All values are whole numbers up to {largest:,.0f}.", exact=True, unit=1.0)
        seen = f"All values are whole numbers up to {largest:,.0f}, but in most cells none is 1"
        if largest <= 40:
            return self._refuse(
                Kind.ROUNDED_LOG, f"{seen}, as there always is in counts: they look like rounded logarithms."
            )
        if self._fit(0).target is not None:
            return self._per_length(
                self._fit(0),
                f"{seen}, and all cells sum to about {self.tallies.totals.mean:,.0f}: they look like rounded TPM or "
                "other proportions that are no multiples of one count.",
            )
        least_n = np.minimum.reduceat(values_e, self.kept_nv.indptr[:-1])
        least = float(np.median(least_n))
        steps = [int((values_e == least + step).sum()) for step in range(3)]
        if (least_n == least).mean() >= 0.8 and steps[0] > steps[1] > steps[2] and steps[0] >= 0.1 * len(values_e):
            return self._say(
                Kind.NEAR_COUNTS,
                f"{seen}; {least:.0f} is the commonest.",
                exact=False,
                recovers="proportions",
                remarks=(f"counts below {least:.0f} are missing: expect broader types.",),
            )
        if self.tallies.slope < GROWS:
            return self._per_length(self._fit(0), f"{seen}, and {self._hardly_grows()}.")
        return self._refuse(
            Kind.UNKNOWN,
            f"{seen}, as there always is in counts, and they are no multiples of one number.{self._guesses()}",
        )

    def _judge_fractional(self) -> CountsVerdict:
        constant = [fit for fit in self.fits if fit.possible and fit.target is not None]
        if constant:
            return self._judge_constant(min(constant, key=lambda fit: fit.spread))
        whole = float((np.abs(self.kept_nv.data - np.rint(self.kept_nv.data)) < 0.01).mean())
        largest, slope = self.tallies.largest, self.tallies.slope
        seen = f"{whole:.0%} of the values are whole numbers, the largest is {largest:,.4g}"
        if largest > 25 and slope < GROWS and whole < 0.25:
            return self._per_length(self._fit(0), f"{seen}, and {self._hardly_grows()}.")
        told = told_logarithm([fit for fit in self.fits if fit.possible])
        if told is not None:
            return self._per_length(
                told,
                f"Read as {told.kind.value}, pairs of cells have one ratio in many genes, as RPKM and FPKM do, and on "
                f"no other logarithm; cells sum to {told.sums.mean:,.0f} (spread {told.sums.spread:.0%}).",
            )
        # shared reads leave hardly anything of some genes, which says nothing against the whole numbers of the others
        counted = whole >= MOSTLY_WHOLE
        found = doubt(self.kept_nv) if counted else self._doubt_of_genes(self._fit(0))
        one = float(np.nanmedian(one_count(self.kept_nv)))
        near = 0.2 <= one <= 3 and (whole >= 0.25 or (largest > 12 and slope >= GROWS))
        if found is None and (counted or near):
            return self._say(
                Kind.NEAR_COUNTS,
                f"{seen}, and totals vary by {self.tallies.totals.spread:.0%} between cells, as counts corrected for "
                "ambient RNA or shared reads do.",
                exact=False,
                recovers="proportions",
                remarks=(
                    "the counts are fractions, as correction for ambient RNA or sharing of reads leaves them: answers "
                    "for cells with few counts are less sure than their scores say.",
                ),
            )
        reason = f" Read as counts, {found.evidence}." if found is not None and largest > 25 else ""
        reason += UNTOLD if MAYBE_LOG[0] <= largest <= MAYBE_LOG[1] and whole < MOSTLY_WHOLE else ""
        return self._refuse(
            found.kind if found is not None and largest > 25 else Kind.UNKNOWN, f"{seen}.{reason}{self._guesses()}"
        )

    def _judge_constant(self, fit: Fit) -> CountsVerdict:
        sums = f"all cells sum to {fit.sums.mean:,.0f}"
        seen = f"Read as {fit.kind.value}, {sums} but the values aren't multiples of one count"
        million = abs(fit.sums.mean / 1e6 - 1) < CONSTANT_WITHIN
        tenth = fit.kind is Kind.LOG2 and abs(fit.sums.mean / 1e5 - 1) < CONSTANT_WITHIN
        if million or tenth:
            return self._per_length(fit, f"{seen}: they look like TPM, which is divided by gene length.")
        found = self._doubt_of_genes(fit)
        if found is not None and found.kind is Kind.PER_LENGTH and fit.spread < STEADY:
            return self._per_length(fit, f"{seen}, and {found.evidence}.")
        if found is not None:
            return self._refuse(found.kind, f"{seen}, and {found.evidence}.")
        return self._proportions(fit, "no multiples of one count")

    def _proportions(self, fit: Fit, why: str) -> CountsVerdict:
        return self._say(
            fit.kind,
            f"Read as {fit.kind.value}, cells sum to {fit.sums.mean:,.0f} (spread {fit.sums.spread:.2%}).",
            exact=False,
            recovers="proportions",
            target_sum=fit.target,
            remarks=(
                f"the values are {why}: how many counts a cell has is estimated, and scores are less sure than they "
                "say.",
            ),
        )

    def _per_length(self, fit: Fit, evidence: str) -> CountsVerdict:
        """Take values as proportions of which nobody knows how many counts they are, but no other values."""
        found = self._doubt_of_genes(fit)
        if found is not None and found.kind is not Kind.PER_LENGTH:
            return self._refuse(found.kind, f"{evidence} But {found.evidence}.")
        return self._say(
            Kind.PER_LENGTH if fit.position == 0 else fit.kind,
            evidence,
            exact=False,
            recovers="proportions",
            target_sum=fit.target,
            by_genes=True,
            remarks=(
                "the values are TPM, FPKM or the like, divided by gene length, so how deep a cell was sequenced isn't "
                "known: its counts are estimated from the genes that it has. Scores are less sure than they say; give "
                "counts if there are any.",
            ),
        )

    def _doubt_of_genes(self, fit: Fit) -> Doubt | None:
        """Ask whether rare genes look as counted, and whether cells are more alike than chance allows."""
        one_e = np.repeat(one_count(fit.undone_nv), np.diff(self.kept_nv.indptr))
        return doubt_of_genes(with_data(fit.undone_nv, fit.undone_nv.data / one_e))

    def _guesses(self) -> str:
        """Name the two scales that come nearest."""
        tallies = self.tallies
        ranked = sorted(
            (fit for fit in self.fits if fit.possible),
            key=lambda fit: (-tallies.n_fitting_s[fit.position], fit.spread),
        )
        guesses = [
            f"{fit.kind.value} ({tallies.n_fitting_s[fit.position]:,} of {tallies.n_tested:,} cells fit, sums vary by "
            f"{fit.sums.spread:.0%})"
            for fit in ranked[:2]
        ]
        return f" Nearest come {' and '.join(guesses)}." if guesses else ""

    def _evidence(self, fit: Fit, kind: Kind, n_fitting: int, *, exact: bool) -> str:
        tallies = self.tallies
        typical = float(np.exp(tallies.log_totals.mean))
        if kind is Kind.COUNTS and tallies.n_counted == tallies.n_tested:
            whole = f"All {tallies.n_values:,} values are whole numbers up to {tallies.largest:,.0f}"
            return f"{whole}; a typical cell sums to {typical:,.0f}."
        how = "are whole multiples" if exact else "lie near multiples"
        share = n_fitting / tallies.n_tested if tallies.n_tested else 1
        return (
            f"Read as {kind.value}, cells sum to {fit.sums.mean:,.0f} (spread {fit.sums.spread:.2%}) and in "
            f"{share:.1%} of the cells tested values {how} of one count."
        )

    def _doubted(self, found: Doubt) -> CountsVerdict:
        return self._refuse(found.kind, f"The values look like {found.kind.value}, not counts: {found.evidence}.")

    def _refuse(self, kind: Kind, evidence: str) -> CountsVerdict:
        return self._say(kind, f"{evidence} {REMEDY}", usable=False, exact=False, recovers="proportions")

    def _say(self, kind: Kind, evidence: str, *, exact: bool, usable: bool = True, **more: Any) -> CountsVerdict:  # noqa: ANN401
        tallies = self.tallies
        return CountsVerdict(
            kind=kind,
            evidence=evidence,
            usable=usable,
            exact=exact,
            n_cells=tallies.n_cells,
            n_empty=tallies.n_cells - tallies.n_full,
            n_values=tallies.n_values - (tallies.n_odd_values if exact else 0),
            **more,
        )
