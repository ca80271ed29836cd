"""Finding which genes speak for an answer and which against it: of types, of groups, or of single cells.

The cells are named first, as `annotate` names them.  Then some cells of each answer are asked, each alone, how much
each of their genes adds to the network's probability of it, see `model.reasons`.
Axes: ``n`` cells, ``s`` cells that are asked, ``g`` the model's genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.annotation.allowed import allowed_types, listed
from spoticell.annotation.explanation import CELLS, GROUPS, TYPES, Explained, Explanation, explain_cells
from spoticell.annotation.nearest import NearestSink
from spoticell.annotation.options import Model, Options
from spoticell.annotation.pipeline import annotate_source
from spoticell.biology.ontology import load_ontology
from spoticell.errors import ConfigError, note
from spoticell.io import Cells, open_source
from spoticell.io.aligned import kept_counts
from spoticell.io.marker_table import read_markers
from spoticell.io.source import CellSource
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import DEFAULT, Bundle
from spoticell.model.reasons import Occlusion, Reasons, through_weights
from spoticell.progress import Progress, shown, stretch

if TYPE_CHECKING:
    from spoticell.annotation.result import Annotation
    from spoticell.biology.markers import Markers

GENES = 10
"""Genes for and against an answer that are given if not told otherwise."""
NAMED = 70
"""Percent of the time after which the cells are named."""
FEW = 3
"""Names that a message gives."""


def explain(
    cells: Cells,
    *,
    cell_names: Sequence[str] = (),
    groups: str | None = None,
    cell_type: str | None = None,
    genes: int = GENES,
    markers: Path | str | None = None,
    model: Model = DEFAULT,
    threshold: float | None = None,
    allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    tissue: str | None = None,
    layer: str | None = None,
    gene_column: str | None = None,
    each_cell_alone: bool = False,
    threads: int | None = None,
    on_progress: Progress | bool = True,
) -> Explanation:
    """Find the genes that speak for answers, and against them: of each type, or of groups or single cells.

    Parameters
    ----------
    cells
        The path of a file or folder, or an AnnData object, which is left as it is.
    cell_names, groups, cell_type
        Explain the answers of the cells of these names, or of groups: a column, or ``"auto"``; of unknown ones what
        comes nearest.  And this type, whatever the answer is: of those cells or groups, else of the cells that are it.
    genes, markers
        How many genes for and against each answer the table holds at most; a table of known markers of types.
    model, threshold, allow, deny, tissue, layer, gene_column, each_cell_alone, threads, on_progress
        As for `annotate`.

    Returns
    -------
    Explanation: ``.table``, ``.write()``.  ``spoticell.pl.reasons`` draws it.

    Raises
    ------
    SpoticellError
        If the cells can't be used, or there is no such cell, type or group.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> spoticell.explain(cells, cell_names=["AAAGCCTGGCTAAC-1"]).table["gene"].head(2).tolist()
    ['FCGR3A', 'LST1']
    """
    names = _checked(cell_names, groups, genes)
    asked_for = (model, None, threshold, allow, deny, tissue, layer, gene_column)
    options = Options(*asked_for, threads=threads, each_cell_alone=each_cell_alone, groups=groups)
    known, node, reasons = _known(markers, options.bundle), _node(cell_type, options.bundle), _reasons(options)
    with shown(on_progress, "naming cells") as step, open_source(cells, bar=on_progress is True) as source:
        annotation, nearest = _named(source, options, names, stretch(step, start=0, stop=NAMED))
        asked = _asked(annotation, nearest, node, reasons.most)
        told = _answered(source, annotation, asked, reasons, stretch(step, start=NAMED, stop=100))
    return Explanation(
        CELLS if names else GROUPS if groups else TYPES, options.bundle, reasons.method, told, genes, known
    )


def _checked(cell_names: Sequence[str], groups: str | None, genes: int) -> tuple[str, ...]:
    if genes < 1:
        raise ConfigError(f"genes is {genes}; at least 1 is needed.")
    names = listed(cell_names)
    if names and groups is not None:
        raise ConfigError("cells and groups can't be explained at once; give one of them.")
    return names


@dataclass(frozen=True)
class _Asked:
    """An answer, and the cells that are asked about it."""

    name: str
    node: int
    cells: int
    cell_s: NDArray[np.intp]


def _answered(
    source: CellSource, annotation: Annotation, asked: Sequence[_Asked], reasons: Reasons, on_progress: Progress
) -> tuple[Explained, ...]:
    """Read the counts of the cells that are asked, and ask them."""
    keep_n = np.zeros(source.n_cells, dtype=np.bool_)
    keep_n[np.concatenate([one.cell_s for one in asked])] = True
    blocks = [counts for _, _, counts in kept_counts(source, annotation.findings, keep_n)]
    counts_kg, place_n = sparse.csr_array(sparse.vstack(blocks, format="csr")), np.cumsum(keep_n) - 1
    told = []
    for done, one in enumerate(asked, start=1):
        found = explain_cells(
            counts_kg[place_n[one.cell_s]],
            annotation.findings.match.measured_g,
            reasons,
            node=one.node,
            name=one.name,
            term=annotation.nodes[one.node],
            cells=one.cells,
            changed=_changed(annotation, one.cell_s),
        )
        told.append(found)
        on_progress(done, len(asked))
    return tuple(told)


def _changed(annotation: Annotation, cell_s: NDArray[np.intp]) -> int:
    """Count the cells that are called otherwise alone."""
    single_n = annotation.single_n
    return 0 if single_n is None else int((single_n[cell_s] != annotation.answer_n[cell_s]).sum())


def _node(cell_type: str | None, bundle: Bundle) -> int | None:
    allowed = None if cell_type is None else allowed_types(bundle, allow=(cell_type,))
    return None if allowed is None else bundle.nodes.index(allowed.allow[0])


def _known(markers: Path | str | None, bundle: Bundle) -> Markers | None:
    return None if markers is None else read_markers(markers, bundle.vocabulary)


def _reasons(options: Options) -> Reasons:
    found = through_weights(options.bundle)
    if found is not None:
        return found
    from spoticell.model.runtime import Runtime  # noqa: PLC0415 - ONNX Runtime is slow to load

    note(
        f"the model {options.bundle.name} brings no weights that can be followed, so each gene is taken out in turn: "
        f"that is slower, and at most {Occlusion.most} cells of an answer are asked."
    )
    return Occlusion(Runtime(options.bundle, threads=options.threads))


def _named(
    source: CellSource, options: Options, names: Sequence[str], on_progress: Progress | None
) -> tuple[Annotation, NearestSink]:
    nearest = NearestSink(_places(source, names))
    return annotate_source(source, options, [nearest], on_progress=on_progress), nearest


def _places(source: CellSource, names: Sequence[str]) -> dict[str, int]:
    """Find cells by their names; of several cells of a name the first."""
    if not names:
        return {}
    place = {str(name): n for n, name in reversed(list(enumerate(source.cell_names)))}
    strange = [name for name in names if name not in place]
    if strange:
        raise ConfigError(f"there is no cell {_few(strange)} among the {source.n_cells:,} cells of {source.name}.")
    return {name: place[name] for name in names}


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:FEW])) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")


def _asked(annotation: Annotation, nearest: NearestSink, node: int | None, most: int) -> list[_Asked]:
    if nearest.place:
        return _of_cells(annotation, nearest, node)
    found = _of_types(annotation, node, most) if annotation.groups is None else _of_groups(annotation, node, most)
    if not found:
        what = "no cell has a type" if node is None else f"no cell is called {annotation.names[node]!r}"
        raise ConfigError(f"{what}, so there is no answer to explain; name cells, and a type, to ask about them.")
    return found


def _of_cells(annotation: Annotation, nearest: NearestSink, node: int | None) -> list[_Asked]:
    """Ask about the answer of each cell; of an unknown one about what comes nearest."""
    place = nearest.place
    if node is not None:
        return [_Asked(name, node, 1, np.array([n])) for name, n in place.items()]
    answer_n = annotation.answer_n
    node_of = {name: int(answer_n[n]) if answer_n[n] >= 0 else nearest.node_of.get(n, -1) for name, n in place.items()}
    unknown = [name for name, n in place.items() if answer_n[n] < 0]
    silent = [name for name in unknown if node_of[name] < 0]
    are = "is" if len(silent) == 1 else "are"
    if silent and len(silent) == len(place):
        cells = "the cell" if len(silent) == 1 else "the cells"
        raise ConfigError(
            f"{cells} {_few(silent)} {are} unknown, so there is no answer to explain; give a type to ask about."
        )
    if silent:
        note(f"{_few(silent)} {are} left out: unknown, and nothing speaks for any type. Give a type to ask about.")
    if near := [name for name in unknown if node_of[name] >= 0]:
        are, it = ("is", "the type that comes nearest") if len(near) == 1 else ("are", "the types that come nearest")
        note(f"{_few(near)} {are} unknown: what is explained is {it}.")
    return [_Asked(name, node_of[name], 1, np.array([n])) for name, n in place.items() if node_of[name] >= 0]


def _of_types(annotation: Annotation, node: int | None, most: int) -> list[_Asked]:
    if node is not None:
        ontology, term = load_ontology(), annotation.nodes[node]
        own_m = np.array([term in ontology.ancestors(other) for other in annotation.nodes])
        member_n = (annotation.answer_n >= 0) & own_m[annotation.answer_n]
        return _drawn(annotation.names[node], node, member_n, most)
    answers, cells = np.unique(annotation.answer_n[annotation.answer_n >= 0], return_counts=True)
    return [
        asked
        for answer in answers[np.argsort(-cells, kind="stable")].tolist()
        for asked in _drawn(annotation.names[answer], answer, annotation.answer_n == answer, most)
    ]


def _of_groups(annotation: Annotation, node: int | None, most: int) -> list[_Asked]:
    """Ask about the answer of each group; of an unknown one about what is likeliest."""
    groups, asked = annotation.groups, []
    for k, group in enumerate(groups.groups if groups is not None else ()):
        terms = [annotation.nodes[node]] if node is not None else [group.term, group.second_term]
        term = next((term for term in terms if term != UNKNOWN), None)
        if groups is not None and term is not None:
            member_n = (groups.grouping.code_n == k) & (annotation.n_counts_n > 0)
            asked += _drawn(group.name, annotation.nodes.index(term), member_n, most)
    return asked


def _drawn(name: str, node: int, member_n: NDArray[np.bool_], most: int) -> list[_Asked]:
    """Draw cells to ask, always the same; nobody to ask where there are none."""
    cells = np.flatnonzero(member_n)
    if not len(cells):
        return []
    drawn = cells if len(cells) <= most else np.random.default_rng(0).choice(cells, most, replace=False)
    return [_Asked(name, node, len(cells), np.sort(drawn))]
