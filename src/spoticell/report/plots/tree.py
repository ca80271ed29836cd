"""The branches of the Cell Ontology that hold cells, with their shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from matplotlib.axes import Axes

from spoticell import keys
from spoticell.biology.ontology import load_ontology
from spoticell.biology.short_names import short_name
from spoticell.errors import ConfigError
from spoticell.report.plots.answers import Annotated, colors, terms_of
from spoticell.report.plots.canvas import COLUMN, bare, new_axes, scale
from spoticell.report.plots.drawn import drawn

STEP, LETTER, GAP = 0.17, 0.095, 0.12
"""Inches by which a branch is set in, that a letter takes, and before the bars, for text of 10 points."""
LINE = "0.6"


@dataclass
class Branch:
    """A type with the types below it."""

    term: str
    own: int = 0
    """Cells that have just this answer."""
    below: list[Branch] = field(default_factory=list)

    @property
    def cells(self) -> int:
        """Cells of this type and of all below it."""
        return self.own + sum(branch.cells for branch in self.below)


@drawn
def type_tree(
    data: Annotated | Iterable[str],
    *,
    least: float = 0.005,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw the branches of the Cell Ontology that hold cells, with the share of all cells in each.

    A bar is as long as the share of a type with its subtypes, which is written beside it; the deep part of it are cells
    whose answer is just this type.  Of types without cells of their own only broad ones are shown, and those where
    branches part.

    Parameters
    ----------
    data
        Annotated cells, or the type of each cell: Cell Ontology terms or names.
    least
        Share of the cells that a branch must hold to be drawn.
    key_added
        What the keys in ``data`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or there is no branch to draw.

    Examples
    --------
    >>> ax = type_tree(["naive B cell", "memory B cell", "T cell", "T cell"])
    >>> [text.get_text() for text in ax.texts]
    ['T cell', '50.0%', 'B cell', '50.0%', 'B memory', '25.0%', 'B naive', '25.0%']
    """
    terms_n = terms_of(data, key_added)
    total = max(len(terms_n), 1)
    counted = Counter(map(str, terms_n))
    rows = list(_rows([root for root in grown(counted) if root.cells >= least * total], 0, least * total))
    if not rows:
        raise ConfigError(f"there is no branch to draw: no type holds {least:.0%} of the cells.")
    ax = new_axes(ax, height=0.2 * len(rows) + 0.25)
    _draw(ax, rows, total, colors(data, [branch.term for branch, _ in rows], key_added))
    return ax


def _draw(ax: Axes, rows: list[tuple[Branch, int]], total: int, color_of: Mapping[str, str]) -> None:
    """Draw a line of the tree for each branch: its name, set in by how deep it is, its bar, its share."""
    names = [short_name(branch.term) for branch, _ in rows]
    start = GAP + max(STEP * depth + LETTER * len(name) for (_, depth), name in zip(rows, names, strict=True))
    reach = max(COLUMN - start - 0.6, 1.0) / max(branch.cells for branch, _ in rows)
    last_of: dict[int, int] = {}
    for row, ((branch, depth), name) in enumerate(zip(rows, names, strict=True)):
        last_of[depth] = row
        if depth:
            x, above = STEP * (depth - 1) + 0.06, last_of[depth - 1]
            ax.plot([x, x, x + STEP - 0.09], [above + 0.4, row, row], color=LINE, linewidth=0.8 * scale())
        ax.text(STEP * depth, row, name, va="center")
        shade = color_of[branch.term]
        ax.barh(row, branch.cells * reach, left=start, color=shade, alpha=0.35, height=0.66)
        ax.barh(row, branch.own * reach, left=start, color=shade, height=0.66)
        said = f"{branch.cells / total:.1%}" if branch.cells >= 0.001 * total else "<0.1%"
        ax.text(start + branch.cells * reach + 0.05, row, said, va="center", fontsize="small")
    ax.set(xticks=[], yticks=[], xlim=(0, max(COLUMN, start + 1.6)), ylim=(len(rows) - 0.4, -0.6))
    bare(ax)


def grown(cells_of: Counter[str]) -> list[Branch]:
    """Give the trees that some answers make, each with its broad type at the root, those of most cells first.

    Examples
    --------
    >>> [root] = grown(Counter({"CL:0000788": 3, "CL:0000787": 1}))  # naive and memory B cells
    >>> root.term, root.cells, [branch.cells for branch in root.below]
    ('CL:0000236', 4, [3, 1])
    """
    ontology = load_ontology()
    branches: dict[str, Branch] = {}
    roots: list[Branch] = []
    for term, cells in sorted(cells_of.items()):
        above: Branch | None = None
        for place in ontology.path(term) if term in ontology else (term,):
            if place not in branches:
                branches[place] = Branch(place)
                (roots if above is None else above.below).append(branches[place])
            above = branches[place]
        branches[term].own = cells
    for root in roots:
        # a broad type keeps its name, so what is between it and the next parting goes
        while len(root.below) == 1 and not root.below[0].own:
            root.below = root.below[0].below
    return _in_order(roots)


def _in_order(branches: list[Branch]) -> list[Branch]:
    """Put most cells first, unknown last, and leave out the types where nothing parts."""
    for branch in branches:
        branch.below = _in_order([_parting(one) for one in branch.below])
    return sorted(branches, key=lambda branch: (branch.term == keys.UNKNOWN, -branch.cells, branch.term))


def _parting(branch: Branch) -> Branch:
    """Give the first type from here that has cells of its own, or below which branches part."""
    while not branch.own and len(branch.below) == 1:
        branch = branch.below[0]
    return branch


def _rows(branches: Iterable[Branch], depth: int, least: float) -> Iterator[tuple[Branch, int]]:
    for branch in branches:
        if branch.cells >= least:
            yield branch, depth
            yield from _rows(branch.below, depth + 1, least)
