"""Markers of types as dots: how many cells of a type have a gene, and how much of it.

Axes: ``n`` cells, ``o`` the cells that are read, ``g`` the model's genes, ``t`` types, ``k`` genes that are shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray
from scipy import sparse

from spoticell import keys
from spoticell.biology.columns import named_column, words
from spoticell.biology.group_genes import FEWEST, log_normalised
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import oklch
from spoticell.biology.short_names import short_name
from spoticell.errors import ConfigError, note
from spoticell.model.bundle import DEFAULT, Bundle
from spoticell.report.map import choose_mapped
from spoticell.report.plots.answers import (
    Annotated,
    Level,
    Model,
    Terms,
    annotated_with,
    counts_of,
    find_type,
    is_of,
    most_first,
    object_of,
    terms_of,
)
from spoticell.report.plots.canvas import LETTER, LINE, PAGE, bare, new_axes, room, scale, text_size
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.genes import telling_apart
from spoticell.report.plots.order import by_lineage

TYPES = 16
"""Types that are shown at most, if none are asked for: the commonest."""
CELLS = 2000
"""Cells of a type that are read, at most."""
LARGEST = 110.0
"""Size of the dot of a gene that all cells have, where there is room."""
DEEPEST = 0.75
"""Share of the genes whose highest mean the colours tell apart."""
WIDE, HIGH = 0.25, 0.27
"""Room of a dot in inches, where there is room."""
NARROWEST, LOWEST = 0.19, 0.17
"""Room below which there are fewer genes and types, if none are asked for."""
SMALLEST = 0.3
"""Of its size, what is left of a dot however little room there is."""
KEYS, BELOW = 1.15, 1.0
"""Inches that the keys take beside the dots, and the names of genes below them."""
TOLD = 6
"""Rows without cells that are named."""
RAMP = LinearSegmentedColormap.from_list(
    "expression", [oklch(300 - 60 * deep, 0.93 - 0.58 * deep, 0.02 + 0.12 * deep) for deep in (0, 0.25, 0.5, 0.75, 1)]
)
"""Colours of expression, pale to deep."""


@drawn
def marker_dots(
    cells: Annotated,
    genes: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    *,
    types: Sequence[str] | None = None,
    by: str | None = None,
    level: Level = "broad",
    n_genes: int = 3,
    model: Model = DEFAULT,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw genes by types as dots: the size is the share of cells that have the gene, the colour how much on average.

    The mean is over all cells of the type, of the natural logarithm of 1 and counts per 10,000.  Of a type 2,000 cells
    are read at most.  Where there is little room there are fewer genes and types, if none are asked for, and smaller
    dots.

    Parameters
    ----------
    cells
        Annotated cells.
    genes
        Symbols or ids; or lists of them, each under a title.  If not given the genes that set each type apart in
        these cells, the well-known ones first.
    types
        Types by name, short name or term, each with its subtypes, in this order; if not given the commonest ones.
    by
        Column about the cells, such as the condition; each type has a row for each of its values.
    level
        Which types, if none are given: broad ones, or the answers as they are.
    n_genes
        How many genes each type has, if none are given.
    model
        The model that the cells were annotated with: its genes can be shown.
    key_added
        What the keys in ``cells`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or not with this model, or a gene isn't known, or nothing is left to draw.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> ax = spoticell.pl.marker_dots(adata, types=["B cell", "NK"], n_genes=2)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['B cell', 'NK']
    """
    adata = object_of(cells)
    bundle = annotated_with(adata, model, key_added)
    space = (PAGE, math.inf) if ax is None else room(ax)
    read = _gather(adata, bundle, types=types, by=by, level=level, key=key_added, height=space[1])
    titled = _titled(genes, bundle) if genes is not None else _apart(read, bundle, n_genes, space[0])
    return _draw(ax, read, titled, bundle)


@dataclass(frozen=True)
class _Read:
    """Some cells of each type, and of the others."""

    shown: list[str]
    """The types."""
    counts_og: sparse.csr_array
    code_o: NDArray[np.intp]
    """Place of each cell's type among those that are shown; -1 for none."""
    rows: list[tuple[str, NDArray[np.bool_]]]
    """Name and cells of each row: of a type, or of a type with one value of a column."""

    @property
    def beside(self) -> float:
        """Inches that names and keys take beside the dots."""
        return LETTER * max(len(name) for name, _ in self.rows) + KEYS + 0.3


