"""What an upload says of its cells, kept for the page: the columns of its table, and its maps.

    columns.json            names and kinds of columns and maps
    columns/, maps/         a gzipped list of numbers each

Counts, genes found, mitochondrial share and score stand first: they are known of every file.
Axis: ``n`` cells.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.annotation.cautions import states
from spoticell.annotation.result import Annotation
from spoticell.annotation.samples import values_of
from spoticell.errors import SpoticellError
from spoticell.io.embeddings import stored_maps
from spoticell.io.source import CellSource

LIST, COLUMNS, MAPS = "columns.json", "columns", "maps"
CATEGORY, NUMBER = "category", "number"
MISSING = 65535
"""Stands for no value where cells have the number of their category."""

MOST_COLUMNS, MOST_CATEGORIES, LONGEST_NAME = 100, 500, 200
"""Columns that are kept, values of a column of categories, and characters of a name."""
MOST_STEPS = 60
"""Whole numbers with so few values, of several cells each, are taken as names of groups."""

MITOCHONDRIAL, SCORE, MIXED, STATE = "MT-", "score", "mixed", "state"
_LARGEST = 1e9
"""Whole numbers beyond are no names."""


@dataclass(frozen=True)
class Column:
    """What a table says of each cell."""

    name: str
    values_n: NDArray[np.uint16] | NDArray[np.float32]
    """Places among the categories, `MISSING` for none; or numbers, NaN for none."""
    categories: tuple[str, ...] | None = None
    """In their order; None for a column of numbers."""
    is_ours: bool = False
    """Whether it comes from the run, not from the file."""

    def describe(self) -> dict[str, Any]:
        """Give all but the values of single cells."""
        words = {"name": self.name, "kind": NUMBER if self.categories is None else CATEGORY, "ours": self.is_ours}
        if self.categories is None:
            known_k = self.values_n[np.isfinite(self.values_n)]
            span = (float(known_k.min()), float(known_k.max()))
            return words | {"low": span[0], "high": span[1], "missing": len(self.values_n) - len(known_k)}
        known_k = self.values_n[self.values_n != MISSING]
        cells_c = np.bincount(known_k, minlength=len(self.categories)).tolist()
        categories = [{"name": name, "cells": n} for name, n in zip(self.categories, cells_c, strict=True)]
        return words | {"categories": categories, "missing": len(self.values_n) - len(known_k)}


class ColumnKeeper:
    """Writes columns and maps into the folder of a run.

    Parameters
    ----------
    source
        The open upload.
    symbols
        Of the genes in the blocks that are seen.
    """

    def __init__(self, source: CellSource, symbols: tuple[str, ...]) -> None:
        self._source = source
        self._mitochondrial_k = np.array(
            [g for g, symbol in enumerate(symbols) if symbol.upper().startswith(MITOCHONDRIAL)], dtype=np.intp
        )
        self.shares: list[NDArray[np.float32]] = []
        """Of mitochondrial counts, of the cells that were seen."""

    def see(self, counts_ng: sparse.csr_array) -> None:
        """Take in the next cells' counts."""
        total_n = np.asarray(counts_ng.sum(axis=1), dtype=np.float64)
        own_n = np.asarray(counts_ng[:, self._mitochondrial_k].sum(axis=1), dtype=np.float64)
        share_n = np.divide(own_n, total_n, out=np.full(len(total_n), np.nan), where=total_n > 0)
        self.shares.append(share_n.astype(np.float32))

    def finish(self, annotation: Annotation, folder: Path) -> None:
        """Write all of it."""
        (folder / COLUMNS).mkdir()
        (folder / MAPS).mkdir()
        obs = pd.DataFrame()
        with suppress(SpoticellError):  # cells are named without the table about them
            obs = self._source.obs()
        columns, left_out = usable_columns(obs)
        columns = [*self._ours(annotation), *columns]
        maps = stored_maps(self._source)
        for place, column in enumerate(columns):
            dtype = "<f4" if column.categories is None else "<u2"
            _write(folder / COLUMNS / packed_name(place), column.values_n.astype(dtype))
        for place, (name, places_n2) in enumerate(maps.items()):
            _write(folder / MAPS / packed_name(place), unit_square(places_n2, name).T.astype("<f4"))
        listed = {
            "columns": [column.describe() for column in columns],
            "left_out": left_out,
            "maps": [{"name": name} for name in maps],
        }
        (folder / LIST).write_text(json.dumps(listed, ensure_ascii=False), encoding="utf-8")

    def _ours(self, annotation: Annotation) -> Iterator[Column]:
        """Give what is known of every file, where cells differ in it."""
        measures = {
            "counts": annotation.n_counts_n,
            "genes found": annotation.n_genes_n,
            "mitochondrial share": np.concatenate([*self.shares, np.zeros(0, dtype=np.float32)]),
            SCORE: annotation.score_n,
        }
        for name, values_n in measures.items():
            if np.isfinite(values_n).any() and np.nanmax(values_n) > np.nanmin(values_n):
                yield Column(name, values_n.astype(np.float32), is_ours=True)
        told = {MIXED: None if annotation.mixed is None else annotation.mixed.words(), STATE: states(annotation)}
        for name, words in told.items():
            if words is not None and len(words.categories):
                code_n = np.where(words.codes < 0, MISSING, words.codes.astype(np.int64)).astype(np.uint16)
                yield Column(name, code_n, tuple(words.categories), is_ours=True)


