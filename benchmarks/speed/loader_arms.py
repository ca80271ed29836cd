"""What benchmarks/loaders.py measures, one loader in a process: writing its store, reading it shuffled, in which order.

    PYTHON benchmarks/loader_arms.py ARM write|read|order FOLDER

Runs in the environment of its loader, so nothing is imported before an arm needs it.  Every arm gives batches of 256
cells as sparse counts, with their labels where the loader carries them.  ``n`` are cells, ``g`` genes.
"""

# ruff: noqa: PLC0415 - an environment has one loader, and the others can't be imported in it
from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

BATCH, HELD = 256, 16_384
"""Cells of a batch, and cells in memory that a batch is drawn from; Spoticell's pools are about as large."""
SECONDS = 5.0
SOURCE, PLAIN, KEYS = "cells.h5ad", "plain.h5ad", "keys.npz"
LABEL = "cell_type_ontology_term_id"
BALANCE = 0.5
"""How far types are balanced where they are: the default of Spoticell's trainings."""

Epochs = Callable[[], Iterator[Any]]


# Spoticell


def write_spoticell(folder: Path, store: Path) -> None:
    from spoticell.corpus.build import build_store
    from spoticell.corpus.recipe.recipe import load_recipe
    from spoticell.corpus.sources.opening import open_sources

    path = folder / "recipe.yaml"
    path.write_text(f"name: loaders\nsources:\n- {{file: {SOURCE}, dataset: tissue}}\n")
    recipe = load_recipe(path)
    build_store(recipe, open_sources(recipe, downloads=folder), store)


def read_spoticell(folder: Path, store: Path, *, balance: float = BALANCE) -> Epochs:
    from spoticell.biology.genes import load_vocabulary
    from spoticell.training.config import TrainConfig
    from spoticell.training.train import open_supply

    config = TrainConfig(validation_cells=BATCH, class_balance=balance)
    supply = open_supply(store, load_vocabulary(), config)
    rng = np.random.default_rng(0)

    def epoch() -> Iterator[Any]:
        drawn = 0
        while drawn < supply.n_training:
            pool = supply.pool(rng, streams=1)
            rising_n = np.cumsum(pool.chance_n)
            # no more cells are given than were read, though a training draws some of a pool more often
            for _ in range(len(pool.cells) // BATCH):
                chosen = np.searchsorted(rising_n, rng.random(BATCH) * rising_n[-1], side="right")
                yield pool.cells.counts_ng[chosen], pool.cells.label_n[chosen]
                drawn += BATCH
            del pool  # as in a training, before the next one is read

    return epoch


# annbatch


def _faster_zarr() -> None:
    import zarr

    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})


def write_annbatch(folder: Path, store: Path, *, squeeze: str = "lz4", by_type: bool = False) -> None:
    from annbatch import DatasetCollection
    from zarr.codecs import BloscCodec

    _faster_zarr()
    DatasetCollection(store).add_adatas(
        [folder / SOURCE],
        zarr_compressor=(BloscCodec(cname=squeeze, clevel=3, shuffle="shuffle"),),
        groupby=LABEL if by_type else None,
        rng=np.random.default_rng(0),
    )


