"""Do the nearest reference cells of other studies have the right type? Fingerprints beside PCA.

    python -m benchmarks.accuracy.nearest_cells --bundle human-v1 --save matches

References are the labelled cells of DATA/train, queries the labelled cells of DATA/test whose type some reference of
another study has.  Type-precision@10 is the share of a query's ten nearest references whose term is the query's or a
subtype of it; "compatible" also counts references above it.  The peer is what a fair user would do without a network:
counts per 10,000 over the genes that all references and the queries share, log1p, PCA to 50 fitted on the references,
neighbours by cosine or Euclid, whichever is better for the peer over all sets.  Then the same queries seen through
random and real panels, the peer fitted again on each panel's genes; recall@10 is the share of the ten references that
the full-gene fingerprint finds.  A query that a panel leaves without counts counts as wrong.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import PCA

from benchmarks.lib.saving import DATA, RESULTS, save_result
from benchmarks.lib.studies import (
    Cells,
    answerable,
    fingerprints,
    is_compatible,
    is_right,
    nearest,
    random_panel,
    read_panel,
    read_studies,
    relation,
)
from benchmarks.peers.methods import log_normalised
from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime

K = 10
SIZES = (1000, 300, 100)
FEWEST_GENES = 50
"""A panel of which fewer genes are measured in a set isn't tried there, as annotate refuses such cells."""

Figures = dict[str, float]


class References:
    """The labelled cells of all training studies, with their fingerprints."""

    def __init__(self, studies: Sequence[Cells], runtime: Runtime) -> None:
        self.runtime = runtime
        self.counts_rg = sparse.csr_array(sparse.vstack([cells.counts_ng for cells in studies], format="csr"))
        self.measured_g = np.logical_and.reduce([cells.measured_g for cells in studies])
        self.term_r = np.concatenate([cells.term_n for cells in studies])
        self.study_r = np.concatenate([np.full(len(cells), cells.study, dtype=object) for cells in studies])
        self.fingerprint_rd = np.concatenate([fingerprints(cells, runtime) for cells in studies])

    def without(self, study: str) -> NDArray[np.intp]:
        """Rows of other studies."""
        return np.flatnonzero(self.study_r != study)


def by_fingerprint(queries: Cells, references: References) -> NDArray[np.intp]:
    """Rows of the nearest references of other studies."""
    rows = references.without(queries.study)
    hit_nk, _ = nearest(fingerprints(queries, references.runtime), references.fingerprint_rd[rows], K)
    return rows[hit_nk]


def by_pca(queries: Cells, references: References) -> dict[str, NDArray[np.intp]]:
    """Rows of the nearest references of other studies by the peer, with either distance."""
    rows = references.without(queries.study)
    shared = np.flatnonzero(references.measured_g & queries.measured_g)
    reference_rg = log_normalised(sparse.csr_array(references.counts_rg[rows][:, shared])).toarray()
    query_ng = log_normalised(sparse.csr_array(queries.counts_ng[:, shared])).toarray()
    pca = PCA(min(50, len(shared) - 1), random_state=0, svd_solver="randomized").fit(reference_rg)
    reference_rp, query_np = pca.transform(reference_rg), pca.transform(query_ng)
    half_r = (reference_rp**2).sum(axis=1, keepdims=True) / 2
    euclid = nearest(np.c_[query_np, -np.ones(len(query_np))], np.c_[reference_rp, half_r], K)[0]
    return {"PCA-50, Euclid": rows[euclid], "PCA-50, cosine": rows[nearest(unit(query_np), unit(reference_rp), K)[0]]}


