"""What the matched reference cells say: types, evidence, where it is of another type than the answer, novel cells."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from spoticell.annotation.colors import TypeColors
from spoticell.annotation.evidence import AGREE, COMPATIBLE, CONFLICT
from spoticell.annotation.matches import Matches
from spoticell.annotation.result import Annotation
from spoticell.biology.palette import GREY
from spoticell.index.background import Background
from spoticell.keys import UNKNOWN
from spoticell.report.sections.composition import Part

SHOWN = 20
"""Types of the matches in the table."""
PAIRS = 12
"""Pairs of an answer and another type, and types of novel cells, that are listed."""
STUDIES = 3
"""Studies that are named for a type."""

NO_TYPE = "no type"

WORDS = {
    AGREE: ("same type", "var(--accent)"),
    COMPATIBLE: ("one is broader", "var(--q1)"),
    CONFLICT: ("another type", "#8d7fb0"),
    NO_TYPE: ("the matches agree on no type", "var(--none)"),
    UNKNOWN: ("the answer is unknown", GREY),
}
"""How an answer and the matches may stand to each other, in words, with the colour of each."""

UNITS = {"study": ("study", "studies"), "dataset": ("data set", "data sets"), "donor": ("donor", "donors")}
"""What the limit of novel cells is measured between, one and several."""


@dataclass(frozen=True)
class MatchedType:
    """Cells whose matches agree on a type; all numbers but the first are medians over them."""

    term: str
    name: str
    color: str
    """As ``#rrggbb``."""
    cells: int
    matches: float
    """Matches of a cell that are of the type."""
    voters: float
    """Matches of a cell whose type is known."""
    n_studies: float
    """Studies that the matches of the type come from."""
    similarity: float
    """Of a cell and its nearest reference."""
    nearest_in: dict[str, int]
    """How many of the cells have their nearest reference in which study, most first."""

    @property
    def main_studies(self) -> list[tuple[str, int]]:
        """The studies that are named."""
        return [(study[:60], cells) for study, cells in list(self.nearest_in.items())[:STUDIES]]


@dataclass(frozen=True)
class Pair:
    """Cells with one answer and one other word."""

    ours: str
    theirs: str
    cells: int


@dataclass(frozen=True)
class Pairs:
    """Pairs, most cells first."""

    shown: tuple[Pair, ...]
    n_rare: int
    """Pairs that aren't shown."""
    rare_cells: int
    """Cells of these."""


@dataclass(frozen=True)
class MatchEvidence:
    """What the matches of all cells say."""

    index: str
    references: int
    nearest: int
    """Matches of a cell."""
    total: int
    """Cells in all."""
    agreed: int
    """Cells whose matches agree on a type."""
    types: tuple[MatchedType, ...]
    n_rare: int
    """Types that aren't shown."""
    rare_cells: int
    """Cells of these."""
    agreement: tuple[Part, ...]
    others: Pairs | None
    """Answers beside other types that the matches say; None where there are none."""
    background: Background | None
    """What novel cells are told by; None where it couldn't be measured."""
    unit: tuple[str, str] | None
    """What it was measured between, in the singular and the plural."""
    novelty: float
    n_novel: int
    novel: Pairs | None
    """None where no cell is novel."""
    unknown_color: str = GREY


def match_evidence(annotation: Annotation) -> MatchEvidence | None:
    """Gather what the matches say; None where no index was given."""
    matches = annotation.matches
    if matches is None:
        return None
    table, background = matches.by_type(), matches.background
    rest = table.iloc[SHOWN:]
    novel_n = matches.evidence.novel_n
    agreement = pd.Series(matches.agreement_with(annotation.terms_n))
    counts = agreement.mask(matches.evidence.answer_n < 0, NO_TYPE).value_counts()
    pairs = pd.DataFrame({"ours": annotation.names_n, "theirs": matches.names_n})
    nearest = pd.DataFrame({"ours": annotation.names_n, "theirs": matches.nearest_type_n})
    return MatchEvidence(
        index=matches.name,
        references=matches.n_references,
        nearest=min(matches.rule.matches, matches.n_references),
        total=len(matches.evidence),
        agreed=int((matches.evidence.answer_n >= 0).sum()),
        types=_types(table.head(SHOWN), matches, annotation.colors),
        n_rare=len(rest),
        rare_cells=int(rest["cells"].sum()),
        agreement=tuple(Part(words, int(counts.get(key, 0)), color) for key, (words, color) in WORDS.items()),
        others=_pairs(pairs[(agreement == CONFLICT).to_numpy()]),
        background=background,
        unit=UNITS.get(background.unit, (background.unit, background.unit)) if background else None,
        novelty=matches.rule.novelty,
        n_novel=int(novel_n.sum()),
        novel=_pairs(nearest[novel_n]),
    )


def _types(table: pd.DataFrame, matches: Matches, colors: TypeColors) -> tuple[MatchedType, ...]:
    there_n = (matches.evidence.answer_n >= 0) & (matches.nearest_study_n != "")
    studies = pd.DataFrame({"term": matches.terms_n, "study": matches.nearest_study_n})[there_n]
    return tuple(
        MatchedType(
            term=row["term"],
            name=row["cell_type"],
            color=colors.of(row["term"]),
            cells=row["cells"],
            matches=row["matches"],
            voters=row["voters"],
            n_studies=row["studies"],
            similarity=row["similarity"],
            nearest_in=_counted(studies["study"][studies["term"] == row["term"]]),
        )
        for row in table.to_dict(orient="records")
    )


def _counted(words: pd.Series[str]) -> dict[str, int]:
    """Count equal words, most first."""
    counts = {str(word): cells for word, cells in words.value_counts().items()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _pairs(pairs: pd.DataFrame) -> Pairs | None:
    """Count pairs of an answer and another word."""
    if not len(pairs):
        return None
    counts = pairs.value_counts(sort=False).reset_index(name="cells")
    counts = counts.sort_values(["cells", "ours", "theirs"], ascending=[False, True, True])
    rest = counts.iloc[PAIRS:]
    shown = tuple(Pair(*row) for row in counts.head(PAIRS).itertuples(index=False))
    return Pairs(shown, len(rest), int(rest["cells"].sum()))
