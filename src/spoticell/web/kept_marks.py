"""Files to keep with what readers did to their cells: names that they gave, and cells that their filters leave out.

Axis: ``n`` cells.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import pandas as pd
from anndata.io import write_elem
from numpy.typing import NDArray

from spoticell import keys
from spoticell.io.annotated import add_columns
from spoticell.io.formula import guard
from spoticell.web import sink
from spoticell.web.curated import curated_names
from spoticell.web.filters import Rule, left_out
from spoticell.web.results import Results

CURATED = keys.CURATED.format(key=keys.KEY_ADDED)
FILTERED = keys.FILTERED.format(key=keys.KEY_ADDED)
RUN = keys.RUN.format(key=keys.KEY_ADDED)


def with_marks(results: Results, file: str, rules: Mapping[str, Rule]) -> Path | None:
    """Write a file to keep with what readers did to its cells.

    Parameters
    ----------
    results
        The job's.
    file
        `sink.H5AD` or `sink.CSV`; other files have no place for it.
    rules
        Filters, by their columns.

    Returns
    -------
    A passing file, to be removed once it is sent; None where there is nothing to add.
    """
    marks = _marks(results, rules) if file in {sink.H5AD, sink.CSV} else {}
    if not marks:
        return None
    handle, place = tempfile.mkstemp(dir=results.folder, prefix="passing-")
    os.close(handle)
    passing = Path(place)
    try:
        if file == sink.H5AD:
            shutil.copyfile(results.folder / file, passing)
            _mark_h5ad(passing, marks, rules)
        else:
            _write_rows(results.folder / file, passing, marks)
    except BaseException:
        passing.unlink(missing_ok=True)
        raise
    return passing


def _marks(results: Results, rules: Mapping[str, Rule]) -> dict[str, NDArray[Any]]:
    """Give the columns to add."""
    marks: dict[str, NDArray[Any]] = {}
    if (names := curated_names(results)) is not None:
        marks[CURATED] = names
    if rules:
        marks[FILTERED] = left_out(results.folder, dict(rules), results.n_cells)
    return marks


def _mark_h5ad(path: Path, marks: Mapping[str, NDArray[Any]], rules: Mapping[str, Rule]) -> None:
    table = pd.DataFrame({name: pd.Categorical(of_n) if name == CURATED else of_n for name, of_n in marks.items()})
    with h5py.File(path, "r+") as opened:
        add_columns(opened["obs"], table)
        if rules:
            write_elem(opened["uns"][RUN], "filter", _written(rules))


def _written(rules: Mapping[str, Rule]) -> str:
    """Give filters as one text: names of columns may hold slashes, so they can't be places in the file."""
    return json.dumps({key: rule.model_dump(exclude_unset=True) for key, rule in rules.items()}, ensure_ascii=False)


def _write_rows(table: Path, passing: Path, marks: Mapping[str, NDArray[Any]]) -> None:
    def added() -> Iterator[list[str]]:
        yield list(marks)
        yield from ([guard(str(value)) for value in row] for row in zip(*marks.values(), strict=True))

    with table.open(newline="", encoding="utf-8") as before, passing.open("w", newline="", encoding="utf-8") as after:
        rows = zip(csv.reader(before), added(), strict=True)
        csv.writer(after, lineterminator="\n").writerows([*row, *more] for row, more in rows)
