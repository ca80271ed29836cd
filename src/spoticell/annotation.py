"""The answers for a source of cells, and how they are gathered from its blocks.

What grows with the matrix isn't kept: of fingerprints an even sample, of counts a few example cells.
The blocks come from ``stream``; the columns and keys that are written are in ``outputs``.
Axes: ``n`` cells, ``g`` the bundle's genes, ``m`` ontology nodes, ``d`` fingerprint, ``s`` sampled cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.allowed import Allowed
from spoticell.bundle import Bundle
from spoticell.findings import Findings
from spoticell.io.source import CellSource
from spoticell.keys import UNKNOWN
from spoticell.ontology import load_ontology
from spoticell.runtime import Runtime
from spoticell.stream import AnnotatedBlock

if TYPE_CHECKING:
    from spoticell.matching import Matcher, Matches

SAMPLE = 20_000
"""Most cells whose fingerprints are kept for a picture of them."""

EXAMPLES = 40
"""Cells that are kept with their counts, for pictures on the gene grid."""

EMPTY = "no counts in known genes"
UNSURE = "no type passed the threshold"
BARRED = "next to nothing speaks for an allowed type"
DOUBTED = "too little speaks for any type that the model knows"


@dataclass(frozen=True)
class Example:
    """The surest cell of one type, with its counts."""

    position: int
    """In the source."""
    name: str
    answer: int
    """Position in the bundle's nodes."""
    score: float
    counts_g: NDArray[np.float32]


@dataclass(frozen=True)
class Annotation:
    """The answers for a source of cells."""

    findings: Findings
    bundle: Bundle
    threshold: float
    answer_n: NDArray[np.intp]
    """Position in ``nodes``; -1 is unknown."""
    score_n: NDArray[np.float32]
    """Chance that the answer is right, in [0, 1]; 0 for unknown."""
    barred_n: NDArray[np.bool_]
    """Which cells are unknown because the types that an answer may be are too unlikely for them."""
    doubted_n: NDArray[np.bool_]
    """Which cells are unknown because their answer would have been too doubtful."""
    n_counts_n: NDArray[np.float32]
    n_genes_n: NDArray[np.int32]
    sample_s: NDArray[np.intp]
    """Positions of the cells whose fingerprints are held, rising: all cells, or `SAMPLE` of them evenly spread."""
    fingerprint_sd: NDArray[np.float32]
    examples: tuple[Example, ...]
    """The surest cell of each of the commonest types."""
    probabilities_nm: NDArray[np.float32] | None = None
    """Not held where they go to a file in blocks."""
    position_s2: NDArray[np.float64] | None = None
    """Places of the sampled cells on a map, if one was made; NaN for cells without counts."""
    matches: Matches | None = None
    """What an index of reference cells says; None where none was given."""
    allowed: Allowed | None = None
    """The types that an answer may be; None where that is any of the bundle's."""

    @property
    def least_score(self) -> float:
        """Score that the answer of a cell with enough counts has at least."""
        trust = self.bundle.manifest.trust
        return self.threshold if trust is None else min(trust.doubt, self.threshold)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Ontology terms that ``answer_n`` points into."""
        return self.bundle.nodes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of ``nodes``."""
        return self.bundle.node_names

    @cached_property
    def terms_n(self) -> NDArray[np.object_]:
        """Ontology term of each cell's answer, or ``unknown``."""
        return self._spread(self.nodes)

    @cached_property
    def names_n(self) -> NDArray[np.object_]:
        """Name of each cell's answer, or ``unknown``."""
        return self._spread(self.names)

    @cached_property
    def broad_n(self) -> NDArray[np.object_]:
        """Each cell's answer rolled up to a broad type, or ``unknown``."""
        ontology = load_ontology()
        broad = {node: ontology.broad(node) for node in self.nodes}
        return self._spread([ontology.name(term) if term in ontology else UNKNOWN for term in broad.values()])

    def summary(self) -> pd.DataFrame:
        """Give the composition: ``cell_type``, ``term``, ``cells``, ``share`` and ``median_score``, commonest first.

        ``unknown`` comes last; its score is 0.
        """
        table = pd.DataFrame({"cell_type": self.names_n, "term": self.terms_n, "score": self.score_n})
        rows = (
            table.groupby(["cell_type", "term"], sort=True)["score"]
            .agg(cells="size", median_score="median")
            .reset_index()
        )
        rows["share"] = rows["cells"] / max(len(table), 1)
        rows["last"] = rows["term"] == UNKNOWN
        rows = rows.sort_values(["last", "cells", "cell_type"], ascending=[True, False, True], ignore_index=True)
        return rows[["cell_type", "term", "cells", "share", "median_score"]]

    def why_unknown(self) -> dict[str, int]:
        """Count the cells without an answer by reason; only reasons that occur."""
        empty_n = self.n_counts_n == 0
        unsure_n = (self.answer_n < 0) & ~empty_n & ~self.barred_n & ~self.doubted_n
        reasons = {EMPTY: empty_n, UNSURE: unsure_n, BARRED: self.barred_n, DOUBTED: self.doubted_n}
        return {reason: int(cells_n.sum()) for reason, cells_n in reasons.items() if cells_n.any()}

    def _spread(self, of_node: tuple[str, ...] | list[str]) -> NDArray[np.object_]:
        # unknown is last, where -1 points
        return np.array([*of_node, UNKNOWN], dtype=object)[self.answer_n]


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
