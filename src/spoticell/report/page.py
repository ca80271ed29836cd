"""One page about an annotation, for the person who ran it.

The page is a single file without scripts that loads nothing from anywhere: text, tables, drawings and small
pictures.  The same annotation gives the same bytes.  What stands on it is counted in ``sections``, its words and its
look are in ``templates``.  For pictures in Python see ``plots``.
"""

from __future__ import annotations

from collections.abc import Sequence

from spoticell.annotation.result import Annotation, Example
from spoticell.io.address import Place
from spoticell.io.write import atomic
from spoticell.report.html import fill
from spoticell.report.sections.composition import compose, type_table
from spoticell.report.sections.examples import example_cards
from spoticell.report.sections.facts import found, repeat
from spoticell.report.sections.groups import group_table
from spoticell.report.sections.head import head
from spoticell.report.sections.matches import match_evidence
from spoticell.report.sections.reasons import reasons
from spoticell.report.sections.samples import sample_view
from spoticell.report.sections.scatter import fingerprint_map
from spoticell.report.sections.scores import scores

TITLES = {
    "found": "What was found in the file",
    "types": "Types",
    "samples": "Samples",
    "groups": "Groups",
    "map": "Map of the fingerprints",
    "scores": "How sure the answers are",
    "matches": "Matches with reference cells",
    "cells": "Cells on the gene grid",
    "reasons": "Genes that speak for the types",
    "repeat": "How to repeat the run",
}
"""Of the sections, in their order; each has a template of its name, which finds its values under this name."""


def write_report(
    annotation: Annotation, path: Place, *, examples: Sequence[Example], command: str, overwrite: bool = True
) -> Place:
    """Write the page.

    Parameters
    ----------
    annotation
        The answers.
    path
        Where to write, ``.html``.
    examples
        One clear cell of each type, or of the commonest; five are shown, spread over broad types.
    command
        What repeats the run.
    overwrite
        Whether a page may be replaced that is there when this one is whole.

    Returns
    -------
    ``path``.

    Raises
    ------
    OutputError
        If the page can't be written.
    """
    page = render(annotation, examples=examples, command=command)
    with atomic(path, overwrite=overwrite) as passing:
        passing.write_text(page, encoding="utf-8", newline="\n")
    return path


def render(annotation: Annotation, *, examples: Sequence[Example], command: str) -> str:
    """Give the page as text."""
    lineages = compose(annotation)
    values = {
        "found": found(annotation),
        "types": type_table(lineages, annotation),
        "samples": sample_view(annotation),
        "groups": group_table(annotation),
        "map": fingerprint_map(annotation, lineages),
        "scores": scores(annotation),
        "matches": match_evidence(annotation),
        "cells": example_cards(examples, annotation),
        "reasons": reasons(examples, annotation),
        "repeat": repeat(annotation, command),
    }
    sections = [(place, title) for place, title in TITLES.items() if values[place] is not None]
    source = annotation.findings.source
    return fill(
        "report.html", source=source, title=source[:120], head=head(annotation, lineages), sections=sections, **values
    )
