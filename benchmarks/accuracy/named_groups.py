"""Groups of cells: how many are named rightly, when the groups are the authors' types, and when they are found.

    python -m benchmarks.accuracy.named_groups --save named_groups

The labelled cells of the development tests are named as ``annotate`` does with ``--groups``.  A group with at least ten
cells is right if its name is its label or a subtype, coarser if its name is above its label and says something, else
wrong or unknown.  The label of a group that was found is that of most of its cells; how far these are alike is its
purity.  A group that was found counts as much as any other.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.development_tests import labelled_tests
from benchmarks.lib.answering import describe, open_runtime
from benchmarks.lib.saving import DATA, save_figures, save_result
from benchmarks.lib.studies import NO_LABEL, is_right
from spoticell.annotation.groups import AUTO, Groups
from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import annotate_source
from spoticell.biology.ontology import load_ontology
from spoticell.io import open_cells
from spoticell.keys import LABEL, UNKNOWN

FEWEST = 10
"""Cells of a group that counts."""
RIGHT, COARSER, WRONG, NONE = VERDICTS = ("right", "coarser", "wrong", "unknown")


def judged(truth: str, term: str) -> str:
    """Judge a group's name by its label."""
    if term == UNKNOWN:
        return NONE
    if is_right(truth, term):
        return RIGHT
    # terms that say nothing are never a name
    return COARSER if is_right(term, truth) else WRONG


def rows_of(name: str, kind: str, groups: Groups, label_n: np.ndarray) -> list[dict[str, object]]:
    """Judge the groups of a set."""
    ontology, rows = load_ontology(), []
    for code, group in enumerate(groups.groups):
        labels = Counter(label_n[(groups.grouping.code_n == code) & ~np.isin(label_n, NO_LABEL)])
        if labels.total() < FEWEST:
            continue
        truth, most = min(labels.items(), key=lambda item: (-item[1], item[0]))
        rows.append(
            {
                "set": name,
                "groups": kind,
                "group": group.name,
                "cells": labels.total(),
                "purity": most / labels.total(),
                "label": ontology.name(truth),
                "name": group.cell_type,
                "share": group.share,
                "score": group.score,
                "novel": group.novel,
                "verdict": judged(truth, group.term),
            }
        )
    return rows


def measure(path: Path, bundle: Path | str, threads: int) -> list[dict[str, object]]:
    """Name the groups of a set, by its labels and found."""
    rows = []
    for kind, column in (("labels", LABEL), ("found", AUTO)):
        with open_cells(path) as source:
            label_n = source.obs()[LABEL].astype(str).to_numpy(dtype=object)
            named = annotate_source(source, Options(bundle, threads=threads, groups=column))
        rows += rows_of(path.stem, kind, named.groups, label_n)
    return rows


def table(rows: pd.DataFrame) -> list[str]:
    """Lay out the shares of verdicts, over all groups and set by set."""
    heads = ("groups", "set", "groups", "purity", *VERDICTS, "right or coarser")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for kind, of_kind in rows.groupby("groups", sort=False):
        sets = [(f"**all {of_kind['set'].nunique()}**", of_kind), *of_kind.groupby("set")]
        for name, some in sets:
            shares = [float((some["verdict"] == verdict).mean()) for verdict in VERDICTS]
            words = [str(kind), str(name), f"{len(some):,}", f"{some['purity'].mean():.3f}"]
            words += [f"{share:.3f}" for share in (*shares, sum(shares[:2]))]
            lines.append(f"| {' | '.join(words)} |")
    return lines


def wrong_ones(rows: pd.DataFrame) -> list[str]:
    """List the groups that are named wrongly, or not at all."""
    some = rows[(rows["groups"] == "labels") & rows["verdict"].isin([WRONG, NONE])]
    lines = ["| set | label | cells | name | share | score |", "|---|---|---|---|---|---|"]
    for row in some.to_dict("records"):
        figures = f"{row['share']:.2f} | {row['score']:.2f}"
        lines.append(f"| {row['set']} | {row['label']} | {row['cells']:,} | {row['name']} | {figures} |")
    return lines


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="human-v1", help="a folder or packaged name")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    names = {cells.name for cells in labelled_tests(args.data)[0]}
    paths = [path for folder in ("test", "more/test") for path in sorted((args.data / folder).glob("*.h5ad"))]
    rows = pd.DataFrame(
        [row for path in paths if path.stem in names for row in measure(path, args.bundle, args.threads)]
    )
    lines = [
        f"{describe(open_runtime(args.bundle, args.threads))}; groups with at least {FEWEST} labelled cells.",
        "",
        *table(rows),
        "",
        "Groups by labels that are named wrongly, or not at all:",
        "",
        *wrong_ones(rows),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Names of groups", lines)
        save_figures(args.save, rows.to_dict("records"))


if __name__ == "__main__":
    main()
