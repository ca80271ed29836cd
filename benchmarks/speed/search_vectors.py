"""Make fingerprints to measure searches with: real cells, thinned and cut to panels, through a bundle's network.

Writes ``real.npy`` (references), ``queries.npy`` (of other cells) and, with noise on the sphere, ``1000000.npy`` and
so on into a folder of your choice.  Nothing of it belongs in the repository.

    python -m benchmarks.speed.search_vectors /tmp/vectors --cells 300000 --sizes 1000000 10000000
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.lib.saving import DATA
from spoticell.index import COLUMNS, ReferenceCells
from spoticell.io import open_cells
from spoticell.io.aligned import read_counts
from spoticell.io.findings import inspect
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.model.runtime import Runtime

CHUNK = 256
"""Cells that share a panel."""
HELD_OUT = 20
"""One cell of so many is a source of queries and never of references."""
NOISE = 0.5
"""Length of the noise, as a share of the median distance between a fingerprint and the nearest of another cell."""
ROWS = 1 << 18
K = 10
"""Neighbours that a measurement asks for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--bundle", default="human-v1")
    parser.add_argument("--cells", type=int, default=300_000)
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if not (args.folder / "real.npy").exists():
        make_real(args)
    real_nd = np.load(args.folder / "real.npy")
    for size in args.sizes:
        write_noisy(args.folder / f"{size}.npy", real_nd, size)


def make_real(args: argparse.Namespace) -> None:
    bundle = load_bundle(args.bundle)
    runtime = Runtime(bundle, threads=args.threads)
    sets = read_sets(args.data, bundle)
    rng = np.random.default_rng(0)
    for name, total, of_queries in (("queries", args.queries, True), ("real", args.cells, False)):
        made_nd = np.concatenate(list(augmented(sets, runtime, total, of_queries=of_queries, rng=rng)))
        np.save(args.folder / f"{name}.npy", rng.permutation(made_nd[np.linalg.norm(made_nd, axis=1) > 0]))


def read_sets(data: Path, bundle: Bundle) -> list[tuple[sparse.csr_array, np.ndarray]]:
    sets = []
    for path in sorted([*(data / "train").glob("*.h5ad"), *(data / "unlabelled").glob("*.h5ad")]):
        with open_cells(path) as source:
            found = inspect(source, bundle.vocabulary)
            sets.append((read_counts(source, found), found.match.measured_g))
    return sets


def augmented(sets, runtime, total, *, of_queries, rng):
    """Give fingerprints of thinned cells of random panels, from all sets in turn."""
    weight_s = np.array([counts_ng.shape[0] for counts_ng, _ in sets], dtype=float) ** 0.5
    made = 0
    while made < total:
        counts_ng, measured_g = sets[rng.choice(len(sets), p=weight_s / weight_s.sum())]
        usable = np.flatnonzero((np.arange(counts_ng.shape[0]) % HELD_OUT == 0) == of_queries)
        chosen = rng.choice(usable, min(CHUNK, total - made))
        panel_g = measured_g & (rng.random(len(measured_g)) < 10 ** rng.uniform(-1.3, 0))
        if rng.random() < 0.5:
            panel_g = measured_g  # half of the cells keep all their genes
        cells_ng = sparse.csr_array(counts_ng[chosen])
        cells_ng.data = rng.binomial(
            np.round(cells_ng.data).astype(np.int64),
            np.repeat(10 ** rng.uniform(-0.7, 0, len(chosen)), np.diff(cells_ng.indptr)),
        ).astype(np.float32)
        fingerprint_nd = runtime.predict(
            sparse.csr_array(cells_ng @ sparse.diags_array(panel_g.astype(np.float32))), panel_g
        ).fingerprint_nd
        made += len(chosen)
        if made // 20_000 != (made - len(chosen)) // 20_000:
            print(f"{made:,} of {total:,} fingerprints", flush=True)
        yield fingerprint_nd


def write_noisy(path: Path, real_nd: np.ndarray, size: int) -> None:
    """Write ``size`` fingerprints: the real ones, then copies of them with noise of half the distance between cells."""
    rng = np.random.default_rng(size)
    length = NOISE * spacing(real_nd)
    d = real_nd.shape[1]
    out_nd = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(size, d))
    for start in range(0, size, ROWS):
        rows = np.arange(start, min(start + ROWS, size))
        base_nd = real_nd[rows % len(real_nd)]
        noise_nd = rng.normal(scale=length / d**0.5, size=base_nd.shape).astype(np.float32)
        noise_nd[rows < len(real_nd)] = 0
        made_nd = base_nd + noise_nd
        out_nd[rows] = made_nd / np.linalg.norm(made_nd, axis=1, keepdims=True)
    print(f"{path}: noise of length {length:.4f}", flush=True)


def reference_blocks(x_nd: np.ndarray) -> Iterator[ReferenceCells]:
    """Give the vectors as cells of 20 studies and 100 types."""
    n, step = len(x_nd), 1 << 16
    for start in range(0, n, step):
        row = np.arange(start, min(start + step, n))
        table = pd.DataFrame({name: pd.Categorical.from_codes(np.zeros(len(row), int), ["-"]) for name in COLUMNS})
        table["cell_type"] = pd.Categorical.from_codes(row // 1000 % 100, [f"type {i}" for i in range(100)])
        table["study"] = pd.Categorical.from_codes(row * 20 // n, [f"study {i}" for i in range(20)])
        yield ReferenceCells(x_nd[row[0] : row[-1] + 1], [f"cell-{i:012d}" for i in row], table)


def spacing(real_nd: np.ndarray) -> float:
    """Median distance from a fingerprint to the nearest other one."""
    sample_nd = real_nd[:1000]
    best_n = np.partition(sample_nd @ real_nd.T, -2, axis=1)[:, -2]
    return float(np.median(np.sqrt(np.maximum(2 - 2 * best_n, 0))))


if __name__ == "__main__":
    main()
