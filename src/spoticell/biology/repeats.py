"""Repeats of a gene's name whose values are of another kind: proteins beside genes in a file that doesn't say so.

Two columns may name one gene because its counts are split, and then they are added up.  Or one of them is the
gene's protein, told by an antibody: it is there in most cells where the gene is in few, and counted many times as
often.  A single pair can't say which is which, but proteins come as a set.  Where the genes themselves are missing, a
set is told by its names: no run of genes such as CD3E, CD4, CD8A is in nearly all cells while others are in few.
Axes: ``n`` cells, ``v`` columns of the data set, ``p`` genes with more than one column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.genes import GeneMatch

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]

FEW = 3
"""Pairs that make a set."""
DENSE, TIMES = 0.3, 5.0
"""Share of cells that a protein is in, and how many times as large its mean is as the gene's, at least."""
SURELY_DENSE, SURELY_TIMES = 0.9, 20.0
"""The same for a pair that stands alone."""
MANY, SURELY_NAMED = 8, 0.8
"""Names of antigens in a run, and the share of its columns that must be dense."""
_ANTIGEN = re.compile(r"CD\d|HLA-?D|IG[ADEGM]\b|TCR|KLR|CCR\d|CXCR\d|IL\d+R", re.IGNORECASE)
_SUFFIX = re.compile(r"[-._]\d{1,2}$")
MOST = 0.7
"""Share of the pairs that must agree."""
GAP = 10
"""Columns between two proteins of one block, at most."""
_GENES_IN_CELL = 20


@dataclass(frozen=True)
class OddRepeats:
    """Columns that shall not be added to those of the same gene."""

    other_v: Mask
    """Columns of another kind, to be left out."""
    doubtful_v: Mask
    """Columns of genes of which it isn't known which column is of which kind."""
    scattered: bool = False
    """Whether the columns of another kind lie among the others, so that more of them may be there."""

    def notes(self, names: NDArray[np.object_]) -> list[str]:
        """Say what was found, with a few of the columns' names."""
        said = []
        if self.other_v.any():
            said.append(
                f"{self.other_v.sum():,} columns have values of another kind than genes, as antibodies do, though some "
                f"bear a gene's name ({_first(names[self.other_v])}). They were left out."
            )
        if self.scattered:
            said.append(
                "more such columns may be there, of genes that have no other column, and are taken for genes. If some "
                "are antibodies, say so in a column 'feature_types'."
            )
        if self.doubtful_v.any():
            said.append(
                f"columns of the same gene have values of very different kinds ({_first(names[self.doubtful_v])}), and "
                "nothing says which are of genes. They were left out. If some are antibodies, say so in a column "
                "'feature_types'."
            )
        return said


