"""Answers against the labels that the cells came with.

Axes: ``n`` cells, ``l`` labels, ``t`` answers.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from spoticell import keys
from spoticell.biology.columns import words
from spoticell.biology.palette import ink_on, oklch
from spoticell.biology.short_names import short_name
from spoticell.io.meanings import Meanings
from spoticell.report.plots.answers import Annotated, labels_of, most_first, table_of, tell_left_out, terms_of
from spoticell.report.plots.canvas import LETTER, LINE, PAGE, bare, new_axes, room, scale, text_size
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.order import by_lineage
from spoticell.report.plots.worth import COARSER, RIGHT, worth

RARE = "rarer answers"
SHOWN = 0.005
"""Share of a row from which on a number is written."""
WIDE, HIGH = 0.36, 0.3
"""Size of a field in inches, where there is room."""
NARROWEST, WRITABLE = 0.17, 0.22
"""Widths of fields: below the first there are fewer columns, below the second no numbers."""
LONGEST = 30
"""Letters of a label that are written."""
RAMP = LinearSegmentedColormap.from_list(
    "shares", ["#ffffff", *(oklch(248 - 12 * deep, 0.95 - 0.55 * deep, 0.13 * deep) for deep in (0.1, 0.4, 0.7, 1.0))]
)
"""Colours of shares from 0, white, to 1."""


@drawn
def confusion(
    cells: Annotated,
    *,
    label_column: str | None = None,
    meanings: Meanings | None = None,
    least: float = 0.05,
    merge: bool = False,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw which answers the cells of each label have: labels are rows, answers are columns, numbers are % of a row.

    A solid frame marks answers that are right, the label or a subtype of it, and a dotted one those that are coarser
    than the label: both as `spoticell.evaluate` sees them.  Labels stand as the column has them, those of one lineage
    together; labels that aren't understood are left out.  Each answer stands below the label that has most of it, so
    that what is right lies along the diagonal.  Where there is little room there are fewer columns and no numbers.

    Parameters
    ----------
    cells
        Annotated cells with labels.
    label_column
        The column of labels; looked for if not given.
    meanings
        What labels mean that aren't understood: ``{"my cluster": "B cell"}``, or a csv or tsv file.
    least
        Share of some label's cells that an answer must have to get a column; others are summed up as rarer answers.
    merge
        Whether labels that mean the same type are one row, which has the short name of the type.
    key_added
        What the keys in ``cells`` start with.
    ax
        Where to draw.

    Raises
    ------
    SpoticellError
        If the cells aren't annotated, or have no labels that are understood.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> ax = spoticell.pl.confusion(adata, label_column="bulk_labels")
    >>> ax.get_xlabel(), ax.get_yticklabels()[-1].get_text()
    ('answer', 'CD56+ NK · 4')
    """
    labels = labels_of(cells, label_column, meanings)
    tell_left_out(labels)
    labelled_n = labels.term_n != ""
    label_n, answer_n = labels.term_n[labelled_n], terms_of(cells, key_added)[labelled_n]
    word_n = label_n if merge else words(table_of(cells)[labels.column]).astype(str)[labelled_n]
    rows, meant = _rows(label_n, np.asarray(word_n, dtype=object))
    counted = pd.crosstab(np.asarray(word_n, dtype=object), answer_n)
    return _draw(ax, counted.reindex(index=rows, columns=most_first(answer_n)), meant, least)


def _draw(ax: Axes | None, counted: pd.DataFrame, meant: list[str], least: float) -> Axes:
    """Draw cells of each label, which means a term, by answer."""
    labels = [name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in map(short_name, counted.index)]
    beside = LETTER * (max(map(len, labels)) + 8) + 0.4
    most = int((PAGE - beside) / WIDE) if ax is None else max(3, int((room(ax)[0] - beside) / NARROWEST))
    cells_lt = counted.to_numpy()
    share_lt, names = _ordered(cells_lt / cells_lt.sum(axis=1, keepdims=True), list(counted.columns), least, most)
    ax = new_axes(ax, width=min(WIDE * len(names) + beside, PAGE), height=HIGH * len(labels) + 1.7)
    ax.imshow(share_lt, cmap=RAMP, vmin=0, vmax=1, aspect="auto")
    ax.hlines(np.arange(0.5, len(labels) - 1), -0.5, len(names) - 0.5, color="0.88", linewidth=0.6 * scale())
    if (room(ax)[0] - beside) / len(names) >= WRITABLE:
        _write(ax, share_lt)
    _frame(ax, share_lt, meant, names)
    _name(ax, labels, cells_lt.sum(axis=1).tolist(), names)
    return ax


