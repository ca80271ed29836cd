"""What a source of cells holds and what would be used of it, found before anything is run.

The right matrix is looked for among all that a source has (layers, raw, X): its genes must be
known and counts must be had from its values.  Annotating is left to ``annotation``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.counts import CountsProbe, CountsVerdict
from spoticell.biology.genes import GeneMatch, Vocabulary, match_genes
from spoticell.biology.padding import Seen, without_padding
from spoticell.biology.recovery import REMEDY
from spoticell.biology.repeats import Repeats, without_odd
from spoticell.biology.sample import CellSample
from spoticell.biology.summaries import notes_on_names
from spoticell.errors import ConfigError, CountsError, FileFormatError, GeneMatchError, SpoticellError
from spoticell.io.choice import SAME, Candidate, best_of, why_not
from spoticell.io.formats.orient import ENOUGH, gene_share, genes_lie_first
from spoticell.io.in_order import ahead, available_cores
from spoticell.io.source import CellSource
from spoticell.progress import Progress, part

SPLICED_ONLY = (
    "{} holds spliced molecules only: the unspliced ones, most of what a nucleus has, are missing. For nuclei add both "
    "up and give the sum."
)
SAMPLE, SAMPLE_VALUES = 2048, 4_000_000
"""Cells that are kept to find out what the sample is, and values of them, at most."""
SMALL_PANEL = 1000
"""Below so many known genes the reader is told that answers will be broader."""


@dataclass(frozen=True)
class Findings:
    """What a source holds and what would be used of it.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> findings = spoticell.check(cells)
    >>> findings.matrix, findings.match.n_found, findings.genes["how"].value_counts().to_dict()
    ('X', 738, {'renamed': 48, 'unmatched': 27})
    """

    source: str
    """How messages call the source."""
    format: str
    n_cells: int
    n_genes: int
    """Genes of the matrix that would be used."""
    matrix: str
    verdict: CountsVerdict
    match: GeneMatch
    sample_nv: sparse.csr_array = field(repr=False, compare=False)
    """Some cells, up to `SAMPLE`, chosen at random by what they hold, as stored."""
    sample_at_s: NDArray[np.int64] = field(repr=False, compare=False)
    """Where they stand in the source, rising."""
    warnings: tuple[str, ...] = ()
    tried: tuple[tuple[str, str], ...] = ()
    """Matrices that were looked at and passed over, each with the reason."""

    def __repr__(self) -> str:
        return "\n".join(["Findings", *self.describe()])

    def lines(self) -> list[str]:
        """Give the lines that say what would be used and what was passed over, without the notes."""
        return [
            f"{self.source} ({self.format}): {self.n_cells:,} cells, {self.n_genes:,} genes",
            f"counts: {self.matrix}: {self.verdict.evidence}",
            f"genes: {self.match.describe()}",
            *(f"passed over: {matrix}: {reason}" for matrix, reason in self.tried),
        ]

    def describe(self) -> list[str]:
        """Give the lines that a person should read, notes among them, without colour."""
        return [*self.lines(), *(f"note: {warning}" for warning in self.warnings)]

    @property
    def genes(self) -> pd.DataFrame:
        """Gene names that aren't known as they stand, in the order of the data set, with how each was read.

        ``name``; ``how``: ``unmatched`` (left out), ``ambiguous`` (left out, may be several genes), ``repaired`` or
        ``renamed``; ``gene_id`` and ``symbol`` of the gene that it was taken for, or of all that it may be.
        """
        return pd.DataFrame(list(self.match.odd_names), columns=["name", "how", "gene_id", "symbol"])

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain values, for JSON and for ``uns``."""
        match, verdict = self.match, self.verdict
        return {
            "source": self.source,
            "format": self.format,
            "cells": self.n_cells,
            "genes": self.n_genes,
            "matrix": self.matrix,
            "counts": {
                "kind": str(verdict.kind),
                "evidence": verdict.evidence,
                "recovers": verdict.recovers,
                "empty_cells": verdict.n_empty,
            },
            "gene_match": {
                "column": match.column,
                "kind": match.kind,
                "found": match.n_found,
                "coverage": match.coverage,
                "unmatched": match.n_unmatched,
                "repaired": match.n_repaired,
                "renamed": match.n_renamed,
                "ambiguous": match.n_ambiguous,
                "repeated": match.n_repeated,
            },
            "passed_over": dict(self.tried),
            "notes": list(self.warnings),
        }


