"""Cells whose answers aren't sure, with the reason of each, at the threshold that is shown.

Axis: ``n`` cells, ``u`` those that aren't sure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.evidence import CONFLICT, agreement
from spoticell.annotation.reasons import BETWEEN, LIKELY, REASONS, reasons
from spoticell.biology.answer_rule import rule_of
from spoticell.biology.ontology import load_ontology
from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN
from spoticell.web import grounds, sink
from spoticell.web.changes import answers_of
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results

MOVED = "named by neighbours"
"""Reason of cells that would be sure, but are called another type alone, which their name excludes."""
EVERY = (*REASONS, MOVED)
"""All reasons of the page."""
MOST_ROWS = 200
"""Cells of which all is told at a time."""
BLOCK = 16_384
"""Cells whose probabilities are in memory at a time."""
OLDER = "This run kept no reasons of unsure cells. Run the job again."


def codes(results: Results) -> NDArray[np.int8]:
    """Give for each cell the place of its reason among `EVERY`, -1 where its answer is sure and its own."""
    return _looked_at(results)[0]


def unsure(
    results: Results, *, reason: str | None = None, of: int | None = None, start: int = 0, most: int = MOST_ROWS
) -> dict[str, Any]:
    """Give the reasons with their cells, and of some cells all that is known, reason by reason, the least sure first.

    Parameters
    ----------
    results
        The job's.
    reason
        The one reason whose cells are told; all if not given.
    of
        Number in the summary of the one type whose cells are looked at; all if not given.
    start, most
        Which cells of these are told: the first, and how many.

    Raises
    ------
    Refusal
        If there is no such reason, or the results are of a release that didn't keep what this takes.
    """
    if reason is not None and reason not in EVERY:
        raise Refusal(422, f"There is no such reason. There are: {', '.join(EVERY)}.")
    code_n, answer_n, second_n = _looked_at(results)
    if of is not None:
        code_n = np.where(results.types() == of, code_n, -1)
    cells = np.bincount(code_n[code_n >= 0], minlength=len(EVERY)).tolist()
    wanted_n = code_n >= 0 if reason is None else code_n == EVERY.index(reason)
    position_u = np.flatnonzero(wanted_n)
    score_n = results.array(sink.SCORES)
    position_u = position_u[np.lexsort((score_n[position_u], code_n[position_u]))]
    told = position_u[start : start + most].tolist()
    return {
        "reasons": [
            {"reason": name, "code": EVERY.index(name) + 1, "cells": n}
            for name, n in zip(EVERY, cells, strict=True)
            if n
        ],
        "cells": len(position_u),
        "start": start,
        "rows": [_row(results, n, int(code_n[n]), int(answer_n[n]), int(second_n[n])) for n in told],
    }


def _row(results: Results, n: int, code: int, answer: int, second: int) -> dict[str, Any]:
    """Give what is told of one cell; the second type only where it is the reason."""
    is_between = EVERY[code] == BETWEEN
    alone = results.alone(n)
    term, other = ((*results.bundle.nodes, UNKNOWN)[place] for place in (answer, second))
    return {
        "position": n,
        "name": results.name(n),
        "term": term,
        "short": short_name(term),
        "score": float(results.array(sink.SCORES)[n]),
        "second": short_name(other) if is_between else None,
        "alone": None if alone is None else short_name(alone["term"]),
        "n_counts": float(results.array(sink.N_COUNTS)[n]),
        "reason": EVERY[code],
    }


def _looked_at(results: Results) -> tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.intp]]:
    """Give each cell's reason, answer and second best type; the last is looked for where the score is low."""
    if not (results.folder / grounds.DOUBTED).exists():
        raise Refusal(404, OLDER)
    answer_n, score_n = answers_of(results.folder), np.asarray(results.array(sink.SCORES))
    nodes = results.bundle.nodes
    low_u = np.flatnonzero((answer_n >= 0) & (score_n < LIKELY))
    second_n = np.full(len(answer_n), -1, dtype=np.intp)
    rule = rule_of(nodes, load_ontology())
    for start in range(0, len(low_u), BLOCK):
        some = low_u[start : start + BLOCK]
        second_n[some], _ = rule.second_best(results.probabilities(some).astype(np.float32), answer_n[some])
    marks, matched = grounds.kept_mixed(results.folder), grounds.kept_matches(results.folder)
    code_n = reasons(
        answer_n=answer_n,
        score_n=score_n,
        second_n=second_n,
        n_counts_n=np.asarray(results.array(sink.N_COUNTS)),
        barred_n=results.array(grounds.BARRED),
        doubted_n=results.array(grounds.DOUBTED),
        n_measured=int(results.array(sink.MEASURED).sum()),
        mixed_n=None if marks is None else marks.pair_n >= 0,
        novel_n=None if matched is None else matched[1],
    )
    if (results.folder / sink.SINGLE).exists():
        terms = np.array([*nodes, UNKNOWN], dtype=object)
        moved_n = agreement(terms[answer_n], terms[results.array(sink.SINGLE)]) == CONFLICT
        code_n = np.where((code_n < 0) & moved_n, np.int8(EVERY.index(MOVED)), code_n)
    return code_n, answer_n, second_n
