"""The genes that speak for the commonest types, asked of the surest cell of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import sparse

from spoticell.annotation.explanation import explain_cells
from spoticell.annotation.result import Annotation, Example
from spoticell.model.reasons import through_weights

SHOWN, NAMED = 10, 10
"""Types, the commonest, and genes of each."""


@dataclass(frozen=True)
class Reason:
    """What speaks for a type."""

    term: str
    cell_type: str
    color: str
    probability: float
    """The network's probability of the type in the cell that was asked."""
    genes: tuple[str, ...]
    """Loudest first."""


def reasons(examples: Sequence[Example], annotation: Annotation) -> tuple[Reason, ...] | None:
    """Ask one clear cell of each type what speaks for it; None where the model brings no weights to ask."""
    way = through_weights(annotation.bundle) if examples else None
    if way is None:
        return None
    measured_g = annotation.findings.match.measured_g
    told = []
    for example in examples[:SHOWN]:
        term = annotation.nodes[example.answer]
        counts_1g = sparse.csr_array(example.counts_g[None])
        found = explain_cells(
            counts_1g, measured_g, way, node=example.answer, name=example.name, term=term, cells=1, changed=0
        )
        genes = tuple(annotation.bundle.vocabulary.symbols[g] for g in found.genes(NAMED)[0])
        color = annotation.colors.of(term)
        told.append(Reason(term, annotation.names[example.answer], color, found.probability, genes))
    return tuple(told)
