"""Cells of realistic size, made block by block: 33,538 genes, some 2,000 of them with counts in a cell.

Each is drawn from the mean of a type of real cells, varied from one state to another, so that its neighbours and
answers cost what those of a sample cost.  No two are copies, which a check would take for smoothed values.
Axes: ``n`` cells, ``g`` genes, ``s`` states, ``t`` tickets.
"""

from __future__ import annotations

from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.lib.saving import DATA
from spoticell.biology.vocabulary import load_vocabulary

SOURCE = "train/malt_tumour_citeseq_streak.h5ad"
"""Real cells on all genes of a reference genome, with labels."""
STATES, VARIED = 64, 0.4
"""States in all, and the spread of a gene's level between them, as a logarithm."""
DEPTH, SPREAD = 6200, 0.4
"""Counts of a cell, the middle one, and their spread as a logarithm."""
TICKETS = 1 << 18
"""Entries of a state's table, from which each count of a cell draws its gene."""
BLOCK = 2000


def tickets(data: Path, *, seed: int = 0) -> tuple[NDArray[np.uint16], list[str]]:
    """Give each state's genes as often as their proportions say, ``(s, t)``, and the names of the genes."""
    cells = anndata.read_h5ad(data / SOURCE)
    counts_ng = sparse.csr_matrix(cells.raw.X if cells.raw is not None else cells.X)
    symbols = cells.raw.var_names if cells.raw is not None else cells.var_names
    vocabulary = load_vocabulary()
    genes = [vocabulary.ids[vocabulary.by_symbol[name]] if name in vocabulary.by_symbol else name for name in symbols]
    types = cells.obs["cell_type_ontology_term_id"].astype(str).to_numpy()
    known = sorted(set(types) - {"unknown", "", "nan"})
    mean_tg = np.stack([np.asarray(counts_ng[types == name].mean(axis=0)).ravel() for name in known])
    rng = np.random.default_rng(seed)
    # what no cell of a type has is rare, not impossible
    mean_sg = mean_tg[rng.integers(0, len(mean_tg), STATES)] + mean_tg.mean(axis=0) / 50
    mean_sg *= rng.lognormal(0, VARIED, mean_sg.shape)
    sums_sg = np.cumsum(mean_sg, axis=1)
    # a gene that is too rare for a ticket has one in some states
    place_st = (np.arange(TICKETS) + rng.random((STATES, TICKETS))) / TICKETS
    gene_st = [np.searchsorted(sums / sums[-1], place) for sums, place in zip(sums_sg, place_st, strict=True)]
    return np.stack(gene_st).astype(np.uint16), genes


def write_cells(path: Path, n_cells: int, *, data: Path = DATA, compression: str | None = None, seed: int = 0) -> None:
    """Write cells as an h5ad."""
    gene_st, genes = tickets(data, seed=seed)
    rng = np.random.default_rng(seed)
    shape, packed = (n_cells, len(genes)), {} if compression is None else {"compression": compression}
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(file, "obs", about(n_cells))
        write_elem(file, "var", pd.DataFrame(index=genes))
        matrix = file.create_group("X")
        matrix.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape})
        arrays = {
            name: matrix.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(1 << 17,), **packed)
            for name, kind in (("data", np.float32), ("indices", np.int32))
        }
        ends = [0]
        for start in range(0, n_cells, BLOCK):
            drawn = [_drawn(gene_st, rng) for _ in range(min(BLOCK, n_cells - start))]
            ends += [*(ends[-1] + np.cumsum([len(gene_e) for gene_e, _ in drawn]))]
            for name, parts in zip(("indices", "data"), zip(*drawn, strict=True), strict=True):
                values = np.concatenate(parts)
                arrays[name].resize((ends[-1],))
                arrays[name][ends[-1] - len(values) :] = values
        matrix["indptr"] = np.array(ends, dtype=np.int64)


def about(n_cells: int) -> pd.DataFrame:
    """Give names, and labels by turns, which an index needs and nothing else looks at."""
    labels = pd.Categorical(np.resize(["T cell", "B cell"], n_cells))
    return pd.DataFrame({"cell_type": labels}, index=[f"cell-{number}" for number in range(n_cells)])


def _drawn(gene_st: NDArray[np.uint16], rng: np.random.Generator) -> tuple[NDArray[np.uint16], NDArray[np.intp]]:
    """Draw a cell: its genes and their counts."""
    state, depth = int(rng.integers(len(gene_st))), int(rng.lognormal(np.log(DEPTH), SPREAD))
    gene_u = np.sort(gene_st[state][rng.integers(TICKETS, size=depth)], kind="stable")  # by radix, which is faster
    start_e = np.flatnonzero(np.concatenate([[True], gene_u[1:] != gene_u[:-1]]))
    return gene_u[start_e], np.diff(start_e, append=depth)
