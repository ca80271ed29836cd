"""Which side of a table holds genes: told by the names, never by the shape."""

from __future__ import annotations

from collections.abc import Sequence

from spoticell.biology.affixes import HUMAN_ID, find_reading
from spoticell.biology.affixes import gene_share as share_of_genes
from spoticell.biology.genes import load_vocabulary
from spoticell.biology.species import FOREIGN_ID

FEW = 0.02
"""A smaller share of gene names than this is chance."""

ENOUGH = 2000
"""Names that are looked at."""


def is_gene(name: str) -> bool:
    """Whether a name is a gene's: a symbol in any case, an alias, or an Ensembl id of any species.

    Examples
    --------
    >>> is_gene("CD3E"), is_gene("Cd3e"), is_gene("ENSMUSG00000032093.5"), is_gene("AAACATACAACCAC-1")
    (True, True, True, False)
    """
    vocabulary = load_vocabulary()
    bare = name.strip().strip('"')
    if bare in vocabulary.aliases or HUMAN_ID.search(bare) or FOREIGN_ID.search(bare):
        return True
    return bare in vocabulary.exact or bare.upper() in vocabulary.exact


def gene_share(names: Sequence[str]) -> float:
    """Share of names that are genes', in [0, 1], each gene counted once; 0 for no names.

    Names are taken as they stand or without what nearly all of them share, whichever gives more genes.
    """
    some = names[:: 1 + len(names) // ENOUGH]
    distinct = list(dict.fromkeys(some))
    reading = find_reading(distinct, load_vocabulary())
    words = [word for name in distinct for word in reading.words(name)] if reading.takes_off else []
    as_they_stand = sum(map(is_gene, distinct)) / max(len(some), 1)
    return max(as_they_stand, share_of_genes(words, load_vocabulary(), of=max(len(some), 1)))


def genes_lie_first(first: Sequence[str], second: Sequence[str]) -> bool | None:
    """Whether the first of two lists of names holds the genes; ``None`` if the names don't tell.

    Examples
    --------
    >>> genes_lie_first(["CD3E", "CD8A"], ["cell1", "cell2"])
    True
    >>> genes_lie_first(["row-1", "row-2"], ["cell-1", "cell-2"]) is None
    True
    """
    one, other = gene_share(first), gene_share(second)
    if max(one, other) < FEW or max(one, other) < 3 * min(one, other):
        return None
    return one > other
