"""The vocabulary: an ordered list of genes with their symbols, and every other name they go by.

Packaged are the protein-coding and the immunoglobulin and T-cell receptor genes of GENCODE 48 in genomic order,
and a table of previous symbols, aliases and retired ids.  How a data set's names are read is in
`spoticell.biology.spelling`; what the match with a data set means, in `spoticell.biology.genes`.

Axes: ``g`` genes of the vocabulary.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files


def _table(name: str) -> list[tuple[str, ...]]:
    text = gzip.decompress(files("spoticell").joinpath("data", name).read_bytes()).decode()
    return [tuple(line.split("\t")) for line in text.splitlines()]


@lru_cache(maxsize=1)
def _alias_rows() -> list[tuple[str, ...]]:
    return _table("aliases.tsv.gz")


@dataclass(frozen=True)
class Vocabulary:
    """An ordered list of genes: what a bundle knows.

    The three tuples have length ``g``.  ``chromosomes`` holds ``"1"`` to ``"22"``, ``"X"``, ``"Y"``, ``"MT"``, or
    ``""`` where it isn't known.  Where two genes share a symbol, the one with the smaller id, which older
    annotations know too, owns it.

    Examples
    --------
    >>> Vocabulary(("ENSG00000156738",), ("MS4A1",), ("11",)).aliases["CD20"]
    (0,)
    """

    ids: tuple[str, ...]
    symbols: tuple[str, ...]
    chromosomes: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def sha256(self) -> str:
        """Hash of the ids joined by newlines, in hex: two vocabularies are the same if this is."""
        return hashlib.sha256("\n".join(self.ids).encode()).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, int]:
        """Position of each Ensembl id."""
        return {gene_id: i for i, gene_id in enumerate(self.ids)}

    @cached_property
    def by_symbol(self) -> dict[str, int]:
        """Position of the gene that owns each symbol."""
        oldest_last = sorted(range(len(self)), key=self.ids.__getitem__, reverse=True)
        return {self.symbols[i]: i for i in oldest_last}

    @cached_property
    def exact(self) -> dict[str, int]:
        """Position of each id and each symbol."""
        return self.by_symbol | self.by_id

    @cached_property
    def aliases(self) -> dict[str, tuple[int, ...]]:
        """Positions of the genes that a previous symbol, alias or retired id may mean.

        More than one position makes the name ambiguous; -1 stands for a gene that isn't in this vocabulary.
        """
        place = self.by_id.get
        # nearly all may mean one gene only
        return {
            name: tuple([place(gene_id, -1) for gene_id in joined.split(",")])
            if "," in joined
            else (place(joined, -1),)
            for name, joined in _alias_rows()
            if name not in self.exact
        }


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """Give the packaged vocabulary: 20,532 human genes in genomic order.

    Examples
    --------
    >>> vocabulary = load_vocabulary()
    >>> len(vocabulary), vocabulary.symbols[0], vocabulary.chromosomes[0]
    (20532, 'OR4F5', '1')
    """
    return Vocabulary(*zip(*_table("genes.tsv.gz"), strict=True))
