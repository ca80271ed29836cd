"""Writing an index in a Lance database: every step is a version of a table, and the last step names the versions.

Whatever stops the work before that, the index is the one from before.  An object store has no locks, so writers don't
wait for each other: the first one to replace the manifest wins, and the others are told.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index import coarse
from spoticell.index.cells import COLUMNS, ReferenceCells
from spoticell.index.lance.lot import Lot
from spoticell.index.lance.tables import (
    ABOUT,
    CELLS,
    GROUPS,
    LanceManifest,
    begin_about,
    cells_schema,
    connect,
    groups_schema,
    is_remote,
    read_about,
    read_groups,
    replace_about,
    table_names,
    taken,
    talking,
)
from spoticell.index.manifest import IndexManifest, Segment
from spoticell.index.needs import lance_needed
from spoticell.io.write import writing

KEPT = timedelta(days=7)
"""How long a version stays that isn't the index's any more, for those who read it."""
ALWAYS = timedelta(days=36_500)
PLAIN = {"new_table_enable_stable_row_ids": "false"}
"""LanceDB's numbers of cells are to say where they lie."""


def create(
    place: Path | str, manifest: IndexManifest, planes_bd: NDArray[np.float32], blocks: Iterable[ReferenceCells]
) -> None:
    """Make a new index of some cells in a database; see `create_index`."""
    lance_needed("lancedb")
    made = _make_folder(place)
    database = connect(place)
    with talking(place):
        _check_vacant(database, place)
    try:
        with talking(place):
            versions = _begin(database, manifest.fingerprint_size)
        empty = LanceManifest.model_validate(manifest.model_dump() | versions)
        grown = _grown(database, empty, blocks, place)
        with talking(place):
            begin_about(database, grown, planes_bd)
    except BaseException:
        _drop(database, place, made=made)
        raise


def append(place: Path | str, blocks: Iterable[ReferenceCells]) -> None:
    """Add cells to the index in a database; see `verbs.append`."""
    database = connect(place)
    about = read_about(database, place)
    manifest = _grown(database, about.manifest, blocks, place)
    with talking(place):
        if not replace_about(database, about, manifest):
            raise taken(place)
        for name in (CELLS, GROUPS, ABOUT):
            database.open_table(name).optimize(cleanup_older_than=KEPT)


def set_background(place: Path | str, background: dict[str, Any], segments: Sequence[Segment] | None) -> None:
    """State the background of the index in a database; see `verbs.set_background`."""
    database = connect(place)
    about = read_about(database, place)
    if segments is None or tuple(segments) == about.manifest.segments:
        with talking(place):
            replace_about(database, about, about.manifest.model_copy(update={"background": background}))


def _grown(
    database: Any,  # noqa: ANN401 - LanceDB's types are not always installed
    manifest: LanceManifest,
    blocks: Iterable[ReferenceCells],
    place: Path | str,
) -> LanceManifest:
    """Write cells as later versions of the tables, and give the manifest that will name these."""
    with talking(place):
        cells = _rewound(database, CELLS, manifest.cells_version)
        groups = _rewound(database, GROUPS, manifest.groups_version)
        lot = Lot(blocks, read_groups(groups), start=manifest.n_cells, size=manifest.fingerprint_size)
    lot.write(cells, place)
    if not lot.n_cells:
        raise SearchError("there are no cells to put into the index.")
    segment = lot.segment()
    if segment.name in {other.name for other in manifest.segments}:
        raise SearchError(f"these {segment.n_cells:,} cells are in {place} already, so nothing was added.")
    with talking(place):
        _add_groups(groups, lot.new_groups())
        lists = _put_in_lists(cells, manifest.lists, manifest.n_cells + lot.n_cells)
        if not _is_alone(cells, groups, lot, manifest.n_cells):
            raise taken(place)
    changed = {
        "segments": (*manifest.segments, segment),
        "background": None,
        "cells_version": cells.version,
        "groups_version": groups.version,
        "lists": lists,
    }
    return manifest.model_copy(update=changed)


