"""Remarks on how counts were had from a matrix, for its owner to read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spoticell.biology.recovery import CountsVerdict, in_line
from spoticell.biology.scales import SCALES, Kind
from spoticell.biology.tallies import Pattern, Tallies


def remarks_on(verdict: CountsVerdict, tallies: Tallies, position: int) -> CountsVerdict:
    """Add to a verdict what its owner should know of the cells.

    Parameters
    ----------
    verdict
        What the matrix holds.
    tallies
        Of all its cells.
    position
        The scale that most cells are on, as its place in `SCALES`.
    """
    return replace(
        verdict,
        remarks=(
            *_of_scale(verdict, tallies),
            *_of_multiples(verdict, tallies),
            *_of_others(verdict, tallies, tallies.others(position)),
            *_of_odd(verdict, tallies),
            *_of_lumps(verdict, tallies),
            *_of_droplets(verdict, tallies, position),
        ),
    )


def _of_scale(verdict: CountsVerdict, tallies: Tallies) -> list[str]:
    remarks = []
    if 2 * tallies.n_floored > tallies.n_full:
        remarks.append("no gene is zero in any cell: the value that most genes of a cell share was taken for zero.")
    if verdict.kind is Kind.NEAR_COUNTS:
        remarks.append("the counts are fractions near whole numbers, taken as they stand.")
    elif verdict.kind is Kind.COUNTS:
        if verdict.unit != 1:
            remarks.append(f"the values are multiples of {verdict.unit:.4g}: they were divided by it to have counts.")
    elif verdict.exact:
        remarks.append(f"the values are {verdict.kind.value}, not counts: counts were worked back from them.")
    elif verdict.rounded:
        remarks.append(
            f"the values are {verdict.kind.value}, rounded: the counts worked back may be off by a few percent."
        )
    else:
        remarks.append(
            f"the values come near {verdict.kind.value} but aren't exactly that: the counts worked back are rough, and "
            "scores are less sure than they say."
        )
    return remarks


def _of_others(verdict: CountsVerdict, tallies: Tallies, others: dict[int, list[Pattern]]) -> list[str]:
    """Name the cells that are on another scale than most; fractions near counts only seem to be."""
    if verdict.kind is Kind.NEAR_COUNTS:
        return []
    remarks = []
    for scale, patterns in others.items():
        first = min(tallies.first_cell[pattern] for pattern in patterns)
        cells = _cells(_n(patterns, tallies), first, tallies)
        remarks.append(
            f"{cells} on another scale than the rest ({SCALES[scale].kind.value}); counts were worked back from it."
        )
    return remarks


def _n(patterns: list[Pattern], tallies: Tallies) -> int:
    return sum(tallies.patterns[pattern] for pattern in patterns)


def _of_multiples(verdict: CountsVerdict, tallies: Tallies) -> list[str]:
    n, first, unit = tallies.multiples
    if verdict.kind is not Kind.COUNTS or verdict.unit != 1 or not n:
        return []
    cells = _cells(n, first, tallies)
    return [f"{cells} multiples of another number than 1 ({unit:.4g} in the first); they were divided by it."]


def _of_odd(verdict: CountsVerdict, tallies: Tallies) -> list[str]:
    """Name the cells that no scale fits: those taken as they stand, and those left out."""
    remarks = []
    # the odd cells are remembered as they are stored, so that only those among counts can be told
    if verdict.kind is Kind.COUNTS and tallies.odd:
        mean_n, whole_n = (np.array(column) for column in list(zip(*tallies.odd, strict=True))[1:])
        taken_n = in_line(mean_n, whole_n, verdict)
    else:
        taken_n = np.full(len(tallies.odd), verdict.mean_within is not None)
    lost = [odd for odd, taken in zip(tallies.odd, taken_n, strict=True) if not taken]
    fractional = [odd for odd, taken in zip(tallies.odd, taken_n, strict=True) if taken and not odd.whole]
    if fractional:
        cells = _cells(len(fractional), fractional[0].cell, tallies)
        remarks.append(f"{cells} no whole multiples of one count, and taken as proportions.")
    if lost:
        n = len(lost) if tallies.n_odd == len(tallies.odd) else tallies.n_odd - len(fractional)
        remarks.append(f"{_cells(n, lost[0].cell, tallies)} on no scale that is known, and left unknown.")
    return remarks


def _of_lumps(verdict: CountsVerdict, tallies: Tallies) -> list[str]:
    """Find cells among counts that sum suspiciously often to nearly the same round number."""
    return [
        f"{n:,} of {tallies.n_cells:,} cells sum to nearly {target:,.0f}: if they were normalised and rounded, their "
        "scores are less sure than they say."
        for target, n in tallies.n_at_target.items()
        if verdict.kind is Kind.COUNTS and n >= 10 and n >= 0.7 * tallies.n_near_target[target]
    ]


def _of_droplets(verdict: CountsVerdict, tallies: Tallies, position: int) -> list[str]:
    if not verdict.empty_up_to:
        return []
    n_low = tallies.droplets_s[position].n_low
    return [
        f"{n_low:,} of {tallies.n_cells:,} barcodes have {verdict.empty_up_to} counts or fewer and "
        "look like empty droplets, which stay unknown: give the filtered matrix if there is one."
    ]


def _cells(n: int, first: int, tallies: Tallies) -> str:
    return (
        f"{n:,} of {tallies.n_cells:,} cells (the first is cell {first:,}, counting from 0) {'is' if n == 1 else 'are'}"
    )