def unit(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scale rows to length 1."""
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)


def precision(queries: Cells, row_nk: NDArray[np.intp], references: References) -> Figures:
    """Judge the hits."""
    term_nk = references.term_r[row_nk]
    counted_n = np.asarray(queries.counts_ng.sum(axis=1)).ravel() > 0
    right_nk = relation(queries.term_n, term_nk, is_right) & counted_n[:, None]
    compatible_nk = relation(queries.term_n, term_nk, is_compatible) & counted_n[:, None]
    by_type = [right_nk[queries.term_n == term].mean() for term in set(queries.term_n)]
    return {"right": right_nk.mean(), "compatible": compatible_nk.mean(), "by type": float(np.mean(by_type))}


def recall(row_nk: NDArray[np.intp], exact_nk: NDArray[np.intp]) -> float:
    """Share of the exact hits that are among the others."""
    return float(np.mean([len(set(row) & set(exact)) / K for row, exact in zip(row_nk, exact_nk, strict=True)]))


def judge_all(queries: Cells, references: References) -> dict[str, Figures]:
    """Judge the fingerprint and the peer on the same queries."""
    hits = {"fingerprint": by_fingerprint(queries, references)} | by_pca(queries, references)
    return {name: precision(queries, row_nk, references) for name, row_nk in hits.items()}


def judge_panel(queries: Cells, references: References, panels: Sequence[NDArray[np.bool_]]) -> dict[str, Figures]:
    """Judge queries seen through panels, means over these; the references stay complete."""
    exact_nk = by_fingerprint(queries, references)
    rows: dict[str, list[Figures]] = {}
    for panel_g in panels:
        reduced = queries.seen_through(panel_g)
        hit_nk = by_fingerprint(reduced, references)
        figures = precision(reduced, hit_nk, references) | {"recall": recall(hit_nk, exact_nk)}
        rows.setdefault("fingerprint", []).append(figures)
        for name, peer_nk in by_pca(reduced, references).items():
            rows.setdefault(name, []).append(precision(reduced, peer_nk, references))
    return {
        name: {key: statistics.mean(run[key] for run in runs) for key in runs[0]} for name, runs in rows.items()
    } | {"all genes": precision(queries, exact_nk, references)}


def queries_of(data: Path, references: References, most: int) -> tuple[list[Cells], list[str]]:
    """Give the queries that some reference of another study could answer, and say how many these are."""
    chosen, remarks = [], []
    for cells in read_studies(data / "test", references.runtime):
        rows = references.without(cells.study)
        answerable_n = answerable(cells.term_n, references.term_r[rows])
        kept = cells.take(np.flatnonzero(answerable_n)).sample(most)
        types, all_types = len(set(cells.term_n[answerable_n])), len(set(cells.term_n))
        remarks.append(
            f"{cells.name}: {answerable_n.sum():,} of {len(cells):,} labelled cells, {types} of {all_types} types"
            + (f", {len(kept):,} drawn" if len(kept) < answerable_n.sum() else "")
        )
        chosen.append(kept)
    return chosen, remarks


def full_table(rows: dict[str, dict[str, Figures]]) -> list[str]:
    """Lay out type-precision@10 by set and method, right / compatible."""
    methods = list(next(iter(rows.values())))
    lines = ["| set | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
    for name, by_method in rows.items():
        cells = (f"{by_method[m]['right']:.3f} / {by_method[m]['compatible']:.3f}" for m in methods)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    means = (
        " / ".join(f"{statistics.mean(row[m][key] for row in rows.values()):.3f}" for key in ("right", "compatible"))
        for m in methods
    )
    return [*lines, "| **mean** | " + " | ".join(f"**{mean}**" for mean in means) + " |"]


def panel_table(rows: dict[str, dict[str, dict[str, Figures]]]) -> list[str]:
    """Lay out the panels: means over the sets that hold enough of the genes, beside all genes on the same sets."""
    lines = [
        "| panel | sets | recall@10 | fingerprint | of all genes | PCA-50, Euclid | PCA-50, cosine |",
        "|---|---|---|---|---|---|---|",
    ]
    for panel, by_set in rows.items():
        mean = {
            (method, key): statistics.mean(row[method][key] for row in by_set.values())
            for method, key in (
                ("fingerprint", "recall"),
                *((method, "right") for method in ("fingerprint", "all genes", "PCA-50, Euclid", "PCA-50, cosine")),
            )
        }
        kept = mean["fingerprint", "right"] / mean["all genes", "right"]
        peers = " | ".join(f"{mean[name, 'right']:.3f}" for name in ("PCA-50, Euclid", "PCA-50, cosine"))
        lines.append(
            f"| {panel} | {len(by_set)} | {mean['fingerprint', 'recall']:.3f} | {mean['fingerprint', 'right']:.3f} | "
            f"{kept:.0%} of {mean['all genes', 'right']:.3f} | {peers} |"
        )
    return lines


def panels_of(data: Path, queries: Sequence[Cells], references: References, seeds: int) -> dict[str, Any]:
    """Judge random and real panels on the sets that have the genes."""
    rows: dict[str, dict[str, dict[str, Figures]]] = {}
    for size in SIZES:
        for cells in (cells for cells in queries if cells.measured_g.sum() > size):
            panels = [random_panel(cells.measured_g, size, seed=seed) for seed in range(seeds)]
            rows.setdefault(f"{size:,} random genes", {})[cells.name] = judge_panel(cells, references, panels)
    for path in sorted((data / "refs" / "panels").glob("*.txt")):
        panel_g = read_panel(path, references.runtime)
        for cells in (cells for cells in queries if cells.measured_g.sum() > 5000):
            if (panel_g & cells.measured_g & references.measured_g).sum() >= FEWEST_GENES:
                name = f"{path.stem.removeprefix('panel_').replace('_', ' ')} ({panel_g.sum():,})"
                rows.setdefault(name, {})[cells.name] = judge_panel(cells, references, [panel_g])
    return rows


def main() -> None:
    """Read the command line, judge, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="human-v1", help="bundle folder or packaged name")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, default=1500, help="queries of one set, drawn at random where it has more")
    parser.add_argument("--most-panels", type=int, default=300, help="the same for each panel")
    parser.add_argument("--seeds", type=int, default=3, help="random panels of each size")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    runtime = Runtime(load_bundle(args.bundle), threads=args.threads)
    references = References(read_studies(args.data / "train", runtime), runtime)
    queries, remarks = queries_of(args.data, references, args.most)
    full = {cells.name: judge_all(cells, references) for cells in queries}
    lines = [
        f"Bundle {runtime.bundle.name} ({runtime.bundle.sha256[:12]}), {len(references.term_r):,} references of "
        f"{len(set(references.study_r))} studies; {references.measured_g.sum():,} genes are in all of them.",
        "",
        "Type-precision@10, right / compatible:",
        "",
        *full_table(full),
    ]
    print("\n".join(lines), flush=True)
    few = [cells.sample(args.most_panels) for cells in queries]
    panels = panels_of(args.data, few, references, args.seeds) if args.seeds else {}
    more = ["", "Queries seen through panels, type-precision@10 (right), means over sets:", "", *panel_table(panels)]
    more += ["", "Queries that some reference of another study could answer:", "", *(f"* {line}" for line in remarks)]
    print("\n".join(more))
    if args.save:
        save_result(args.save, "Matches across studies", [*lines, *more])
        figures = {"all genes": full, "panels": panels}
        (RESULTS / f"{args.save}.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
