"""How the shares of types differ between the samples of two conditions.

A sample counts once, however many cells it has: cells of one sample aren't independent.  Shares are compared as in
propeller (Phipson et al. 2022, https://doi.org/10.1093/bioinformatics/btac582): their arcsine square roots, whose
variance hardly depends on the share, in a t test; here in Welch's, which lets each condition vary in its own way.
p-values are adjusted for the number of types after Benjamini and Hochberg 1995.  The interval of a difference is
Welch's too, of the shares as they are, so that it can be read in percent.
Axes: ``s`` samples, ``t`` types.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.composition import CONFIDENCE, Composition, interval
from spoticell.biology.ontology import TOO_GENERAL, load_ontology
from spoticell.keys import UNKNOWN

METHOD = (
    "Welch's t test on arcsine square roots of the shares of samples (as in propeller, Phipson et al. 2022); "
    "q after Benjamini and Hochberg"
)

COLUMNS = (
    *("cell_type", "term", "cells", "first", "second"),
    *("share_first", "share_second", "difference", "low", "high", "p", "q"),
)
"""Of the table of differences."""

FEWEST_SAMPLES = 3
"""Samples that each condition needs for a test."""

FEWEST_CELLS = 10
"""A type with fewer cells in all isn't tested."""

LARGE = 0.05
"""Change of a type's share from which on it is worth asking whether other cells have come or the same have changed."""

TIMES = 2
"""How often the larger share must hold the smaller one for that."""

KIN = 200
"""Most types that a broader type may have for its cells to be of one kind, which can change into each other."""

SURE = 0.05
"""q up to which a change isn't taken for chance."""


@dataclass(frozen=True)
class Differences:
    """The types of two conditions beside each other.

    Examples
    --------
    >>> cells_st = np.array([[8, 2, 0], [7, 3, 0], [8, 2, 0], [3, 7, 0], [2, 8, 0], [3, 7, 0]])
    >>> found = differences(
    ...     Composition(
    ...         tuple("abcdef"),
    ...         ("ill",) * 3 + ("well",) * 3,
    ...         ("CL:0000236", "CL:0000084", "unknown"),
    ...         ("B cell", "T cell", "unknown"),
    ...         cells_st,
    ...     )
    ... )
    >>> found.table.round(3)[["cell_type", "share_first", "share_second", "q"]].to_records(index=False).tolist()
    [('B cell', 0.767, 0.267, 0.001), ('T cell', 0.233, 0.733, 0.001), ('unknown', 0.0, 0.0, nan)]
    """

    conditions: tuple[str, ...]
    """The first and the second; others, where that isn't two."""
    samples: tuple[int, ...]
    """How many of each."""
    table: pd.DataFrame
    """A row for each type, clearest difference first: ``cell_type``, ``term``, ``cells``, ``first`` and ``second`` (the
    conditions), ``share_first`` and ``share_second`` (means over their samples), ``difference`` (second less first),
    ``low`` and ``high`` (its 95 % interval), ``p`` and ``q`` (NaN where there is no test).  A type's cells are those of
    its subtypes too."""
    notes: tuple[str, ...]
    """What to bear in mind."""
    states: tuple[str, ...] = ()
    """Terms of the types that the last of the notes are about: their cells may be in another state."""

    @property
    def tested(self) -> bool:
        """Whether there are samples enough to tell a difference from chance."""
        return len(self.samples) == 2 and min(self.samples) >= FEWEST_SAMPLES

    def record(self) -> dict[str, object]:
        """Give the same as plain values, without the table."""
        method = METHOD if self.tested else None
        return {"conditions": list(self.conditions), "n_samples": list(self.samples), "method": method}


