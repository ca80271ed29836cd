"""Whether the genes that explain an answer are those that it rests on: deletion tests on the development tests.

    python -m benchmarks.accuracy.explained_genes --save explained_genes

Of each cell with an answer the genes that it has are taken out bit by bit, and the network is asked for the probability
of that answer after each bit: in the order of what `spoticell.explain` says, in that of occlusion, in that of counts
(the highest first), and in a random one. The figure is the area under the curve of the probability over the share of
genes that are gone, as a share of what it is with all genes. The way that is used was chosen on data sets of ``train/``
(``--chosen-on``); the figures are those of ``test/``, each data set as far as the model can name its cells.

Markers: of the ten genes that speak loudest for a type in a data set, how many does any of the tables of known markers
in ``markers/`` name for it, against how many of its measured genes at large, each gene weighted by the share of the
type's cells that have it: a marker is then not found by being a common gene.

Axes: ``n`` cells, ``g`` genes, ``e`` genes of a cell, ``p`` points of a curve.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.lib.answering import answer_cells, describe, open_runtime
from benchmarks.lib.saving import DATA, save_figures, save_result
from benchmarks.lib.studies import Cells, read_cells
from spoticell.biology.markers import Markers
from spoticell.io.marker_table import read_markers
from spoticell.keys import UNKNOWN
from spoticell.model.reasons import Occlusion, Reasons, Spoken, through_weights
from spoticell.model.runtime import Runtime

SHARES = np.linspace(0, 1, 21)[:-1]
"""Shares of a cell's genes that are taken out; with none left there is no cell."""
CHOSEN_ON = ("pbmc3k_10x", "baron_human1", "wu2021_breast_cid4465")
"""Data sets of ``train/`` on which the way was chosen."""
TOP, FEWEST = 10, 10
"""Genes of a type that are looked up among markers, and cells that the type needs in a data set."""

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Curves:
    """How the probability of answers falls, by the order in which genes are taken out; one row a cell."""

    way: dict[str, Floats]

    def area(self, order: str, most: int | None = None) -> float:
        """Give the mean area under the curves, those of the first cells only or all, as a share of where they begin."""
        curve_np = self.way[order][:most]
        return float(np.mean(curve_np.mean(axis=1) / np.maximum(curve_np[:, 0], 1e-9)))


def deletion(cell_1g: sparse.csr_array, order_e: NDArray[np.intp], ask: Callable[[sparse.csr_array], Floats]) -> Floats:
    """Give the probability of an answer, ``(p,)``, as the genes of a cell are taken out.

    Parameters
    ----------
    cell_1g
        The cell's counts.
    order_e
        Positions among its genes, first to be taken out first.
    ask
        Gives the probability of the answer in some cells.
    """
    rank_e = np.argsort(order_e)
    left_pe = rank_e >= np.rint(SHARES[:, None] * len(order_e))
    rows = [
        sparse.csr_array(
            (cell_1g.data[left_e], cell_1g.indices[left_e], [0, int(left_e.sum())]), shape=(1, cell_1g.shape[1])
        )
        for left_e in left_pe
    ]
    return ask(sparse.csr_array(sparse.vstack(rows, format="csr")))


def curves(cells: Cells, runtime: Runtime, way: Reasons, *, occlusion: int, seed: int = 0) -> Curves:
    """Take out the genes of cells in each order; in that of occlusion of the first few cells of the set only."""
    rng, node_of = np.random.default_rng(seed), {term: m for m, term in enumerate(runtime.bundle.nodes)}
    term_n = answer_cells(cells, runtime).term_n
    found: dict[str, list[Floats]] = {}
    for n in np.flatnonzero(term_n != UNKNOWN).tolist():
        cell_1g, node = cells.counts_ng[n : n + 1], node_of[term_n[n]]

        def ask(rows: sparse.csr_array, node: int = node) -> Floats:
            return runtime.predict(rows, cells.measured_g).probabilities_nm[:, node]

        orders = {
            "explained": _loudest(way.of(cell_1g, cells.measured_g, node)),
            "counts": np.argsort(-cell_1g.data, kind="stable"),
            "random": rng.permutation(cell_1g.nnz),
        }
        if len(found.get("occlusion", ())) < occlusion:
            orders["occlusion"] = _loudest(Occlusion(runtime).of(cell_1g, cells.measured_g, node))
        for name, order_e in orders.items():
            found.setdefault(name, []).append(deletion(cell_1g, order_e, ask))
    return Curves({name: np.array(rows) for name, rows in found.items()})


