"""Networks side by side, on data sets that were held out of their trainings.

    python -m benchmarks.accuracy.held_out_networks --networks "plain=RUN_A,RUN_B" "wide=RUN_C,RUN_D" \
        --labelled FOLDER --panels PANELS --save held_out_networks

A network is one or more trainings, with the data sets that each held out (``validation`` of its config).  These are
seen whole, shallow and through panels, as for the calibration of the shipped models (``scripts.human_v1.held_out``),
and the most probable label of each cell is scored, each cell alone.  No development test is looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scripts.human_v1.held_out import View, views_of_run

from benchmarks.lib.incomplete import named_panels
from benchmarks.lib.saving import save_result
from spoticell.annotation.evaluation import score
from spoticell.biology.genes import load_vocabulary
from spoticell.training.data.labelled import LabelledCells, read_labelled

FIGURES = ["macro_f1", "hierarchical_f1"]


def figures(view: View) -> dict[str, float]:
    """Score the most probable label of each cell."""
    weight_nc = view.weighed().weight_nc
    terms = np.array(view.bundle.manifest.labels)[weight_nc.argmax(axis=1)]
    found = score(view.label_n.tolist(), terms.tolist(), weight_nc.max(axis=1))
    return {name: found[name] for name in FIGURES}


def rows_of(name: str, runs: list[Path], cells: LabelledCells, panels: dict) -> Iterator[dict]:
    """Give the figures of a network, a row for each data set and view."""
    for run in runs:
        for view in views_of_run(run, cells, panels):
            yield {"network": name, "view": view.name, **figures(view)}


def table(rows: pd.DataFrame) -> list[str]:
    """Give means over the data sets as lines of Markdown: a row a network, a column a view."""
    views, networks = rows["view"].unique(), rows["network"].unique()
    lines = [f"| | {' | '.join(views)} | mean of all |", "|---" * (len(views) + 2) + "|"]
    for network in networks:
        own = rows[rows["network"] == network]
        parts = [own[own["view"] == view] for view in views]
        means = [part[FIGURES].mean() for part in [*parts, own]]
        lines.append(f"| {network} | " + " | ".join(f"{a:.3f} / {b:.3f}" for a, b in means) + " |")
    return lines


def main() -> None:
    """Read the command line, score, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", required=True, metavar="NAME=RUN,RUN")
    parser.add_argument("--labelled", type=Path, required=True, help="the data sets, labelled by their authors")
    parser.add_argument("--panels", type=Path, required=True)
    parser.add_argument("--save", metavar="NAME")
    args = parser.parse_args()
    vocabulary = load_vocabulary()
    cells = read_labelled(args.labelled, vocabulary)
    panels = named_panels(args.panels, vocabulary)
    rows = []
    for given in args.networks:
        name, _, runs = given.partition("=")
        rows += rows_of(name, [Path(run) for run in runs.split(",")], cells, panels)
    lines = [
        "Macro-F1 / hierarchical F1 of the most probable label, each cell alone, means over the held-out data sets.",
        "",
        *table(pd.DataFrame(rows)),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Networks on data sets held out of their trainings", lines)


if __name__ == "__main__":
    main()
