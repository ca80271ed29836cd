"""Groups of cells: which there are, and what each is called.

A cell alone can be mistaken; that half of a group are mistaken in the same way is rarer.  A group is therefore named by
all of its cells, at the level that holds for them.
Axes: ``n`` cells, ``k`` groups, ``m`` ontology nodes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.group_references import agreeing, references_of
from spoticell.biology.answer_rule import rule_of
from spoticell.biology.ontology import DOINGS, TOO_GENERAL, load_ontology
from spoticell.errors import ConfigError
from spoticell.io.source import CellSource
from spoticell.keys import UNKNOWN

if TYPE_CHECKING:
    from spoticell.annotation.matches import Matches
    from spoticell.annotation.result import AnnotatedBlock
    from spoticell.biology.group_genes import GroupGene
    from spoticell.biology.markers import Markers
    from spoticell.model.bundle import Bundle

AUTO = "auto"
"""Asks for groups that are found, instead of a column's."""
MOST_GROUPS = 2000
SURE = 0.5
"""Lowest mean probability at which a group is named: a cell of it is more likely of the type than not."""
HALF = 0.5
"""Share of a group's named cells that its name must hold for."""
STRANGE = 0.0
"""A group is novel if the familiarity of half of its cells is not this far above what a cell of a known type has."""
COLUMNS = (
    "group",
    "cells",
    "cell_type",
    "cell_type_ontology_term_id",
    "share",
    "score",
    "second_cell_type",
    "second_probability",
    "novel",
    "genes",
    "known_markers",
    "nearest_studies",
    "nearest_tissues",
    "references_agree",
)
"""Of the table of groups."""
FEW = 8
"""Columns that a message names."""


@dataclass(frozen=True)
class Grouping:
    """Which group each cell is in."""

    column: str
    """Where the groups are from: a column, or ``auto``."""
    code_n: NDArray[np.intp]
    """Position in ``names``; -1 for a cell in no group."""
    names: tuple[str, ...]
    """In natural order."""


def read_groups(source: CellSource, column: str) -> Grouping:
    """Read groups from a column about cells; a cell without a value is in none.

    Parameters
    ----------
    source
        The open source.
    column
        Its name.

    Raises
    ------
    ConfigError
        If there is no such column, or it has no values, or about as many as there are cells.
    """
    table = source.obs()
    if column not in table:
        there = [str(name) for name in table.columns]
        more = f" and {len(there) - FEW:,} more" if len(there) > FEW else ""
        has = f"its columns are {', '.join(there[:FEW])}{more}" if there else "it has no columns about cells"
        raise ConfigError(
            f"{source.name} has no column {column!r} about cells; {has}. Give a column of groups, or {AUTO!r}."
        )
    words_n = _words(table.loc[:, table.columns == column].iloc[:, 0])
    names = sorted(sorted(set(words_n) - {""}), key=natural)  # "1" and "01" are as large
    if not names:
        raise ConfigError(f"the column {column!r} of {source.name} has no value in any cell; groups need values.")
    if len(names) > min(MOST_GROUPS, max(len(words_n) // 2, 1)):
        raise ConfigError(
            f"the column {column!r} of {source.name} has {len(names):,} values for {len(words_n):,} cells; a column of "
            f"groups has few, each for several cells. Give another column, or {AUTO!r}."
        )
    place = {"": -1} | {name: code for code, name in enumerate(names)}
    return Grouping(column, np.array([place[word] for word in words_n], dtype=np.intp), tuple(names))


def natural(name: str) -> list[tuple[int, int, str]]:
    """Give what sorts names as people do, numbers by their size.

    Examples
    --------
    >>> sorted(["T 10", "T 9", "B"], key=natural)
    ['B', 'T 9', 'T 10']
    """
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"([0-9]+)", name) if part]


