"""Some cells as pictures on the gene grid, with the genes that make them what they are.

Axes: ``g`` the bundle's genes, ``o`` other cells.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spoticell.annotation.result import Annotation, Example
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import term_color
from spoticell.report.captions import Label, place_labels
from spoticell.report.html import Markup, join, named, tag
from spoticell.report.picture import level_colors, level_picture, most_its_own, strongest

SHOWN = 5
NAMED = 8
"""Genes that are named on a picture, and as many in the list beside it."""

ZOOM = 4
"""Side of a pixel of the grid in the picture that is sent; browsers blur smaller ones when they shrink them."""

LETTERS = 21
"""Height of the names on a picture, in its pixels."""

RING = 8


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


def example_cards(examples: Sequence[Example], annotation: Annotation) -> Markup:
    """Draw the chosen cells, and say how to read a picture."""
    chosen = pick_examples(examples, annotation)
    counts_og = np.stack([example.counts_g for example in examples])
    cards = [_card(examples[i], annotation, np.delete(counts_og, i, axis=0)) for i in chosen]
    return tag("div", *cards, _how_to_read(annotation), class_="cells")


def _card(example: Example, annotation: Annotation, others_og: NDArray[np.float32]) -> Markup:
    term, name = annotation.nodes[example.answer], annotation.names[example.answer]
    own = most_its_own(example.counts_g, others_og, NAMED)
    counts, genes = float(example.counts_g.sum()), int((example.counts_g > 0).sum())
    striking = "Stands out by" if len(others_og) else "Strongest"
    facts = [
        tag("p", named(example.name), f" · score {example.score:.2f} · {counts:,.0f} counts in {genes:,} genes"),
        tag("p", tag("b", striking), " ", _genes(own, example, annotation)),
    ]
    if len(others_og):
        most = strongest(example.counts_g, NAMED)
        facts.append(tag("p", tag("b", "Most counts"), " ", _genes(most, example, annotation)))
    return tag(
        "figure",
        _picture(example, annotation, own),
        tag("figcaption", tag("h3", tag("i", class_="dot", style=f"background:{term_color(term)}"), name), *facts),
    )


def _genes(genes: NDArray[np.intp], example: Example, annotation: Annotation) -> Markup:
    symbols = annotation.bundle.vocabulary.symbols
    words = [join([tag("span", symbols[g]), f" {example.counts_g[g]:,.4g}"]) for g in genes.tolist()]
    return tag("span", *(tag("span", word, class_="gene") for word in words), class_="genes")


def _picture(example: Example, annotation: Annotation, own: NDArray[np.intp]) -> Markup:
    bundle = annotation.bundle
    grid = bundle.manifest.grid
    side = grid * ZOOM
    levels_hw = level_picture(
        example.counts_g, bundle.pixel_g, measured_g=annotation.findings.match.measured_g, grid=grid
    )
    symbols = [bundle.vocabulary.symbols[g] for g in own.tolist()]
    rows, columns = np.divmod(bundle.pixel_g[own], grid)
    points = [((x + 0.5) * ZOOM, (y + 0.5) * ZOOM) for x, y in zip(columns.tolist(), rows.tolist(), strict=True)]
    labels = place_labels(symbols, points, side=side, height=LETTERS, ring=RING)
    words = f"A {annotation.names[example.answer]} on the gene grid; marked are {', '.join(symbols) or 'no genes'}."
    return tag(
        "svg",
        tag("image", href=_data_url(levels_hw), width=side, height=side),
        *(_mark(label) for label in labels),
        *(_name(label) for label in labels),
        viewBox=f"{-RING} {-RING} {side + 2 * RING} {side + 2 * RING}",
        role="img",
        aria_label=words,
        class_="sky",
    )


def _mark(label: Label) -> Markup:
    """Draw a ring around the pixel, and a line from the ring to the name."""
    start, end = np.array(label.point), np.array(label.line_end)
    length = float(np.hypot(*(end - start)))
    ring = tag("circle", cx=label.point[0], cy=label.point[1], r=RING)
    if length <= RING + 1:
        return ring
    x, y = start + (end - start) * RING / length
    return join([ring, tag("path", d=f"M{x:.1f} {y:.1f}L{end[0]:.1f} {end[1]:.1f}")])


def _name(label: Label) -> Markup:
    return tag("text", label.text, x=label.middle[0], y=label.middle[1] + 0.36 * LETTERS, font_size=LETTERS)


def _data_url(levels_hw: NDArray[np.uint8]) -> str:
    """PNG with a palette, enlarged so that browsers keep the pixels sharp."""
    large = np.kron(levels_hw, np.ones((ZOOM, ZOOM), dtype=np.uint8))
    image = Image.fromarray(large, mode="P")
    image.putpalette(b"".join(bytes.fromhex(color[1:]) for color in level_colors()))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()


def _how_to_read(annotation: Annotation) -> Markup:
    grid, match = annotation.bundle.manifest.grid, annotation.findings.match
    _, unmeasured, unseen, *seen = level_colors()
    steps = (tag("i", style=f"background:{color}") for color in seen[::4])
    unknown_genes = len(match.measured_g) - match.n_found
    return tag(
        "div",
        tag("h3", "How to read a picture"),
        tag(
            "p",
            f"Each of the {len(match.measured_g):,} genes that the model knows has its own pixel on a grid of "
            f"{grid} × {grid}, the same in every cell. The more counts of a gene, the brighter its pixel "
            "(square root of the counts, white from the cell’s strongest hundredth of genes on).",
        ),
        tag("p", tag("span", *steps, class_="scale"), " few to many counts"),
        tag("p", tag("i", class_="swatch", style=f"background:{unseen}"), " measured, no count in this cell"),
        tag(
            "p",
            tag("i", class_="swatch", style=f"background:{unmeasured}"),
            f" not in this file ({unknown_genes:,} genes)" if unknown_genes else " no gene",
        ),
        tag(
            "p",
            "Marked are genes that stand out from the clear cells of the other types. "
            "Beside each gene stand its counts in the cell.",
        ),
        class_="how",
    )
