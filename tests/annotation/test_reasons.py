"""Why answers aren't sure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spoticell.annotation import reasons as why
from spoticell.annotation.reasons import ENOUGH_GENES, OF_UNKNOWN, REASONS, reasons

SURE = {
    "answer_n": 3,
    "score_n": 0.9,
    "second_n": 5,
    "n_counts_n": 1000.0,
    "barred_n": False,
    "doubted_n": False,
    "novel_n": False,
}


def reason(n_measured: int = 12_000, **changes: Any) -> str:
    """Give the reason of one cell that is sure but for the changes, '' for none."""
    cell = {name: np.array([value]) for name, value in (SURE | changes).items()}
    code = int(reasons(n_measured=n_measured, **cell)[0])
    return "" if code < 0 else REASONS[code]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"score_n": 0.5}, ""),
        ({"score_n": 0.49}, why.BETWEEN),
        ({"score_n": 0.49, "second_n": -1}, why.LOW),
        ({"score_n": 0.49, "n_counts_n": 199.0}, why.FEW_COUNTS),
        ({"score_n": 0.49, "n_counts_n": 199.0, "n_measured": ENOUGH_GENES - 1}, why.BETWEEN),
        ({"n_counts_n": 199.0}, ""),
        ({"novel_n": True}, why.UNLIKE),
        ({"novel_n": True, "score_n": 0.1}, why.UNLIKE),
        ({"answer_n": -1, "score_n": 0.0, "second_n": -1}, why.UNSURE),
        ({"answer_n": -1, "score_n": 0.0, "second_n": -1, "doubted_n": True}, why.DOUBTED),
        ({"answer_n": -1, "score_n": 0.0, "second_n": -1, "barred_n": True}, why.BARRED),
        ({"answer_n": -1, "score_n": 0.0, "second_n": -1, "n_counts_n": 0.0, "doubted_n": True}, why.EMPTY),
    ],
)
def test_the_first_reason_that_holds_is_said(changes, expected):
    assert reason(**changes) == expected


def test_no_cell_is_unlike_the_references_where_none_were_asked():
    cell = {name: np.array([value]) for name, value in SURE.items() if name != "novel_n"}
    assert reasons(n_measured=12_000, **cell).tolist() == [-1]


def test_the_reasons_of_unknown_cells_come_first():
    assert REASONS[: len(OF_UNKNOWN)] == OF_UNKNOWN
