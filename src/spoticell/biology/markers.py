"""Which genes are known to mark which types, as a table says that someone else has made.

The package brings no such table: the good ones have terms of their own.  Reading a file is left to ``io.marker_table``.
Axis: ``g`` genes of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spoticell.biology.everyday import read_name
from spoticell.biology.ontology import DOINGS, TOO_GENERAL, load_ontology
from spoticell.biology.vocabulary import Vocabulary

UP = frozenset({"", "up", "+", "positive"})
"""Directions of genes that the type has more of than others; a gene that it lacks is no marker here."""


@dataclass(frozen=True)
class Markers:
    """The markers of types.

    Examples
    --------
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> genes = load_vocabulary()
    >>> markers = markers_of([("T cells", "CD3E", "up"), ("B cells", "MS4A1", "")], genes)
    >>> markers.known("CL:0000624", [genes.by_symbol["CD3E"], genes.by_symbol["MS4A1"]])  # CD4 T cell
    [True, False]
    """

    genes_of: Mapping[str, frozenset[int]]
    """For each term the positions of its markers."""
    unread: tuple[str, ...]
    """What the table calls types, or genes, that weren't understood."""

    def known(self, term: str, genes: Iterable[int]) -> list[bool]:
        """Say which genes mark a type: markers of its term, of a subtype, or of a term above it that says something.

        Parameters
        ----------
        term
            Of the type, or ``unknown``, which nothing marks.
        genes
            Positions of genes.
        """
        ontology = load_ontology()
        above = ontology.ancestors(term) - TOO_GENERAL - DOINGS if term in ontology else frozenset()
        marks: set[int] = set()
        for marked, genes_g in self.genes_of.items():
            if marked in above or (above and term in ontology.ancestors(marked)):
                marks |= genes_g
        return [gene in marks for gene in genes]


def markers_of(rows: Iterable[tuple[str, str, str]], vocabulary: Vocabulary) -> Markers:
    """Make markers of the rows of a table.

    Parameters
    ----------
    rows
        Type, by id or name; gene, by symbol, id or another name of one gene alone; and direction, which may be empty.
    vocabulary
        The genes.
    """
    genes_of: dict[str, set[int]] = {}
    unread: dict[str, None] = {}
    for kind, name, direction in rows:
        if direction.strip().lower() not in UP:
            continue
        term, gene = read_name(kind), _gene(name.strip(), vocabulary)
        if term is None or gene is None:
            unread[name if term is not None else kind] = None
        else:
            genes_of.setdefault(term, set()).add(gene)
    return Markers({term: frozenset(genes) for term, genes in genes_of.items()}, tuple(unread))


def _gene(name: str, vocabulary: Vocabulary) -> int | None:
    found = vocabulary.exact.get(name)
    if found is None:
        others = vocabulary.aliases.get(name, ())
        found = others[0] if len(others) == 1 and others[0] >= 0 else None
    return found
