"""Matching cells with an index while they stream, and what came of it for all of them.

What is kept of a cell is a row of numbers: its matches themselves are forgotten, and `spoticell search` lists them.
Axes: ``n`` cells, ``k`` matches, ``d`` fingerprint, ``m`` terms that the references can vote for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.evidence import AGREEMENTS, RULE, Ballot, Evidence, Rule, agreement
from spoticell.biology.ontology import Ontology
from spoticell.index.background import Background, parse_background, study_names
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle

if TYPE_CHECKING:
    from spoticell.index import OpenIndex


@dataclass(frozen=True)
class Matches:
    """What an index says of all cells of a source."""

    folder: Path | str
    """Where the index is: a folder, or an address."""
    sha256: str
    """Of its manifest, which holds the sha256 of all the rest."""
    n_references: int
    groups: pd.DataFrame
    """What is known of the references, a row for each group of them."""
    ballot: Ballot
    rule: Rule
    evidence: Evidence

    @property
    def name(self) -> str:
        """What the index is called: the last part of where it is."""
        return Path(self.folder).resolve().name

    @cached_property
    def terms_n(self) -> NDArray[np.object_]:
        """Term that the matches agree on, or ``unknown``."""
        return np.array([*self.ballot.nodes, UNKNOWN], dtype=object)[self.evidence.answer_n]

    @cached_property
    def names_n(self) -> NDArray[np.object_]:
        """Name of that term, or ``unknown``."""
        return np.array([*self.ballot.names, UNKNOWN], dtype=object)[self.evidence.answer_n]

    @cached_property
    def nearest_type_n(self) -> NDArray[np.object_]:
        """Type of the nearest reference, in the ontology's words or else its author's; ``unknown`` if there is none."""
        return type_words(self.groups, self.ballot.ontology)[self.evidence.nearest_n]

    @cached_property
    def nearest_study_n(self) -> NDArray[np.object_]:
        """Study of the nearest reference, its data set where no study is stated, '' where there is neither."""
        return np.array([*study_names(self.groups), ""], dtype=object)[self.evidence.nearest_n]

    @cached_property
    def nearest_tissue_n(self) -> NDArray[np.object_]:
        """Tissue of the nearest reference, '' where none is stated."""
        return np.array([*self.groups["tissue"].astype(str), ""], dtype=object)[self.evidence.nearest_n]

    @property
    def background(self) -> Background | None:
        """The similarities that p-values and novelty go by; None where they couldn't be measured."""
        background = self.ballot.background
        return background if background is not None and background.unit != "none" else None

    def agreement_with(self, terms_n: NDArray[np.object_]) -> NDArray[np.object_]:
        """Compare with a classifier's answers: one of `AGREEMENTS` for each cell."""
        return agreement(terms_n, self.terms_n)

    def record(self) -> dict[str, Any]:
        """Say what was matched with, as plain values."""
        background = self.background
        return {
            "name": self.name,
            "sha256": self.sha256,
            "references": self.n_references,
            "matches": self.rule.matches,
            "share": self.rule.share,
            "novelty": self.rule.novelty,
            "background_unit": "none" if background is None else background.unit,
            "background_units": 0 if background is None else background.units,
        }

    def summary(self, terms_n: NDArray[np.object_]) -> dict[str, Any]:
        """Count what the matches say beside a classifier's answers, as plain values."""
        agreement_n = self.agreement_with(terms_n)
        return self.record() | {
            "matched": int((self.evidence.answer_n >= 0).sum()),
            "no_type": int((self.evidence.answer_n < 0).sum()),
            "novel": int(self.evidence.novel_n.sum()),
            **{word: int((agreement_n == word).sum()) for word in AGREEMENTS if word != UNKNOWN},
            "types": self.by_type().to_dict(orient="records"),
        }

    def by_type(self) -> pd.DataFrame:
        """Give medians for each type that matches agree on, commonest first.

        The columns are ``cell_type``, ``term``, ``cells``, ``matches`` of the type, ``voters`` (matches whose type is
        known), ``studies`` that the former come from, and ``similarity`` to the nearest reference.
        """
        evidence = self.evidence
        table = pd.DataFrame(
            {
                "cell_type": self.names_n,
                "term": self.terms_n,
                "matches": evidence.matches_n,
                "voters": evidence.voters_n,
                "studies": evidence.studies_n,
                "similarity": evidence.similarity_n.astype(np.float64),
            }
        )[evidence.answer_n >= 0]
        rows = table.groupby(["cell_type", "term"]).median().round({"similarity": 4}).reset_index()
        rows.insert(2, "cells", table.groupby(["cell_type", "term"]).size().to_numpy())
        return rows.sort_values(["cells", "cell_type"], ascending=[False, True], ignore_index=True)


def type_words(groups: pd.DataFrame, ontology: Ontology) -> NDArray[np.object_]:
    """Give each group's type, in the ontology's words or else its author's; one more, where -1 points, is unknown."""
    words = [
        ontology.name(term) if term in ontology else author or UNKNOWN
        for term, author in zip(groups["term"], groups["cell_type"], strict=True)
    ]
    return np.array([*words, UNKNOWN], dtype=object)


def open_for(bundle: Bundle, index: OpenIndex | Path | str, *, threads: int | None = None) -> OpenIndex:
    """Open an index whose fingerprints shall be compared with those of a bundle.

    Parameters
    ----------
    bundle
        What the fingerprints are of.
    index
        An open index, or its folder, address or packaged name.
    threads
        How many threads the search may use, if the index isn't open yet; all cores if not given.

    Raises
    ------
    SearchError
        If it is no index, or is of another bundle.
    ConfigError
        If what searching needs isn't installed.
    """
    from spoticell.index import OpenIndex, open_index  # noqa: PLC0415 - slow to load and not always wanted
    from spoticell.index.backends import check_bundle  # noqa: PLC0415

    opened = index if isinstance(index, OpenIndex) else open_index(index, threads=threads)
    check_bundle(opened, bundle)
    return opened


class Matcher:
    """Matches blocks of fingerprints with an index.

    Parameters
    ----------
    index
        An open index of the bundle that the fingerprints are of.
    rule
        How matches are weighed.
    """

    def __init__(self, index: OpenIndex, *, rule: Rule = RULE) -> None:
        self.index = index
        background = self.index.background
        known = None if background is None else parse_background(background, where=self.index.folder)
        self.rule, self.ballot = rule, Ballot(self.index.groups, known)
        self._parts: list[Evidence] = []

    def add(self, fingerprint_nd: NDArray[np.float32]) -> None:
        """Match the next cells; those whose fingerprint is zero have no matches."""
        hits = self.index.search(fingerprint_nd, k=self.rule.matches)
        self._parts.append(self.ballot.tally(self.index.group_of(hits.row_nk), hits.similarity_nk, self.rule))

    def finish(self) -> Matches:
        """Give all that was taken in."""
        none = self.ballot.tally(np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0), dtype=np.float32), self.rule)
        return Matches(
            folder=self.index.folder,
            sha256=self.index.sha256,
            n_references=self.index.n_cells,
            groups=self.index.groups,
            ballot=self.ballot,
            rule=self.rule,
            evidence=Evidence.join([none, *self._parts]),
        )