def marked(cells: Cells, runtime: Runtime, way: Reasons, markers: list[Markers]) -> list[dict[str, object]]:
    """Count the known markers among the genes that speak loudest for each type, and how many chance would bring."""
    bundle, term_n = runtime.bundle, answer_cells(cells, runtime).term_n
    rows: list[dict[str, object]] = []
    for term in sorted(set(term_n.tolist()) - {UNKNOWN}):
        own = np.flatnonzero(term_n == term)
        if len(own) < FEWEST:
            continue
        counts_ng = cells.counts_ng[own[: way.most]]
        spoken = way.of(counts_ng, cells.measured_g, bundle.nodes.index(term))
        loud_k = np.argsort(-spoken.contribution_ng.sum(axis=0), kind="stable")[:TOP]
        gene_g = np.flatnonzero(cells.measured_g)
        known_g = np.any([table.known(term, gene_g.tolist()) for table in markers], axis=0)
        if not known_g.any():
            continue
        seen_g = (counts_ng[:, gene_g] > 0).sum(axis=0)
        hits = int(np.isin(loud_k, gene_g[known_g]).sum())
        chance = TOP * float(seen_g[known_g].sum() / max(seen_g.sum(), 1))
        rows.append({"set": cells.name, "term": term, "cells": len(own), "known": hits, "chance": round(chance, 2)})
    return rows


def _loudest(spoken: Spoken) -> NDArray[np.intp]:
    return np.argsort(-spoken.contribution_ng.data, kind="stable")


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="human-v1")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, default=60, help="cells of a set, drawn at random")
    parser.add_argument("--occlusion", type=int, default=5, help="of these, how many are also occluded")
    parser.add_argument("--chosen-on", action="store_true", help="measure on the data sets on which the way was chosen")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    runtime = open_runtime(args.bundle, args.threads)
    way = through_weights(runtime.bundle)
    if way is None:
        parser.error("the bundle brings no weights that can be followed")
    paths = [args.data / "train" / f"{name}.h5ad" for name in CHOSEN_ON]
    if not args.chosen_on:
        paths = sorted([*(args.data / "test").glob("*.h5ad"), *(args.data / "more" / "test").glob("*.h5ad")])
    markers = [read_markers(path, runtime.bundle.vocabulary) for path in sorted((args.data / "markers").glob("*.gz"))]
    by_set, types = {}, []
    for path in paths:
        whole = read_cells(path, runtime)
        by_set[path.stem] = curves(whole.sample(args.most), runtime, way, occlusion=args.occlusion)
        types += marked(whole, runtime, way, markers)
        print(path.stem, {name: round(by_set[path.stem].area(name), 3) for name in by_set[path.stem].way}, flush=True)
    lines = report(by_set, types)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Genes that explain answers", [describe(runtime), "", *lines])
        areas = {name: {order: found.area(order) for order in found.way} for name, found in by_set.items()}
        save_figures(args.save, {"bundle": describe(runtime), "area": areas, "markers": types})


def report(by_set: dict[str, Curves], types: list[dict[str, object]]) -> list[str]:
    """Give the tables of a result."""
    named = {name: found for name, found in by_set.items() if found.way}
    rows = [_row(found) for found in named.values()]
    mean = np.mean(rows, axis=0)
    lines = [
        "| set | cells | explained | counts | random | explained / random | some cells, explained | same, occlusion |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {len(found.way['random'])} | {_figures(row)} |"
            for (name, found), row in zip(named.items(), rows, strict=True)
        ),
        f"| mean | | {_figures(mean.tolist())} |",
    ]
    known, chance = (float(np.mean([row[key] for row in types])) for key in ("known", "chance"))
    return [
        *lines,
        "",
        "Area under the curve of the probability over the share of genes that are gone; lower is more faithful.",
        "",
        f"Of the {TOP} genes that speak loudest for a type, {known:.1f} are known markers of it; by chance, weighted "
        f"by how common genes are, it would be {chance:.1f} ({len(types)} types of all sets).",
    ]


def _row(found: Curves) -> list[float]:
    explained, counts, chance = (found.area(order) for order in ("explained", "counts", "random"))
    few = len(found.way["occlusion"])
    return [explained, counts, chance, explained / chance, found.area("explained", few), found.area("occlusion")]


def _figures(values: list[float]) -> str:
    return " | ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    main()