def differences(composition: Composition) -> Differences:
    """Compare the shares of types between the samples of two conditions.

    Samples without a condition are left out.  With other than two conditions there is nothing to compare, with fewer
    than three samples of one there is no test; a note says so.

    Parameters
    ----------
    composition
        The cells of each type in each sample.
    """
    conditions = tuple(filter(None, dict.fromkeys(composition.conditions)))
    condition_s = np.array(composition.conditions, dtype=object)
    samples = tuple(int((condition_s == condition).sum()) for condition in conditions)
    if len(conditions) != 2:
        found = ", ".join(map(repr, conditions)) or "none"
        note = f"two conditions are compared, and the samples have {len(conditions)} ({found}): there is no comparison."
        return Differences(conditions, samples, _table(), (note,))
    terms, cells_st = _with_subtypes(composition)
    total_s = composition.cells_st.sum(axis=1)
    rows_of = tuple(condition_s == condition for condition in conditions)
    shares_st = cells_st / total_s[:, None]
    share_ct = np.stack([shares_st[rows].mean(axis=0) for rows in rows_of])
    tested = min(samples) >= FEWEST_SAMPLES
    p_t, low_t, high_t = np.full((3, len(terms)), np.nan)
    if tested:
        p_t, low_t, high_t = _welch(*(shares_st[rows] for rows in rows_of))
        p_t[cells_st.sum(axis=0) < FEWEST_CELLS] = np.nan
    q_t = _adjusted(p_t)
    sure_t = q_t <= SURE if tested else _apart(*((cells_st[rows], total_s[rows]) for rows in rows_of))
    own_ct = np.stack([composition.shares_st[rows].mean(axis=0) for rows in rows_of])
    changed = _changes(composition, terms, sure_t, own_ct, conditions)
    notes = tuple(changed.values())
    if not tested:
        said = " and ".join(f"{condition!r} has {n:,}" for condition, n in zip(conditions, samples, strict=True))
        notes = (f"no difference is tested: each condition needs {FEWEST_SAMPLES} samples, and {said}.", *notes)
    bounds = {name: np.where(np.isnan(p_t), np.nan, bound_t) for name, bound_t in (("low", low_t), ("high", high_t))}
    table = _table(
        cell_type=[_name(term) for term in terms],
        term=terms,
        cells=cells_st.sum(axis=0),
        first=conditions[0],
        second=conditions[1],
        share_first=share_ct[0],
        share_second=share_ct[1],
        difference=share_ct[1] - share_ct[0],
        **bounds,
        p=p_t,
        q=q_t,
    )
    return Differences(conditions, samples, table, notes, tuple(changed))


def _table(**columns: Any) -> pd.DataFrame:  # noqa: ANN401 - the columns are told with the table
    """Give the columns as a table, the clearest difference first; without any it is empty."""
    table = pd.DataFrame(columns or {name: [] for name in COLUMNS})
    table["size"] = -table["difference"].abs()
    return table.sort_values(["p", "size", "cell_type"], ignore_index=True).drop(columns="size")


def _with_subtypes(composition: Composition) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Count the cells of each answer and each broad type with those of their subtypes.

    So it makes no difference whether the cells of a shallow sample have broader answers.  A broad type that has the
    same cells as one answer is left out.
    """
    ontology, answers = load_ontology(), composition.terms[:-1]
    broad = [term for term in dict.fromkeys(map(ontology.broad, answers)) if term not in {UNKNOWN, *answers}]
    terms = (*answers, *broad)
    below_tt = np.array([[term in ontology.ancestors(answer) for term in terms] for answer in answers], dtype=np.int64)
    cells_st = composition.cells_st[:, :-1] @ below_tt.reshape(len(answers), len(terms))
    own_st = cells_st[:, : len(answers)]
    kept = [*range(len(answers))]
    kept += [
        column for column in range(len(answers), len(terms)) if not (own_st == cells_st[:, [column]]).all(axis=0).any()
    ]
    return (*(terms[column] for column in kept), UNKNOWN), np.hstack([cells_st[:, kept], composition.cells_st[:, -1:]])


def _welch(first_st: NDArray[np.float64], second_st: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the p-value of each type, and the bounds of the difference of its shares, ``(3, t)``.

    They are NaN where the shares of a type are the same in all samples of each condition.
    """
    from scipy.stats import ttest_ind  # noqa: PLC0415 - slow to load, and most runs do without

    vary_t = (np.ptp(first_st, axis=0) > 0) | (np.ptp(second_st, axis=0) > 0)
    found_3t = np.full((3, len(vary_t)), np.nan)
    pair = (second_st[:, vary_t], first_st[:, vary_t])
    with warnings.catch_warnings():
        # SciPy's remark on shares that are the same in all samples of one condition
        warnings.simplefilter("ignore", RuntimeWarning)
        p_value = ttest_ind(*(np.arcsin(np.sqrt(shares)) for shares in pair), equal_var=False).pvalue
        bounds = ttest_ind(*pair, equal_var=False).confidence_interval(CONFIDENCE)
    found_3t[:, vary_t] = p_value, bounds.low, bounds.high
    return found_3t


