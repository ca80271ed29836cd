"""Tables that commands print: a composition, figures, the facts about a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spoticell.cli.words import one_line
from spoticell.keys import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

    from spoticell.annotation.groups import Groups
    from spoticell.annotation.matches import Matches
    from spoticell.annotation.result import Annotation
    from spoticell.model.catalogue import Offer
    from spoticell.model.manifest import Manifest

TOP = 12
"""Types that are named in a composition; the others are summed."""


WIDTH = 80
"""Letters of a line in a terminal."""

GENES = 5
"""Genes that are named of a group."""
WORD, LINE = 100, 300
"""Characters that are shown of others' words in a table, and of those on a line of their own."""


def columns(rows: Sequence[tuple[str, ...]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Line up the cells of a table; those at the places in ``right`` are set flush right.

    Examples
    --------
    >>> columns([("cells", "type"), ("7", "B cell")], right=frozenset({0}))
    ['cells  type', '    7  B cell']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def composition(annotation: Annotation) -> list[str]:
    """List the commonest types of an annotation by short name and name, and the cells without an answer by reason."""
    from spoticell.biology.short_names import short_name

    cells = len(annotation.answer_n)
    known = [row for row in annotation.summary().to_dict(orient="records") if row["term"] != UNKNOWN]
    short = [short_name(row["term"]) for row in known[:TOP]]
    names = columns([("type", "name in the ontology"), *zip(short, (row["cell_type"] for row in known), strict=False)])
    rows = [("cells", "share", "score", names[0])]
    rows += [
        (f"{row['cells']:,}", share(row["cells"], cells), f"{row['median_score']:.2f}", name)
        for row, name in zip(known, names[1:], strict=False)
    ]
    if rest := known[TOP:]:
        total = sum(row["cells"] for row in rest)
        rows.append((f"{total:,}", share(total, cells), "", f"{len(rest)} other types"))
    rows += [(f"{n:,}", share(n, cells), "", f"unknown: {why}") for why, n in annotation.why_unknown().items()]
    lines = columns(rows, right=frozenset(range(3)))
    return [cut(line) if at < len(names) else line for at, line in enumerate(lines)]


def cut(line: str) -> str:
    """Cut a line that is too wide for a terminal, where what is cut can be read elsewhere.

    Examples
    --------
    >>> cut("B cell"), cut("x" * 99)[-5:], len(cut("x" * 99))
    ('B cell', 'xx...', 80)
    """
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3].rstrip()}..."


def gene_names(odd: pd.DataFrame) -> list[str]:
    """List gene names that aren't known as they stand, by how they were read."""
    if odd.empty:
        return ["every gene name is known as it stands"]
    rows = [("read as", "name", "gene", "Ensembl id")]
    order = {"ambiguous": 0, "repaired": 1, "renamed": 2, "unmatched": 3}
    found = odd[["how", "name", "symbol", "gene_id"]].sort_values("how", key=lambda how: how.map(order), kind="stable")
    return columns([*rows, *found.itertuples(index=False, name=None)])


def matched(annotation: Annotation, matches: Matches) -> list[str]:
    """List what the matches of the commonest types are, and how far they agree with the classifier."""
    found = matches.summary(annotation.terms_n)
    rows = [("cells", "matches", "studies", "cosine", "type of the matches")]
    rows += [
        (
            f"{row['cells']:,}",
            f"{row['matches']:.0f} of {row['voters']:.0f}",
            f"{row['studies']:.0f}",
            f"{row['similarity']:.2f}",
            row["cell_type"],
        )
        for row in found["types"][:TOP]
    ]
    if rest := found["types"][TOP:]:
        rows.append((f"{sum(row['cells'] for row in rest):,}", "", "", "", f"{len(rest)} other types"))
    nothing = len(annotation.answer_n) - found["matched"]
    rows += [(f"{nothing:,}", "", "", "", "the matches agree on no type")] if nothing else []
    return [*columns(rows, right=frozenset(range(4))), "", *_beside_the_classifier(found, matches)]


def grouped(groups: Groups) -> list[str]:
    """List the groups with their names and the genes that set each apart."""
    from spoticell.biology.short_names import short_name

    marked = any(gene.known for group in groups.groups for gene in group.genes)
    rows = [("group", "cells", "share", "score", "type", f"genes{' (* known markers)' if marked else ''}")]
    rows += [
        (
            group.name,
            f"{group.cells:,}",
            f"{group.share:.0%}",
            f"{group.score:.2f}",
            f"{short_name(group.term)}{' (novel)' if group.novel else ''}",
            " ".join(f"{gene.symbol}{'*' if gene.known else ''}" for gene in group.genes[:GENES]),
        )
        for group in groups.groups
    ]
    return columns(rows, right=frozenset(range(1, 4)))


