"""Genes: how a data set's genes map onto the vocabulary, and its counts with them.

A data set comes with other genes, another order, symbols instead of Ensembl ids, versions, prefixes, retired names,
repeats.  This module turns them into the vocabulary's genes and says in numbers how well that went.  It opens no
data files and never guesses across species.  Single names are read in `spoticell.biology.spelling`.

Axes: ``n`` cells, ``v`` genes of the data set, ``g`` genes of the vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.affixes import HUMAN_ID
from spoticell.biology.gene_column import choose_column, what_they_are
from spoticell.biology.species import species_of
from spoticell.biology.spelling import NameColumn, OddName
from spoticell.biology.vocabulary import Vocabulary, load_vocabulary
from spoticell.errors import GeneMatchError

__all__ = ["GeneMatch", "Vocabulary", "align_counts", "load_vocabulary", "match_genes", "take_counts"]

ID_COLUMN = re.compile(r"_?index|ids?|(gene|feature|ensembl)[ _.-]?(gene[ _.-]?)?(ids?)?", re.IGNORECASE)
"""Columns that name the genes themselves; others may name the orthologues in another species."""

LEFT_OUT = -2
"""Stands in the place of a gene for columns that turned out to be something else, and of which nothing is used."""


@dataclass(frozen=True)
class GeneMatch:
    """How a data set's genes map onto a vocabulary."""

    target_v: NDArray[np.intp]
    """Position in the vocabulary of each gene of the data set, -1 where it has none, ``LEFT_OUT`` where it is none."""
    measured_g: NDArray[np.bool_]
    """Which genes of the vocabulary the data set measures."""
    column: str
    """The column whose names were used."""
    kind: str
    """``Ensembl ids`` or ``symbols``."""
    n_found: int
    """Genes of the vocabulary that are measured."""
    n_unmatched: int
    """Genes of the data set that the vocabulary doesn't have, ambiguous names among them."""
    n_repaired: int
    """Names found after a repair: version, prefix, case, spaces, a suffix against repeats, a date."""
    n_renamed: int
    """Names found through a previous symbol, an alias or a retired id."""
    n_ambiguous: int
    """Names left out because they may mean several genes."""
    n_repeated: int
    """Columns whose counts are added to those of another column of the same gene."""
    odd_names: tuple[OddName, ...] = ()
    """Distinct names that aren't the vocabulary's own words, in the order of the data set."""
    notes: tuple[str, ...] = ()
    """Sentences about how the names were read, for the owner of the data set."""

    def without(self, out_v: NDArray[np.bool_]) -> GeneMatch:
        """Give the match without some columns of the data set, which turned out to be no genes."""
        target_v = np.where(out_v, LEFT_OUT, self.target_v)
        measured_g = np.zeros_like(self.measured_g)
        measured_g[target_v[target_v >= 0]] = True
        n_matched, n_found = int((target_v >= 0).sum()), int(measured_g.sum())
        return replace(
            self,
            target_v=target_v,
            measured_g=measured_g,
            n_found=n_found,
            n_unmatched=len(target_v) - n_matched,
            n_repeated=n_matched - n_found,
        )

    def kept(self, values_nv: sparse.csr_array) -> sparse.csr_array:
        """Give a matrix of the data set with nothing in the columns that were left out."""
        if not (self.target_v == LEFT_OUT).any():
            return values_nv
        kept_nv = values_nv.copy()
        kept_nv.data[self.target_v[kept_nv.indices] == LEFT_OUT] = 0
        kept_nv.eliminate_zeros()
        return kept_nv

    @property
    def n_known(self) -> int:
        """Genes of the vocabulary."""
        return len(self.measured_g)

    @property
    def coverage(self) -> float:
        """Share of the vocabulary that is measured, in [0, 1]."""
        return self.n_found / max(len(self.measured_g), 1)

    def describe(self) -> str:
        """Say in one sentence what was found."""
        remarks = {
            "repaired": self.n_repaired,
            "renamed": self.n_renamed,
            "ambiguous and left out": self.n_ambiguous,
            "repeated and summed": self.n_repeated,
        }
        notes = [f"{count:,} {what}" for what, count in remarks.items() if count]
        found = (
            f"{self.n_found:,} of {len(self.measured_g):,} known genes ({self.coverage:.0%}) found among "
            f"{len(self.target_v):,} {self.kind} in {self.column!r}"
        )
        return found + (f": {', '.join(notes)}." if notes else ".")