def _words(column: pd.Series[Any]) -> list[str]:
    """Give values as text, '' where there is none; numbers that a gap has turned into fractions are whole again."""
    if pd.api.types.is_float_dtype(column.dtype) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return ["" if missing else str(value).strip() for value, missing in zip(column, column.isna(), strict=True)]


@dataclass(frozen=True)
class SeparatingGene:
    """A gene that sets a group apart."""

    symbol: str
    auc: float
    """How often a cell of the group has more of it than a cell of another one."""
    known: bool
    """Whether it is a marker of the group's type by the table of markers; False where none was given."""


@dataclass(frozen=True)
class Group:
    """What is found of the cells of a group."""

    name: str
    cells: int
    """All of them, also those without counts, which have no say in the rest."""
    term: str
    """Ontology term that holds for it, or ``unknown``."""
    cell_type: str
    """Its name."""
    share: float
    """Share of its cells whose answer is this term or a subtype; 0 for unknown."""
    score: float
    """Mean probability of the term over its cells, each cell's own being calibrated; 0 for unknown."""
    second_term: str
    """What it would be otherwise: the next best term, or of an unknown group the best; ``unknown`` if there is none."""
    second_cell_type: str
    second_probability: float
    """Mean probability of that term; 0 where there is none."""
    novel: bool | None
    """Whether it looks unlike all known types; None where the model can't tell."""
    genes: tuple[SeparatingGene, ...]
    """Genes that set it apart, clearest first."""
    studies: tuple[tuple[str, int], ...]
    """Studies of the references nearest to its cells, and of how many; none without an index."""
    tissues: tuple[tuple[str, int], ...] = ()
    """Their tissues, likewise."""
    agree: float | None = None
    """Share of its cells whose references say its type, or a coarser or finer one; None without an index."""


