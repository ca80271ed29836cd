"""What a text in the search box may mean: genes, and types that cells of a sample have.

Axes: ``g`` the bundle's genes, ``t`` the types that cells have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.samples import natural
from spoticell.biology.everyday import meanings_of
from spoticell.biology.ontology import load_ontology
from spoticell.biology.vocabulary import Vocabulary

ID_FROM = 5
"""Letters from which on a text may be the beginning of an id."""


def find_genes(
    text: str, vocabulary: Vocabulary, *, measured_g: NDArray[np.bool_], cells_with: Callable[[int], int], most: int
) -> list[int]:
    """Give the genes that a text may mean, likeliest first.

    First the gene of that symbol or id; then all that the text is another name of, those of most cells first; then
    the members of a family, whose symbols go on with letters where the text ends in a number (CD3D for CD3); then
    other symbols and ids that begin so.  Beginnings are in the order in which people count, and genes that no cell
    has are behind the others.

    Parameters
    ----------
    text
        What was typed.
    vocabulary
        The genes.
    measured_g
        Which of them were measured; others are left out.
    cells_with
        Counts the cells that have a count of a gene.
    most
        How many to give.

    Examples
    --------
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> vocabulary = load_vocabulary()
    >>> everything_g = np.ones(len(vocabulary), dtype=bool)
    >>> found = find_genes("CD3", vocabulary, measured_g=everything_g, cells_with=lambda g: 1, most=4)
    >>> [vocabulary.symbols[g] for g in found]
    ['CD3D', 'CD3E', 'CD3G', 'CD33']
    """
    word = text.strip().upper()
    if not word:
        return []
    same = [g for g in [vocabulary.exact.get(word, vocabulary.exact.get(text.strip()))] if g is not None]
    meant = [g for g in vocabulary.aliases.get(word, ()) if g >= 0]
    meant.sort(key=lambda g: (-cells_with(g), natural(vocabulary.symbols[g])))
    begun = [g for g, symbol in enumerate(vocabulary.symbols) if symbol.upper().startswith(word)]
    if len(word) >= ID_FROM:
        begun += [g for g, gene_id in enumerate(vocabulary.ids) if gene_id.startswith(word)]
    begun = [g for g in begun if measured_g[g]]
    begun.sort(
        key=lambda g: (
            _is_longer_number(word, vocabulary.symbols[g]),
            cells_with(g) == 0,
            natural(vocabulary.symbols[g].upper()),
        )
    )
    return [g for g in dict.fromkeys(same + meant + begun) if measured_g[g]][:most]


def _is_longer_number(word: str, symbol: str) -> bool:
    """Whether a symbol goes on with a digit where the text ends in one: CD33 is no CD3."""
    return word[-1].isdigit() and symbol[len(word) : len(word) + 1].isdigit()


def find_types(text: str, terms_t: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Give the terms that an everyday name may mean, each with the types of the sample that are it or lie below it.

    Parameters
    ----------
    text
        What was typed.
    terms_t
        The types that cells have.

    Examples
    --------
    >>> find_types("NK", ["CL:0000236", "CL:0000939"])  # the second is a kind of natural killer cell
    [('CL:0000623', [1])]
    """
    ontology, word = load_ontology(), text.strip()
    found = []
    # one small letter means no type to people who write labels, but it does to people who type
    for term in meanings_of(word.upper() if len(word) == 1 else word):
        own = [t for t, below in enumerate(terms_t) if term in ontology.ancestors(below)]
        if own:
            found.append((term, own))
    return found