def _beside_the_classifier(found: dict[str, Any], matches: Matches) -> list[str]:
    lines = [
        f"Matched with {found['references']:,} cells of {found['name']}: the matches agree with the classifier in "
        f"{found['agree']:,} cells, are coarser or finer in {found['compatible']:,}, say another type in "
        f"{found['conflict']:,}, and agree on no type in {found['no_type']:,}."
    ]
    if matches.background is None:
        return [*lines, "The index holds one study only, so there are no p-values and no cell is called novel."]
    return [*lines, f"{found['novel']:,} cells are novel: unusually far from every reference."]


def scores(figures: dict[str, Any]) -> list[str]:
    """List what an evaluation found: each label, then the figures over all."""
    rows = [("cells", "precision", "recall", "F1", "label", "")]
    for term, row in figures["per_type"].items():
        shares = (f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
        rows.append((f"{row['cells']:,}", *shares, term, row["name"]))
    numbers = {key: value for key, value in figures.items() if not isinstance(value, str | list | dict)}
    facts = [(key.replace("_", " "), _figure(value)) for key, value in numbers.items()]
    return [*columns(rows, right=frozenset(range(4))), "", *columns(facts, right=frozenset({1}))]


def listing(models: Sequence[tuple[Offer, str, str]]) -> list[str]:
    """List models, a line each: what is said of it, where it is from, how it is called."""
    rows = [("name", "revision", "date", "types", "genes", "MB", "where", "description")]
    rows += [
        (
            called,
            offer.revision,
            one_line(offer.date, 20),
            f"{offer.types:,}",
            f"{offer.genes:,}",
            f"{offer.bytes / 1e6:.1f}",
            one_line(where, LINE),
            one_line(offer.description, WORD),
        )
        for offer, where, called in models
    ]
    return columns(rows, right=frozenset({3, 4, 5}))


def card(manifest: Manifest, path: Path, sha256: str, *, source: str = "") -> list[str]:
    """List the facts about one bundle; ``source`` is the catalogue that it was pulled from."""
    from spoticell.model.catalogue import revision_of

    trust = manifest.trust
    doubt = "; cells that are too strange stay unknown" if trust and (trust.stranger or trust.doubt) else ""
    facts = [
        ("name", manifest.name),
        ("revision", revision_of(sha256)),
        ("date", manifest.date),
        ("made with", f"Spoticell {one_line(manifest.spoticell_version, 20)}, format {manifest.format_version}"),
        ("licence", one_line(manifest.licence, LINE)),
        ("types", f"{len(manifest.labels):,} labels, {len(manifest.nodes):,} terms with those above them"),
        ("genes", f"{manifest.n_genes:,} on a grid of {manifest.grid} x {manifest.grid}"),
        ("threshold", f"{manifest.threshold:.2f}{doubt}"),
        ("ontology", f"Cell Ontology {one_line(manifest.ontology_version, WORD)}"),
        ("folder", one_line(str(path))),
        ("sha256", sha256),
        *([("pulled from", one_line(source, LINE))] if source else []),
    ]
    sources = [("cells", "source", "accession", "licence")]
    for origin in manifest.sources:
        name, accession, licence = (one_line(text, WORD) for text in (origin.name, origin.accession, origin.licence))
        sources.append((f"{origin.cells:,}", name, accession, licence))
    lines = [one_line(manifest.description, 2 * LINE), "", *columns(facts), ""]
    lines += ["Trained on:", *columns(sources, right=frozenset({0}))]
    if manifest.figures:
        lines += ["", "Measured:", *_figures(manifest.figures)]
    return lines


def _figures(figures: dict[str, dict[str, float]]) -> list[str]:
    names = list(dict.fromkeys(name for row in figures.values() for name in row))
    rows = [("set", *(one_line(name, WORD) for name in names))]
    rows += [(one_line(title, WORD), *(_figure(row.get(name)) for name in names)) for title, row in figures.items()]
    return columns(rows, right=frozenset(range(1, len(names) + 1)))


def _figure(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"


def share(part: int, whole: int) -> str:
    """Give a share in percent.

    Examples
    --------
    >>> share(1, 3)
    '33.3%'
    """
    return f"{part / max(whole, 1):.1%}"
