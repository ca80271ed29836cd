"""From a recipe to a store: the sources are looked over, then written one after the other.

A run that was stopped, by whatever, is taken up by the same call and gives the same bytes as one that wasn't.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.block import DATASET
from spoticell.corpus.recipe.recipe import Recipe
from spoticell.corpus.sources.source import CellTable, CorpusSource
from spoticell.corpus.splits.make import RELEASE, Split, make_split, write_split
from spoticell.corpus.store.store import Store, is_store
from spoticell.corpus.store.writer import SHARD_CELLS, StoreWriter, sweep
from spoticell.corpus.summary import LEFT_OUT, LOST, ROWS, SUMMARY, WANTED, write_summary
from spoticell.corpus.survey import digest, grouped, judged
from spoticell.errors import FileFormatError
from spoticell.progress import Progress, part, stretch

LOOKING = 10
"""Percent of the time after which the sources are looked over."""


def build_store(
    recipe: Recipe,
    sources: Sequence[CorpusSource],
    output: Path,
    *,
    shard_cells: int = SHARD_CELLS,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Make the store of a recipe, or go on with one that was begun; one that is finished stays as it is.

    Parameters
    ----------
    recipe
        What goes into it.
    sources
        The recipe's, from `spoticell.corpus.sources.opening.open_sources`.
    output
        Folder of the store.
    shard_cells
        Cells in a shard of it.
    on_progress
        Called with the steps done and the steps there are.

    Returns
    -------
    What ``summary.json`` in the store says.

    Raises
    ------
    SpoticellError
        If a source can't be read, no cell is left, or the store can't be written; what is written so far stays, and
        the same call goes on behind it.
    """
    tables = look_over(recipe, sources, on_progress=stretch(on_progress, start=0, stop=LOOKING))
    tables_of = {source.name: digest(table) for source, table in zip(sources, tables, strict=True)}
    record = recipe.record() | {"tables": tables_of}
    if not _is_written(output, record):
        with StoreWriter(output, load_vocabulary(), recipe=record, shard_cells=shard_cells) as writer:
            _write(sources, tables, writer, stretch(on_progress, start=LOOKING, stop=100))
    store = Store(output)
    if (output / SUMMARY).exists():
        return dict(json.loads((output / SUMMARY).read_text(encoding="utf-8")))
    sweep(output)
    _write_splits(store, recipe, sources)
    return write_summary(store)


def look_over(
    recipe: Recipe, sources: Sequence[CorpusSource], *, on_progress: Progress | None = None
) -> list[CellTable]:
    """Read what the sources say of their cells, fetching them if need be, and choose the cells of the corpus.

    Raises
    ------
    SpoticellError
        If a source can't be fetched or read, no cell is left, or a split of the recipe can't be made.
    """
    tables = []
    for position, source in enumerate(sources):
        source.fetch(on_progress=part(on_progress, position, len(sources)))
        tables.append(source.table())
        part(on_progress, position, len(sources))(1, 1)
    chosen = judged(tables, recipe.keep)
    if not any(table.keep_n.any() for table in chosen):
        raise FileFormatError(_nothing_left(recipe, chosen))
    # a split that can't be made shall be known before the work of hours
    _splits(recipe, sources, (table.cells[table.keep_n] for table in chosen))
    return chosen


def _write(
    sources: Sequence[CorpusSource], tables: Sequence[CellTable], writer: StoreWriter, on_progress: Progress
) -> None:
    rows, before = sum(map(len, tables)), 0
    for source, table in zip(sources, tables, strict=True):
        if not writer.is_done(source.name):
            _write_source(source, table, writer, _within(on_progress, before, len(table), rows))
        before += len(table)
        on_progress(before, rows)
    writer.finish({})


def _write_source(source: CorpusSource, table: CellTable, writer: StoreWriter, on_progress: Progress) -> None:
    for block in source.blocks(table, start=writer.rows_done(source.name), on_progress=on_progress):
        writer.add(source.name, block)
    counted = {ROWS: len(table), WANTED: int(table.keep_n.sum()), LEFT_OUT: table.left_out, LOST: table.unresolved}
    writer.close_source(source.name, counted | source.facts())


def _is_written(output: Path, record: Mapping[str, Any]) -> bool:
    """Whether a run of this recipe has written all but, perhaps, its splits and the summary."""
    return is_store(output) and Store(output).manifest["recipe"] == record


def _write_splits(store: Store, recipe: Recipe, sources: Sequence[CorpusSource]) -> None:
    for split in _splits(recipe, sources, (shard.cells() for _, shard in store.shards())):
        write_split(store.folder, split)


def _splits(recipe: Recipe, sources: Sequence[CorpusSource], parts: Iterable[pd.DataFrame]) -> list[Split]:
    if not recipe.splits:
        return []
    groups = grouped(parts)
    if any(split.by == "release" for split in recipe.splits):
        releases = {dataset: day for source in sources for dataset, day in source.releases().items()}
        groups[RELEASE] = [releases.get(dataset, "") for dataset in groups[DATASET]]
    return [make_split(groups, split) for split in recipe.splits]


def _within(on_progress: Progress, before: int, own: int, rows: int) -> Progress:
    """Turn the progress within a source of some rows into that over the rows of all."""
    return lambda done, total: on_progress(before + own * done // max(total, 1), rows)


def _nothing_left(recipe: Recipe, tables: Sequence[CellTable]) -> str:
    left_out: dict[str, int] = {}
    for table in tables:
        for reason, cells in table.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + cells
    reasons = ", ".join(f"{cells:,} {reason}" for reason, cells in left_out.items())
    lost = [repr(label[:40]) for table in tables for label in list(table.unresolved)[:3]]
    return f"The recipe {recipe.name} leaves no cell ({reasons or 'its sources are empty'})." + (
        f" Labels that the Cell Ontology doesn't know: {', '.join(lost[:3])}; say in 'labels' what they mean."
        if lost
        else ""
    )
