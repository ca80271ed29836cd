"""A finished store of labelled cells, read without loading it.

A store is a folder: ``store.json`` says what is in it and by which recipe it was made, ``genes.tsv`` which genes the
counts are of, ``shards/`` holds the cells, ``splits/`` which of them are for training, validation and test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict
from scipy import sparse

from spoticell.biology.vocabulary import Vocabulary
from spoticell.corpus.block import DATASET
from spoticell.corpus.store.shard import Mask, Shard
from spoticell.corpus.store.writer import GENES, MAJOR, MANIFEST, SHARDS
from spoticell.errors import StoreError
from spoticell.io.sealed import FileRecord, Seal, check_plain, first_fault, format_of
from spoticell.keys import LABEL

SEAL = Seal(
    StoreError,
    missing="{path} is missing or incomplete; copy it again, or prepare the store again.",
    resized="{path} is missing or incomplete; copy it again, or prepare the store again.",
    changed="{path} was changed or damaged; copy it again.",
)

OPEN_SHARDS = 256
"""Shards that are kept open; each holds its list of pieces and some labels in memory, 0.2 MB, and no counts."""


class ShardRecord(FileRecord):
    """What a shard must be."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    cells: int


class Store:
    """A store that is open for reading.

    Parameters
    ----------
    folder
        What `StoreWriter` finished.

    Raises
    ------
    StoreError
        If the folder is no store, unfinished, of a later format, or a shard is missing or of another size.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.manifest, self.records = _read_manifest(self.folder)
        for record in self.records:
            SEAL.check_size(self._path(record), record)
        self._open = lru_cache(maxsize=OPEN_SHARDS)(self._open_shard)

    def __len__(self) -> int:
        return int(self.manifest["cells"])

    def __repr__(self) -> str:
        types, datasets = len(self.labels), len(self.datasets)
        return f"Store({str(self.folder)!r}: {len(self):,} cells, {types} types, {datasets} data sets)"

    @property
    def name(self) -> str:
        """Name of the recipe, or of the folder if it has none."""
        return str(self.manifest["recipe"].get("name") or self.folder.name)

    @property
    def labels(self) -> tuple[str, ...]:
        """Cell Ontology terms of the cells, sorted."""
        return tuple(self.manifest["counted"][LABEL])

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets, sorted."""
        return tuple(self.manifest["counted"][DATASET])

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The genes of the counts."""
        lines = (self.folder / GENES).read_text(encoding="utf-8").splitlines()
        vocabulary = Vocabulary(*zip(*(line.split("\t") for line in lines), strict=True))
        if vocabulary.sha256 != self.manifest["gene_sha256"]:
            raise StoreError(f"{self.folder / GENES} isn't the list of genes that the store was made with.")
        return vocabulary

    @cached_property
    def measured(self) -> dict[str, Mask]:
        """Which genes each data set measures, ``(g,)`` each."""
        return {name: measured_g for _, shard in self.shards() for name, measured_g in shard.measured().items()}

    def shards(self) -> Iterator[tuple[int, Shard]]:
        """Give the number of each shard and the shard."""
        for number in range(len(self.records)):
            yield number, self.shard(number)

    def shard(self, number: int) -> Shard:
        """Give a shard by its number."""
        return self._open(number)

    def blocks(self) -> Iterator[sparse.csr_array]:
        """Stream the counts of all cells, a piece at a time, in the order of the shards."""
        for _, shard in self.shards():
            yield from (shard.piece(p) for p in range(len(shard.first_p) - 1))

    def verify(self, *, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Compare every shard with its sha256.

        Raises
        ------
        StoreError
            If one was changed.
        """
        for done, record in enumerate(self.records, start=1):
            SEAL.check(self._path(record), record)
            if on_progress is not None:
                on_progress(done, len(self.records))

    def _path(self, record: ShardRecord) -> Path:
        return self.folder / SHARDS / record.file

    def _open_shard(self, number: int) -> Shard:
        shard = Shard(self._path(self.records[number]))
        if shard.n_genes != self.manifest["genes"] or len(shard) != self.records[number].cells:
            raise StoreError(f"{shard.path} belongs to another store.")
        return shard


def is_store(folder: Path) -> bool:
    """Whether a folder is a finished store."""
    return (folder / MANIFEST).is_file()


def _read_manifest(folder: Path) -> tuple[dict[str, Any], list[ShardRecord]]:
    path = folder / MANIFEST
    if not path.is_file():
        raise StoreError(f"{folder} is no finished store: it has no {MANIFEST}; run spoticell prepare to its end.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = format_of(manifest)
        if version is None:
            raise ValueError("it states no format_version")
        records = [ShardRecord.model_validate(one) for source in manifest["sources"] for one in source["shards"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{path} is damaged ({first_fault(error)}); prepare the store again.") from error
    if version[0] != MAJOR:
        raise StoreError(f"{folder} has format {manifest['format_version']}, and this Spoticell reads {MAJOR}.x.")
    try:
        check_plain((record.file for record in records), manifest=MANIFEST)
    except ValueError:
        raise StoreError(f"{path} leads to files outside the store; it is not opened.") from None
    return manifest, records
