"""What a column of the reader's labels means, and how the answers agree with it by the ontology.

Axis: ``n`` cells.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.figures import NO_ANSWER, verdict_of, verdicts
from spoticell.biology.columns import words
from spoticell.biology.everyday import closest_names, meanings_of
from spoticell.biology.labels import harmonise
from spoticell.biology.ontology import load_ontology
from spoticell.keys import UNKNOWN
from spoticell.web.changes import answers_of, category_names
from spoticell.web.columns import MISSING, kept_values
from spoticell.web.results import Results
from spoticell.web.summary import named_terms

ENOUGH = 0.8
"""Share of the labelled cells whose label must be understood for a figure of agreement."""
TOLD, NEAR = 20, 3
"""Labels that are named, and names that are near each."""


def against(results: Results, column: int, *, kept_n: NDArray[np.bool_]) -> dict[str, Any]:
    """Say which labels of a column are understood as types, and how the answers agree with them.

    Parameters
    ----------
    results
        The job's.
    column
        Place of a column of categories.
    kept_n
        Cells that count.

    Raises
    ------
    Refusal
        If there is no such column.
    """
    names = category_names(results.folder, column)
    code_n = kept_values(results.folder, column)[kept_n].astype(np.int64)
    values = pd.Categorical.from_codes(
        np.where(code_n == MISSING, -1, code_n), categories=pd.Index(names, dtype=object)
    )
    labels = harmonise(words(pd.Series(values)), column="")
    understood = labels.n_understood
    labelled = understood + sum(labels.unresolved.values())
    is_enough = labelled > 0 and understood >= ENOUGH * labelled
    terms_n = _terms(results, kept_n)
    return {
        "labelled": labelled,
        "understood": understood,
        "unlabelled": labels.n_unlabelled,
        "enough": ENOUGH,
        "not_understood": [_told(label, cells, names) for label, cells in list(labels.unresolved.items())[:TOLD]],
        "more": max(len(labels.unresolved) - TOLD, 0),
        "agreement": verdicts(labels.term_n.tolist(), terms_n) if is_enough else None,
        "otherwise": _otherwise(names, code_n.tolist(), labels.term_n.tolist(), terms_n),
    }


def _otherwise(names: list[str], code_n: list[int], label_n: list[str], terms_n: list[str]) -> list[dict[str, Any]]:
    """Give the values of a column whose cells are named another type than theirs, those with most such cells first."""
    meant = {code: label for code, label in zip(code_n, label_n, strict=True) if label not in NO_ANSWER}
    cells = Counter(code_n)
    answers = Counter((code, term) for code, term in zip(code_n, terms_n, strict=True) if code in meant)
    worth = verdict_of({(meant[code], term) for code, term in answers})
    others: dict[int, dict[str, int]] = {}
    for (code, term), n in answers.items():
        if worth[meant[code], term] == "wrong":
            others.setdefault(code, {})[term] = n
    rows: list[dict[str, Any]] = [
        {
            "value": code,
            "label": names[code],
            "meant": _term(meant[code]),
            "cells": cells[code],
            "other": sum(own.values()),
            # of answers that are as common the order is that of their terms
            "answers": [
                _term(term) | {"cells": n} for term, n in sorted(own.items(), key=lambda one: (-one[1], one[0]))
            ],
        }
        for code, own in others.items()
    ]
    return sorted(rows, key=lambda row: (-row["other"], row["value"]))[:TOLD]


def _term(term: str) -> dict[str, Any]:
    return dict(named_terms([term], load_ontology())[0])


def _told(label: str, cells: int, names: list[str]) -> dict[str, Any]:
    """Give a label that isn't understood: its cells, its places in the column, and what it may mean or is near to."""
    return {
        "label": label,
        "cells": cells,
        "values": [place for place, name in enumerate(names) if name.strip() == label],
        "ambiguous": bool(meanings_of(label)),
        "near": list(closest_names(label[:100], most=NEAR)),
    }


def _terms(results: Results, kept_n: NDArray[np.bool_]) -> list[str]:
    terms = np.array([*results.bundle.nodes, UNKNOWN], dtype=object)  # the last is what -1 leads to
    answer_n: list[str] = terms[answers_of(results.folder)[kept_n]].tolist()
    return answer_n