def _begin(database: Any, size: int) -> dict[str, int]:  # noqa: ANN401
    """Make the tables, empty, and give their versions; what a build left that was stopped is removed."""
    _drop_tables(database)
    made = {
        name: database.create_table(name, schema=schema, storage_options=PLAIN)
        for name, schema in ((CELLS, cells_schema(size)), (GROUPS, groups_schema()))
    }
    return {f"{name}_version": table.version for name, table in made.items()}


def _rewound(database: Any, name: str, version: int) -> Any:  # noqa: ANN401
    """Open a table to write to it, without what writers left that were stopped."""
    table = database.open_table(name)
    if table.version != version:
        table.checkout(version)
        table.restore()
    return table


def _add_groups(groups: Any, new: pd.DataFrame) -> None:  # noqa: ANN401
    if len(new):
        table = lance_needed("pyarrow").Table.from_pandas(
            new[["group", *COLUMNS]], schema=groups_schema(), preserve_index=False
        )
        groups.add(table)
        groups.optimize(cleanup_older_than=ALWAYS)


def _put_in_lists(cells: Any, lists: int, n_cells: int) -> int:  # noqa: ANN401
    """Put new cells into the lists that are there, or cut a table into lists that has come to be large."""
    wanted = lists_for(n_cells)
    if lists == 1 and wanted > 1:
        config = lance_needed("lancedb.index").IvfFlat(
            distance_type="cosine", num_partitions=wanted, max_iterations=coarse.STEPS, sample_rate=coarse.SAMPLE
        )
        cells.create_index("fingerprint", config=config)
        return wanted
    cells.optimize(cleanup_older_than=ALWAYS)  # a version that the manifest names must stay
    return lists


def lists_for(n_cells: int) -> int:
    """How many lists to cut so many cells into: about the square root, a quarter of what a folder has.

    LanceDB compares every cell of its sample with every centroid, which takes a time that grows with their square.

    Examples
    --------
    >>> [lists_for(n) for n in (49_999, 50_000, 1_000_000, 10_000_000)]
    [1, 256, 1024, 4096]
    """
    return 1 if n_cells < coarse.EXACT else 1 << round(float(np.log2(n_cells**0.5)))


def _is_alone(cells: Any, groups: Any, lot: Lot, before: int) -> bool:  # noqa: ANN401
    """Whether the tables hold the cells from before and this lot, and nothing of another writer."""
    for table in (cells, groups):
        table.checkout(table.version)
    whole = cells.count_rows() == before + lot.n_cells
    return (
        whole and cells.count_rows(f"lot = '{lot.token}'") == lot.n_cells and read_groups(groups).equals(lot.groups())
    )


def _make_folder(place: Path | str) -> bool:
    """Make the folder of a database; say whether it is new."""
    if is_remote(place) or Path(place).is_dir():
        return False
    if Path(place).exists():
        raise SearchError(f"{place} is there already and is a file; give another name.")
    with writing(Path(place)):
        Path(place).mkdir()
    return True


def _check_vacant(database: Any, place: Path | str) -> None:  # noqa: ANN401
    """Refuse a place that holds anything but what a writer left that was stopped before its index was one."""
    there = table_names(database) if is_remote(place) else {path.name for path in Path(place).iterdir()}
    names = {name.removesuffix(".lance") for name in there}
    if ABOUT in names:
        raise SearchError(f"{place} is an index already; add to it with: spoticell index add. Or give another name.")
    if names - {CELLS, GROUPS}:
        raise SearchError(f"{place} is there already and holds something else; give another name.")


def _drop(database: Any, place: Path | str, *, made: bool) -> None:  # noqa: ANN401
    """Remove what was begun, but not an index that another process made of it."""
    with talking(place):
        if ABOUT in table_names(database):
            return
        _drop_tables(database)
    if made:
        shutil.rmtree(place, ignore_errors=True)


def _drop_tables(database: Any) -> None:  # noqa: ANN401
    for name in table_names(database) & {CELLS, GROUPS}:
        database.drop_table(name)