class Repeats:
    """Values of the columns of a data set, seen block by block, where genes have several.

    Parameters
    ----------
    target_v
        The gene of each column, -1 for none.
    names
        The name of each column.

    Examples
    --------
    >>> gene_counts_nv, proteins_nv = np.random.default_rng(0).poisson(0.4, (90, 60)), np.full((90, 9), 80)
    >>> repeats = Repeats(np.append(np.arange(60), np.arange(9)), [f"gene {v}" for v in range(69)])
    >>> repeats.update(sparse.csr_array(np.hstack([gene_counts_nv, proteins_nv])))
    >>> np.flatnonzero(repeats.odd().other_v).tolist()
    [60, 61, 62, 63, 64, 65, 66, 67, 68]
    """

    def __init__(self, target_v: NDArray[np.intp], names: Sequence[object]) -> None:
        self._target_v, self._names = target_v, names
        self._antigen_v = np.array([_ANTIGEN.match(str(name)) is not None for name in names], dtype=np.bool_)
        self._runs = [run for run in _runs(np.flatnonzero(self._antigen_v)) if len(run) >= MANY]
        genes, n_columns = np.unique(target_v[target_v >= 0], return_counts=True)
        self._n_genes, self._repeated = len(genes), genes[n_columns > 1]
        self._of_repeated_v = np.isin(target_v, self._repeated)
        self._sum_v, self._n_above_v, self._n_cells = np.zeros(len(target_v)), np.zeros(len(target_v)), 0

    def update(self, values_nv: sparse.csr_array, times_v: NDArray[np.integer] | None = None) -> None:
        """Take in some cells; those with hardly a gene say nothing.

        Parameters
        ----------
        values_nv
            Their values, ``(n, v)``.
        times_v
            How many of them have a value in each column; counted if not given.
        """
        if not len(self._repeated) and not self._runs:
            return
        full_n = np.diff(values_nv.indptr) >= _GENES_IN_CELL
        self._n_cells += int(full_n.sum())
        column_e, value_e, v = values_nv.indices, values_nv.data, len(self._target_v)
        if not full_n.all():
            full_e = np.flatnonzero(np.repeat(full_n, np.diff(values_nv.indptr)))
            column_e, value_e = column_e.take(full_e), value_e.take(full_e)
        # only of repeated genes it matters how much there is
        of_repeated = np.flatnonzero(self._of_repeated_v.take(column_e))
        self._sum_v += np.bincount(column_e.take(of_repeated), weights=value_e.take(of_repeated), minlength=v)
        if times_v is None or not full_n.all():
            times_v = np.bincount(column_e, minlength=v)
        self._n_above_v += times_v

    def odd(self) -> OddRepeats:
        """Tell the columns that are of another kind than genes, by what was seen so far."""
        none_v = np.zeros(len(self._target_v), dtype=np.bool_)
        if not self._n_cells:
            return OddRepeats(none_v, none_v)
        if not len(self._repeated):
            return OddRepeats(self._named(), none_v)
        dense_v, mean_v = self._n_above_v / self._n_cells, self._sum_v / self._n_cells
        largest_p, next_p = self._largest()
        larger_p = (dense_v[largest_p] >= DENSE) & (mean_v[largest_p] >= TIMES * mean_v[next_p])
        told_p = larger_p & (mean_v[next_p] > 0)
        told = int(told_p.sum())
        block_v = self._block(largest_p, next_p, told_p)
        if told >= FEW and block_v[largest_p[told_p]].mean() >= MOST:
            return OddRepeats(block_v, none_v)
        # where most genes are there twice, as in spliced and unspliced counts, large and small mean nothing; and small
        # columns that lie together were added to the genes, not proteins
        if 3 * len(self._repeated) > self._n_genes or (told and _together(next_p[told_p]).mean() >= MOST):
            return OddRepeats(self._named(), none_v)
        if told >= FEW and told >= (mean_v[largest_p] > 0).sum() / 2:
            alone_v = self._antigen_v & (dense_v >= DENSE) & ~np.isin(self._target_v, self._repeated)
            return OddRepeats(_mask(largest_p, len(none_v)) | alone_v, none_v, scattered=True)
        sure_p = told_p & (dense_v[largest_p] >= SURELY_DENSE) & (mean_v[largest_p] >= SURELY_TIMES * mean_v[next_p])
        pairs = zip(largest_p[sure_p], next_p[sure_p], strict=True)
        doubtful = [self._target_v[one] for one, other in pairs if self._may_be_protein(one, other)]
        return OddRepeats(self._named(), np.isin(self._target_v, doubtful))

    def _may_be_protein(self, one: int, other: int) -> bool:
        """Whether two columns bear one name, or one an antigen's; other pairs are old and new names of a gene."""
        names = [str(self._names[place]) for place in (one, other)]
        same = len({_SUFFIX.sub("", name) for name in names}) == 1
        return same or any(_ANTIGEN.match(name) for name in names)

    def _largest(self) -> tuple[Places, Places]:
        """Give the columns with the largest and the next mean of each repeated gene, ``(p,)``."""
        order_v = np.lexsort((-self._sum_v, self._target_v))
        starts_p = np.searchsorted(self._target_v[order_v], self._repeated)
        return order_v[starts_p], order_v[starts_p + 1]

    def _block(self, largest_p: Places, next_p: Places, told_p: Mask) -> Mask:
        """Columns from the first to the last of large ones that lie together, as files with proteins have them."""
        v = len(self._target_v)
        block_v, told_v, next_v = (_mask(places, v) for places in (largest_p[:0], largest_p[told_p], next_p[told_p]))
        dense_v = self._n_above_v / self._n_cells >= DENSE
        for run in _runs(largest_p[dense_v[largest_p]]):
            start, stop = self._to_the_ends(run)
            known_v = self._target_v[start:stop] >= 0
            # where all names were sorted, the genes themselves lie between the proteins, and there is no block
            mixed = next_v[start:stop].sum() > told_v[start:stop].sum() / 10
            if told_v[start:stop].sum() >= FEW and dense_v[start:stop][known_v].mean() >= 0.6 and not mixed:
                block_v[start:stop] = True
        return block_v | self._beside(block_v)

    def _named(self) -> Mask:
        """Find runs of columns with names of antigens that are dense while others aren't."""
        v = len(self._target_v)
        dense_v = self._n_above_v / self._n_cells >= DENSE
        named_v = np.zeros(v, dtype=np.bool_)
        for run in self._runs:
            start, stop = self._to_the_ends(run)
            rest_v = np.delete(dense_v, slice(start, stop))
            if dense_v[run[0] : run[-1] + 1].mean() >= SURELY_NAMED and len(rest_v) and rest_v.mean() <= DENSE:
                named_v[start:stop] = True
        return named_v

    def _to_the_ends(self, run: Places) -> tuple[int, int]:
        """Give where a run starts and stops, and take in what little is left before the first or behind the last."""
        start, stop, v = int(run[0]), int(run[-1]) + 1, len(self._target_v)
        return 0 if start <= GAP else start, v if v - stop <= GAP else stop

    def _beside(self, block_v: Mask) -> Mask:
        """Columns just before or behind a block whose gene has a column elsewhere: proteins that few cells have."""
        near_v = np.convolve(block_v, np.ones(2 * GAP + 1), mode="same") > 0
        twins_v = np.isin(self._target_v, self._repeated) & ~np.isin(self._target_v, self._target_v[block_v])
        beside = np.flatnonzero(near_v & twins_v & ~block_v)
        edges = np.flatnonzero(block_v)
        if not len(beside) or not len(edges):
            return block_v
        wider_v = block_v.copy()
        for place in beside:
            edge = edges[np.abs(edges - place).argmin()]
            wider_v[min(place, edge) : max(place, edge) + 1] = True
        return wider_v


