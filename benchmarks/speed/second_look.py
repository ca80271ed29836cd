"""What the second look costs beside the first: processor time and memory, at sizes that no file is made for.

    python -m benchmarks.speed.second_look --sizes 100000 --memory 1000000 --save second_look

Cells are made block by block while they are read: each is one of a few thousand made cells (see ``made_cells``) without
a fifth of its genes, another fifth each time.  They are named by a process of its own, each alone and with the sample,
on one thread, and the answers go to a csv file.  What making the cells takes is measured by itself and left out of the
times; a file is read twice, so they are made twice.  Where only the memory is asked for, cells are only named with the
sample.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.lib.made_cells import write_cells
from benchmarks.lib.saving import save_figures, save_result
from benchmarks.speed.throughput import Cost, run
from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import annotate_source
from spoticell.annotation.sinks import CsvSink
from spoticell.io.source import BLOCK, CellBlock, CellSource

POOL, KEPT = 4000, 0.8
"""Cells that others are made of, and the share of its counts that each keeps."""
READS = 2
"""How often a source is read: to look at it, and to name its cells."""
MAKING, ALONE, SAMPLE = WAYS = ("making", "each cell alone", "with the sample")
MOST_TIME, MOST_MEMORY = 0.25, {100_000: 1500, 1_000_000: 2500}
"""The aims: how much more time than the first look, and how many MB for so many cells."""


class MadeCells(CellSource):
    """Cells that are made when they are read, always the same.

    Parameters
    ----------
    pool
        An h5ad of cells that they are made of.
    n_cells
        How many.
    """

    name, format, matrices = "made cells", "made", ("X",)

    def __init__(self, pool: Path, n_cells: int) -> None:
        cells = anndata.read_h5ad(pool)
        self._pool_ng, self._genes = sparse.csr_array(cells.X), cells.var_names.to_numpy(object)
        self.n_cells = n_cells
        self.cell_names = pd.Index([f"cell-{number}" for number in range(n_cells)], dtype=object)

    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        """Give the genes."""
        return {"index": self._genes}

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Make the cells, block by block."""
        for start in range(0, self.n_cells, size):
            rng = np.random.default_rng(start)
            chosen_n = rng.integers(self._pool_ng.shape[0], size=min(size, self.n_cells - start))
            yield CellBlock(start, fewer(self._pool_ng[chosen_n], rng))

    def obs(self) -> pd.DataFrame:
        """Give a table without columns."""
        return pd.DataFrame(index=self.cell_names)


def fewer(counts_ng: sparse.csr_array, rng: np.random.Generator) -> sparse.csr_array:
    """Leave out counts of cells by chance, whole genes each.

    Examples
    --------
    >>> some = fewer(sparse.csr_array(np.full((2, 5000), 3.0)), np.random.default_rng(0))
    >>> some.shape, 0.75 < some.nnz / 10000 < 0.85, float(some.max())
    ((2, 5000), True, 3.0)
    """
    kept_e = np.flatnonzero(rng.random(counts_ng.nnz, dtype=np.float32) < KEPT)
    ends = np.searchsorted(kept_e, counts_ng.indptr)
    return sparse.csr_array((counts_ng.data[kept_e], counts_ng.indices[kept_e], ends), shape=counts_ng.shape)


def name_cells(pool: Path, n_cells: int, way: str, output: Path) -> None:
    """Make cells and name them in one way, or make them only."""
    source = MadeCells(pool, n_cells)
    if way == MAKING:
        for _ in range(READS):
            for _ in source.blocks("X"):
                pass
        return
    options = Options(each_cell_alone=way == ALONE, threads=1)
    annotate_source(source, options, [CsvSink(output, overwrite=True)])


def measured(sizes: dict[int, tuple[str, ...]]) -> dict[int, dict[str, Cost]]:
    """Measure the ways that are asked for at each size."""
    found: dict[int, dict[str, Cost]] = {}
    with tempfile.TemporaryDirectory() as folder:
        pool, output = Path(folder) / "pool.h5ad", Path(folder) / "named.csv"
        write_cells(pool, POOL)
        for size, ways in sizes.items():
            for way in ways:
                one = ["--one", str(pool), str(size), way, str(output)]
                cost = run([sys.executable, "-m", "benchmarks.speed.second_look", *one])
                print(f"{size:,} {way}: {cost}", flush=True)
                found.setdefault(size, {})[way] = cost
    return found


def table(found: Mapping[int, Mapping[str, Cost]]) -> list[str]:
    """Lay out what each size takes, and say which aims are met.

    Examples
    --------
    >>> costs = {MAKING: Cost(0, 2, 200), ALONE: Cost(0, 12, 500), SAMPLE: Cost(0, 17, 700)}
    >>> for line in table({100_000: costs, 1_000_000: {SAMPLE: Cost(0, 170, 900)}})[-2:]:
    ...     print(line)
    * 100,000 cells: 50% more time than the first look (at most 25% asked), 700 MB (1,500 asked).
    * 1,000,000 cells: 900 MB (2,500 asked).
    """
    lines = [
        "| cells | each cell alone (s) | with the sample (s) | alone (MB) | with the sample (MB) |",
        "|---|---|---|---|---|",
    ]
    said = [""]
    for size, costs in found.items():
        most = f"{costs[SAMPLE].memory:,.0f} MB" + (f" ({MOST_MEMORY[size]:,} asked)" if size in MOST_MEMORY else "")
        if ALONE not in costs:
            lines.append(f"| {size:,} | - | - | - | {costs[SAMPLE].memory:,.0f} |")
            said.append(f"* {size:,} cells: {most}.")
            continue
        alone, sample = (costs[way].processor - costs[MAKING].processor for way in (ALONE, SAMPLE))
        memory = [f"{costs[way].memory:,.0f}" for way in (ALONE, SAMPLE)]
        lines.append(f"| {size:,} | {alone:.1f} | {sample:.1f} | {' | '.join(memory)} |")
        more = f"{sample / alone - 1:.0%} more time than the first look (at most {MOST_TIME:.0%} asked)"
        said.append(f"* {size:,} cells: {more}, {most}.")
    return lines + said


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000])
    parser.add_argument("--memory", type=int, nargs="*", default=[], help="sizes of which only the memory is asked")
    parser.add_argument("--one", nargs=4, metavar=("POOL", "CELLS", "WAY", "OUTPUT"), help="what a process is asked")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    if args.one:
        pool, n_cells, way, output = args.one
        name_cells(Path(pool), int(n_cells), way, Path(output))
        return
    found = measured(dict.fromkeys(args.sizes, WAYS) | dict.fromkeys(args.memory, (SAMPLE,)))
    lines = ["Processor time on one thread, without that of making the cells; memory is the peak.", "", *table(found)]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "What the second look costs", lines)
        save_figures(args.save, {size: {way: cost._asdict() for way, cost in of.items()} for size, of in found.items()})


if __name__ == "__main__":
    main()
