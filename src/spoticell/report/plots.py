"""Pictures with matplotlib: cells on the gene grid, the map of fingerprints, composition, scores.

Each function takes an AnnData object that ``spoticell.annotate`` has been through, or plain arrays, draws into the
``ax`` that it is given or into a new one, and returns it.  The report is made elsewhere, in ``report``.
Axes: ``n`` cells, ``g`` the model's genes, ``d`` fingerprint, ``o`` other cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray
from scipy import sparse

from spoticell import keys
from spoticell.biology.counts import CountsProbe, recover
from spoticell.biology.genes import Vocabulary, align_counts, match_genes
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import colors_of, score_color
from spoticell.biology.short_names import short_name
from spoticell.errors import ConfigError
from spoticell.model.bundle import DEFAULT, Bundle, load_bundle
from spoticell.report.map import choose_mapped, project
from spoticell.report.picture import LEVELS, level_colors, level_picture, most_its_own
from spoticell.report.pixels import name_points
from spoticell.report.reasons import reasons

__all__ = ["cell_picture", "composition", "fingerprint_map", "reasons", "score_histogram"]

BACKGROUND = 200
"""Other cells from which the genes named on a picture stand out."""

LEGEND = 24
"""Most types in a legend."""

Floats = NDArray[np.floating[Any]]


def cell_picture(
    data: AnnData | NDArray[np.floating[Any]],
    *,
    cell: str | int = 0,
    model: Bundle | Path | str = DEFAULT,
    measured_g: NDArray[np.bool_] | None = None,
    others_og: NDArray[np.float32] | None = None,
    n_named: int = 8,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw a cell on the gene grid, and name the genes that make it stand out from other cells.

    The brightness of a pixel goes with the square root of its gene's counts.  Genes that weren't measured are black.

    Parameters
    ----------
    data
        Annotated cells, or the counts of one cell in the order of the model's genes.
    cell
        Name or position of the cell, where ``data`` has several.
    model
        Whose grid: the model that the cells were annotated with.
    measured_g, others_og
        With plain counts: which genes were measured, and counts of other cells.
    n_named
        Most genes to name.
    key_added
        What the keys in ``data`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or not with this model, or there is no such cell.

    Examples
    --------
    >>> cell_picture(adata, cell="AAACATACATTTCC-1")  # doctest: +SKIP
    """
    loaded = model if isinstance(model, Bundle) else load_bundle(model)
    title = ""
    if isinstance(data, AnnData):
        title, counts_g, measured_g, others_og = _cell_of(data, cell, loaded, key_added)
    else:
        counts_g = np.asarray(data, dtype=np.float32)
    grid = loaded.manifest.grid
    picture_hw = level_picture(counts_g, loaded.pixel_g, measured_g=measured_g, grid=grid)
    ax = _axes(ax, size=(6, 6))
    ax.imshow(picture_hw, cmap=ListedColormap(level_colors()), vmin=0, vmax=LEVELS - 1, interpolation="nearest")
    ax.set(xticks=[], yticks=[], title=title)
    own = most_its_own(counts_g, counts_g[None][:0] if others_og is None else others_og, n_named)
    rows, columns = np.divmod(loaded.pixel_g[own], grid)
    name_points(ax, [loaded.vocabulary.symbols[g] for g in own.tolist()], columns, rows, grid)
    return ax


