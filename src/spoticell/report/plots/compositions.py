"""How many cells there are of each type: of all cells, and of each sample.

Axes: ``n`` cells, ``s`` samples, ``t`` types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from spoticell import keys
from spoticell.annotation.composition import Composition, interval
from spoticell.annotation.differences import differences
from spoticell.biology.short_names import short_name
from spoticell.errors import note
from spoticell.report.plots.answers import (
    Annotated,
    Level,
    colors,
    composition_of,
    find_type,
    is_of,
    kin_of,
    most_first,
    terms_of,
)
from spoticell.report.plots.canvas import (
    LINE,
    PAGE,
    PALE,
    bare,
    legend_beside,
    legend_room,
    new_axes,
    room,
    scale,
    text_size,
)
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.order import by_lineage

OTHERS = "other types"
INK, FAINT = "0.15", "0.45"
"""Grey of what is read first, and of what is read last."""
SLANTED: dict[str, Any] = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
SPREAD = 0.3
"""How far from the middle of its condition a sample may stand."""


@drawn
def composition(
    data: Annotated | Iterable[str],
    *,
    level: Level = "fine",
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many cells there are of each type, most first, unknown last.

    Parameters
    ----------
    data
        Annotated cells, or the type of each cell: Cell Ontology terms or names.
    level
        Types as answered, or rolled up to broad types.
    key_added
        What the keys in ``data`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated.

    Examples
    --------
    >>> ax = composition(["B cell", "naive B cell", "unknown"], level="broad")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['B cell', 'unknown']
    """
    terms_n = terms_of(data, key_added, level=level)
    counted = most_first(terms_n)
    cells, color_of = [int((terms_n == term).sum()) for term in counted], colors(data, counted, key_added)
    ax = new_axes(ax, height=0.24 * len(counted) + 0.3)
    bars = ax.barh(range(len(counted)), cells, color=[color_of[term] for term in counted], height=0.72)
    shares = [f"{count:,} ({count / max(len(terms_n), 1):.1%})" for count in cells]
    ax.bar_label(bars, shares, padding=3 * scale(), fontsize="small")
    ax.set_yticks(range(len(counted)), [short_name(term) for term in counted])
    ax.set(xticks=[], xlim=(0, 1.3 * max(cells, default=1)), ylim=(len(counted) - 0.5, -0.5))
    bare(ax)
    return ax


