"""How well cells are named that are stored as TPM, FPKM, RPKM or CPM: plain, as logarithms, rounded.

    python -m benchmarks.accuracy.stored_forms --runs runs/human-v1/calibration-a runs/human-v1/calibration-b \
        --save stored_forms

Counts of two data sets, molecules of blood and reads of a brain, are made each form, with the lengths of real genes,
and named by a network that never saw the set.  RPKM is over all reads of a cell, of which some are of no gene, so that
its cells sum to no common number; FPKM is over those of genes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import anndata
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

import spoticell
from benchmarks.lib.held_out import held_out
from benchmarks.lib.saving import DATA, save_result
from benchmarks.lib.studies import NO_LABEL
from spoticell.annotation.figures import score
from spoticell.annotation.result import Annotation
from spoticell.errors import CountsError
from spoticell.keys import LABEL
from spoticell.model.bundle import Bundle

SETS = ("pbmc3k_10x", "darmanis2015_brain")
MOST = 300
Floats = NDArray[np.float64]
STORED: dict[str, Callable[[Floats], Floats]] = {
    "plain": lambda values_nv: values_nv,
    "log2(x + 1)": lambda values_nv: np.log2(values_nv + 1),
    "ln(x + 1)": np.log1p,
    "log10(x + 1)": lambda values_nv: np.log10(values_nv + 1),
    "whole numbers": np.rint,
    "two decimals": lambda values_nv: np.round(values_nv, 2),
}


def lengths(genes: list[str], table: Path) -> Floats:
    """Give the lengths of genes, in bases; of one that has no length a usual one."""
    with gzip.open(table, "rt") as file:
        length = {row[1]: float(row[3]) for row in csv.reader(file)}
    made_v = np.random.default_rng(0).lognormal(7.3, 0.9, len(genes))
    return np.array([length.get(gene, made) for gene, made in zip(genes, made_v, strict=True)])


def units(counts_nv: Floats, length_v: Floats) -> Iterator[tuple[str, Floats]]:
    """Give counts in each unit."""
    total_n1 = np.maximum(counts_nv.sum(axis=1, keepdims=True), 1)
    share_n1 = np.random.default_rng(2).uniform(0.4, 0.9, (len(counts_nv), 1))
    rate_nv = counts_nv / length_v
    yield "TPM", rate_nv / rate_nv.sum(axis=1, keepdims=True) * 1e6
    yield "FPKM", rate_nv / total_n1 * 1e9
    yield "RPKM", rate_nv / total_n1 * 1e9 * share_n1
    yield "CPM", counts_nv / total_n1 * 1e6


def some_cells(path: Path) -> anndata.AnnData:
    """Give some labelled cells of a data set."""
    cells = anndata.read_h5ad(path)
    cells = cells[~cells.obs[LABEL].astype(str).isin(NO_LABEL).to_numpy()]
    chosen = np.random.default_rng(1).choice(cells.n_obs, min(MOST, cells.n_obs), replace=False)
    return cells[np.sort(chosen)].copy()


def lines_of(cells: anndata.AnnData, bundle: Bundle, length_v: Floats) -> Iterator[str]:
    """Give a line for the counts, and one for each form of them."""
    counts_nv = np.asarray(sparse.csr_array(cells.X).toarray(), dtype=np.float64)
    truth = cells.obs[LABEL].astype(str).tolist()

    def named(values_nv: Floats) -> Annotation:
        made = anndata.AnnData(sparse.csr_matrix(values_nv.astype(np.float32)), obs=cells.obs[[]], var=cells.var[[]])
        return spoticell.annotate(made, model=bundle, copy=True, on_progress=False, threads=1)

    plain = named(counts_nv)
    yield f"| counts | {line(plain, plain, truth)} |"
    for unit, values_nv in units(counts_nv, length_v):
        for how, store in STORED.items():
            try:
                yield f"| {unit}, {how} | {line(named(store(values_nv)), plain, truth)} |"
            except CountsError as error:
                yield f"| {unit}, {how} | refused: {error} | | | | | |"


def line(found: Annotation, plain: Annotation, truth: list[str]) -> str:
    """Describe answers: what the values were taken for, and how good the answers are."""
    figures = score(truth, found.terms_n.tolist(), found.score_n)
    same = float(np.mean(found.terms_n == plain.terms_n))
    numbers = " | ".join(f"{figures[key]:.3f}" for key in ("macro_f1", "hierarchical_f1", "ece"))
    return f"{found.findings.verdict.kind.value} | {same:.1%} | {numbers} | {float(np.median(found.n_counts_n)):,.0f}"


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="trainings without some data sets")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    runs = [held_out(run, 1) for run in args.runs]
    head = "| stored as | taken for | answers of the counts | macro-F1 | hierarchical F1 | ECE | counts of a cell |"
    lines = []
    for name in SETS:
        cells = some_cells(args.data / "train" / f"{name}.h5ad")
        length_v = lengths(cells.var_names.tolist(), args.data / "refs" / "genes_homo_sapiens.csv.gz")
        bundle = next(runtime.bundle for runtime, names in runs if name in names)
        lines += [f"## {name}", "", head, "|---|---|---|---|---|---|---|", *lines_of(cells, bundle, length_v), ""]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Cells stored as proportions", lines)


if __name__ == "__main__":
    main()
