"""Summaries among cells: sums and means of cells that stand beside them in a table.

A name alone decides only where it can be nothing else (``Total``).  A name that hints (``lymph_avg``, ``total_1``)
needs values that agree, and values alone decide where they are the others' sum or mean.
Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Mask = NDArray[np.bool_]

PLAIN = frozenset(
    [
        "total", "totals", "grandtotal", "sum", "sums", "rowsum", "rowsums", "mean", "means", "rowmean", "rowmeans",
        "average", "averages", "avg", "median", "min", "max", "sd", "std", "stdev", "sem", "variance", "pseudobulk",
        "ncells", "numcells", "ncellsbycounts", "totalcounts", "log1ptotalcounts", "meancounts", "log1pmeancounts",
        "pctdropoutbycounts", "dispersions", "dispersionsnorm", "variances", "variancesnorm", "highlyvariablerank",
    ]
)  # fmt: skip
"""What nobody calls a cell, in lower case and without signs."""
HINTS = frozenset({"total", "sum", "mean", "average", "avg", "median", "aggregate", "aggregated", "pseudobulk"})
"""Words in a name that a cell may have too."""
ALIKE = 1 - 1e-5
"""Cosine of a cell and the sum of the others from which on it is their sum or mean."""
_OF_CELLS = frozenset({"total", "sum"})
"""Hints that cells bear as well: what is sorted is called total too."""
MOST_WHOLE = 0.9
"""Share of cells with whole numbers only from which on those with fractions are odd."""

_FEW_CELLS, _FEW_GENES = 5, 20
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def plainly_summary(name: str) -> bool:
    """Whether a name can only be that of a sum or a mean.

    Examples
    --------
    >>> plainly_summary("Row sums"), plainly_summary("total_1")
    (True, False)
    """
    return len(name) < 24 and re.sub(r"[\W_]+", "", name).lower() in PLAIN


def _hints(name: str) -> frozenset[str]:
    """Give the words in a name that hint; most names are told at a glance."""
    return HINTS.intersection(map(str.lower, _WORDS.findall(name))) if _may_hint(name) else frozenset()


def _may_hint(text: str) -> bool:
    lower = text.lower()
    return any(hint in lower for hint in HINTS)


def notes_on_names(names: Iterable[str]) -> list[str]:
    """Say which cells of a file from which none can be left out are called as sums and means are.

    Examples
    --------
    >>> notes_on_names(["AAAC-1", "Total"])
    ["'Total' looks like a sum or mean of cells, but is taken for a cell. Take such rows out of the file."]
    """
    names = list(names)
    # of most files no name hints, and all are told at one glance
    hinting = _may_hint("\n".join(names))
    found = [name for name in names if name.lower() in PLAIN or (hinting and _hints(name) - _OF_CELLS)]
    if not found or 2 * len(found) >= len(names) + 1:
        return []
    looks, listed = "look" if len(found) > 1 else "looks", ", ".join(repr(name) for name in found[:4])
    what = (
        "sums or means of cells, but are taken for cells"
        if len(found) > 1
        else ("a sum or mean of cells, but is taken for a cell")
    )
    return [f"{listed} {looks} like {what}. Take such rows out of the file."]


def find_summaries(names: Sequence[str], parts: Callable[[], Iterable[sparse.csr_array]]) -> Mask:
    """Find the sums and means among cells.

    Parameters
    ----------
    names
        Names of the cells, ``n``.
    parts
        Gives the values of all cells in pieces, from the first cell to the last; called twice.

    Returns
    -------
    Which cells are none, ``(n,)``; never all.

    Examples
    --------
    >>> counts_nv = np.random.default_rng(0).poisson(0.5, (20, 90))
    >>> values_nv = sparse.csr_array(np.vstack([counts_nv, counts_nv.sum(axis=0), counts_nv[:9].mean(axis=0)]))
    >>> names = [*(f"cell {n}" for n in range(20)), "bulk", "cell avg"]
    >>> np.flatnonzero(find_summaries(names, lambda: [values_nv])).tolist()
    [20, 21]
    """
    plain_n = np.array([plainly_summary(name) for name in names], dtype=np.bool_)
    hints = [_hints(name) for name in names]
    hinted_n = np.array([bool(words) for words in hints], dtype=np.bool_) & ~plain_n
    if 2 * hinted_n.sum() >= len(names):
        hinted_n[:] = False  # a word that most cells have is a habit
    others_n = ~(plain_n | hinted_n)
    if others_n.sum() < _FEW_CELLS:
        return plain_n & others_n.any()
    seen = _look(parts, others_n)
    agrees_n = seen.agrees(others_n)
    found_n = plain_n | seen.plainly(others_n)
    for hint in HINTS:
        with_n = np.array([hint in words for words in hints], dtype=np.bool_) & hinted_n
        if with_n.any() and agrees_n[with_n].mean() >= 1 / 2:
            found_n |= with_n
    return found_n


@dataclass(frozen=True)
class _Seen:
    """What was seen of each cell, ``(n,)``."""

    genes_n: NDArray[np.int64]
    whole_n: Mask
    alike_n: NDArray[np.float64]
    """Cosine with the sum of the other cells."""

    def is_sum(self, others_n: Mask) -> Mask:
        """Whether a cell is the sum or mean of the others; nothing where they are all alike."""
        alike_n: Mask = (self.alike_n >= ALIKE) & (self.genes_n >= _FEW_GENES)
        return alike_n if np.quantile(self.alike_n[others_n], 0.9) < 1 - 1e-3 else np.zeros_like(alike_n)

    def agrees(self, others_n: Mask) -> Mask:
        """Whether a cell's values are those of a sum or mean: fractions among counts, or more genes than any cell."""
        return self._fractions(others_n) | self._many(others_n) | self.is_sum(others_n)

    def plainly(self, others_n: Mask) -> Mask:
        """Whether a cell's values are those of nothing but a sum or mean, whatever it is called."""
        return (self._fractions(others_n) & self._many(others_n)) | self.is_sum(others_n)

    def _fractions(self, others_n: Mask) -> Mask:
        counts = self.whole_n[others_n].mean() >= MOST_WHOLE
        return ~self.whole_n if counts else np.zeros_like(self.whole_n)

    def _many(self, others_n: Mask) -> Mask:
        many_n: Mask = self.genes_n >= 1.1 * self.genes_n[others_n & ~self._fractions(others_n)].max()
        return many_n