def match_genes(
    columns: Mapping[str, Sequence[object]], vocabulary: Vocabulary | None = None, *, min_genes: int = 50
) -> GeneMatch:
    """Find which gene of the vocabulary each gene of a data set is.

    The column that leads to most genes of the vocabulary is used; where columns name different genes in the same rows,
    the index goes before the others.  A name may be an Ensembl id or a symbol.  What nearly all names share is taken
    off if they are genes without it.  What is common damage is repaired (versions, genome prefixes, ``_PAR_Y``, spaces,
    lower case, suffixes against repeats, dots for dashes, symbols that became dates); previous symbols and aliases
    count where they mean one gene only.

    Parameters
    ----------
    columns
        Each column that could name the genes, all of length ``v``.  Entries that aren't text are allowed.
    vocabulary
        The genes to find; the packaged ones by default.
    min_genes
        Smallest number of genes of the vocabulary that must be measured.

    Returns
    -------
    The position of each of the ``v`` genes, which of the ``g`` are measured, and how they were found.

    Raises
    ------
    GeneMatchError
        If the genes are another species', of two species, or fewer than ``min_genes`` are known.

    Examples
    --------
    >>> match = match_genes({"index": ["CD3E", "MS4A1", "no such gene"]}, min_genes=2)
    >>> match.n_found, match.n_unmatched, match.kind
    (2, 1, 'symbols')
    """
    vocabulary = load_vocabulary() if vocabulary is None else vocabulary
    tried = [NameColumn(column, names, vocabulary) for column, names in columns.items() if len(names)]
    if not tried:
        raise GeneMatchError("The data set has no gene names; Ensembl ids or symbols of human genes are needed.")
    best, notes = choose_column(tried, min_genes=min_genes)
    for column in tried:
        if column is best or ID_COLUMN.fullmatch(column.column):
            _refuse_other_species(column)
    if best.n_found < min_genes:
        kinds = what_they_are(best.distinct)
        raise GeneMatchError(
            f"Only {best.n_found:,} of {len(vocabulary):,} known human genes are among the {len(best.names):,} names "
            f"in {best.column!r} (the first are {_sample(best.names)}); at least {min_genes} are needed. "
            + (kinds or f"Give Ensembl ids such as {vocabulary.ids[0]!r} or symbols such as {vocabulary.symbols[0]!r}.")
        )
    reading = (best.reading.note(best.column, best.distinct),) if best.reading.takes_off else ()
    return _summary(best, notes=(*reading, *notes))


def _refuse_other_species(column: NameColumn) -> None:
    shared = column.reading.shared
    known = column.words & column.vocabulary.exact.keys()
    words = known | set(map(column.reading.bare, column.words - known)) if shared else column.words
    species = species_of(column.distinct, words, shared, column.vocabulary, n_found=column.n_found)
    first = _sample(column.names)
    if species.startswith("human and"):
        raise GeneMatchError(
            f"The gene names in {column.column!r} are of two species, {species} (the first are {first}); Spoticell "
            "reads human cells only. Keep the human genes and the human cells, then try again."
        )
    if species != "human":
        raise GeneMatchError(
            f"The gene names in {column.column!r} look like {species} (the first are {first}); Spoticell knows human "
            "genes only and doesn't guess across species. Map them to human orthologues first if that is wanted."
        )


def _sample(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:30]) for name in names[:3])


def _summary(best: NameColumn, *, notes: tuple[str, ...]) -> GeneMatch:
    target_v = best.target_v
    measured_g = np.zeros(len(best.vocabulary), dtype=np.bool_)
    measured_g[target_v[target_v >= 0]] = True
    n_matched = int((target_v >= 0).sum())
    n_ids = sum(best.hits[name][0] >= 0 and HUMAN_ID.search(name) is not None for name in best.names)
    return GeneMatch(
        target_v=target_v,
        measured_g=measured_g,
        column=best.column,
        kind="Ensembl ids" if 2 * n_ids > n_matched else "symbols",
        n_found=best.n_found,
        n_unmatched=len(target_v) - n_matched,
        n_repaired=best.counts["repaired"],
        n_renamed=best.counts["renamed"],
        n_ambiguous=best.counts["ambiguous"],
        n_repeated=n_matched - best.n_found,
        odd_names=best.odd_names(),
        notes=notes,
    )


