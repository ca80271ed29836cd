"""What the matched reference cells say: types and evidence, where they contradict the classifier, novel cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from spoticell.annotation.evidence import AGREE, COMPATIBLE, CONFLICT
from spoticell.annotation.matches import Matches
from spoticell.annotation.result import Annotation
from spoticell.biology.palette import GREY, term_color
from spoticell.keys import UNKNOWN
from spoticell.report.html import Content, Markup, join, named, share, tag

SHOWN = 20
"""Types of the matches in the table."""
PAIRS = 12
"""Contradictions, and types of novel cells, that are listed."""
STUDIES = 3
"""Studies that are named for a type."""

WORDS = {
    AGREE: ("same type", "var(--accent)"),
    COMPATIBLE: ("one is coarser", "var(--q1)"),
    CONFLICT: ("they contradict", "var(--none)"),
    UNKNOWN: ("one gives none", GREY),
}
"""How classifier and matches may stand to each other, in words, with the colour of each."""


def match_section(annotation: Annotation) -> Markup | None:
    """Show the matches; None where no index was given."""
    matches = annotation.matches
    if matches is None:
        return None
    return join(
        [
            tag("p", _in_short(matches), class_="note"),
            _type_table(matches),
            tag("h3", "Beside the classifier", class_="apart"),
            *_agreement(annotation, matches),
            tag("h3", "Novel cells", class_="apart"),
            *_novel(annotation, matches),
        ]
    )


def _in_short(matches: Matches) -> Markup:
    total, agreed = len(matches.evidence), int((matches.evidence.answer_n >= 0).sum())
    nearest = min(matches.rule.matches, matches.n_references)
    return join(
        [
            f"Each cell was matched with the {nearest} nearest of {matches.n_references:,} reference cells in ",
            named(matches.name),
            f". For {agreed:,} of {total:,} cells ({share(agreed, total)}) the matches agree on a type.",
        ]
    )


def _type_table(matches: Matches) -> Markup:
    table = matches.by_type()
    studies = _studies_by_type(matches)
    rows = [
        (
            tag(
                "span",
                tag("i", class_="dot", style=f"background:{term_color(row['term'])}"),
                row["cell_type"],
                tag("small", studies.get(row["term"])),
            ),
            f"{row['cells']:,}",
            f"{row['matches']:.0f} of {row['voters']:.0f}",
            f"{row['studies']:.0f}",
            f"{row['similarity']:.2f}",
        )
        for row in table.head(SHOWN).to_dict(orient="records")
    ]
    if len(rest := table.iloc[SHOWN:]):
        rows.append((tag("span", f"{len(rest)} rarer types"), f"{rest['cells'].sum():,}", "", "", ""))
    if nothing := int((matches.evidence.answer_n < 0).sum()):
        name = tag("span", tag("i", class_="dot", style=f"background:{GREY}"), "no type")
        rows.append((name, f"{nothing:,}", "–", "–", "–"))
    heads = ("Type of the matches", "Cells", "Matches", "Studies", "Cosine")
    words = (
        "Matches: how many of a cell’s matches are of the type. Studies: how many these come from. Cosine: of the cell "
        "and its nearest reference. All are medians over the cells of a type."
    )
    note = tag("p", words, class_="note")
    return join([_table("Types that the matches agree on", heads, rows), note])


def _studies_by_type(matches: Matches) -> dict[str, str]:
    """Say for each type in which studies its nearest references are."""
    there = (matches.evidence.answer_n >= 0) & (matches.nearest_study_n != "")
    pairs = pd.DataFrame({"term": matches.terms_n, "study": matches.nearest_study_n})[there]
    words = {}
    for term, studies in pairs.groupby("term")["study"]:
        counts = sorted(studies.value_counts().items(), key=lambda item: (-item[1], str(item[0])))
        parts = [f"{str(study)[:60]} {share(cells, len(studies))}" for study, cells in counts[:STUDIES]]
        more = f" and {len(counts) - STUDIES} more" if len(counts) > STUDIES else ""
        words[str(term)] = f"nearest in {', '.join(parts)}{more}"
    return words


def _agreement(annotation: Annotation, matches: Matches) -> Iterable[Markup]:
    agreement = pd.Series(matches.agreement_with(annotation.terms_n))
    total, counts = len(agreement), agreement.value_counts()
    parts = [(*WORDS[word], int(counts.get(word, 0))) for word in WORDS]
    spoken = ", ".join(f"{words} {share(cells, total)}" for words, _, cells in parts)
    pieces = (
        tag("i", title=f"{words}: {cells:,} cells", style=f"flex-grow:{cells};background:{color}")
        for words, color, cells in parts
        if cells
    )
    yield tag("div", *pieces, class_="strip", role="img", aria_label=f"Classifier and matches: {spoken}.")
    key = (
        tag("li", tag("i", class_="dot", style=f"background:{color}"), f"{words} {share(cells, total)}")
        for words, color, cells in parts
    )
    yield tag("ul", *key, class_="striped", aria_hidden="true")
    pairs = pd.DataFrame({"ours": annotation.names_n, "theirs": matches.names_n})[(agreement == CONFLICT).to_numpy()]
    if len(pairs):
        yield _pair_table(pairs, "Cells in which they contradict", "The matches say")


def _pair_table(pairs: pd.DataFrame, caption: str, second: str) -> Markup:
    """Count pairs of a classifier's answer and another word, most first."""
    counts = pairs.value_counts(sort=False).reset_index(name="cells")
    counts = counts.sort_values(["cells", "ours", "theirs"], ascending=[False, True, True])
    rows: list[tuple[Content, ...]] = [
        (tag("span", row["ours"]), tag("span", named(row["theirs"])), f"{row['cells']:,}")
        for row in counts.head(PAIRS).to_dict(orient="records")
    ]
    if len(rest := counts.iloc[PAIRS:]):
        rows.append((tag("span", f"{len(rest)} rarer pairs"), "", f"{rest['cells'].sum():,}"))
    return _table(caption, ("The classifier says", second, "Cells"), rows, pairs=True)


def _novel(annotation: Annotation, matches: Matches) -> Iterable[Markup]:
    background, novel_n = matches.background, matches.evidence.novel_n
    if background is None:
        yield tag("p", "The index has no second study to compare with, so no cell can be called novel.", class_="note")
        return
    words = (
        f"{int(novel_n.sum()):,} of {len(novel_n):,} cells are farther from their nearest reference than "
        f"{1 - matches.rule.novelty:.0%} of references of known types are from theirs in another {background.unit}, "
        f"among those that match the same broad type. The index has {background.units} of these to judge by. Novel "
        "cells may be of a type that the index lacks, damaged, or measured in another way: a small gene panel moves "
        "all cells away."
    )
    yield tag("p", words, class_="note")
    if novel_n.any():
        pairs = pd.DataFrame({"ours": annotation.names_n[novel_n], "theirs": matches.nearest_type_n[novel_n]})
        yield _pair_table(pairs, "Novel cells", "The nearest reference is")


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Content]], *, pairs: bool = False) -> Markup:
    head = tag("thead", tag("tr", *(tag("th", word, scope="col") for word in heads)))
    body = (tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows)
    return tag(
        "table",
        tag("caption", caption, class_="hidden"),
        head,
        tag("tbody", *body),
        class_="types matches pairs" if pairs else "types matches",
    )
