"""What running a file again changed: the cells that have another answer than in the result that was shown before.

Axis: ``n`` cells.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN
from spoticell.web import sink
from spoticell.web.summary import UNKNOWN_TYPE

COMMONEST = 5
"""Changes that are told."""


def tell_renamed(earlier: Path, now: Path) -> None:
    """Write into the summary of results how many cells are named otherwise than before, and the commonest changes.

    Parameters
    ----------
    earlier
        The results that were shown last; there may be none.
    now
        Those that take their place.
    """
    if not (earlier / sink.SUMMARY).exists():
        return
    before, after = (json.loads((folder / sink.SUMMARY).read_text(encoding="utf-8")) for folder in (earlier, now))
    first_n, second_n = (np.load(folder / sink.TYPES, allow_pickle=False) for folder in (earlier, now))
    after["renamed"] = _renamed(before["types"], first_n, after["types"], second_n)
    (now / sink.SUMMARY).write_text(json.dumps(after, ensure_ascii=False), encoding="utf-8")


def _renamed(
    before: list[dict[str, Any]], first_n: NDArray[np.uint16], after: list[dict[str, Any]], second_n: NDArray[np.uint16]
) -> dict[str, Any]:
    names = {kind["term"]: kind["name"] for kind in (*before, *after)}
    (terms_first, code_first_n), (terms_second, code_second_n) = _terms(before, first_n), _terms(after, second_n)
    pairs, cells = np.unique(code_first_n * len(terms_second) + code_second_n, return_counts=True)
    changes = [
        (terms_first[pair // len(terms_second)], terms_second[pair % len(terms_second)], n)
        for pair, n in zip(pairs.tolist(), cells.tolist(), strict=True)
    ]
    # of changes that are as common the order is that of their terms, whichever is the model
    changes = sorted((change for change in changes if change[0] != change[1]), key=lambda one: (-one[2], one[:2]))
    return {
        "cells": sum(n for *_, n in changes),
        "changes": [
            {"before": _named(first, names), "now": _named(second, names), "cells": n}
            for first, second, n in changes[:COMMONEST]
        ],
    }


def _terms(types: list[dict[str, Any]], types_n: NDArray[np.uint16]) -> tuple[list[str], NDArray[np.int64]]:
    """Give the terms of some types, unknown the last, and each cell's place among them."""
    terms = [*(kind["term"] for kind in types), UNKNOWN]
    return terms, np.where(types_n == UNKNOWN_TYPE, len(types), types_n.astype(np.int64))


def _named(term: str, names: dict[str, str]) -> dict[str, str]:
    return {"term": term, "name": names.get(term, term), "short": short_name(term)}
