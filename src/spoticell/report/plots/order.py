"""The order in which types stand, so that those of a lineage are together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from spoticell import keys
from spoticell.biology.ontology import load_ontology

KIN = (
    "CL:0000542",  # lymphocyte
    "CL:0000451",  # dendritic cell
    "CL:0000766",  # myeloid leukocyte
    "CL:0000113",  # mononuclear phagocyte
    "CL:0000988",  # hematopoietic cell
    "CL:0002319",  # neural cell
    "CL:0000066",  # epithelial cell
    "CL:0002320",  # connective tissue cell
    "CL:0000187",  # muscle cell
)
"""What broad types are kin by: the first that is a type or above it.  Dendritic cells stand with phagocytes."""
PHAGOCYTES = frozenset(("CL:0000451", "CL:0000766", "CL:0000113"))


def by_lineage(cells_of: Mapping[str, int]) -> list[str]:
    """Give terms in lineages that are next to their kin, the largest first; ``unknown`` last.

    Parameters
    ----------
    cells_of
        How many cells each term has.

    Examples
    --------
    >>> t_cell, monocyte, b_cell, cd14 = "CL:0000084", "CL:0000576", "CL:0000236", "CL:0001054"
    >>> order = by_lineage({monocyte: 5, t_cell: 9, b_cell: 3, cd14: 1, "unknown": 20})
    >>> [load_ontology().name(term) for term in order[:2]], order[2:] == [monocyte, cd14, "unknown"]
    (['T cell', 'B cell'], True)
    """
    ontology = load_ontology()
    broad = {term: ontology.broad(term) for term in cells_of}
    kin = {term: _kin(term) for term in cells_of}
    of_broad, of_kin = Counter[str](), Counter[str]()
    for term, cells in cells_of.items():
        of_broad[broad[term]] += cells
        of_kin[kin[term]] += cells

    def place(term: str) -> tuple[bool, int, str, int, str, int, str]:
        own = broad[term]
        return term == keys.UNKNOWN, -of_kin[kin[term]], kin[term], -of_broad[own], own, -cells_of[term], term

    return sorted(cells_of, key=place)


def _kin(term: str) -> str:
    ontology = load_ontology()
    above = ontology.ancestors(term) if term in ontology else frozenset()
    found = next((one for one in KIN if one in above), ontology.broad(term))
    return "phagocyte" if found in PHAGOCYTES else found
