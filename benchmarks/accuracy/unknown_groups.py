"""Groups of cells of types that the model never learnt: how well they are told from groups of types that it knows.

    python -m benchmarks.accuracy.unknown_groups --without RUN/best_model_f1 FEWER TERM ... --save unknown_groups

Each --without names a bundle, the cells that it was trained on, and the types that it was trained without, as for
``unknown_types``.  Groups are the cells of one label in one set, of the labelled development tests and of the sets of
DATA/train that FEWER lacks.  A group's signal is the median of how familiar its cells look, above the bound of strange
cells for their depth and genes: of each cell alone, and of cells read together with their neighbours.  AUROC is over
all pairs of an unknown and a known group of one bundle.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.accuracy.development_tests import labelled_tests
from benchmarks.accuracy.unknown_types import calibrated_as
from benchmarks.lib.answering import answer_together, describe, open_runtime
from benchmarks.lib.fewer_cells import is_below
from benchmarks.lib.saving import DATA, save_figures, save_result
from benchmarks.lib.separation import COUSIN, LINEAGE, SIBLING, distance
from benchmarks.lib.studies import Cells, is_right, read_cells
from spoticell.biology.ontology import load_ontology
from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime

FEWEST = 10
"""Cells of a group."""
ALONE, TOGETHER = "each cell alone", "read together"
KNOWN = "known"


def groups_of(cells: Cells, runtime: Runtime, left_out: list[str]) -> Iterator[dict[str, object]]:
    """Give what is known of each group of a set; one whose label is above a type left out could be either."""
    found, labels = answer_together(cells, runtime), runtime.bundle.manifest.labels
    terms, counts = np.unique(cells.term_n[cells.has_label_n], return_counts=True)
    for term in terms[counts >= FEWEST].tolist():
        if term not in load_ontology() or any(is_right(term, one) and term != one for one in left_out):
            continue
        strange = is_below(term, left_out)
        known = any(is_right(term, label) or is_right(label, term) for label in labels)
        if not (strange or known):
            continue
        here_n = cells.term_n == term
        yield {
            "set": cells.name,
            "type": load_ontology().name(term),
            "distance": distance(term, labels) if strange else KNOWN,
            "cells": int(here_n.sum()),
            ALONE: float(np.median(found.single_margin_n[here_n])),
            TOGETHER: float(np.median(found.margin_n[here_n])),
        }


def auroc(rows: pd.DataFrame, near: str, signal: str) -> float:
    """Give how often a known group has more of a signal than an unknown one, over the pairs of each bundle."""
    found = []
    for _, of_bundle in rows.groupby("bundle"):
        some = of_bundle[of_bundle["distance"].isin([KNOWN, near])]
        is_known = some["distance"] == KNOWN
        if is_known.nunique() == 2:
            found += [roc_auc_score(is_known, some[signal])] * int((~is_known).sum())
    return float(np.mean(found)) if found else float("nan")


def table(rows: pd.DataFrame) -> list[str]:
    """Lay out the AUROC and the shares that the bound calls novel, by distance."""
    lines = [
        "| distance | groups | AUROC alone | AUROC together | called novel alone | together |",
        "|---|" + "---|" * 5,
    ]
    for near in (KNOWN, SIBLING, COUSIN, LINEAGE):
        some = rows[rows["distance"] == near]
        ranks = ["-", "-"] if near == KNOWN else [f"{auroc(rows, near, signal):.3f}" for signal in (ALONE, TOGETHER)]
        novel = [f"{(some[signal] < 0).mean():.1%}" for signal in (ALONE, TOGETHER)] if len(some) else ["-", "-"]
        lines.append(f"| {near} | {len(some)} | {' | '.join(ranks + novel)} |")
    return lines


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="human-v1", help="whose calibration is taken: a folder or packaged name")
    parser.add_argument("--without", nargs="+", action="append", required=True, metavar="BUNDLE CELLS TERM")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    shipped, rows = open_runtime(args.bundle, args.threads), []
    for number, (bundle, fewer, *left_out) in enumerate(args.without):
        runtime = calibrated_as(load_bundle(bundle), shipped.bundle, args.threads)
        there = {path.name for path in Path(fewer).glob("*.h5ad")}
        held_out = [
            read_cells(path, runtime)
            for folder in (args.data / "train", args.data / "more" / "train")
            for path in sorted(folder.glob("*.h5ad"))
            if path.name not in there
        ]
        for cells in (*labelled_tests(args.data)[0], *held_out):
            rows += [row | {"bundle": number} for row in groups_of(cells, runtime, left_out)]
    frame = pd.DataFrame(rows)
    unknown = frame[frame["distance"] != KNOWN]
    lines = [
        f"Calibration of {describe(shipped)}.",
        "",
        *table(frame),
        "",
        "| unknown type | set | distance | cells | margin alone | together |",
        "|---|---|---|---|---|---|",
    ]
    for row in unknown.to_dict("records"):
        words = [row["type"], row["set"], row["distance"], f"{row['cells']:,}", f"{row[ALONE]:.2f}"]
        lines.append(f"| {' | '.join(words)} | {row[TOGETHER]:.2f} |")
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Groups of unknown types", lines)
        save_figures(args.save, rows)


if __name__ == "__main__":
    main()