def inspect(
    source: CellSource,
    vocabulary: Vocabulary,
    *,
    layer: str | None = None,
    gene_column: str | None = None,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> Findings:
    """Find the matrix of a source from which counts of known genes can be had.

    All cells are looked at.  Of several matrices that serve, the one with most counts above zero in known genes is
    used; of those that hold the same, plain counts, and then the source's own order decides.

    Parameters
    ----------
    source
        The open source.
    vocabulary
        The genes to look for: a bundle's, or the packaged ones.
    layer
        The one matrix to look at: a layer's name, ``"X"`` or ``"raw"``; all if not given.
    gene_column
        The one column that names the genes, ``"index"`` for their index; the best if not given.
    threads
        How much is done at once; as the process may use cores if not given.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    ConfigError
        If there is no such matrix or column.
    SpoticellError
        If no matrix serves: what is wrong with the likeliest one, and with the others in a word.
    """
    if source.n_cells == 0:
        raise FileFormatError(f"{source.name} holds no cells, so there is nothing to annotate.")
    source.threads = cores = threads or available_cores()
    served: dict[str, tuple[Findings, Candidate]] = {}
    refused: dict[str, SpoticellError] = {}
    matrices = source.matrices if layer is None else (_named(source, layer),)
    for position, matrix in enumerate(matrices):
        try:
            seen = part(on_progress, position, len(matrices))
            names = _gene_names(source, matrix, gene_column)
            served[matrix] = _inspect_matrix(source, matrix, vocabulary, names, on_progress=seen, threads=cores)
        except (CountsError, GeneMatchError) as error:
            refused[matrix] = error
            continue
        if _holds_all(served[matrix][1], source, matrices[position + 1 :]):
            break
    if not served:
        raise _no_matrix(source, refused)
    return _best(served, refused, matrices, source)


def _best(
    served: dict[str, tuple[Findings, Candidate]],
    refused: dict[str, SpoticellError],
    matrices: Sequence[str],
    source: CellSource,
) -> Findings:
    """Give what was found in the matrix that is used, with a word on the others."""
    chosen = best_of([candidate for _, candidate in served.values()])
    passed_over = {matrix: str(error).removesuffix(f" {REMEDY}") for matrix, error in refused.items()}
    for matrix, (_, other) in served.items():
        if matrix != chosen.matrix:
            passed_over[matrix] = why_not(other, chosen)
    best = served[chosen.matrix][0]
    likelier = matrices[: matrices.index(chosen.matrix)]
    notes = [f"{matrix} was passed over: {passed_over[matrix]}" for matrix in likelier if _is_layer(matrix)]
    notes += [SPLICED_ONLY.format(chosen.matrix)] * _is_spliced(chosen, source)
    tried = tuple((matrix, passed_over[matrix]) for matrix in matrices if matrix in passed_over)
    return replace(best, tried=tried, warnings=(*best.warnings, *notes))


def _is_spliced(candidate: Candidate, source: CellSource) -> bool:
    """Say whether a matrix lacks the unspliced molecules that lie beside it."""
    if not {"layers/spliced", "layers/unspliced"} <= {*source.matrices, *source.others}:
        return False
    if candidate.matrix == "layers/spliced":
        return True
    spliced, stored = (source.n_stored(matrix) for matrix in ("layers/spliced", candidate.matrix))
    return spliced is not None and stored is not None and SAME * stored <= spliced <= stored / SAME


def _is_layer(matrix: str) -> bool:
    return matrix.startswith(("layers/", "raw"))


def _holds_all(candidate: Candidate, source: CellSource, others: tuple[str, ...]) -> bool:
    """Say whether no other matrix can hold more than plain counts that were found, going by the numbers stored."""
    if not candidate.verdict.plain:
        return False
    stored = [source.n_stored(matrix) for matrix in others]
    return all(n is not None and candidate.verdict.n_values >= SAME * n for n in stored)


def _named(source: CellSource, layer: str) -> str:
    """Give the matrix that a user calls so: its own name, or that of a layer without ``layers/``."""
    there = (*source.matrices, *source.others)
    found = [name for name in (layer, f"layers/{layer}", f"{layer}/X") if name in there]
    if not found:
        raise ConfigError(f"{source.name} has no layer {layer!r}; it has {', '.join(there)}.")
    return found[0]


def _gene_names(source: CellSource, matrix: str, gene_column: str | None) -> dict[str, list[object]]:
    columns = {name: names.tolist() for name, names in source.gene_columns(matrix).items()}
    if gene_column is None:
        return columns
    if gene_column not in columns:
        raise ConfigError(
            f"{source.name}, {matrix} has no column {gene_column!r} of gene names; it has {', '.join(columns)}."
        )
    return {gene_column: columns[gene_column]}


def _look_over(
    source: CellSource,
    matrix: str,
    watchers: Sequence[Callable[[sparse.csr_array], None]],
    on_progress: Progress,
    threads: int,
) -> None:
    """Show all cells to several watchers, side by side: each takes about as long as the others."""
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(max(1, min(threads, len(watchers)))))
        blocks = source.blocks(matrix)
        for block in blocks if threads == 1 else stack.enter_context(closing(ahead(blocks))):
            for shown in [pool.submit(watch, block.values_nv) for watch in watchers]:
                shown.result()
            on_progress(block.start + len(block), source.n_cells)