def _adjusted(p_t: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import false_discovery_control  # noqa: PLC0415

    q_t, there_t = np.full(len(p_t), np.nan), ~np.isnan(p_t)
    if there_t.any():
        q_t[there_t] = false_discovery_control(p_t[there_t], method="bh")
    return q_t


def _apart(
    first: tuple[NDArray[np.int64], NDArray[np.int64]], second: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> NDArray[np.bool_]:
    """Say of which types neither the shares of samples of two conditions overlap nor the intervals of all their cells.

    Each condition is given by the cells of each type and of all types in its samples.
    """
    bounds = []
    for cells_st, total_s in (first, second):
        total, share_st = int(total_s.sum()), cells_st / total_s[:, None]
        of_all = np.array([interval(cells, total) for cells in cells_st.sum(axis=0).tolist()])
        bounds.append((np.minimum(of_all[:, 0], share_st.min(axis=0)), np.maximum(of_all[:, 1], share_st.max(axis=0))))
    (low_a, high_a), (low_b, high_b) = bounds
    apart_t: NDArray[np.bool_] = (high_a < low_b) | (high_b < low_a)
    return apart_t


def _changes(
    composition: Composition,
    terms: tuple[str, ...],
    sure_t: NDArray[np.bool_],
    own_ct: NDArray[np.float64],
    conditions: tuple[str, ...],
) -> dict[str, str]:
    """Say of which types cells may have changed rather than come or gone: a type's share moves, that of its kin stays.

    A stimulus changes genes that types are told by, and a cell then gets the name of a type near its own.
    """
    ontology, answers = load_ontology(), composition.terms[:-1]

    def share_of(term: str) -> tuple[float, float]:
        below = [term in ontology.ancestors(answer) for answer in answers]
        first, second = own_ct[:, :-1][:, below].sum(axis=1).tolist()
        return first, second

    found: dict[str, tuple[float, str, str]] = {}
    for term, sure in zip(terms[:-1], sure_t[:-1].tolist(), strict=True):
        first, second = share_of(term)
        moved = abs(second - first)
        if not sure or moved < LARGE or max(first, second) < TIMES * min(first, second):
            continue
        stayed = {kin: abs(np.subtract(*share_of(kin))) for kin in _kin(term)}
        kin = min(stayed, key=stayed.__getitem__, default=None)
        if kin is not None and stayed[kin] <= moved / 2:
            shares = [_percent(share) for share in (first, second, *share_of(kin))]
            sentence = (
                f"{_name(term)} has {shares[0]} of the cells of {conditions[0]!r} and {shares[1]} of "
                f"{conditions[1]!r}, but {_name(kin)} with all its types has {shares[2]} and {shares[3]}. The same "
                "cells may be in another state, and so have the name of a type near their own. Look at marker genes "
                "before you believe in other cells."
            )
            found[kin] = max(found.get(kin, (0.0, "", "")), (moved, sentence, term))
    return {term: sentence for _, sentence, term in sorted(found.values(), reverse=True)}


def _percent(share: float) -> str:
    """Write a share as the page does, so that a sentence and a table say the same."""
    if 0 < share < 0.001:
        return "< 0.1%"
    return f"{share:.{1 if share < 0.1 or 0.99 < share < 1 else 0}%}".replace(".0%", "%")


def _kin(term: str) -> list[str]:
    """Give the broader types of a type whose cells are of one kind, nearest first."""
    ontology = load_ontology()
    above = sorted(ontology.ancestors(term) - {term} - set(TOO_GENERAL))
    sizes = dict(zip(above, ontology.descendants(above), strict=True))
    return sorted((kin for kin in above if sizes[kin] <= KIN), key=lambda kin: sizes[kin])


def _name(term: str) -> str:
    return UNKNOWN if term == UNKNOWN else load_ontology().name(term)