def align_counts(counts_nv: sparse.csr_array, match: GeneMatch) -> sparse.csr_array:
    """Put a data set's counts into the vocabulary's order, adding up repeats.

    Parameters
    ----------
    counts_nv
        Counts, ``(n, v)``.
    match
        From :func:`match_genes` on the same ``v`` genes.

    Returns
    -------
    Counts, ``(n, g)``, float32, canonical; genes that aren't measured are empty.

    Examples
    --------
    >>> match = match_genes({"index": ["CD3E", "MS4A1", "CD3E"]}, min_genes=1)
    >>> aligned_ng = align_counts(sparse.csr_array([[1, 2, 3], [0, 4, 0]]), match)
    >>> aligned_ng.shape, sorted(aligned_ng.data.tolist())
    ((2, 20532), [2.0, 4.0, 4.0])
    """
    _check_width(counts_nv, match)
    source = np.flatnonzero(match.target_v >= 0)
    ones = np.ones(len(source), dtype=np.float32)
    move_vg = sparse.csr_array((ones, (source, match.target_v[source])), shape=(counts_nv.shape[1], match.n_known))
    aligned_ng = counts_nv.astype(np.float32) @ move_vg
    # transposing twice sorts in linear time, which sort_indices doesn't
    sorted_ng = sparse.csr_array(aligned_ng.tocsc().tocsr())
    sorted_ng.eliminate_zeros()
    return sorted_ng


def take_counts(counts_nv: sparse.csr_array, match: GeneMatch) -> sparse.csr_array:
    """Do the same as `align_counts`, the genes of a cell in any order, which is a third of the work.

    Parameters
    ----------
    counts_nv
        Counts without stored zeros, ``(n, v)``.
    match
        As there.

    Returns
    -------
    Counts, ``(n, g)``, float32, without repeats or stored zeros.

    Examples
    --------
    >>> match = match_genes({"index": ["MS4A1", "nobody's", "CD3E"]}, min_genes=1)
    >>> counts_nv = sparse.csr_array([[1, 2, 3], [0, 4, 0]])
    >>> bool((take_counts(counts_nv, match).toarray() == align_counts(counts_nv, match).toarray()).all())
    True
    """
    _check_width(counts_nv, match)
    values, shape = counts_nv.data.astype(np.float32, copy=False), (counts_nv.shape[0], match.n_known)
    if match.n_repeated:
        gene_e, values = _added_up(values, counts_nv, match)
    else:
        gene_e = match.target_v.astype(np.int32).take(counts_nv.indices)
    known_e = np.flatnonzero(gene_e >= 0)
    if len(known_e) == len(gene_e):
        return sparse.csr_array((values, gene_e, counts_nv.indptr), shape=shape)
    ends = np.searchsorted(known_e, counts_nv.indptr)
    return sparse.csr_array((values.take(known_e), gene_e.take(known_e), ends), shape=shape)


def _added_up(
    values: NDArray[np.float32], counts_nv: sparse.csr_array, match: GeneMatch
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Give the gene of each value, those of one gene in a cell added up: with the first, the others left out."""
    known_v = np.maximum(match.target_v, 0)
    repeated_v = (np.bincount(match.target_v[match.target_v >= 0])[known_v] > 1) & (match.target_v >= 0)
    # repeated ones stand below all that isn't known, so that one look tells both
    below_v = np.where(repeated_v, LEFT_OUT - 1 - match.target_v, match.target_v).astype(np.int32)
    gene_e = below_v.take(counts_nv.indices)
    of_repeated = np.flatnonzero(gene_e < LEFT_OUT)
    gene_e[of_repeated] = LEFT_OUT - 1 - gene_e[of_repeated]
    cells = np.searchsorted(counts_nv.indptr, of_repeated, side="right") - 1
    _, first, which = np.unique(
        cells.astype(np.int64) * match.n_known + gene_e[of_repeated], return_index=True, return_inverse=True
    )
    values, others = values.copy(), np.ones(len(of_repeated), dtype=np.bool_)
    values[of_repeated[first]] = np.bincount(which, weights=values[of_repeated])
    others[first] = False
    gene_e[of_repeated[others]] = LEFT_OUT
    return gene_e, values


def _check_width(counts_nv: sparse.csr_array, match: GeneMatch) -> None:
    v = counts_nv.shape[1]
    if v != len(match.target_v):
        raise GeneMatchError(f"The matrix has {v:,} genes but {len(match.target_v):,} gene names were matched.")
