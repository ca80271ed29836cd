"""How sure the answers are: the histogram of scores, and why cells are unknown."""

from __future__ import annotations

import numpy as np

from spoticell.annotation.result import Annotation
from spoticell.report.html import Markup, share, tag

BINS = 20


def score_section(annotation: Annotation) -> Markup:
    """Draw the histogram of the scores of named cells, and say what became of the others."""
    return tag("div", _histogram(annotation), _unknown(annotation), class_="pair")


def _histogram(annotation: Annotation) -> Markup:
    score_n = annotation.score_n[annotation.answer_n >= 0]
    cells_b, edges_b = np.histogram(score_n, bins=BINS, range=(0, 1))
    tallest = max(int(cells_b.max()), 1)
    bars = (
        tag("i", title=f"{low:.2f} to {high:.2f}: {cells:,} cells", style=f"height:{100 * cells / tallest:.2f}%")
        for cells, low, high in zip(cells_b.tolist(), edges_b[:-1], edges_b[1:], strict=True)
    )
    least = annotation.least_score
    mark = tag(
        "span",
        tag("span", f"unknown below {least:.2f}"),
        class_="mark left" if least > 0.5 else "mark",
        style=f"left:{100 * least:.2f}%",
    )
    ticks = (tag("span", f"{tick:.1f}", style=f"left:{100 * tick:.0f}%") for tick in (0, 0.2, 0.4, 0.6, 0.8, 1.0))
    words = _in_words(score_n)
    return tag(
        "figure",
        tag("div", *bars, mark, class_="histogram", role="img", aria_label=f"Histogram of scores. {words}"),
        tag("div", *ticks, class_="ticks", aria_hidden="true"),
        tag("figcaption", f"Score of the answer, {len(score_n):,} cells. {words}"),
    )


def _in_words(score_n: np.ndarray) -> str:
    if not len(score_n):
        return "No cell has an answer."
    sure = int((score_n >= 0.9).sum())
    return f"The median is {np.median(score_n):.2f}; {share(sure, len(score_n))} are at 0.90 or above."


def _unknown(annotation: Annotation) -> Markup:
    total, unknown = len(annotation.answer_n), int((annotation.answer_n < 0).sum())
    if not unknown:
        return tag("div", tag("h3", "No cell is unknown"), tag("p", "Each has an answer that is sure enough."))
    reasons = (
        tag("li", tag("b", f"{cells:,}"), f" {reason} ({share(cells, unknown)})")
        for reason, cells in annotation.why_unknown().items()
    )
    advice = (
        "An unknown cell may be of a type that the model was not trained on, two cells in one droplet, or too poor in "
        "counts. A lower threshold names more cells, and more of them wrongly."
    )
    return tag(
        "div",
        tag("h3", f"Unknown: {unknown:,} of {total:,} cells, {share(unknown, total)}"),
        tag("ul", *reasons, class_="plain"),
        tag("p", advice),
    )


def figures(annotation: Annotation, types: int) -> Markup:
    """Give the numbers at the head of the page."""
    total = len(annotation.answer_n)
    score_n = annotation.score_n[annotation.answer_n >= 0]
    match = annotation.findings.match
    facts = [
        (f"{total:,}", "cells"),
        (share(len(score_n), total), "named"),
        (f"{types:,}", "types"),
        (f"{np.median(score_n):.2f}" if len(score_n) else "–", "median score"),
        (share(match.n_found, len(match.measured_g)), "of the model’s genes measured"),
    ]
    return tag("dl", *(tag("div", tag("dt", word), tag("dd", number)) for number, word in facts), class_="figures")