def _runs(places: Places) -> list[Places]:
    """Split places where more than ``GAP`` columns lie between them, and give the runs that aren't too short.

    Examples
    --------
    >>> [run.tolist() for run in _runs(np.array([70, 4, 1, 9, 40]))]
    [[1, 4, 9]]
    """
    places = np.sort(places)
    return [run for run in np.split(places, np.flatnonzero(np.diff(places) > GAP) + 1) if len(run) >= FEW]


def _together(places: Places) -> Mask:
    """Tell which places are in runs that hold little else."""
    runs = [run for run in _runs(places) if len(run) > MOST * (run[-1] - run[0])]
    return np.isin(places, np.concatenate([places[:0], *runs]))


def without_odd(match: GeneMatch, odd: OddRepeats, names: Sequence[object]) -> tuple[GeneMatch, list[str]]:
    """Leave columns that are no genes out of a match.

    Parameters
    ----------
    match
        Of the data set with the vocabulary.
    odd
        Which columns of the data set are odd.
    names
        Names of the columns.

    Returns
    -------
    The match of the others, and what the owner of the data set should know; the match itself where none is odd.
    """
    out_v = odd.other_v | odd.doubtful_v
    if not out_v.any():
        return match, []
    return match.without(out_v), odd.notes(np.array([*names, None], dtype=object)[:-1])


def _mask(columns: Places, v: int) -> Mask:
    mask_v = np.zeros(v, dtype=np.bool_)
    mask_v[columns] = True
    return mask_v


def _first(names: NDArray[np.object_]) -> str:
    return ", ".join(str(name)[:30] for name in names[:4]) + (", ..." if len(names) > 4 else "")
