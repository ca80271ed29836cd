"""Labelled cells as many as are wanted, made from real ones, as gzip h5ad files: input for the benchmarks of stores.

    python -m benchmarks.speed.corpus_cells CELLS --cells 500000 --files 4

Each is a real cell of the data sets for training with at least 1,500 known genes, drawn with replacement and thinned
binomially to between 70 and 100 % of its counts; donors are made up.  About 2,000 of 20,532 genes have a count.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from scipy import sparse

from benchmarks.lib.saving import DATA
from spoticell.biology.genes import load_vocabulary
from spoticell.training.data.labelled import LabelledCells, read_labelled

FEWEST_GENES = 1500
BLOCK = 4096


@lru_cache(maxsize=1)
def real_cells() -> LabelledCells:
    cells = read_labelled(DATA / "train", load_vocabulary())
    deep = cells.take(np.flatnonzero(np.diff(cells.counts_ng.indptr) >= FEWEST_GENES))
    # read counts of full-length protocols are far above those of a droplet
    return deep.take(np.flatnonzero(np.asarray(deep.counts_ng.sum(axis=1)).ravel() < 100_000))


def thinned(cells: LabelledCells, chosen: np.ndarray, rng: np.random.Generator) -> sparse.csr_array:
    counts = sparse.csr_array(cells.counts_ng[chosen])
    share = np.repeat(rng.uniform(0.7, 1.0, len(chosen)), np.diff(counts.indptr))
    counts.data = rng.binomial(np.rint(counts.data).astype(np.int64), share).astype(np.float32)
    counts.eliminate_zeros()
    return counts


def write_file(path: Path, n_cells: int, seed: int) -> None:
    """Write a gzip h5ad of the kind that anndata writes, block by block."""
    rng, cells = np.random.default_rng(seed), real_cells()
    chosen = rng.integers(len(cells), size=n_cells)
    obs = pd.DataFrame(
        {
            "cell_type_ontology_term_id": pd.Categorical(cells.label_n[chosen].astype(str)),
            "donor_id": pd.Categorical([f"d{n}" for n in rng.integers(20, size=n_cells)]),
            "assay": pd.Categorical(["10x 3' v3"] * n_cells),
            "tissue": pd.Categorical(np.array(cells.datasets)[cells.dataset_n[chosen]]),
            "disease": pd.Categorical(["normal"] * n_cells),
        },
        index=[f"{path.stem}-{n}" for n in range(n_cells)],
    )
    vocabulary = load_vocabulary()
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(file, "obs", obs, dataset_kwargs={"compression": "gzip"})
        write_elem(file, "var", pd.DataFrame(index=list(vocabulary.ids)))
        matrix = file.create_group("X")
        shape = (n_cells, len(vocabulary))
        matrix.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape})
        options = {"maxshape": (None,), "chunks": (1 << 18,), "compression": "gzip"}
        data = matrix.create_dataset("data", (0,), np.float32, **options)
        indices = matrix.create_dataset("indices", (0,), np.int32, **options)
        ends = [np.zeros(1, dtype=np.int64)]
        for start in range(0, n_cells, BLOCK):
            counts = thinned(cells, chosen[start : start + BLOCK], rng)
            before, after = len(data), len(data) + counts.nnz
            for stored, values in ((data, counts.data), (indices, counts.indices)):
                stored.resize((after,))
                stored[before:after] = values
            ends.append(before + counts.indptr[1:].astype(np.int64))
        matrix["indptr"] = np.concatenate(ends)


def make_corpus(folder: Path, *, cells: int, files: int) -> list[Path]:
    """Write files that together hold so many cells, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"part{number:03d}.h5ad" for number in range(files)]
    missing = [(path, number) for number, path in enumerate(paths) if not path.exists()]
    with ProcessPoolExecutor(2) as pool:
        for done in [pool.submit(write_file, path, cells // files, number) for path, number in missing]:
            done.result()
    return paths


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=2)
    args = parser.parse_args()
    for path in make_corpus(args.folder, cells=args.cells, files=args.files):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