def read_annbatch(folder: Path, store: Path, *, chunk: int = 512, by_type: bool = False) -> Epochs:
    import anndata as ad
    import pandas as pd
    from annbatch import DatasetCollection, Loader
    from annbatch.samplers import RandomSampler, WeightedClassSampler

    _faster_zarr()
    collection, rng = DatasetCollection(store, mode="r"), np.random.default_rng(0)
    sizes = {"chunk_size": chunk, "preload_nchunks": HELD // chunk, "batch_size": BATCH, "rng": rng}
    if by_type:
        classes = pd.Categorical(collection.obs(columns=[LABEL])[LABEL])
        cells_c = np.bincount(classes.codes)
        # a type of fewer cells than a chunk can't be drawn, and no type has several chances
        weights = np.where(cells_c >= chunk, cells_c.astype(float) ** (1 - BALANCE), 0)
        sampler = WeightedClassSampler(classes=classes, num_samples=len(classes), class_weights=weights, **sizes)
    else:
        sampler = RandomSampler(**sizes)

    def load(group: Any) -> ad.AnnData:
        return ad.AnnData(X=ad.io.sparse_dataset(group["X"]), obs=ad.io.read_elem(group["obs"])[[LABEL]])

    loader = Loader(batch_sampler=sampler).use_collection(collection, load_adata=load)
    return lambda: ((batch["X"], batch["obs"]) for batch in loader)


# scDataset


class Rows:
    """Rows of a sparse matrix on the disk, with the length that scDataset asks for."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, rows: Any) -> Any:
        return self.matrix[rows]


def write_plain(folder: Path, store: Path) -> None:
    import anndata as ad

    ad.read_h5ad(folder / SOURCE).write_h5ad(store)


def write_zarr(folder: Path, store: Path) -> None:
    import anndata as ad
    import zarr
    from zarr.codecs import BloscCodec

    _faster_zarr()
    cells = ad.read_h5ad(folder / SOURCE)
    chunk = 64 * cells.X.nnz // len(cells)
    group = zarr.open_group(store, mode="w", zarr_format=3)
    squeeze = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle")
    with ad.settings.override(write_csr_csc_indices_with_min_possible_dtype=True, zarr_write_format=3):
        options = {"chunks": (chunk,), "shards": (chunk * 256,), "compressors": [squeeze]}
        ad.io.write_elem(group, "X", cells.X, dataset_kwargs=options)
        ad.io.write_elem(group, "obs", cells.obs)


def read_scdataset(folder: Path, store: Path, *, block: int = 32, workers: int = 0, balance: bool = False) -> Epochs:
    import anndata as ad
    import h5py
    import zarr
    from scdataset import BlockShuffling, BlockWeightedSampling, scDataset
    from torch.utils.data import DataLoader

    _faster_zarr()
    group = h5py.File(store) if store.is_file() else zarr.open_group(store, mode="r")
    label_n = np.asarray(ad.io.read_elem(group["obs"])[LABEL])
    strategy = BlockShuffling(block_size=block)
    if balance:
        _, code_n, cells_c = np.unique(label_n, return_inverse=True, return_counts=True)
        weights = cells_c[code_n] ** -BALANCE
        strategy = BlockWeightedSampling(block_size=block, weights=weights, total_size=len(label_n))
    # each worker holds a share of what one process alone would hold
    ahead = HELD // BATCH // max(workers, 1)
    dataset = scDataset(
        Rows(ad.io.sparse_dataset(group["X"])),
        strategy,
        batch_size=BATCH,
        fetch_factor=ahead,
        fetch_callback=lambda cells, rows: (cells[rows], label_n[rows]),
        batch_callback=lambda fetched, chosen: (fetched[0][chosen], fetched[1][chosen]),
        seed=0,
    )
    if not workers:
        return lambda: iter(dataset)
    loader = DataLoader(dataset, batch_size=None, num_workers=workers, prefetch_factor=ahead + 1)
    return lambda: iter(loader)


# tiledbsoma-ml


def write_soma(folder: Path, store: Path) -> None:
    import tiledbsoma.io

    tiledbsoma.io.from_h5ad(str(store), folder / SOURCE, measurement_name="RNA")


def read_soma(folder: Path, store: Path) -> Epochs:
    import tiledbsoma
    from tiledbsoma_ml import ExperimentDataset

    experiment = tiledbsoma.Experiment.open(str(store))
    query = experiment.axis_query("RNA")
    columns = ["soma_joinid", LABEL]
    sizes = {"batch_size": BATCH, "io_batch_size": HELD, "seed": 0, "return_sparse_X": True}
    dataset = ExperimentDataset(query, "data", obs_column_names=columns, **sizes)

    def epoch() -> Iterator[Any]:
        dataset.set_epoch(dataset.epoch)  # its own rule for more than one epoch
        return iter(dataset)

    return epoch


# BioNeMo SCDL


def write_scdl(folder: Path, store: Path) -> None:
    from bionemo.scdl.io.single_cell_memmap_dataset import SingleCellMemMapDataset

    SingleCellMemMapDataset(str(store), str(folder / SOURCE), use_X_not_raw=True, data_dtype="uint16")


def read_scdl(folder: Path, store: Path) -> Epochs:
    import torch
    from bionemo.scdl.io.single_cell_memmap_dataset import SingleCellMemMapDataset
    from bionemo.scdl.util.torch_dataloader_utils import collate_sparse_matrix_batch
    from torch.utils.data import DataLoader

    options: dict[str, Any] = {"batch_size": BATCH, "shuffle": True, "collate_fn": collate_sparse_matrix_batch}
    dataset, generator = SingleCellMemMapDataset(str(store)), torch.Generator().manual_seed(0)
    loader = DataLoader(dataset, generator=generator, **options)
    return lambda: ((batch, None) for batch in loader)


@dataclass(frozen=True)
class Arm:
    """A loader with its settings."""

    title: str
    venv: str
    """Folder of its environment; none for Spoticell's own."""
    store: str
    """What it reads, in the folder of the benchmark."""
    write: Callable[[Path, Path], None] | None
    """Makes that; none where another arm does, or it is what all begin with."""
    read: Callable[[Path, Path], Epochs]


_zstd, _by_type = partial(write_annbatch, squeeze="zstd"), partial(write_annbatch, squeeze="zstd", by_type=True)
_balanced_zarr = partial(read_scdataset, block=64, balance=True)

ARMS = {
    "spoticell": Arm("Spoticell, types balanced", "", "spoticell", write_spoticell, read_spoticell),
    "spoticell-even": Arm("Spoticell, cells as they come", "", "spoticell", None, partial(read_spoticell, balance=0.0)),
    "annbatch": Arm("annbatch, its defaults", "annbatch", "lz4.zarr", write_annbatch, read_annbatch),
    "annbatch-zstd": Arm(
        "annbatch, zstd, chunks of 64", "annbatch", "zstd.zarr", _zstd, partial(read_annbatch, chunk=64)
    ),
    "annbatch-types": Arm(
        "annbatch, zstd, sorted by type, types balanced, chunks of 64",
        "annbatch",
        "types.zarr",
        _by_type,
        partial(read_annbatch, chunk=64, by_type=True),
    ),
    "scdataset-gzip": Arm("scDataset, gzip h5ad", "scdataset", SOURCE, None, read_scdataset),
    "scdataset-plain": Arm("scDataset, h5ad not squeezed", "scdataset", PLAIN, write_plain, read_scdataset),
    "scdataset-workers": Arm(
        "scDataset, h5ad not squeezed, 2 workers", "scdataset", PLAIN, None, partial(read_scdataset, workers=2)
    ),
    "scdataset-zarr": Arm(
        "scDataset, AnnData zarr v3, zstd, blocks of 64",
        "scdataset",
        "v3.zarr",
        write_zarr,
        partial(read_scdataset, block=64),
    ),
    "scdataset-types": Arm("the same, types balanced", "scdataset", "v3.zarr", None, _balanced_zarr),
    "tiledbsoma-ml": Arm("tiledbsoma-ml", "tiledbsoma-ml", "soma", write_soma, read_soma),
    "scdl": Arm("BioNeMo SCDL, uint16", "scdl", "scdl", write_scdl, read_scdl),
}


def as_csr(batch: Any, n_genes: int) -> sparse.csr_array:
    """Give a batch as scipy's matrix, whatever a loader calls one."""
    if sparse.issparse(batch):
        return sparse.csr_array(batch)
    parts = (batch.values().numpy(), batch.col_indices().numpy(), batch.crow_indices().numpy())
    return sparse.csr_array(parts, shape=(batch.shape[0], n_genes))


def cell_keys(counts_ng: sparse.csr_array) -> np.ndarray:
    """Give a number that tells each cell by its counts, ``(n,)``."""
    factor_g = np.random.default_rng(0).integers(1 << 62, size=counts_ng.shape[1])
    return counts_ng.astype(np.int64) @ factor_g


def seconds_of_all() -> float:
    """CPU time of this process and of its workers that have ended."""
    return sum(os.times()[:4])


def peak_mb(workers: int = 0) -> float:
    """Largest resident set so far, workers that have ended included; pages that they share count several times."""
    # what getrusage says of a process itself begins with the one that started it
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return (int(own.split()[1]) + workers * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def warm(store: Path) -> None:
    """Have the system read a store into its memory."""
    for path in [store] if store.is_file() else [one for one in store.rglob("*") if one.is_file()]:
        with path.open("rb") as file:
            while file.read(1 << 20):
                pass


def do_write(arm: Arm, folder: Path) -> dict[str, float]:
    assert arm.write is not None
    start = time.perf_counter()
    arm.write(folder, folder / arm.store)
    return {"seconds": time.perf_counter() - start, "mb": peak_mb()}


def do_read(arm: Arm, folder: Path) -> dict[str, float]:
    store = folder / arm.store
    warm(store)
    epoch = arm.read(folder, store)
    next(epoch())
    cells, start, before = 0, time.perf_counter(), seconds_of_all()
    while time.perf_counter() - start < SECONDS:
        cells += sum(batch.shape[0] for batch, _ in epoch())
    workers = 2 if "workers" in arm.title else 0
    spent, cpu = time.perf_counter() - start, seconds_of_all() - before
    return {"rate": cells / spent, "cpu_rate": cells / cpu, "mb": peak_mb(workers)}


def do_order(arm: Arm, folder: Path) -> dict[str, Any]:
    """Look at which cells come in which batch: two epochs, and the first of them once more."""
    with np.load(folder / KEYS) as file:
        key_n, label_n, n_genes = file["keys"], file["labels"], int(file["genes"])
    order_n = np.argsort(key_n)

    def rows(epoch: Epochs) -> list[np.ndarray]:
        found = []
        for batch, _ in epoch():
            keys = cell_keys(as_csr(batch, n_genes))
            row_n = order_n[np.searchsorted(key_n[order_n], keys).clip(max=len(key_n) - 1)]
            if not np.array_equal(key_n[row_n], keys):
                raise SystemExit(f"{arm.title} gives cells that were not put in")
            found.append(row_n)
        return found

    epoch = arm.read(folder, folder / arm.store)
    first, second, again = rows(epoch), rows(epoch), rows(arm.read(folder, folder / arm.store))
    whole = [batch for batch in first if len(batch) == BATCH]
    flat = [np.concatenate(one) for one in (first, second, again)]
    return {
        "blocks": float(np.mean([len(np.unique(batch // 64)) for batch in whole])),
        "labels": float(np.mean([len(np.unique(label_n[batch])) for batch in whole])),
        "types": len(np.unique(label_n[flat[0]])),
        "seen": len(np.unique(flat[0])) / len(key_n),
        "differ": not np.array_equal(flat[0], flat[1]),
        "repeats": bool(np.array_equal(flat[0], flat[2])),
    }


def main() -> None:
    """Do one thing with one arm and print the result as JSON."""
    name, what, folder = sys.argv[1:]
    done = {"write": do_write, "read": do_read, "order": do_order}[what](ARMS[name], Path(folder))
    print(json.dumps(done))


if __name__ == "__main__":
    main()
