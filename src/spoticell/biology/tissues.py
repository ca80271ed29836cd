"""Tissues: what each is called, and which types of cell are found in some of them only.

The tables in ``data`` are written from common knowledge of human anatomy and histology, and lean towards leaving a
type possible: what neighbouring organs, cuts of tissue and common metaplasia bring along is in.  Types that
``tissue_types.tsv`` doesn't name are possible in every tissue: leukocytes, endothelial, stromal and general epithelial
cells, nerve sheaths.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from spoticell.errors import ConfigError

if TYPE_CHECKING:
    from spoticell.biology.ontology import Ontology


@dataclass(frozen=True)
class Tissue:
    """An organ or tissue that cells are taken from."""

    name: str
    term: str
    """In the UBERON ontology."""
    also: tuple[str, ...]
    """Other names, names of parts, and the parts' UBERON terms."""
    only: frozenset[str]
    """Cell Ontology terms at or below which all its cells are; empty where this can't be said."""
    never: frozenset[str]
    """Terms at or below which none of its cells are, besides those that are specific to other tissues."""


@lru_cache(maxsize=1)
def load_tissues() -> tuple[Tissue, ...]:
    """Give the packaged tissues, in alphabetical order."""
    return tuple(
        Tissue(
            row["tissue"], row["term"], _several(row["also"]), *(frozenset(_several(row[k])) for k in ("only", "never"))
        )
        for row in _rows("tissues.tsv")
    )


@lru_cache(maxsize=1)
def load_specific() -> dict[str, frozenset[str]]:
    """Give the terms of types that are found in some tissues only, with these tissues.

    A term stands for all below it, but for those that have, or lie below, a line of their own.  Types of the early
    embryo are found in none of the tissues.
    """
    return {row["term"]: frozenset(_several(row["tissues"])) for row in _rows("tissue_types.tsv")}


@lru_cache(maxsize=1)
def load_common_forms() -> frozenset[str]:
    """Give the terms at or below which an organ's own types are forms of what all or many organs have.

    Mesangial cells are the pericytes of the kidney.  A network that doesn't know the pericytes of another organ takes
    them for these, so that such types show no organ beside others.
    """
    return frozenset(row["term"] for row in _rows("common_forms.tsv"))


def tissue_names() -> list[str]:
    """Name the tissues, in alphabetical order."""
    return [tissue.name for tissue in load_tissues()]


def find_tissue(text: str) -> Tissue:
    """Give the tissue that a text names: by name, another name, a part, or the UBERON term of one of these.

    Raises
    ------
    ConfigError
        If it names none; the message lists those that there are.

    Examples
    --------
    >>> find_tissue("PBMC").name, find_tissue("UBERON:0001155").name
    ('blood', 'intestine')
    """
    words = " ".join(text.lower().replace("_", " ").split()).replace("uberon ", "uberon:")
    for tissue in load_tissues():
        if words in {tissue.name, tissue.term.lower(), *map(str.lower, tissue.also)}:
            return tissue
    raise ConfigError(
        f"there is no tissue {text[:40]!r}; there are {', '.join(tissue_names())}. Give one of these, 'any', or none."
    )


def possible_labels(labels: Sequence[str], tissue: Tissue, ontology: Ontology) -> list[bool]:
    """Say which labels may be cells of a tissue.

    Parameters
    ----------
    labels
        Cell Ontology terms.
    tissue
        Where the cells are from.
    ontology
        Where the terms stand.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology
    >>> labels = ["CL:0000182", "CL:0000583", "CL:0000084"]  # hepatocyte, alveolar macrophage, T cell
    >>> possible_labels(labels, find_tissue("lung"), load_ontology())
    [False, True, True]
    """
    return [_is_possible(ontology.ancestors(label), tissue, ontology) for label in labels]


def tissues_of(labels: Sequence[str], ontology: Ontology) -> list[frozenset[str] | None]:
    """Give for each label the tissues that have it; None where it is specific to none.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology
    >>> labels = ["CL:1000488", "CL:0000084"]  # cholangiocyte, T cell
    >>> [places and sorted(places) for places in tissues_of(labels, load_ontology())]
    [['liver', 'pancreas'], None]
    """
    return [_places(ontology.ancestors(label), ontology) for label in labels]


def _is_possible(above: frozenset[str], tissue: Tissue, ontology: Ontology) -> bool:
    """Judge a term by all that are it or above it."""
    if above & tissue.never or (tissue.only and not above & tissue.only):
        return False
    places = _places(above, ontology)
    return places is None or tissue.name in places


def _places(above: frozenset[str], ontology: Ontology) -> frozenset[str] | None:
    """Give the tissues that have a term, by all that are it or above it."""
    specific = load_specific()
    lines = above & specific.keys()
    passed: frozenset[str] = frozenset().union(*(ontology.ancestors(term) - {term} for term in lines))
    places = [specific[term] for term in lines - passed]
    return frozenset.intersection(*places) if places else None


def _rows(table: str) -> Iterator[dict[str, str]]:
    text = files("spoticell").joinpath("data", table).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines(), dialect="excel-tab")


def _several(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|")) if cell else ()