def _look(parts: Callable[[], Iterable[sparse.csr_array]], others_n: Mask) -> _Seen:
    """Sum up the cells that may be cells, then compare each with their sum."""
    start, total_v = 0, np.zeros(1)
    for part_nv in parts():
        stop = start + part_nv.shape[0]
        total_v = total_v + part_nv[others_n[start:stop]].sum(axis=0, dtype=np.float64)
        start = stop
    genes, whole, along, own = [], [], [], []
    for part_nv in parts():
        values_nv = part_nv.astype(np.float64)
        odd_nv = sparse.csr_array((values_nv.data % 1 != 0, values_nv.indices, values_nv.indptr), shape=values_nv.shape)
        genes.append(np.diff(part_nv.indptr).astype(np.int64))
        whole.append(odd_nv.sum(axis=1) == 0)
        along.append(values_nv @ total_v)
        own.append(values_nv.multiply(values_nv).sum(axis=1))
    along_n, own_n = np.concatenate(along), np.concatenate(own)
    rest_n = (total_v @ total_v) - np.where(others_n, 2 * along_n - own_n, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        alike_n = np.nan_to_num((along_n - np.where(others_n, own_n, 0)) / np.sqrt(np.maximum(rest_n, 0) * own_n))
    return _Seen(np.concatenate(genes), np.concatenate(whole), alike_n)
