"""Where annotated blocks go: an `Annotation` in memory, an h5ad file, a csv file.

Axes: ``n`` cells, ``g`` the bundle's genes, ``m`` ontology nodes, ``d`` fingerprint, ``s`` sampled cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.allowed import Allowed
from spoticell.annotation.result import AnnotatedBlock
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.model.runtime import Runtime

if TYPE_CHECKING:
    from spoticell.annotation.matches import Matcher
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spoticell.annotation.matches import Matcher
from spoticell.annotation.outputs import obs_columns
from spoticell.annotation.result import Annotation
from spoticell.io import BLOCK
from spoticell.io.write import write_csv
from spoticell.keys import KEY_ADDED, MATCH_MEAN, MATCH_P, MATCH_SHARE, MATCH_SIMILARITY, N_COUNTS, SCORE

if TYPE_CHECKING:
    from spoticell.io.annotated import AnnotatedH5ad
from spoticell.annotation.result import EXAMPLES, Example

ROWS = 16 * BLOCK
"""Rows of a csv file that are made at once."""

SAMPLE = 20_000
"""Most cells whose fingerprints are kept for a picture of them."""


class Collector:
    """Gathers annotated blocks into an `Annotation`, holding a bounded part of what is large.

    Parameters
    ----------
    source, findings, runtime
        What is annotated, and with what.
    threshold, allowed
        Those that the answers were decided with.
    sample
        Most cells whose fingerprints to hold.
    keep_probabilities
        Whether to hold the probabilities of every node for every cell too.
    matcher
        What matches the fingerprints with an index, if that is wanted.
    """

    def __init__(
        self,
        source: CellSource,
        findings: Findings,
        runtime: Runtime,
        *,
        threshold: float,
        allowed: Allowed | None = None,
        sample: int = SAMPLE,
        keep_probabilities: bool = False,
        matcher: Matcher | None = None,
    ) -> None:
        n = source.n_cells
        self._matcher = matcher
        self.source, self.findings, self.bundle = source, findings, runtime.bundle
        self.threshold, self.allowed = threshold, allowed
        self._answer_n = np.full(n, -1, dtype=np.intp)
        self._score_n = np.zeros(n, dtype=np.float32)
        self._barred_n = np.zeros(n, dtype=np.bool_)
        self._doubted_n = np.zeros(n, dtype=np.bool_)
        self._n_counts_n = np.zeros(n, dtype=np.float32)
        self._n_genes_n = np.zeros(n, dtype=np.int32)
        self._sample_s = spread_sample(n, sample, rng=np.random.default_rng(0))
        self._fingerprint_sd = np.zeros((len(self._sample_s), self.bundle.manifest.fingerprint_size), dtype=np.float32)
        shape = (n, len(self.bundle.nodes))
        self._probabilities_nm = np.zeros(shape, dtype=np.float32) if keep_probabilities else None
        self._surest: dict[int, Example] = {}

    def add(self, block: AnnotatedBlock) -> None:
        """Take in a block."""
        rows = slice(block.start, block.start + len(block))
        self._answer_n[rows] = block.answer_n
        self._score_n[rows] = block.score_n
        self._barred_n[rows] = block.barred_n
        self._doubted_n[rows] = block.doubted_n
        self._n_counts_n[rows] = block.n_counts_n
        self._n_genes_n[rows] = block.n_genes_n
        first, last = np.searchsorted(self._sample_s, (rows.start, rows.stop))
        self._fingerprint_sd[first:last] = block.fingerprint_nd[self._sample_s[first:last] - block.start]
        if self._probabilities_nm is not None:
            self._probabilities_nm[rows] = block.probabilities_nm
        self._remember_surest(block)
        if self._matcher is not None:
            self._matcher.add(block.fingerprint_nd)

    def finish(self) -> Annotation:
        """Give all that was taken in."""
        types, cells = np.unique(self._answer_n[self._answer_n >= 0], return_counts=True)
        commonest = types[np.argsort(-cells, kind="stable")][:EXAMPLES]
        return Annotation(
            findings=self.findings,
            bundle=self.bundle,
            threshold=self.threshold,
            answer_n=self._answer_n,
            score_n=self._score_n,
            barred_n=self._barred_n,
            doubted_n=self._doubted_n,
            n_counts_n=self._n_counts_n,
            n_genes_n=self._n_genes_n,
            sample_s=self._sample_s,
            fingerprint_sd=self._fingerprint_sd,
            examples=tuple(self._surest[int(answer)] for answer in commonest),
            probabilities_nm=self._probabilities_nm,
            matches=None if self._matcher is None else self._matcher.finish(),
            allowed=self.allowed,
        )

    def _remember_surest(self, block: AnnotatedBlock) -> None:
        for answer in np.unique(block.answer_n[block.answer_n >= 0]).tolist():
            row = int(np.where(block.answer_n == answer, block.score_n, -1).argmax())
            score = float(block.score_n[row])
            if answer not in self._surest or score > self._surest[answer].score:
                name = str(self.source.cell_names[block.start + row])
                counts_g = block.counts_ng[[row]].toarray()[0]
                self._surest[answer] = Example(block.start + row, name, answer, score, counts_g)


def spread_sample(n: int, size: int, *, rng: np.random.Generator) -> NDArray[np.intp]:
    """Give up to ``size`` positions among ``n``, rising and evenly spread: one at random from each equal stretch.

    Examples
    --------
    >>> spread_sample(3, 5, rng=np.random.default_rng(0)).tolist()
    [0, 1, 2]
    """
    size = min(n, size)
    edges = np.arange(size + 1, dtype=np.int64) * n // max(size, 1)
    return rng.integers(edges[:-1], edges[1:]).astype(np.intp)


def open_h5ad(source: CellSource, path: Path, output: Path, findings: Findings, runtime: Runtime) -> AnnotatedH5ad:
    """Open the h5ad file that answers are written to in blocks."""
    from spoticell.io.annotated import AnnotatedH5ad  # noqa: PLC0415 - anndata is slow to load, and csv does without

    return AnnotatedH5ad(
        output,
        source=source,
        matrix=findings.matrix,
        path_in=path,
        fingerprint_size=runtime.bundle.manifest.fingerprint_size,
        n_nodes=len(runtime.bundle.nodes),
    )


def write_answers(path: Path, annotation: Annotation, cell_names: pd.Index) -> None:
    """Write the answers as csv, a row for each cell under its name."""
    write_csv(path, _tables(annotation, cell_names))


def _tables(annotation: Annotation, cell_names: pd.Index) -> Iterator[pd.DataFrame]:
    """Give the rows of the csv file in parts: counts without a decimal point, scores with six."""
    table = obs_columns(annotation)
    table.insert(0, "cell", np.asarray(cell_names, dtype=object))
    counts = N_COUNTS.format(key=KEY_ADDED)
    rounded = [name.format(key=KEY_ADDED) for name in (SCORE, MATCH_SHARE, MATCH_SIMILARITY, MATCH_MEAN, MATCH_P)]
    for name in table.columns.intersection(rounded):
        table[name] = table[name].astype(np.float64).round(6)
    whole = (annotation.n_counts_n % 1 == 0).all()
    table[counts] = table[counts].astype(np.int64) if whole else table[counts].astype(np.float64).round(3)
    for start in range(0, max(len(table), 1), ROWS):
        yield table.iloc[start : start + ROWS]