def packed_name(place: int) -> str:
    """Give the name of the file of a column or map."""
    return f"{place}.bin.gz"


def listed(folder: Path) -> dict[str, Any]:
    """Give what a run kept: ``columns``, ``left_out`` and ``maps``."""
    found: dict[str, Any] = json.loads((folder / LIST).read_text(encoding="utf-8"))
    return found


def score_files(folder: Path, score_n: NDArray[np.float32]) -> dict[str, bytes]:
    """Give the files of a run's columns that follow from the scores of its cells, by their place in its folder.

    They are none where the cells of the run had one score.
    """
    told = listed(folder)
    found = [at for at, column in enumerate(told["columns"]) if column["ours"] and column["name"] == SCORE]
    for place in found:
        told["columns"][place] = Column(SCORE, score_n, is_ours=True).describe()
    files = {f"{COLUMNS}/{packed_name(place)}": _packed(score_n.astype("<f4")) for place in found}
    return files | ({LIST: json.dumps(told, ensure_ascii=False).encode()} if found else {})


def kept_values(folder: Path, place: int) -> NDArray[np.uint16]:
    """Give the numbers of the categories of a kept column."""
    return np.frombuffer(gzip.decompress((folder / COLUMNS / packed_name(place)).read_bytes()), dtype="<u2")


def usable_columns(obs: pd.DataFrame) -> tuple[list[Column], list[str]]:
    """Give the columns of a table by which cells can be coloured and chosen, and the names of the others.

    Left out are columns with one value, columns of text with nearly as many values as cells, such as barcodes, and
    all that is beyond `MOST_COLUMNS`.

    Examples
    --------
    >>> table = pd.DataFrame({"day": ["d2", "d10"] * 2, "barcode": list("abcd"), "depth": [1.5, 2, 3, None]})
    >>> columns, left_out = usable_columns(table)
    >>> [(column.name, column.categories) for column in columns], left_out
    ([('day', ('d2', 'd10')), ('depth', None)], ['barcode'])
    """
    kept: list[Column] = []
    left_out: list[str] = []
    for name in map(str, obs.columns):
        column = _column(obs, name) if len(kept) < MOST_COLUMNS and len(name) <= LONGEST_NAME else None
        if column is None:
            left_out.append(name[:LONGEST_NAME])
        else:
            kept.append(column)
    return kept, left_out[:MOST_COLUMNS]


def unit_square(places_n2: NDArray[np.float32], name: str = "") -> NDArray[np.float64]:
    """Bring places into the unit square, both axes by the same scale; those of a tissue are counted downwards.

    Examples
    --------
    >>> unit_square(np.float32([[0, 0], [4, 2]])).tolist()
    [[0.0, 0.25], [1.0, 0.75]]
    """
    places_n2 = places_n2.astype(np.float64)
    low, high = np.nanmin(places_n2, axis=0), np.nanmax(places_n2, axis=0)
    inside_n2: NDArray[np.float64] = (places_n2 - (low + high) / 2) / (high - low).max() + 0.5
    if "spatial" in name.lower():
        inside_n2[:, 1] = 1 - inside_n2[:, 1]
    return inside_n2


def _column(obs: pd.DataFrame, name: str) -> Column | None:
    values = obs[name]
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        number_n = values.to_numpy(dtype=np.float64, na_value=np.nan)
        number_n = np.where(np.abs(number_n) <= np.finfo(np.float32).max, number_n, np.nan)
        if not _are_groups(number_n):
            differ = np.isfinite(number_n).any() and np.nanmax(number_n) > np.nanmin(number_n)
            return Column(name, number_n.astype(np.float32)) if differ else None
        whole = pd.Series(number_n, index=obs.index).astype("Int64")
        obs = pd.DataFrame({name: whole})
    names, place_n = values_of(obs, name, name="the table")
    if not 2 <= len(names) <= min(MOST_CATEGORIES, len(obs) // 2):
        return None
    code_n = np.where(place_n < 0, MISSING, place_n).astype(np.uint16)
    return Column(name, code_n, tuple(word[:LONGEST_NAME] for word in names))


def _are_groups(number_n: NDArray[np.float64]) -> bool:
    """Say whether numbers are few and whole, as those of clusters are."""
    known = np.unique(number_n[np.isfinite(number_n)])
    few = 2 <= len(known) <= min(MOST_STEPS, len(number_n) // 10)
    return few and bool((known % 1 == 0).all()) and np.abs(known).max() < _LARGEST


def _write(path: Path, values: NDArray[Any]) -> None:
    path.write_bytes(_packed(values))


def _packed(values: NDArray[Any]) -> bytes:
    return gzip.compress(np.ascontiguousarray(values).tobytes(), compresslevel=1, mtime=0)