def _inspect_matrix(
    source: CellSource,
    matrix: str,
    vocabulary: Vocabulary,
    names: dict[str, list[object]],
    *,
    on_progress: Progress,
    threads: int,
) -> tuple[Findings, Candidate]:
    try:
        match = match_genes(names, vocabulary)
    except GeneMatchError as error:
        raise _turned(source, next(iter(names.values()))) or error from error
    probe, repeats, seen = CountsProbe(), Repeats(match.target_v, names[match.column]), Seen(len(match.target_v))
    sample = CellSample(SAMPLE, SAMPLE_VALUES)

    def keep(values_nv: sparse.csr_array) -> None:
        sample.add(values_nv, np.zeros(values_nv.shape[0]))
        repeats.update(values_nv, seen.update(values_nv))

    _look_over(source, matrix, (probe.update, keep), on_progress, threads)
    n_stored, n_known = int(seen.times_v.sum()), int(seen.times_v[match.target_v >= 0].sum())
    match, notes = without_odd(match, repeats.odd(), names[match.column])
    if notes:
        probe = CountsProbe()
        for block in source.blocks(matrix):
            probe.update(match.kept(block.values_nv))
    verdict = probe.verdict()
    if not verdict.usable:
        raise CountsError(verdict.evidence)
    match, padded = without_padding(match, seen)
    n_values = round(verdict.n_values * n_known / max(n_stored, 1))
    if n_values == 0:
        raise CountsError(f"no known gene has a count in any of the {source.n_cells:,} cells. {REMEDY}")
    candidate = Candidate(matrix, verdict, n_values, n_values / (source.n_cells * match.n_found))
    sample_nv, _, sample_at_s = sample.cells()
    findings = Findings(
        source=source.name,
        format=source.format,
        n_cells=source.n_cells,
        n_genes=len(match.target_v),
        matrix=matrix,
        verdict=verdict,
        match=match,
        warnings=(
            *source.notes(matrix),
            *notes,
            *padded,
            *notes_on_names(source.cell_names),
            *_remarks(verdict, match),
        ),
        sample_nv=sample_nv,
        sample_at_s=sample_at_s,
    )
    return findings, candidate


def _turned(source: CellSource, genes: list[object]) -> GeneMatchError | None:
    """Say that genes and cells have changed places, if they have."""
    step = 1 + source.n_cells // ENOUGH
    obs = source.obs().select_dtypes(include=["object", "string", "category"])[::step]
    names = [source.cell_names[::step].tolist(), *([str(value) for value in obs[column]] for column in obs)]
    cells = max(names, key=gene_share)
    if not genes_lie_first(cells, [str(gene) for gene in genes]):
        return None
    return GeneMatchError(
        f"genes and cells have changed places: the rows are genes (the first is {str(cells[0])!r}), the columns are "
        f"cells ({str(genes[0])!r}). Turn it round, for an AnnData with adata.T, and try again."
    )


def _remarks(verdict: CountsVerdict, match: GeneMatch) -> list[str]:
    remarks = [*match.notes, *verdict.remarks]
    if match.n_found < SMALL_PANEL:
        remarks.append(
            f"only {match.n_found:,} known genes are measured: expect broader types and more cells without an answer."
        )
    if verdict.n_empty:
        remarks.append(f"cells without any count, which stay unknown: {verdict.n_empty:,}.")
    return remarks


def _no_matrix(source: CellSource, refused: dict[str, SpoticellError]) -> SpoticellError:
    if not refused:
        return FileFormatError(f"{source.name} holds no matrix of counts.")
    (matrix, error), *others = refused.items()
    rest = f" Nor does anything else in it serve ({', '.join(name for name, _ in others)})." if others else ""
    return type(error)(f"{source.name}, {matrix}: {error}{rest}")
