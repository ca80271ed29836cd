"""A store being written, source after source, so that it can be killed at any moment and gone on with.

What is whole is on the disk under its final name: shards, then a record for each finished source, then ``store.json``.
A shard says how far into its source it reaches, so a second try goes on behind the last one, and gives the same
bytes as a single one would have.  Without ``store.json`` a folder is no store yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse

from spoticell.biology.genes import Vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.corpus.block import CELL_COLUMNS, DATASET, LabelledBlock
from spoticell.corpus.store.shard import SUFFIX, Mask, Shard, pack
from spoticell.errors import OutputError
from spoticell.io.passing import PASSING, remove_left
from spoticell.io.sealed import alone, record_of
from spoticell.io.write import atomic, write_json, writing

MANIFEST, BEGUN, GENES = "store.json", "begun.json", "genes.tsv"
SHARDS, SOURCES = "shards", "sources"
MAJOR, MINOR = 1, 0
"""The format that this release writes; it reads every ``MAJOR.x``."""
SHARD_CELLS = 16_384


@dataclass
class _Open:
    """The source that is being written."""

    number: int
    shards: int
    """Whole ones on the disk."""
    rows: int
    """Rows of the source that these have used up."""
    blocks: list[LabelledBlock] = field(default_factory=list)
    """What is still to come into a shard."""
    rows_seen: int = 0


class StoreWriter:
    """Writes a store, or goes on with one that was begun; a context manager.

    Parameters
    ----------
    folder
        The store; made if need be.
    vocabulary
        The genes of the counts that will be added.
    recipe
        What the store is made by, as JSON values; kept in it.
    shard_cells
        Cells in a shard.

    Raises
    ------
    OutputError
        If the folder holds a finished store, one begun by another recipe, or something else, or if another process is
        writing it.
    """

    def __init__(
        self, folder: Path, vocabulary: Vocabulary, *, recipe: Mapping[str, Any], shard_cells: int = SHARD_CELLS
    ) -> None:
        self.folder, self.vocabulary, self.shard_cells = folder, vocabulary, shard_cells
        self._recipe = json.loads(json.dumps(recipe))
        self._open: dict[str, _Open] = {}
        self._check_free()
        with writing(folder):
            for sub in (folder / SHARDS, folder / SOURCES):
                sub.mkdir(parents=True, exist_ok=True)
            taken = OutputError(f"{folder} is being written by another process. Wait for it, or stop it.")
            self._lock = alone(folder / SHARDS / ".lock", taken)
        self._begin()
        self._sources = [
            json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / SOURCES).glob("[0-9]*.json"))
        ]

    def is_done(self, source: str) -> bool:
        """Whether the whole source is in the store."""
        return any(record["name"] == source for record in self._sources)

    def rows_done(self, source: str) -> int:
        """Rows of the source that whole shards have used up: go on from there."""
        return self._opened(source).rows

    def add(self, source: str, block: LabelledBlock) -> None:
        """Take in cells of a source; blocks come in the order of its rows."""
        current = self._opened(source)
        current.blocks.append(block)
        current.rows_seen = block.stop
        while sum(map(len, current.blocks)) >= self.shard_cells:
            self._write_shard(current, source, *_cut(current.blocks, self.shard_cells))

    def close_source(self, source: str, facts: Mapping[str, Any]) -> None:
        """Write the last shard of a source, and its record with these facts."""
        current = self._opened(source)
        if any(map(len, current.blocks)):
            block = _joined(current.blocks)
            self._write_shard(current, source, replace(block, stop=current.rows_seen), [])
        shards = [self._shard_record(current.number, number) for number in range(current.shards)]
        record = {"name": source, **facts, "shards": shards}
        write_json(self.folder / SOURCES / f"{current.number:05d}.json", record)
        self._sources.append(record)
        del self._open[source]

    def finish(self, facts: Mapping[str, Any]) -> Path:
        """Write what makes the folder a store, and give the folder.

        Raises
        ------
        OutputError
            If no cell came in, or two sources disagree about the genes of a data set.
        """
        if not any(record["shards"] for record in self._sources):
            raise OutputError(f"{self.folder} would be a store without cells; no source has a cell that is kept.")
        paths = [self.folder / SHARDS / one["file"] for record in self._sources for one in record["shards"]]
        manifest = {
            "format_version": f"{MAJOR}.{MINOR}",
            "recipe": self._recipe,
            "genes": len(self.vocabulary),
            "gene_sha256": self.vocabulary.sha256,
            "ontology_version": load_ontology().version,
            **_tally(paths),
            "sources": self._sources,
            **facts,
        }
        write_json(self.folder / MANIFEST, manifest)
        return self.folder

    def close(self) -> None:
        """Let go of the folder; what is whole stays."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self, source: str) -> _Open:
        if source not in self._open:
            if self._open:
                raise ValueError(f"{next(iter(self._open))} must be closed before {source} is begun")
            self._open[source] = self._resume(len(self._sources), source)
        return self._open[source]

    def _resume(self, number: int, source: str) -> _Open:
        paths = sorted((self.folder / SHARDS).glob(f"{number:05d}-*{SUFFIX}"))
        if not paths:
            return _Open(number, 0, 0)
        last = Shard(paths[-1])
        if last.about["source"] != source:
            raise OutputError(
                f"{self.folder} was begun with other sources ({last.about['source']!r} where {source!r} comes now); "
                "choose another folder, or remove it."
            )
        return _Open(number, len(paths), last.about["stop"], rows_seen=last.about["stop"])

    def _write_shard(self, current: _Open, source: str, block: LabelledBlock, rest: list[LabelledBlock]) -> None:
        raw = pack(block, facts={"source": source}, seed=current.shards)
        with atomic(self.folder / SHARDS / _file_name(current.number, current.shards)) as path:
            path.write_bytes(raw)
        current.shards += 1
        current.rows, current.blocks = block.stop, rest

    def _shard_record(self, number: int, shard: int) -> dict[str, Any]:
        path = self.folder / SHARDS / _file_name(number, shard)
        return {"file": path.name, **record_of(path).model_dump(), "cells": len(Shard(path))}

    def _check_free(self) -> None:
        if (self.folder / MANIFEST).exists():
            raise OutputError(f"{self.folder} is a finished store already. Give another folder, or remove it.")
        names = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()
        ours = {SHARDS, SOURCES, GENES, BEGUN}
        strange = {name for name in names - ours if not name.startswith(PASSING)}
        if strange or (self.folder.exists() and not self.folder.is_dir()):
            raise OutputError(f"{self.folder} is there already and is no store. Give another folder.")

    def _begin(self) -> None:
        sweep(self.folder)
        said = {"recipe": self._recipe, "gene_sha256": self.vocabulary.sha256, "shard_cells": self.shard_cells}
        path = self.folder / BEGUN
        if path.exists():
            if json.loads(path.read_text(encoding="utf-8")) != said:
                self.close()
                raise OutputError(
                    f"{self.folder} was begun by another recipe or another release. Give another folder, or remove it."
                )
            return
        rows = zip(self.vocabulary.ids, self.vocabulary.symbols, self.vocabulary.chromosomes, strict=True)
        with atomic(self.folder / GENES) as passing:
            passing.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        write_json(path, said)


