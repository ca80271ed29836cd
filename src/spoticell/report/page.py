"""One page about an annotation, for the person who ran it.

The page is a single file without scripts that loads nothing from anywhere: text, tables, drawings and small
pictures.  The same annotation gives the same bytes.  What stands on it is made in ``sections``, its
look is in ``templates/report.html``.  For pictures in Python see ``plots``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from spoticell.annotation.result import Annotation, Example
from spoticell.io.write import atomic
from spoticell.report.html import Markup, escape, join, named, share, tag
from spoticell.report.sections.composition import compose, composition_strip, composition_table
from spoticell.report.sections.examples import example_cards, pick_examples
from spoticell.report.sections.facts import found, repeat
from spoticell.report.sections.matches import match_section
from spoticell.report.sections.scatter import map_section
from spoticell.report.sections.scores import figures, score_section

__all__ = ["pick_examples", "write_report"]


def write_report(annotation: Annotation, path: Path, *, examples: Sequence[Example], command: str) -> Path:
    """Write the page.

    Parameters
    ----------
    annotation
        The answers.
    path
        Where to write, ``.html``; what is there is replaced when the page is whole.
    examples
        One clear cell of each type, or of the commonest; five are shown, spread over broad types.
    command
        What repeats the run.

    Returns
    -------
    ``path``.

    Raises
    ------
    OutputError
        If the page can't be written.
    """
    page = render(annotation, examples=examples, command=command)
    with atomic(path) as passing:
        passing.write_text(page, encoding="utf-8", newline="\n")
    return path


def render(annotation: Annotation, *, examples: Sequence[Example], command: str) -> str:
    """Give the page as text."""
    lineages = compose(annotation)
    cells = example_cards(examples, annotation) if examples else None
    sections = [
        ("found", "What was found in the file", found(annotation)),
        ("types", "Types", composition_table(lineages, annotation)),
        ("map", "Map of the fingerprints", map_section(annotation, lineages)),
        ("scores", "How sure the answers are", score_section(annotation)),
        ("matches", "Matches with reference cells", match_section(annotation)),
        ("cells", "Cells on the gene grid", cells),
        ("repeat", "To do it again", repeat(annotation, command)),
    ]
    sections = [section for section in sections if section[2] is not None]
    links = (tag("a", title, href=f"#{place}") for place, title, _ in sections)
    main = (tag("section", tag("h2", title), content, id=place) for place, title, content in sections)
    head = [
        tag("p", "Spoticell report", class_="eyebrow"),
        tag("h1", named(annotation.findings.source)),
        tag("p", _in_short(annotation), class_="lead"),
        composition_strip(lineages, annotation),
        figures(annotation, sum(len(lineage.rows) for lineage in lineages)),
        tag("nav", *links, aria_label="On this page"),
    ]
    template = files("spoticell").joinpath("report", "templates", "report.html").read_text(encoding="utf-8")
    title = escape(f"{annotation.findings.source[:120]} · Spoticell report")
    return Template(template).substitute(title=title, head=join(head), main=join(main))


def _in_short(annotation: Annotation) -> Markup:
    total = len(annotation.answer_n)
    named_cells = int((annotation.answer_n >= 0).sum())
    unknown = total - named_cells
    rest = f" {unknown:,} {'is' if unknown == 1 else 'are'} unknown ({share(unknown, total)})." if unknown else ""
    return escape(f"{named_cells:,} of {total:,} cells have a type ({share(named_cells, total)}).{rest}")
