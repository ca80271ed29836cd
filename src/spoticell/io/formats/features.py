"""Features of a file: which of them are genes of a human cell, and which are left out.

Antibodies, guides, peaks and the genes of a second species are features too.  What the words about them mean is told
in `spoticell.biology.features`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.features import GENE, feature_kinds
from spoticell.errors import FileFormatError, GeneMatchError
from spoticell.io.storage.matrix import StoredMatrix

_HUMAN = re.compile(r"grch3[78]|hg19|hg38|b37|human|homo.?sapiens", re.IGNORECASE)
_OTHER = re.compile(r"mm9|mm10|mm39|grcm3[89]|mouse|mus.?musculus|rat|rn[67]", re.IGNORECASE)


@dataclass(frozen=True)
class Chosen:
    """Which features are used, and sentences about the others."""

    keep_v: NDArray[np.bool_]
    warnings: tuple[str, ...]


def choose_features(
    columns: Mapping[str, NDArray[np.object_]], *, name: str, genomes: NDArray[np.object_] | None = None
) -> Chosen:
    """Keep the genes, and of several genomes the human one.

    Parameters
    ----------
    columns
        What a file says about its features in words, one column at least; `feature_kinds` finds the kinds in it.
    name
        How messages call the file.
    genomes
        Genome of each feature; ``None`` where the file says nothing.

    Raises
    ------
    FileFormatError
        If of several genomes not exactly one is human.
    GeneMatchError
        If no feature is a gene.

    Examples
    --------
    >>> kinds = np.array(["Gene Expression", "Antibody Capture"], dtype=object)
    >>> choose_features({"feature_types": kinds}, name="a.h5").warnings
    ('a.h5: 1 feature that is no gene was left out (1 Antibody Capture).',)
    """
    kinds = feature_kinds(columns)
    if kinds is None:
        kinds = np.full(len(next(iter(columns.values()))), GENE, dtype=object)
    keep_v = kinds == GENE
    if len(keep_v) and not keep_v.any():
        raise GeneMatchError(
            f"{name} has no gene counts: its features are {_listed(kinds)}. "
            "Give the file with the Gene Expression features."
        )
    warnings = [] if keep_v.all() else [_left_out(kinds[~keep_v], name=name)]
    if genomes is not None and len(set(genomes[keep_v])) > 1:
        human = human_genome(sorted(set(genomes[keep_v])), name=name)
        others = _listed(genomes[keep_v & (genomes != human)])
        keep_v = keep_v & (genomes == human)
        warnings.append(f"{name}: only the genes of {human} are used; left out: {others}.")
    return Chosen(keep_v, tuple(warnings))


def human_genome(genomes: list[str], *, name: str) -> str:
    """Find the one human genome among several.

    Examples
    --------
    >>> human_genome(["GRCh38", "mm10"], name="a.h5")
    'GRCh38'
    """
    human = [genome for genome in genomes if _HUMAN.search(genome) and not _OTHER.search(genome)]
    if len(genomes) == 1:
        return genomes[0]
    if len(human) != 1:
        found = "none is human" if not human else f"{len(human)} are human"
        raise FileFormatError(
            f"{name} has genes of {len(genomes)} genomes ({', '.join(genomes)}), of which {found}. "
            "Write a file with the genes of one human genome."
        )
    return human[0]


class SomeGenes(StoredMatrix):
    """A matrix without the genes that ``keep_v`` leaves out."""

    def __init__(self, whole: StoredMatrix, keep_v: NDArray[np.bool_]) -> None:
        super().__init__((whole.shape[0], int(keep_v.sum())), where=(whole.file, whole.label))
        self._whole, self._columns_v = whole, np.flatnonzero(keep_v)
        self.by_cell = whole.by_cell

    def parts(self, size: int) -> Iterator[sparse.csr_array]:
        """Rows from first to last in pieces of any height."""
        self._whole.threads = self.threads
        return (part_nv[:, self._columns_v] for part_nv in self._whole.parts(size))

    def rows(self, start: int, stop: int, size: int) -> Iterator[sparse.csr_array]:
        """Rows from ``start`` up to ``stop`` in pieces of any height, where the whole is stored by cell."""
        return (part_nv[:, self._columns_v] for part_nv in self._whole.rows(start, stop, size))

    def close(self) -> None:
        """Remove what was kept on disk."""
        self._whole.close()


def some_genes(whole: StoredMatrix, keep_v: NDArray[np.bool_]) -> StoredMatrix:
    """Give the matrix itself where all genes are kept, or a view of it."""
    return whole if keep_v.all() else SomeGenes(whole, keep_v)


def _left_out(kinds: NDArray[np.object_], *, name: str) -> str:
    what = "feature that is no gene was" if len(kinds) == 1 else "features that are no genes were"
    return f"{name}: {len(kinds)} {what} left out ({_listed(kinds)})."


def _listed(words: NDArray[np.object_]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in sorted(Counter(words.tolist()).items()))
