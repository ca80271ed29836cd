"""The colour of each type in a run, the same in the annotated file, the report, the plots and the page.

The types with most cells choose first, then the types of groups of cells and those that cells could also be; `palette`
says how.  On a broader level of the
ontology a term that is also an answer keeps its colour, and the others have that of the commonest answer in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import SLOTS, colors_of, term_color
from spoticell.keys import UNKNOWN

if TYPE_CHECKING:
    from spoticell.annotation.result import Annotation


class TypeColors:
    """Colours of the types of some cells.

    Parameters
    ----------
    types
        Terms of the answers, in the order in which they choose.
    broad
        Their broad types, each with the answers in it, the most important first.
    others
        Terms that are shown beside the answers.

    Examples
    --------
    >>> colors = TypeColors(["CL:0000624", "CL:0000625"], broad={"CL:0000084": ["CL:0000624", "CL:0000625"]})
    >>> len({colors.of(term) for term in ("CL:0000624", "CL:0000625", "unknown")})
    3
    >>> colors.of("CL:0000084") == colors.of("CL:0000624")
    True
    """

    def __init__(
        self,
        types: Iterable[str],
        *,
        broad: Mapping[str, Sequence[str]] | None = None,
        others: Iterable[str] = (),
    ) -> None:
        answers = list(types)
        self._held = colors_of([*answers, *others])
        self._of_answers = {term: self._held[term] for term in answers}
        self._held = self.level(broad or {}) | self._held

    def of(self, term: str) -> str:
        """Give the colour of a term, ``#rrggbb``; grey for ``unknown``."""
        return self._held[term] if term in self._held else term_color(term)

    def level(self, groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Give the colours of terms that are shown in place of the answers, no two alike.

        Parameters
        ----------
        groups
            The terms, each with the answers in it, the most important first.
        """
        colors = {term: self._of_answers[term] for term in groups if term in self._of_answers}
        for term, members in groups.items():
            own = (color for color in map(self.of, members) if color not in colors.values())
            if term not in colors and (color := next(own, None)):
                colors[term] = color
        return colors_of(groups, held=colors)


def choose_colors(annotation: Annotation) -> TypeColors:
    """Settle the colours of a run."""
    cells_of, ontology = _cells(annotation, annotation.answer_n), load_ontology()
    lineages: dict[str, list[str]] = {}
    for term in sorted(cells_of, key=lambda term: (-cells_of[term], term)):
        lineages.setdefault(ontology.broad_level(term), []).append(term)
    lineages.pop(UNKNOWN, None)
    groups = () if annotation.groups is None else annotation.groups.groups
    others = [*(group.term for group in groups), *by_weight(_cells(annotation, annotation.second_n))]
    return TypeColors(by_weight(cells_of), broad=lineages, others=others)


def by_weight(cells_of: Mapping[str, int]) -> list[str]:
    """Give terms in the order in which they choose: by their cells, those of their subtypes counted in.

    "T cell" stands for all T cells, so it is to have their colour even if few cells are called just that.  But where
    there are more types than colours, the commonest have one each.

    Examples
    --------
    >>> by_weight({"CL:0000624": 9, "CL:0000084": 1, "CL:0000236": 5})  # CD4 T cell, T cell, B cell
    ['CL:0000084', 'CL:0000624', 'CL:0000236']
    """
    weight: Counter[str] = Counter()
    for term, cells in cells_of.items():
        weight.update(dict.fromkeys(load_ontology().ancestors(term), cells))
    common = sorted(cells_of, key=lambda term: (-cells_of[term], term))
    first, rest = common[: len(SLOTS)], common[len(SLOTS) :]
    return sorted(first, key=lambda term: (-weight[term], term)) + rest


def _cells(annotation: Annotation, node_n: NDArray[np.intp]) -> dict[str, int]:
    """Count the cells of each term that occurs."""
    cells_m = np.bincount(node_n[node_n >= 0], minlength=len(annotation.nodes)).tolist()
    return {node: cells for node, cells in zip(annotation.nodes, cells_m, strict=True) if cells}
