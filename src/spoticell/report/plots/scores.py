"""How sure the answers are, and whether that can be believed.

Axes: ``n`` cells, ``b`` bins of scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from spoticell import keys
from spoticell.annotation.composition import interval
from spoticell.annotation.figures import score
from spoticell.annotation.result import Annotation
from spoticell.biology.palette import score_color
from spoticell.errors import ConfigError
from spoticell.io.meanings import Meanings
from spoticell.report.plots.answers import Annotated, labels_of, scores_of, stored, tell_left_out, terms_of
from spoticell.report.plots.canvas import COLUMN, bare, new_axes, scale
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.worth import RIGHT, worth

BINS = 10
"""Of scores, from 0 to 1."""
VISIBLE = 0.005
"""Smallest score that isn't written as 0.00: below it there is nothing to mark."""
FEW = 5
"""Cells of which a bin needs as many to have a point."""


@drawn
def score_histogram(
    data: Annotated | NDArray[np.floating[Any]],
    *,
    least: float | None = None,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw how sure the answers are; cells without an answer are counted in the title alone.

    Parameters
    ----------
    data
        Annotated cells, or scores, of which 0 means no answer.
    least
        The smallest score of an answer, to be marked; with annotated cells the one that was used.
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
    >>> score_histogram(np.array([0.9, 0.8, 0.0]), least=0.5).get_title()
    '1 of 3 cells unknown, not shown'
    """
    score_n: NDArray[np.floating[Any]]
    if isinstance(data, AnnData | Annotation):
        score_n, named_n = scores_of(data, key_added), terms_of(data, key_added) != keys.UNKNOWN
        least = _least_score(data, key_added) if least is None else least
    else:
        score_n = _checked(data)
        named_n = score_n > 0
    ax = new_axes(ax, height=0.5 * COLUMN)
    ax.hist(score_n[named_n], bins=20, range=(0, 1), color=score_color(0.85), rwidth=0.92)
    if least and least >= VISIBLE:
        ax.axvline(least, color="0.15", linestyle="--", linewidth=scale(), label=f"unknown below {least:.2f}")
        ax.legend(frameon=False, loc="upper left", fontsize="small")
    unknown = int((~named_n).sum())
    ax.set(xlim=(0, 1), xlabel="score", ylabel="cells")
    told = ", not shown" if unknown else ""
    ax.set_title(f"{unknown:,} of {len(score_n):,} cells unknown{told}", fontsize="medium")
    bare(ax, "top", "right")
    return ax


def _checked(data: object) -> NDArray[np.float64]:
    """Give scores that can be."""
    try:
        score_n = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        score_n = np.array([np.nan])
    if score_n.ndim != 1 or not ((score_n >= 0) & (score_n <= 1)).all():
        raise ConfigError("give annotated cells, or a list of scores from 0 to 1.")
    return score_n


def _least_score(data: Annotated, key: str) -> float:
    if isinstance(data, Annotation):
        return data.least_score
    # cells that were annotated before scores weighed familiarity have the threshold alone
    run: Mapping[str, Any] = stored(data, "uns", keys.RUN, key)
    return float(run.get("least_score", run["threshold"]))


@drawn
def reliability(
    cells: Annotated,
    *,
    label_column: str | None = None,
    meanings: Meanings | None = None,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many answers of each score are right, going by labels; below stands how many cells have such a score.

    Good scores lie on the diagonal.  Above it answers are better than their scores say, below it worse.  The lines are
    Wilson intervals at 95 %; bins of fewer than five cells have no point.  An answer is right if it is the label or a
    subtype of it, and ECE is that of `spoticell.evaluate`.  Cells without an answer or a label are left out.

    Parameters
    ----------
    cells
        Annotated cells with labels.
    label_column
        The column of labels; looked for if not given.
    meanings
        What labels mean that aren't understood: ``{"my cluster": "B cell"}``, or a csv or tsv file.
    key_added
        What the keys in ``cells`` start with.
    ax
        Where to draw.

    Raises
    ------
    SpoticellError
        If the cells aren't annotated or have no labels that are understood, or no labelled cell has an answer.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> spoticell.pl.reliability(adata, label_column="bulk_labels").get_ylabel()
    'share of right answers'
    """
    labels = labels_of(cells, label_column, meanings)
    tell_left_out(labels)
    term_n, score_n = terms_of(cells, key_added), scores_of(cells, key_added)
    used_n = (labels.term_n != "") & (term_n != keys.UNKNOWN) & np.isfinite(score_n)
    if not used_n.any():
        raise ConfigError("no cell with a label has an answer, so there are no scores to look at.")
    label_n, term_n, score_n = labels.term_n[used_n], term_n[used_n], np.asarray(score_n[used_n], dtype=np.float64)
    right_n = worth(label_n, term_n) == RIGHT
    ax = new_axes(ax, width=0.7 * COLUMN, height=0.86 * COLUMN)
    _bins(ax, score_n, right_n)
    ece = score(label_n.tolist(), term_n.tolist(), score_n)["ece"]
    ax.text(0.04, 0.96, f"ECE {ece:.3f}", transform=ax.transAxes, va="top", fontsize="small")
    ax.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of right answers", aspect="equal")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.tick_params(labelbottom=False)
    bare(ax, "top", "right")
    return ax


def _bins(ax: Axes, score_n: NDArray[np.floating[Any]], right_n: NDArray[np.bool_]) -> None:
    """Draw a point for each bin of scores, and below how many cells it has."""
    bin_n = np.minimum((score_n * BINS).astype(np.intp), BINS - 1)
    cells_b = np.bincount(bin_n, minlength=BINS)
    ax.plot([0, 1], [0, 1], color="0.7", linewidth=scale(), linestyle="--", zorder=0)
    for b in np.flatnonzero(cells_b >= FEW).tolist():
        own_n = bin_n == b
        share, middle = float(right_n[own_n].mean()), float(score_n[own_n].mean())
        low, high = interval(int(right_n[own_n].sum()), int(own_n.sum()))
        ax.plot([middle, middle], [low, high], color=score_color(0.85), linewidth=1.2 * scale())
        ax.plot(middle, share, "o", color=score_color(0.85), markersize=5 * scale())
    below = ax.inset_axes((0, -0.3, 1, 0.22), sharex=ax)
    below.bar((np.arange(BINS) + 0.5) / BINS, cells_b, width=0.92 / BINS, color=score_color(0.4))
    below.set(xlabel="score", ylabel="cells")
    below.tick_params(labelbottom=True)
    bare(below, "top", "right")