@drawn
def sample_composition(
    cells: Annotated,
    *,
    by: str | None = None,
    condition: str | None = None,
    level: Level = "fine",
    most: int = 12,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw the types of each sample as a bar, samples of one condition together; its cells stand beside it.

    Types of one lineage stand together.

    Parameters
    ----------
    cells
        Annotated cells.
    by, condition
        Columns of samples and of their two conditions; not needed if `annotate` was told them.
    level
        Types as answered, or rolled up to broad types.
    most
        How many types are shown at most, fewer where the legend has less room; the rarest are summed up as other types.
    key_added
        What the keys in ``cells`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or it isn't told from which sample they are.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> adata.obs["donor"] = ["d1", "d2"] * 50
    >>> ax = spoticell.pl.sample_composition(adata, by="donor", level="broad", most=3)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Monocyte', 'DC', 'T cell', 'other types']
    """
    counted = composition_of(cells, by, condition, key_added, level)
    y_s, heads = _rows(counted)
    lines = min(most, len(counted.terms) - 1) + 2
    ax = new_axes(ax, height=max(0.26 * (y_s[-1] + 1), 0.21 * lines) + 0.6)
    names = [OTHERS, *map(short_name, counted.terms[:most])]
    # other types and unknown stand in the legend too
    most = min(most, legend_room(ax, names, most=most + 2) - 2)
    parts = _parts(counted, colors(cells, counted.terms, key_added), most)
    left_s = np.zeros(len(y_s))
    for label, shade, share_s in parts:
        ax.barh(y_s, share_s, left=left_s, color=shade, label=label, height=0.8, edgecolor="white", linewidth=0.3)
        left_s = left_s + share_s
    _write(ax, y_s, heads, counted.cells_st.sum(axis=1).tolist())
    _frame(ax, y_s, counted.samples)
    legend_beside(ax)
    return ax


def _frame(ax: Axes, y_s: NDArray[np.float64], samples: Sequence[str]) -> None:
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set(xlim=(0, 1.12), ylim=(y_s[-1] + 0.6, -0.6), xticks=[0, 0.5, 1], xlabel="share of the sample's cells")
    line = (room(ax)[1] - 0.6) / (y_s[-1] + 1)
    many: dict[str, Any] = {"fontsize": text_size(line / LINE)} if line < LINE else {}
    ax.set_yticks(y_s, samples, **many)
    bare(ax, "left", "right", "top")
    ax.spines["bottom"].set_bounds(0, 1)


def _parts(counted: Composition, color_of: Mapping[str, str], most: int) -> list[tuple[str, str, NDArray[np.float64]]]:
    """Give name, colour and shares of what the bars are cut into."""
    terms, share_st = counted.terms[:-1], counted.shares_st
    cells = dict(zip(terms, counted.cells_st.sum(axis=0).tolist(), strict=False))
    shown = by_lineage({term: cells[term] for term in terms[:most]})
    parts = [(short_name(term), color_of[term], share_st[:, terms.index(term)]) for term in shown]
    if terms[most:]:
        parts.append((OTHERS, PALE, share_st[:, most:-1].sum(axis=1)))
    if counted.cells_st[:, -1].any():
        parts.append((keys.UNKNOWN, color_of[keys.UNKNOWN], share_st[:, -1]))
    return parts


def _write(ax: Axes, y_s: NDArray[np.float64], heads: list[tuple[float, str]], cells_s: list[int]) -> None:
    """Write the conditions above their samples, and the cells of each sample beside it."""
    for y, name in heads:
        ax.text(0, y, name, va="center", fontsize="small", weight="bold")
    for y, cells in zip(y_s.tolist(), cells_s, strict=True):
        ax.text(1.01, y, f"{cells:,}", va="center", fontsize="x-small", color=FAINT)


def _rows(counted: Composition) -> tuple[NDArray[np.float64], list[tuple[float, str]]]:
    """Give the place of each sample from above, and those of the conditions' names, which have a row of their own."""
    y_s: list[int] = []
    heads: list[tuple[float, str]] = []
    # a sample that is called like its condition says it itself
    told = any(counted.conditions) and counted.conditions != counted.samples
    for place, condition in enumerate(counted.conditions):
        if told and (not place or condition != counted.conditions[place - 1]):
            heads.append((float(place + len(heads)), condition or "no condition"))
        y_s.append(place + len(heads))
    return np.array(y_s, dtype=np.float64), heads


@drawn
def type_share(
    cells: Annotated,
    cell_type: str,
    *,
    by: str | None = None,
    condition: str | None = None,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of a type in each sample with its interval, and how the conditions compare.

    The cells of subtypes are counted in.  The lines are Wilson intervals at 95 %: how far a share would move if other
    cells of the sample had been measured.  With two conditions a bar is the mean of each one's samples, if it has
    several, and q is that of ``differences`` of the annotation: samples are compared, not cells.

    Parameters
    ----------
    cells
        Annotated cells.
    cell_type
        A type by its name, short name or term.
    by
        Column that says from which sample each cell is; not needed if `annotate` was told it.
    condition
        Column that says under which of two conditions each sample was taken.
    key_added
        What the keys in ``cells`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, it isn't told from which sample they are, or there is no such type.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> adata.obs["donor"] = ["d1", "d2"] * 50
    >>> spoticell.pl.type_share(adata, "B cells", by="donor").get_ylabel()
    'B cell, share of cells'
    """
    counted = composition_of(cells, by, condition, key_added, "fine")
    term = _sought(cell_type, counted.terms)
    groups = list(filter(None, dict.fromkeys(counted.conditions)))
    across = max(len(groups) * 1.1 + 1.2, 2.2) if groups else 0.32 * len(counted.samples) + 1.2
    longest = max(map(len, counted.samples))
    ax = new_axes(ax, width=min(across, PAGE), height=2.4 + (0 if groups else 0.06 * longest))
    x_s = _columns(counted, groups)
    share_s = _points(ax, x_s, counted, term, colors(cells, [term], key_added)[term])
    if groups:
        _compare(ax, counted, groups, share_s, term)
    else:
        ax.set_xticks(x_s, counted.samples, **(SLANTED if longest > 4 else {}))
        ax.tick_params(axis="x", labelsize="small")
    ax.set(xmargin=0.15, ylabel=f"{short_name(term)}, share of cells")
    bare(ax, "right", "top")
    return ax


def _sought(cell_type: str, terms: Sequence[str]) -> str:
    """Give the term of a type, with a note if no cell is of it."""
    term = find_type(cell_type, terms)
    if not is_of(np.array(terms, dtype=object), term).any():
        near = ", ".join(repr(short_name(one)) for one in kin_of(term, terms))
        note(f"no cell is called {short_name(term)!r}, so its shares are 0; the nearest types that are there: {near}.")
    return term


def _points(ax: Axes, x_s: NDArray[np.float64], counted: Composition, term: str, shade: str) -> NDArray[np.float64]:
    """Draw the share of each sample with its interval, and give the shares."""
    own_s = counted.cells_st[:, is_of(np.array(counted.terms, dtype=object), term)].sum(axis=1)
    total_s = counted.cells_st.sum(axis=1)
    bounds_s2 = np.array([interval(*pair) for pair in zip(own_s.tolist(), total_s.tolist(), strict=True)])
    share_s: NDArray[np.float64] = own_s / total_s
    there_s = np.isfinite(x_s)
    ax.errorbar(
        x_s[there_s],
        share_s[there_s],
        yerr=np.abs(bounds_s2 - share_s[:, None]).T[:, there_s],
        fmt="o",
        markersize=4.5 * scale(),
        color=shade,
        ecolor=shade,
        elinewidth=scale(),
        markeredgecolor=INK,
        markeredgewidth=0.5 * scale(),
    )
    top = float(bounds_s2[there_s, 1].max(initial=0))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0 if top > 0.05 else 1))
    ax.set_ylim(-0.02 * top, 1.15 * top or 1)
    return share_s


def _columns(counted: Composition, groups: list[str]) -> NDArray[np.float64]:
    """Give the place of each sample from the left: beside those of its condition, nowhere without one."""
    if not groups:
        return np.arange(len(counted.samples), dtype=np.float64)
    x_s = np.full(len(counted.samples), np.nan)
    for middle, group in enumerate(groups):
        own = [place for place, condition in enumerate(counted.conditions) if condition == group]
        x_s[own] = middle + (np.linspace(-SPREAD, SPREAD, len(own)) if len(own) > 1 else 0.0)
    return x_s


def _compare(ax: Axes, counted: Composition, groups: list[str], share_s: NDArray[np.float64], term: str) -> None:
    """Mark the mean of each condition, and say how sure the difference is."""
    condition_s = np.array(counted.conditions, dtype=object)
    for middle, group in enumerate(groups):
        own_s = share_s[condition_s == group]
        if len(own_s) < 2:
            continue
        mean = float(own_s.mean())
        ax.plot([middle - 0.38, middle + 0.38], [mean, mean], color=INK, linewidth=1.5 * scale(), zorder=3)
    n_samples = [int((condition_s == group).sum()) for group in groups]
    names = [f"{group}\n{n} sample{'' if n == 1 else 's'}" for group, n in zip(groups, n_samples, strict=True)]
    ax.set_xticks(range(len(groups)), names)
    ax.set_xlim(-0.6, len(groups) - 0.4)
    found = differences(counted).table.set_index("term")["q"]
    # a broad type that has the same cells as one answer has no row of its own in the table
    terms = np.array(counted.terms, dtype=object)
    own_t = is_of(terms, term)
    term = next((row for row in found.index if own_t.any() and (is_of(terms, row) == own_t).all()), term)
    if term not in found:
        found = differences(_called(counted, term)).table.set_index("term")["q"]
    q = float(found.get(term, np.nan))
    said = f"q = {q:.2g}" if np.isfinite(q) else "not tested"
    ax.text(0.5, 1.0, said, transform=ax.transAxes, ha="center", va="bottom", fontsize="small")


def _called(counted: Composition, term: str) -> Composition:
    """Give the same with one name for all subtypes of a type that is neither an answer nor a broad type."""
    own_t = is_of(np.array(counted.terms, dtype=object), term)
    parts = (counted.cells_st[:, own_t].sum(axis=1, keepdims=True), counted.cells_st[:, ~own_t])
    rest = [place for place, own in enumerate(own_t) if not own]
    return replace(
        counted,
        terms=(term, *(counted.terms[place] for place in rest)),
        names=(term, *(counted.names[place] for place in rest)),
        cells_st=np.hstack(parts),
    )