def sweep(folder: Path) -> None:
    """Remove what a process that was killed had half written."""
    for place in (folder, folder / SHARDS, folder / SOURCES):
        remove_left(place)


def _file_name(source: int, shard: int) -> str:
    return f"{source:05d}-{shard:06d}{SUFFIX}"


def _joined(blocks: Sequence[LabelledBlock]) -> LabelledBlock:
    return LabelledBlock(
        sparse.csr_array(sparse.vstack([block.counts_kg for block in blocks], format="csr")),
        pd.concat([block.cells[list(CELL_COLUMNS)] for block in blocks]),
        np.concatenate([block.row_k for block in blocks]),
        blocks[-1].stop,
        {name: measured_g for block in blocks for name, measured_g in block.measured.items()},
    )


def _cut(blocks: Sequence[LabelledBlock], size: int) -> tuple[LabelledBlock, list[LabelledBlock]]:
    """Give the first cells of some blocks as one block, and what is left.

    The first uses up the rows to its last cell and no more, however the blocks were cut.
    """
    block = _joined(blocks)
    first = _some(block, slice(0, size), stop=int(block.row_k[size - 1]) + 1)
    rest = _some(block, slice(size, None), stop=block.stop)
    return first, [rest] if len(rest) else []


def _some(block: LabelledBlock, chosen: slice, *, stop: int) -> LabelledBlock:
    cells = block.cells.iloc[chosen]
    present = set(cells[DATASET].unique())
    measured = {name: measured_g for name, measured_g in block.measured.items() if name in present}
    return LabelledBlock(sparse.csr_array(block.counts_kg[chosen]), cells, block.row_k[chosen], stop, measured)


def _tally(paths: Sequence[Path]) -> dict[str, Any]:
    """Count what is in some shards, one after another, and see that they agree about the genes of each data set."""
    cells = entries = 0
    counted: dict[str, dict[str, int]] = {column: {} for column in CELL_COLUMNS}
    measured: dict[str, Mask] = {}
    for shard in map(Shard, paths):
        cells += len(shard)
        entries += int(shard.entries_k.sum(dtype=np.int64))
        for column, of in counted.items():
            words = shard.words(column)
            for word, more in zip(words, np.bincount(shard.codes(column), minlength=len(words)).tolist(), strict=True):
                of[word] = of.get(word, 0) + more
        for name, measured_g in shard.measured().items():
            if not np.array_equal(measured.setdefault(name, measured_g), measured_g):
                raise OutputError(
                    f"two sources call a data set {name!r} but measure other genes; give one of them another name."
                )
    in_order = {column: dict(sorted(of.items())) for column, of in counted.items()}
    return {"cells": cells, "entries": entries, "counted": in_order}
