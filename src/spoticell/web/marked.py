"""Genes that are known to mark types, by a table that the person who runs the server has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spoticell.annotation.options import Options
from spoticell.biology.markers import Markers
from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN


def with_markers(options: Options, markers: Path | None) -> Options:
    """Give options of a run with a table of markers; without groups it would say nothing, so there is none."""
    return options if options.groups is None else replace(options, markers=markers)


def known_for(markers: Markers | None, terms: Sequence[str], genes: Sequence[int]) -> list[str | None]:
    """Give for each gene the short name of the first of some types that it is known to mark; None where it marks none.

    Parameters
    ----------
    markers
        Of the table; None where there is no table.
    terms
        Types; what is unknown has no markers.
    genes
        Positions of genes.

    Examples
    --------
    >>> from spoticell.biology.markers import markers_of
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> vocabulary = load_vocabulary()
    >>> markers = markers_of([("T cell", "CD3E", "up")], vocabulary)
    >>> known_for(markers, ["CL:0000236", "CL:0000624"], [vocabulary.by_symbol["CD3E"]])
    ['CD4 T']
    >>> known_for(markers, ["CL:0000236"], [vocabulary.by_symbol["CD3E"]])
    [None]
    """
    found: list[str | None] = [None] * len(genes)
    if markers is None:
        return found
    for term in terms:
        if term != UNKNOWN:
            marks = markers.known(term, genes)
            found = [name or (short_name(term) if mark else None) for name, mark in zip(found, marks, strict=True)]
    return found