def _rows(label_n: NDArray[np.object_], word_n: NDArray[np.object_]) -> tuple[list[str], list[str]]:
    """Give the rows, each lineage together, and the term that each means."""
    meant: dict[str, Counter[str]] = {}
    for term, word in zip(label_n.tolist(), word_n.tolist(), strict=True):
        meant.setdefault(term, Counter())[word] += 1
    order = by_lineage({term: counted.total() for term, counted in meant.items()})
    pairs = [(word, term) for term in order for word, _ in sorted(meant[term].items(), key=lambda item: -item[1])]
    return [word for word, _ in pairs], [term for _, term in pairs]


def _name(ax: Axes, labels: list[str], totals: list[int], names: list[str]) -> None:
    width, height = room(ax)
    rows = [f"{label} · {total:,}" for label, total in zip(labels, totals, strict=True)]
    ax.set_yticks(range(len(rows)), rows, fontsize=text_size((height - 1.2) / len(rows) / LINE))
    turned: dict[str, Any] = {"rotation": 55, "va": "top"}
    if width / len(names) < WIDE:
        turned = {"rotation": 90, "va": "center"}
    ax.set_xticks(range(len(names)), list(map(short_name, names)), ha="right", rotation_mode="anchor", **turned)
    ax.tick_params(axis="x", labelsize="small")
    ax.tick_params(length=0)
    ax.set(xlabel="answer", ylabel="label · cells")
    bare(ax)


def _ordered(
    share_lt: NDArray[np.float64], answers: list[str], least: float, most: int
) -> tuple[NDArray[np.float64], list[str]]:
    """Put answers below the label that has most of them; sum up those that no label has much of; unknown last."""
    known = [column for column, answer in enumerate(answers) if answer != keys.UNKNOWN]
    kept = [column for column in known if share_lt[:, column].max() >= least]
    # rarer answers and unknown have columns too
    kept = sorted(kept, key=lambda column: -float(share_lt[:, column].max()))[: max(most - 2, 1)]
    kept.sort(key=lambda column: (int(share_lt[:, column].argmax()), -float(share_lt[:, column].max())))
    rare = [column for column in known if column not in kept]
    parts, names = [share_lt[:, kept]], [answers[column] for column in kept]
    if rare:
        parts.append(share_lt[:, rare].sum(axis=1, keepdims=True))
        names.append(RARE)
    if keys.UNKNOWN in answers:
        parts.append(share_lt[:, [answers.index(keys.UNKNOWN)]])
        names.append(keys.UNKNOWN)
    return np.hstack(parts), names


def _write(ax: Axes, share_lt: NDArray[np.float64]) -> None:
    for row, column in zip(*np.nonzero(share_lt >= SHOWN), strict=True):
        share = float(share_lt[row, column])
        red, green, blue, _ = RAMP(share, bytes=True)
        ink = ink_on(f"#{red:02x}{green:02x}{blue:02x}")
        ax.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize="x-small", color=ink)


def _frame(ax: Axes, share_lt: NDArray[np.float64], rows: list[str], names: list[str]) -> None:
    """Mark what is right, and what is coarser."""
    for row, label in enumerate(rows):
        for column, what in enumerate(worth(np.array([label] * len(names), dtype=object), np.array(names, object))):
            if what in (RIGHT, COARSER) and share_lt[row, column] >= SHOWN:
                line = "-" if what == RIGHT else ":"
                frame = Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, edgecolor="0.2", linestyle=line)
                frame.set_linewidth(scale() * (1.0 if what == RIGHT else 0.8))
                ax.add_patch(frame)