@dataclass(frozen=True)
class Groups:
    """The groups of a source's cells."""

    grouping: Grouping
    groups: tuple[Group, ...]
    """In the order of the grouping's names."""
    probability_km: NDArray[np.float64] | None = None
    """Sum of each node's probability over each group's cells; None where it isn't kept."""

    @property
    def group_n(self) -> pd.Categorical:
        """The group of each cell."""
        return pd.Categorical.from_codes(self.grouping.code_n, categories=pd.Index(self.grouping.names, dtype=object))

    @property
    def cell_type_n(self) -> NDArray[np.object_]:
        """Name of the type of each cell's group, or ``unknown``, also for cells in no group."""
        return np.array([*(group.cell_type for group in self.groups), UNKNOWN], dtype=object)[self.grouping.code_n]

    @property
    def share_n(self) -> NDArray[np.float32]:
        """Share of the cells of each cell's group that agree on it; NaN for cells in no group."""
        return np.array([*(group.share for group in self.groups), np.nan], dtype=np.float32)[self.grouping.code_n]

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each group."""
        rows = [
            {
                "group": group.name,
                "cells": group.cells,
                "cell_type": group.cell_type,
                "cell_type_ontology_term_id": group.term,
                "share": round(group.share, 4),
                "score": round(group.score, 4),
                "second_cell_type": group.second_cell_type,
                "second_probability": round(group.second_probability, 4),
                "novel": group.novel,
                "genes": ", ".join(gene.symbol for gene in group.genes),
                "known_markers": ", ".join(gene.symbol for gene in group.genes if gene.known),
                "nearest_studies": "; ".join(f"{study} ({cells})" for study, cells in group.studies),
                "nearest_tissues": "; ".join(f"{tissue} ({cells})" for tissue, cells in group.tissues),
                "references_agree": None if group.agree is None else round(group.agree, 4),
            }
            for group in self.groups
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def record(self) -> dict[str, Any]:
        """Give the same as plain values: where the groups are from, and the columns of the table."""
        columns = {str(name): values.tolist() for name, values in self.table.items()}
        for name, missing in (("novel", "novel"), ("references_agree", "agree")):
            if any(getattr(group, missing) is None for group in self.groups):
                del columns[name]
        return {"column": self.grouping.column, **columns}


class GroupTally:
    """Sums up the answers of cells by group.

    Parameters
    ----------
    grouping
        Which group each cell is in.
    bundle
        Whose nodes the answers are.
    empty_up_to
        Counts up to which a cell is empty and has no say.
    probability_km
        Sum of each node's probability over each group's cells, where that is known already.
    """

    def __init__(
        self,
        grouping: Grouping,
        bundle: Bundle,
        *,
        empty_up_to: float = 0,
        probability_km: NDArray[np.float64] | None = None,
    ) -> None:
        self.grouping = grouping
        """Which group each cell is in."""
        self._bundle, self._empty_up_to = bundle, empty_up_to
        groups, nodes = len(grouping.names), len(bundle.nodes)
        self._probability_km = np.zeros((groups, nodes)) if probability_km is None else probability_km
        # the last column is that of unknown, where -1 points
        self._answers_km = np.zeros((groups, nodes + 1), dtype=np.int64)
        self._full_n = np.zeros(len(grouping.code_n), dtype=np.bool_)
        self._margin_n = np.full(len(grouping.code_n), np.nan, dtype=np.float32)

    def add(self, block: AnnotatedBlock) -> None:
        """Take in the final answers of a block."""
        self.count(block.start, block.answer_n, block.n_counts_n, block.margin_n)
        self.weigh(block.start, block.n_counts_n, block.probabilities_nm)

    @property
    def probability_km(self) -> NDArray[np.float64]:
        """Sum of each node's probability over each group's cells."""
        return self._probability_km

    def weigh(self, start: int, n_counts_n: NDArray[np.floating], probabilities_nm: NDArray[np.floating]) -> None:
        """Take in probabilities without the answers; see `AnnotatedBlock`."""
        code_n = self.grouping.code_n[start : start + len(n_counts_n)]
        told_n = (n_counts_n > self._empty_up_to) & (code_n >= 0)
        for code in np.unique(code_n[told_n]).tolist():
            members_n = told_n & (code_n == code)
            self._probability_km[code] += probabilities_nm[members_n].sum(axis=0, dtype=np.float64)

    def count(
        self,
        start: int,
        answer_n: NDArray[np.intp],
        n_counts_n: NDArray[np.floating],
        margin_n: NDArray[np.floating] | None,
    ) -> None:
        """Take in answers without their probabilities; see `AnnotatedBlock`."""
        rows = slice(start, start + len(answer_n))
        code_n, full_n = self.grouping.code_n[rows], n_counts_n > self._empty_up_to
        self._full_n[rows] = full_n
        if margin_n is not None:
            self._margin_n[rows] = margin_n
        told_n: NDArray[np.bool_] = full_n & (code_n >= 0)
        np.add.at(self._answers_km, (code_n[told_n], answer_n[told_n]), 1)

    def finish(
        self,
        *,
        genes: Sequence[tuple[GroupGene, ...]] = (),
        markers: Markers | None = None,
        matches: Matches | None = None,
    ) -> Groups:
        """Name the groups.

        Parameters
        ----------
        genes
            Those that set each group apart, from `group_genes`; none if not given.
        markers
            Which of them mark which type.
        matches
            What an index says of the cells.
        """
        grouping = self.grouping
        full_k = self._answers_km.sum(axis=1)
        mean_km = self._probability_km / np.maximum(full_k, 1)[:, None]
        novel_k, told_n = self._novel(), np.where(self._full_n, grouping.code_n, -1)
        references_k = references_of(told_n, len(grouping.names), matches)
        cells_k = np.bincount(grouping.code_n[grouping.code_n >= 0], minlength=len(grouping.names))
        agree_km = self._agreeing()
        answer_k, second_k = self._answers(mean_km, agree_km, novel_k)
        term_k = [(*self._bundle.nodes, UNKNOWN)[answer] for answer in answer_k]
        theirs_k = agreeing(term_k, told_n, None if matches is None else matches.terms_n)
        groups = []
        for k, name in enumerate(grouping.names):
            answer, second = int(answer_k[k]), int(second_k[k])
            term, second_term = term_k[k], (*self._bundle.nodes, UNKNOWN)[second]
            groups.append(
                Group(
                    name=name,
                    cells=int(cells_k[k]),
                    term=term,
                    cell_type=(*self._bundle.node_names, UNKNOWN)[answer],
                    share=float(agree_km[k, answer] / full_k[k]) if answer >= 0 else 0.0,
                    score=float(mean_km[k, answer]) if answer >= 0 else 0.0,
                    second_term=second_term,
                    second_cell_type=(*self._bundle.node_names, UNKNOWN)[second],
                    second_probability=float(mean_km[k, second]) if second >= 0 else 0.0,
                    novel=novel_k[k],
                    genes=self._named(genes[k] if genes else (), term, markers),
                    studies=references_k[k].studies,
                    tissues=references_k[k].tissues,
                    agree=theirs_k[k],
                )
            )
        return Groups(grouping, tuple(groups), self._probability_km)

    def _answers(
        self, mean_km: NDArray[np.float64], agree_km: NDArray[np.int64], novel_k: list[bool | None]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Give each group's name and its second choice; of a novel group the name is the second choice."""
        ontology, nodes = load_ontology(), self._bundle.nodes
        rule = rule_of(nodes, ontology)
        likeliest_k, _ = rule.answers(mean_km, SURE)
        named_k = self._answers_km[:, :-1].sum(axis=1)
        place = {node: m for m, node in enumerate(nodes) if node not in TOO_GENERAL | DOINGS}
        held_k = np.full(len(likeliest_k), -1, dtype=np.intp)
        for k in np.flatnonzero((likeliest_k >= 0) & (named_k > 0)).tolist():
            above = [place[term] for term in ontology.ancestors(nodes[likeliest_k[k]]) if term in place]
            holds = [m for m in above if agree_km[k, m] >= HALF * named_k[k]]
            held_k[k] = max(holds, key=lambda m: (ontology.depth(nodes[m]), mean_km[k, m], -m), default=-1)
        answer_k = np.where([novel is True for novel in novel_k], -1, held_k)
        second_k, _ = rule.second_best(mean_km, answer_k)
        return answer_k, np.where(answer_k >= 0, second_k, held_k)

    def _agreeing(self) -> NDArray[np.int64]:
        """Count the cells of each group whose answer is a node or a subtype of it."""
        ontology, nodes = load_ontology(), self._bundle.nodes
        place = {node: m for m, node in enumerate(nodes)}
        agree_km = np.zeros((len(self._answers_km), len(nodes)), dtype=np.int64)
        for m in np.flatnonzero(self._answers_km[:, :-1].any(axis=0)).tolist():
            above = [place[term] for term in ontology.ancestors(nodes[m]) if term in place]
            agree_km[:, above] += self._answers_km[:, m, None]
        return agree_km

    def _novel(self) -> list[bool | None]:
        margins = pd.Series(self._margin_n)[self._full_n]
        median = margins.groupby(self.grouping.code_n[self._full_n]).median()
        found = [median.get(code, np.nan) for code in range(len(self.grouping.names))]
        return [None if np.isnan(margin) else bool(margin < STRANGE) for margin in found]

    def _named(self, genes: tuple[GroupGene, ...], term: str, markers: Markers | None) -> tuple[SeparatingGene, ...]:
        symbols = self._bundle.vocabulary.symbols
        places = [found.gene for found in genes]
        known = [False] * len(genes) if markers is None else markers.known(term, places)
        return tuple(
            SeparatingGene(symbols[found.gene], found.auc, marks) for found, marks in zip(genes, known, strict=True)
        )
