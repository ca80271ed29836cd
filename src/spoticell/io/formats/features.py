"""Features of 10x files: which of them are genes of a human cell, and which are left out.

Antibodies, guides, peaks and the genes of a second species are features too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.errors import FileFormatError
from spoticell.io.storage.matrix import StoredMatrix

GENE_EXPRESSION = "Gene Expression"

_HUMAN = re.compile(r"grch3[78]|hg19|hg38|b37|human|homo.?sapiens", re.IGNORECASE)
_OTHER = re.compile(r"mm9|mm10|mm39|grcm3[89]|mouse|mus.?musculus|rat|rn[67]", re.IGNORECASE)


@dataclass(frozen=True)
class Chosen:
    """Which features are used, and sentences about the others."""

    keep_v: NDArray[np.bool_]
    warnings: tuple[str, ...]


def choose_features(kinds: NDArray[np.object_] | None, genomes: NDArray[np.object_] | None, *, name: str) -> Chosen:
    """Keep the genes, and of several genomes the human one.

    Parameters
    ----------
    kinds
        Kind of each feature, as ``Gene Expression``; ``None`` where the file says nothing.
    genomes
        Genome of each feature; ``None`` where the file says nothing.
    name
        How messages call the file.

    Raises
    ------
    FileFormatError
        If no feature is a gene, or of several genomes not exactly one is human.

    Examples
    --------
    >>> kinds = np.array(["Gene Expression", "Antibody Capture"], dtype=object)
    >>> choose_features(kinds, None, name="a.h5").warnings
    ('a.h5: 1 feature that is no gene was left out (1 Antibody Capture).',)
    """
    if kinds is None:
        kinds = np.array([GENE_EXPRESSION] * (0 if genomes is None else len(genomes)), dtype=object)
    keep_v = kinds == GENE_EXPRESSION
    if len(keep_v) and not keep_v.any():
        raise FileFormatError(
            f"{name} has no gene counts: its features are {_listed(kinds)}. "
            "Give the file with the Gene Expression features."
        )
    warnings = [] if keep_v.all() else [_left_out(kinds[~keep_v], name=name)]
    if genomes is not None and len(set(genomes[keep_v])) > 1:
        human = human_genome(sorted(set(genomes[keep_v])), name=name)
        keep_v = keep_v & (genomes == human)
        others = _listed(genomes[(kinds == GENE_EXPRESSION) & (genomes != human)])
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

    def parts(self, size: int) -> Iterator[sparse.csr_array]:
        """Rows from first to last in pieces of any height."""
        return (part_nv[:, self._columns_v] for part_nv in self._whole.parts(size))

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