def _gather(
    adata: AnnData,
    bundle: Bundle,
    *,
    types: Sequence[str] | None,
    by: str | None,
    level: Level,
    key: str,
    height: float,
) -> _Read:
    """Read the cells of the types that are asked for, or of those for which there is room."""
    terms_n = terms_of(adata, key, level="fine" if types is not None else level)
    value_n = _values(adata, by)
    most = int(min(TYPES, max(3, (height - BELOW) / LOWEST / len(set(value_n)))))
    shown, code_n = _types(terms_n, types, level, most)
    own = [np.flatnonzero(code_n == code) for code in range(-1, len(shown))]
    row_o = np.sort(np.concatenate([cells[choose_mapped(len(cells), size=CELLS)] for cells in own]))
    counts_og, _ = counts_of(adata, row_o, bundle, key)
    return _Read(shown, counts_og, code_n[row_o], _rows(shown, code_n[row_o], value_n[row_o], by))


def _apart(read: _Read, bundle: Bundle, n_genes: int, width: float) -> dict[str, list[int]]:
    """Give genes that tell the types apart, as many as there is room for."""
    most = int((width - read.beside) / NARROWEST)
    found = telling_apart(read.counts_og, read.code_o, read.shown, bundle.vocabulary, n_genes=n_genes, most=most)
    if not found:
        raise ConfigError("no gene sets these types apart; name the genes to show.")
    return {"": found}


def _draw(ax: Axes | None, read: _Read, titled: Mapping[str, Sequence[int]], bundle: Bundle) -> Axes:
    gene_k = [gene for own in titled.values() for gene in own]
    rows, beside = len(read.rows), read.beside
    ax = new_axes(ax, width=min(WIDE * len(gene_k) + beside, PAGE), height=max(HIGH * rows + BELOW, 2.5))
    width, height = room(ax)
    size = min(1.0, (width - beside) / len(gene_k) / WIDE, (height - BELOW) / rows / HIGH)
    largest = LARGEST * max(size, SMALLEST) ** 2
    _name(ax, [name for name, _ in read.rows], [bundle.vocabulary.symbols[g] for g in gene_k], titled)
    _keys(ax, _dots(ax, read, gene_k, largest), largest)
    return ax


def _values(adata: AnnData, by: str | None) -> NDArray[np.object_]:
    """Give the value of each cell by which types are split, '' without a column; a missing value is '' too."""
    if by is None:
        return np.full(adata.n_obs, "", dtype=object)
    column = named_column(adata.obs, by, name="the table about the cells")
    held = words(adata.obs[column])
    found: NDArray[np.object_] = np.array([*map(str, held.categories), ""], dtype=object)[held.codes]
    return found


