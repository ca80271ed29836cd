"""The reference cells that are nearest to one cell of a job, and what these say together.

The index is opened once, when the server starts.  Axes: ``k`` matches, ``d`` fingerprint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.evidence import AGREE, COMPATIBLE, CONFLICT, Evidence, agreement
from spoticell.annotation.matches import Matcher, open_for, type_words
from spoticell.biology.short_names import short_name
from spoticell.index import Hits, open_index
from spoticell.index.background import study_names
from spoticell.index.needs import check_installed
from spoticell.index.search import hit_table
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle

SHOWN = 10
"""Nearest reference cells that are shown."""
SAID = 5
"""Types, studies and tissues that are named of several cells."""


class Neighbours:
    """Finds what reference cells a cell is like.

    Parameters
    ----------
    folder
        The index.
    bundles
        Trained models that the server offers; the index must be of one of them.

    Raises
    ------
    SearchError
        If the folder is no index, or is of none of these bundles.
    ConfigError
        If what searching needs isn't installed.
    """

    def __init__(self, folder: Path, bundles: Sequence[Bundle]) -> None:
        check_installed()
        # a cell is asked for at a time: more threads would only get in each other's way
        index = open_index(folder, threads=1)
        fits = (bundle for bundle in bundles if bundle.sha256 == index.bundle_sha256)
        self._index = open_for(next(fits, bundles[0]), index)
        matcher = Matcher(self._index)
        self._ballot, self._rule = matcher.ballot, matcher.rule
        self._types_h = type_words(self._index.groups, self._ballot.ontology)

    def fit(self, bundle: Bundle) -> bool:
        """Whether fingerprints of a bundle can be compared with the index."""
        return bundle.sha256 == self._index.bundle_sha256

    def of(self, fingerprint_d: NDArray[np.float32], term: str) -> dict[str, Any]:
        """Give the ``neighbours`` of a cell, nearest first, and its ``match``: what they say beside its own ``term``.

        A cell without counts has no neighbours and no match.
        """
        hits = self._index.search(fingerprint_d[None, :], k=self._rule.matches)
        group_k = self._index.group_of(hits.row_nk)[0]
        if not (group_k >= 0).any():
            return {"neighbours": [], "match": None}
        evidence = self._ballot.tally(group_k[None, :], hits.similarity_nk, self._rule)
        return {"neighbours": self._nearest(hits, group_k), "match": self._match(evidence, term)}

    def of_some(self, fingerprint_sd: NDArray[np.float32], terms: Sequence[str]) -> dict[str, Any]:
        """Give what reference cells say of some cells, whose own answers are ``terms``, and where the nearest are from.

        Cells without counts have no neighbours, and say nothing.
        """
        hits = self._index.search(fingerprint_sd, k=self._rule.matches)
        evidence = self._ballot.tally(self._index.group_of(hits.row_nk), hits.similarity_nk, self._rule)
        said_s = np.array([*self._ballot.nodes, UNKNOWN], dtype=object)[evidence.answer_n]
        agree_s = agreement(np.array(terms, dtype=object), said_s)
        groups = self._index.groups.iloc[evidence.nearest_n[evidence.nearest_n >= 0]]
        said = Counter(said_s[said_s != UNKNOWN].tolist()).most_common(SAID)
        return {
            "asked": len(terms),
            "agree": int(np.isin(agree_s, [AGREE, COMPATIBLE]).sum()),
            "types": [
                {"term": term, "name": self._ballot.ontology.name(term), "short": short_name(term), "cells": n}
                for term, n in said
            ],
            "studies": _commonest(study_names(groups)),
            "tissues": _commonest(groups["tissue"].astype(str)),
        }

    def _nearest(self, hits: Hits, group_k: NDArray[np.int32]) -> list[dict[str, Any]]:
        first = Hits(hits.row_nk[:, :SHOWN], hits.similarity_nk[:, :SHOWN])
        table = hit_table(first, self._index, pd.Index([""]))
        types = self._types_h[group_k[: len(table)]]
        return [
            {name: row[name] for name in ("study", "dataset", "tissue", "disease", "assay", "donor")}
            | {"cell": row["reference"], "type": word, "term": row["cell_type_ontology_term_id"]}
            | {"similarity": _number(min(row["similarity"], 1.0)), "p_value": _number(row["p"])}
            for row, word in zip(table.to_dict(orient="records"), types, strict=True)
        ]

    def _match(self, evidence: Evidence, term: str) -> dict[str, Any]:
        place = int(evidence.answer_n[0])
        theirs = UNKNOWN if place < 0 else self._ballot.nodes[place]
        found = {
            "term": theirs,
            "type": UNKNOWN if place < 0 else self._ballot.names[place],
            "votes": int(evidence.matches_n[0]),
            "voters": int(evidence.voters_n[0]),
            "studies": int(evidence.studies_n[0]),
            "share": _number(evidence.share_n[0]),
            "p_value": _number(evidence.p_n[0]),
            "novel": bool(evidence.novel_n[0]),
            "agrees": agreement(np.array([term], dtype=object), np.array([theirs], dtype=object))[0],
        }
        return {"text": in_words(found)} | found


def _commonest(words: pd.Series[str]) -> list[dict[str, Any]]:
    """Count words, the commonest first; those of which nothing is known are left out."""
    return [{"name": word, "cells": cells} for word, cells in Counter(filter(None, words)).most_common(SAID)]


def in_words(match: dict[str, Any]) -> str:
    """Say what the matches of a cell are.

    Examples
    --------
    >>> match = {"type": "T cell", "votes": 47, "voters": 50, "studies": 3, "agrees": "conflict", "novel": False}
    >>> in_words(match)
    '47 of 50 matches say “T cell”, from 3 studies. The answer is another type.'
    >>> in_words(match | {"votes": 1, "voters": 1, "studies": 1, "agrees": "agree"})
    '1 of 1 match says “T cell”, from 1 study.'
    >>> in_words(match | {"type": "unknown", "agrees": "unknown", "novel": True})
    'The 50 matches agree on no type. The cell is farther from its nearest match than cells of known types are.'
    """
    votes, voters, studies = match["votes"], match["voters"], match["studies"]
    if not voters:
        words = "None of the matches has a label."
    elif match["type"] == UNKNOWN:
        words = "The only match does not support a type." if voters == 1 else f"The {voters} matches agree on no type."
    else:
        where = "1 study" if studies == 1 else f"{studies} studies"
        what = f"{'match' if voters == 1 else 'matches'} {'says' if votes == 1 else 'say'}"
        words = f"{votes} of {voters} {what} “{match['type']}”, from {where}."
    if match["agrees"] == CONFLICT:
        words += " The answer is another type."
    if match["novel"]:
        words += " The cell is farther from its nearest match than cells of known types are."
    return words


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
