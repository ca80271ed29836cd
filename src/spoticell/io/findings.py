"""What a source of cells holds and what would be used of it, found before anything is run.

The right matrix is looked for among all that a source has (layers, raw, X): its genes must be
known and counts must be had from its values.  Annotating is left to ``annotation``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from spoticell.biology.counts import CountsProbe, CountsVerdict, Kind
from spoticell.biology.genes import GeneMatch, Vocabulary, match_genes
from spoticell.errors import CountsError, FileFormatError, GeneMatchError, SpoticellError
from spoticell.io.source import CellSource
from spoticell.progress import Progress

SMALL_PANEL = 1000
"""Below so many known genes the reader is told that answers will be broader."""


@dataclass(frozen=True)
class Findings:
    """What a source holds and what would be used of it."""

    source: str
    """How messages call the source."""
    format: str
    n_cells: int
    n_genes: int
    """Genes of the matrix that would be used."""
    matrix: str
    verdict: CountsVerdict
    match: GeneMatch
    warnings: tuple[str, ...] = ()
    tried: tuple[tuple[str, str], ...] = ()
    """Matrices that were looked at and passed over, each with the reason."""

    def describe(self) -> list[str]:
        """Give the lines that a person should read, without colour."""
        return [
            f"{self.source} ({self.format}): {self.n_cells:,} cells, {self.n_genes:,} genes",
            f"counts: {self.matrix}: {self.verdict.evidence}",
            f"genes: {self.match.describe()}",
            *(f"passed over: {matrix}: {reason}" for matrix, reason in self.tried),
            *(f"note: {warning}" for warning in self.warnings),
        ]

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


def inspect(source: CellSource, vocabulary: Vocabulary, *, on_progress: Progress | None = None) -> Findings:
    """Find the matrix of a source from which counts of known genes can be had.

    All cells are looked at.  Among several matrices that serve, real counts go before counts
    that were recovered from something else, and then the source's own order decides.

    Parameters
    ----------
    source
        The open source.
    vocabulary
        The genes to look for: a bundle's, or the packaged ones.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SpoticellError
        If no matrix serves: what is wrong with the likeliest one, and with the others in a word.
    """
    if source.n_cells == 0:
        raise FileFormatError(f"{source.name} holds no cells, so there is nothing to annotate.")
    served: list[Findings] = []
    refused: list[tuple[str, SpoticellError]] = []
    for position, matrix in enumerate(source.matrices):
        try:
            found = _inspect_matrix(source, matrix, vocabulary, _part(on_progress, position, len(source.matrices)))
        except (CountsError, GeneMatchError) as error:
            refused.append((matrix, error))
            continue
        served.append(found)
        if found.verdict.kind is Kind.COUNTS:
            break
    if not served:
        raise _no_matrix(source, refused)
    best = min(served, key=_rank)
    passed_over = [(matrix, str(error)) for matrix, error in refused]
    passed_over += [(other.matrix, other.verdict.evidence) for other in served if other is not best]
    return replace(best, tried=tuple(passed_over))


def _inspect_matrix(source: CellSource, matrix: str, vocabulary: Vocabulary, on_progress: Progress) -> Findings:
    columns = {name: names.tolist() for name, names in source.gene_columns(matrix).items()}
    match = match_genes(columns, vocabulary)
    probe = CountsProbe()
    for block in source.blocks(matrix):
        probe.update(block.values_nv)
        on_progress(block.start + len(block), source.n_cells)
    verdict = probe.verdict()
    if not verdict.usable:
        raise CountsError(verdict.evidence)
    return Findings(
        source=source.name,
        format=source.format,
        n_cells=source.n_cells,
        n_genes=len(match.target_v),
        matrix=matrix,
        verdict=verdict,
        match=match,
        warnings=(*source.warnings, *_remarks(verdict, match)),
    )


def _remarks(verdict: CountsVerdict, match: GeneMatch) -> list[str]:
    remarks = []
    if match.n_found < SMALL_PANEL:
        remarks.append(
            f"only {match.n_found:,} known genes are measured: expect broader types and more cells without an answer."
        )
    if verdict.n_empty:
        remarks.append(f"cells without any count, which stay unknown: {verdict.n_empty:,}.")
    return remarks


def _part(on_progress: Progress | None, position: int, parts: int) -> Progress:
    """Turn the progress within one matrix into that over all of them."""

    def report(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(position * total + done, parts * total)

    return report


def _rank(found: Findings) -> int:
    kinds = (Kind.COUNTS, Kind.NEAR_COUNTS)
    return kinds.index(found.verdict.kind) if found.verdict.kind in kinds else len(kinds)


def _no_matrix(source: CellSource, refused: list[tuple[str, SpoticellError]]) -> SpoticellError:
    if not refused:
        return FileFormatError(f"{source.name} holds no matrix of counts.")
    (matrix, error), *others = refused
    rest = f" Nor does anything else in it serve ({', '.join(name for name, _ in others)})." if others else ""
    return type(error)(f"{source.name}, {matrix}: {error}{rest}")