def _rows(
    shown: Sequence[str], code_o: NDArray[np.intp], value_o: NDArray[np.object_], by: str | None
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Give each row's name and cells; rows without cells are left out, with a note."""
    rows, empty = [], []
    for place, term in enumerate(shown):
        for value in sorted(set(value_o) - {""}) if by else [""]:
            own_o = (code_o == place) & (value_o == value)
            name = f"{short_name(term)} · {value}" if by else short_name(term)
            if own_o.any():
                rows.append((name, own_o))
            else:
                empty.append(name)
    if not rows:
        raise ConfigError(f"no cell of these types has a value in {by!r}, so there are no dots.")
    if empty:
        note(f"without a cell, and so without a row: {', '.join(empty[:TOLD])}{', ...' if len(empty) > TOLD else ''}.")
    return rows


def _dots(ax: Axes, read: _Read, gene_k: list[int], largest: float) -> PathCollection:
    own_ro = [own_o for _, own_o in read.rows]
    values_ok = log_normalised(read.counts_og)[:, gene_k]
    share_rk = np.stack([(values_ok[own_o] > 0).mean(axis=0) for own_o in own_ro])
    mean_rk = np.stack([values_ok[own_o].mean(axis=0) for own_o in own_ro])
    across, down = np.meshgrid(range(len(gene_k)), range(len(own_ro)))
    # haemoglobin of a few red cells would make all else pale
    deepest = float(np.quantile(mean_rk.max(axis=0), DEEPEST))
    return ax.scatter(
        across.ravel(),
        down.ravel(),
        s=largest * share_rk.ravel() * scale() ** 2,
        c=mean_rk.ravel(),
        cmap=RAMP,
        vmin=0,
        vmax=deepest or 1,
        edgecolors="0.35",
        linewidths=(0.3 * scale() * (share_rk.ravel() > 0)).tolist(),
    )


def _name(ax: Axes, rows: Sequence[str], symbols: Sequence[str], titled: Mapping[str, Sequence[int]]) -> None:
    width, height = room(ax)
    down, across = (height - BELOW) / len(rows), (width - KEYS - 1) / len(symbols)
    ax.set_yticks(range(len(rows)), rows, fontsize=text_size(down / LINE))
    ax.set_xticks(range(len(symbols)), symbols, rotation=90, style="italic", fontsize=text_size(across / LINE))
    ax.tick_params(length=0)
    ax.set(xlim=(-0.7, len(symbols) - 0.3), ylim=(len(rows) - 0.3, -0.7))
    bare(ax)
    _titles(ax, titled)


def _types(terms_n: Terms, types: Sequence[str] | None, level: Level, most: int) -> tuple[list[str], NDArray[np.intp]]:
    """Give the types to show, and the place of each cell's among them, -1 for none."""
    if types is None:
        common = [term for term in most_first(terms_n) if term != keys.UNKNOWN and (terms_n == term).sum() >= FEWEST]
        # what is only said to be a leukocyte is no kind of its own beside T cells
        above = set().union(*(load_ontology().ancestors(term) - {term} for term in common))
        common = [term for term in common if term not in above] if level == "broad" else common
        shown = by_lineage({term: int((terms_n == term).sum()) for term in common[:most]})
        own_tn = [terms_n == term for term in shown]
    else:
        shown = list(dict.fromkeys(find_type(name, terms_n) for name in types))
        own_tn = [is_of(terms_n, term) for term in shown]
    if not shown:
        raise ConfigError(f"there is no type to draw: none has {FEWEST} cells.")
    code_n = np.full(len(terms_n), -1, dtype=np.intp)
    # the finer type last, so that it keeps its cells
    for place in sorted(range(len(shown)), key=lambda place: load_ontology().depth(shown[place])):
        code_n[own_tn[place]] = place
    empty = next((term for place, term in enumerate(shown) if not (code_n == place).any()), None)
    if empty is not None:
        raise ConfigError(f"no cell is called {short_name(empty)!r}, so it has no dots.")
    return shown, code_n


def _titled(genes: Sequence[str] | Mapping[str, Sequence[str]], bundle: Bundle) -> dict[str, list[int]]:
    genes = [genes] if isinstance(genes, str) else genes
    named = dict(genes) if isinstance(genes, Mapping) else {"": genes}
    exact = bundle.vocabulary.exact
    strange = [name for own in named.values() for name in own if name not in exact]
    if strange:
        raise ConfigError(
            f"the model {bundle.name} doesn't know {', '.join(map(repr, strange[:5]))}; give symbols or Ensembl ids of "
            "genes that it knows."
        )
    if not any(named.values()):
        raise ConfigError("no gene is named; name some, or leave genes= out.")
    return {title: [exact[name] for name in own] for title, own in named.items()}


def _titles(ax: Axes, titled: Mapping[str, Sequence[int]]) -> None:
    """Write each title over its genes, with a line that holds them together."""
    start = 0
    for title, own in titled.items():
        if title and own:
            ax.plot(
                [start - 0.35, start + len(own) - 0.65], [-0.75, -0.75], color="0.3", linewidth=scale(), clip_on=False
            )
            ax.text(start + (len(own) - 1) / 2, -0.95, title, ha="center", va="bottom", fontsize="small")
        start += len(own)


def _keys(ax: Axes, drawn: PathCollection, largest: float) -> None:
    """Say beside the dots what size and colour mean."""
    for share in (0.25, 0.5, 1.0):
        ax.scatter([], [], s=largest * share * scale() ** 2, color="0.6", label=f"{share:.0%}")
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize="small",
        title="cells with\nthe gene",
        title_fontsize="small",
        labelspacing=0.5,
    )
    wide = ax.figure.dpi * scale() / ax.get_window_extent().width
    place = ax.inset_axes((1 + 0.25 * wide, 0.0, 0.13 * wide, 0.38))
    above = bool((np.asarray(drawn.get_array()) > drawn.norm.vmax).any())
    bar = ax.figure.colorbar(drawn, cax=place, extend="max" if above else "neither")
    bar.set_label("mean log\nexpression", fontsize="small")
    bar.ax.tick_params(labelsize="small")
    bar.outline.set_visible(False)
