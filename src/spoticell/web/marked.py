"""Genes that are known to mark types, by a table that the visitor brought, or the person who runs the server has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spoticell.annotation.options import Options
from spoticell.biology.markers import Markers
from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN
from spoticell.web.own_markers import markers_path


def options_of(offered: Options, settings: Mapping[str, Any], job: Path, *, markers: Path | None) -> Options:
    """Give the options of a run with some settings.

    Parameters
    ----------
    offered
        What runs with its model begin with.
    settings
        Of the job.
    job
        Its folder, which holds the visitor's own table of markers.
    markers
        The server's table, which is taken where the visitor has none.  Without groups a table would say nothing of a
        run, so there is none.
    """
    own = settings.get("markers")
    asked = {name: value for name, value in settings.items() if name not in {"model", "markers"}}
    options = replace(offered, **asked)
    if options.groups is None:
        return options
    return replace(options, markers=markers if own is None else markers_path(own, job))


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
