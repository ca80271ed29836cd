"""Some cells as pictures on the gene grid, with the genes that make them what they are.

Axes: ``g`` the bundle's genes, ``o`` other cells.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spoticell.annotation.result import Annotation, Example
from spoticell.biology.ontology import load_ontology
from spoticell.report.captions import Label, place_labels
from spoticell.report.picture import level_colors, level_picture, most_its_own, strongest

SHOWN = 5
NAMED = 8
"""Genes that are named on a picture, and as many in the list beside it."""

ZOOM = 4
"""Side of a pixel of the grid in the picture that is sent; browsers blur smaller ones when they shrink them."""

LETTERS = 21
"""Height of the names on a picture, in its pixels."""

RING = 8


@dataclass(frozen=True)
class Mark:
    """A gene's name on a picture; a ring around its pixel comes with it."""

    label: Label
    line: str | None
    """Path from the ring to the name; None where they touch."""


@dataclass(frozen=True)
class Card:
    """A cell with its picture."""

    type: str
    color: str
    name: str
    score: float
    n_counts: float
    n_genes: int
    standing_out: tuple[tuple[str, float], ...] | None
    """Genes that make it stand out from other cells, with their counts; None where there are no others."""
    strongest: tuple[tuple[str, float], ...]
    """Genes with most counts."""
    image: str
    """Address that holds the picture itself."""
    marks: tuple[Mark, ...]
    """Names of the genes that make it stand out, or else of the strongest."""

    @property
    def marked(self) -> str:
        """The genes that are named on the picture, in words."""
        return ", ".join(mark.label.text for mark in self.marks) or "none"


@dataclass(frozen=True)
class Cards:
    """The cells that are shown, and what the reader of their pictures must know."""

    cards: tuple[Card, ...]
    compared: bool
    """Whether there are cells of other types to stand out from."""
    grid: int
    """Side of the grid in pixels."""
    genes_known: int
    genes_missing: int
    """Genes that the model knows and the file hasn't."""
    shades: tuple[str, ...]
    """Some of the colours of few to many counts."""
    unseen: str
    """Colour of a gene without counts."""
    unmeasured: str
    """Colour of a gene that isn't in the file."""
    ring: int = RING
    letters: int = LETTERS

    @property
    def side(self) -> int:
        """Of a picture."""
        return self.grid * ZOOM


def pick_examples(examples: Sequence[Example], annotation: Annotation, *, size: int = SHOWN) -> list[int]:
    """Choose the cells to show: one of each of the commonest broad types, then the commonest types that are left.

    Parameters
    ----------
    examples
        One clear cell of each of some types.
    annotation
        Answers of all cells, which say how common the types are.
    size
        How many to choose.

    Returns
    -------
    Positions in ``examples``, the commonest type first.
    """
    cells_m = np.bincount(annotation.answer_n[annotation.answer_n >= 0], minlength=len(annotation.nodes))
    common = sorted(range(len(examples)), key=lambda i: (-cells_m[examples[i].answer], i))
    ontology = load_ontology()
    broad = [ontology.broad(annotation.nodes[examples[i].answer]) for i in common]
    firsts = [i for place, i in enumerate(common) if broad[place] not in broad[:place]]
    chosen = [*firsts, *(i for i in common if i not in firsts)][:size]
    return [i for i in common if i in chosen]


def example_cards(examples: Sequence[Example], annotation: Annotation) -> Cards | None:
    """Draw the chosen cells; None where there are none."""
    if not examples:
        return None
    chosen = pick_examples(examples, annotation)
    counts_og = np.stack([example.counts_g for example in examples])
    match = annotation.findings.match
    _, unmeasured, unseen, *seen = level_colors()
    return Cards(
        cards=tuple(_card(examples[i], annotation, np.delete(counts_og, i, axis=0)) for i in chosen),
        compared=len(examples) > 1,
        grid=annotation.bundle.manifest.grid,
        genes_known=len(match.measured_g),
        genes_missing=len(match.measured_g) - match.n_found,
        shades=tuple(seen[::4]),
        unseen=unseen,
        unmeasured=unmeasured,
    )


def _card(example: Example, annotation: Annotation, others_og: NDArray[np.float32]) -> Card:
    own = most_its_own(example.counts_g, others_og, NAMED)
    levels_hw = level_picture(
        example.counts_g,
        annotation.bundle.pixel_g,
        measured_g=annotation.findings.match.measured_g,
        grid=annotation.bundle.manifest.grid,
    )
    return Card(
        type=annotation.names[example.answer],
        color=annotation.colors.of(annotation.nodes[example.answer]),
        name=example.name,
        score=example.score,
        n_counts=float(example.counts_g.sum()),
        n_genes=int((example.counts_g > 0).sum()),
        standing_out=_with_counts(own, example, annotation) if len(others_og) else None,
        strongest=_with_counts(strongest(example.counts_g, NAMED), example, annotation),
        image=_data_url(levels_hw),
        marks=_marks(own, annotation),
    )


def _with_counts(genes: NDArray[np.intp], example: Example, annotation: Annotation) -> tuple[tuple[str, float], ...]:
    symbols = annotation.bundle.vocabulary.symbols
    return tuple((symbols[g], float(example.counts_g[g])) for g in genes.tolist())


def _marks(own: NDArray[np.intp], annotation: Annotation) -> tuple[Mark, ...]:
    """Put the names of genes beside their pixels."""
    bundle = annotation.bundle
    grid = bundle.manifest.grid
    symbols = [bundle.vocabulary.symbols[g] for g in own.tolist()]
    rows, columns = np.divmod(bundle.pixel_g[own], grid)
    points = [((x + 0.5) * ZOOM, (y + 0.5) * ZOOM) for x, y in zip(columns.tolist(), rows.tolist(), strict=True)]
    labels = place_labels(symbols, points, side=grid * ZOOM, height=LETTERS, ring=RING)
    return tuple(Mark(label, _line(label)) for label in labels)


def _line(label: Label) -> str | None:
    start, end = np.array(label.point), np.array(label.line_end)
    length = float(np.hypot(*(end - start)))
    if length <= RING + 1:
        return None
    x, y = start + (end - start) * RING / length
    return f"M{x:.1f} {y:.1f}L{end[0]:.1f} {end[1]:.1f}"


def _data_url(levels_hw: NDArray[np.uint8]) -> str:
    """PNG with a palette, enlarged so that browsers keep the pixels sharp."""
    large = np.kron(levels_hw, np.ones((ZOOM, ZOOM), dtype=np.uint8))
    image = Image.fromarray(large, mode="P")
    image.putpalette(b"".join(bytes.fromhex(color[1:]) for color in level_colors()))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()
