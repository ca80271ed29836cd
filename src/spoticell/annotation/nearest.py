"""The type that comes nearest to some cells, whether or not it is sure enough to be their answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spoticell.annotation.result import AnnotatedBlock, Annotation, FirstBlock
from spoticell.biology.answer_rule import rule_of
from spoticell.biology.ontology import load_ontology
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.model.bundle import Bundle


class NearestSink:
    """Keeps what some cells would be called if any probability were enough.

    Parameters
    ----------
    place
        Their positions in the source, by their names.
    """

    def __init__(self, place: Mapping[str, int]) -> None:
        self.place = place
        self._nodes: tuple[str, ...] = ()
        self.node_of: dict[int, int] = {}
        """Position of the type among the model's nodes, of each of the cells for which something speaks."""

    def begin(self, source: CellSource, findings: Findings, bundle: Bundle) -> None:
        """Take the types of the model."""
        self._nodes = bundle.nodes

    def see(self, block: FirstBlock) -> None:
        """Do nothing: what counts is the answers."""

    def add(self, block: AnnotatedBlock) -> None:
        """Keep the types of the cells that are in a block."""
        offsets = {n - block.start for n in self.place.values()}
        rows = np.array(sorted(row for row in offsets if 0 <= row < len(block)), dtype=np.intp)
        rows = rows[block.probabilities_nm[rows].any(axis=1)]
        node_r, _ = rule_of(self._nodes, load_ontology()).answers(block.probabilities_nm[rows], 0.0)
        self.node_of |= dict(zip((rows + block.start).tolist(), node_r.tolist(), strict=True))

    def finish(self, annotation: Annotation) -> None:
        """Do nothing: all is kept."""

    def abandon(self) -> None:
        """Do nothing: nothing is written."""