def fingerprint_map(
    data: AnnData | NDArray[np.floating[Any]],
    *,
    color: Literal["type", "score"] = "type",
    types: Iterable[str] | None = None,
    scores: Floats | None = None,
    random_state: int = 0,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw a map on which cells with like fingerprints lie together, 2,000 cells at most.

    Parameters
    ----------
    data
        Annotated cells, or fingerprints, ``(n, d)``.
    color
        What the colours show.
    types, scores
        With plain fingerprints: Cell Ontology terms or names, and scores, each of length ``n``.
    random_state
        Seed of the layout.
    key_added
        What the keys in ``data`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or the array that ``color`` asks for is missing.

    Examples
    --------
    >>> ax = fingerprint_map(np.eye(4), types=["T cell", "B cell", "unknown", "B cell"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['B cell', 'T cell', 'unknown']
    """
    if isinstance(data, AnnData):
        fingerprint_nd = _stored(data, "obsm", keys.FINGERPRINT, key_added)
        types, scores = _terms_and_scores(data, key_added)
    else:
        fingerprint_nd = np.asarray(data)
    chosen = choose_mapped(len(fingerprint_nd), random_state=random_state)
    x, y = project(fingerprint_nd[chosen], random_state=random_state).T
    ax = _axes(ax, size=(7, 6))
    size = float(np.clip(2500 / np.sqrt(len(chosen) + 1), 6, 60)) / 4
    if color == "score":
        score_n = np.asarray(_given(scores, "scores"))[chosen]
        ramp = ListedColormap([score_color(step) for step in np.linspace(0, 1, 64).tolist()])
        order = np.argsort(-score_n, kind="stable")
        drawn = ax.scatter(x[order], y[order], c=score_n[order], s=size, cmap=ramp, vmin=0, vmax=1, linewidths=0)
        ax.figure.colorbar(drawn, ax=ax, label="score", shrink=0.6)
    else:
        terms_n = _terms(_given(types, "types"))
        _scatter_types(ax, x, y, terms_n[chosen], size=size, color_of=_colors(data, terms_n, key_added))
    ax.set(xticks=[], yticks=[], xlabel="map of fingerprints (t-SNE)")
    ax.spines[:].set_visible(False)
    return ax


def composition(
    data: AnnData | Iterable[str],
    *,
    level: Literal["fine", "broad"] = "fine",
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

    Examples
    --------
    >>> ax = composition(["B cell", "naive B cell", "unknown"], level="broad")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['B cell', 'unknown']
    """
    types = _terms_and_scores(data, key_added)[0] if isinstance(data, AnnData) else data
    terms_n = _terms(types)
    if level == "broad":
        terms_n = np.array([load_ontology().broad(term) for term in terms_n], dtype=object)
    counted = _most_first(terms_n)
    cells, color_of = [int((terms_n == term).sum()) for term in counted], _colors(data, terms_n, key_added)
    ax = _axes(ax, size=(7, 0.32 * len(counted) + 1))
    bars = ax.barh(range(len(counted)), cells, color=[color_of[term] for term in counted], height=0.7)
    shares = [f"{count:,} ({count / max(len(terms_n), 1):.1%})" for count in cells]
    ax.bar_label(bars, shares, padding=4, fontsize="small")
    ax.set_yticks(range(len(counted)), [short_name(term) for term in counted])
    ax.set(xticks=[], xmargin=0.25)
    ax.spines[:].set_visible(False)
    ax.tick_params(left=False)
    ax.invert_yaxis()
    return ax


def score_histogram(
    data: AnnData | NDArray[np.floating[Any]],
    *,
    least: float | None = None,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw how sure the answers are; cells without an answer are counted in the title.

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

    Examples
    --------
    >>> score_histogram(np.array([0.9, 0.8, 0.0]), least=0.5).get_title()
    '1 of 3 cells unknown'
    """
    if isinstance(data, AnnData):
        terms_n, score_n = _terms_and_scores(data, key_added)
        named_n = terms_n != keys.UNKNOWN
        least = _least_score(_stored(data, "uns", keys.RUN, key_added)) if least is None else least
    else:
        score_n = np.asarray(data)
        named_n = score_n > 0
    ax = _axes(ax, size=(6, 3.2))
    ax.hist(score_n[named_n], bins=20, range=(0, 1), color=score_color(0.85), rwidth=0.92)
    if least is not None:
        ax.axvline(least, color="0.15", linestyle="--", label=f"unknown below {least:.2f}")
        ax.legend(frameon=False, loc="upper left")
    unknown = int((~named_n).sum())
    ax.set(xlim=(0, 1), xlabel="score", ylabel="cells", title=f"{unknown:,} of {len(score_n):,} cells unknown")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _least_score(run: Mapping[str, Any]) -> float:
    # cells that were annotated before scores weighed familiarity have the threshold alone
    return float(run.get("least_score", run["threshold"]))


def _axes(ax: Axes | None, *, size: tuple[float, float]) -> Axes:
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def _scatter_types(
    ax: Axes, x: Floats, y: Floats, terms_n: NDArray[np.object_], *, size: float, color_of: Mapping[str, str]
) -> None:
    counted = _most_first(terms_n)
    for place, term in enumerate(counted):
        own_n = terms_n == term
        label = short_name(term) if place < LEGEND else None
        ax.scatter(x[own_n], y[own_n], s=size, color=color_of[term], label=label, linewidths=0)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small", markerscale=2)


def _most_first(terms_n: NDArray[np.object_]) -> list[str]:
    terms, cells = np.unique(terms_n.astype(str), return_counts=True)
    counted = [str(terms[i]) for i in np.argsort(-cells, kind="stable")]
    return sorted(counted, key=lambda term: term == keys.UNKNOWN)


def _terms(types: Iterable[str]) -> NDArray[np.object_]:
    """Terms of names or terms; ``unknown`` for what the ontology doesn't have."""
    ontology = load_ontology()
    names = [str(name) for name in types]
    found = {name: ontology.resolve_label(name) or keys.UNKNOWN for name in set(names)}
    return np.array([found[name] for name in names], dtype=object)


def _colors(data: AnnData | Any, terms_n: NDArray[np.object_], key: str) -> dict[str, str]:  # noqa: ANN401
    """Give the colour of each term: annotated cells have theirs, which scanpy's plots show too."""
    held: dict[str, str] = {}
    for column in (template.format(key=key) for template in (keys.BROAD, keys.CELL_TYPE)):
        if isinstance(data, AnnData) and column in data.obs:
            colors = data.uns.get(keys.COLORS.format(column=column), ())
            names = data.obs[column].astype("category").cat.categories
            held |= dict(zip(_terms(names), colors, strict=False)) if len(colors) == len(names) else {}
    return colors_of(_most_first(terms_n), held=held)


def _given(values: Any, name: str) -> Any:  # noqa: ANN401 - whatever was handed in
    if values is None:
        raise ConfigError(f"{name} must be given along with plain fingerprints.")
    return values


def _stored(adata: AnnData, where: str, template: str, key: str) -> Any:  # noqa: ANN401 - whatever AnnData holds
    name = template.format(key=key)
    try:
        return getattr(adata, where)[name]
    except KeyError:
        raise ConfigError(f"there is no {where}[{name!r}]; run spoticell.annotate on these cells first.") from None


def _terms_and_scores(adata: AnnData, key: str) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
    terms = _stored(adata, "obs", keys.TERM, key)
    return np.asarray(terms.astype(str), dtype=object), _stored(adata, "obs", keys.SCORE, key).to_numpy()


def _cell_of(
    adata: AnnData, cell: str | int, bundle: Bundle, key: str
) -> tuple[str, NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Give title, counts and measured genes of a cell, and counts of some others."""
    record = _stored(adata, "uns", keys.RUN, key)
    if record["bundle_sha256"] != bundle.sha256:
        raise ConfigError(
            f"the cells were annotated with another model ({record['bundle']}) than {bundle.name}; give it as model=."
        )
    position = _position(adata, cell)
    others = np.setdiff1d(choose_mapped(adata.n_obs, size=BACKGROUND), position)
    rows = np.union1d(others, position)
    counts_og, measured_g = _counts(adata, rows, record["input"], bundle.vocabulary)
    own = rows == position
    title = f"{short_name(str(_stored(adata, 'obs', keys.TERM, key).iloc[position]))} · {adata.obs_names[position]}"
    return title, counts_og[own][0], measured_g, counts_og[~own]


def _position(adata: AnnData, cell: str | int) -> int:
    everywhere = np.arange(adata.n_obs)
    found = everywhere[adata.obs_names == cell] if isinstance(cell, str) else everywhere[everywhere == cell]
    if not len(found):
        raise ConfigError(f"there is no cell {cell!r} among the {adata.n_obs:,} cells.")
    return int(found[0])


def _counts(
    adata: AnnData, rows: NDArray[np.intp], found: dict[str, Any], vocabulary: Vocabulary
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Give counts of some cells in the bundle's genes, from the matrix that was annotated."""
    matrix, column = found["matrix"], found["gene_match"]["column"]
    if matrix == "raw/X":
        values, var = adata.raw.X, adata.raw.var
    else:
        values, var = (adata.X if matrix == "X" else adata.layers[matrix.removeprefix("layers/")]), adata.var
    names = (var.index if column == "index" else var[column]).astype(str).tolist()
    match = match_genes({column: names}, vocabulary, min_genes=1)
    values_ov = sparse.csr_array(values[rows]).astype(np.float32)
    probe = CountsProbe()
    probe.update(values_ov)
    counts_og = align_counts(recover(values_ov, probe.verdict()), match)
    return counts_og.toarray(), match.measured_g
