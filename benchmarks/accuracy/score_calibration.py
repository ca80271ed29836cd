"""Are scores probabilities, and do they say which answers to trust? The development tests, one by one and together.

    python -m benchmarks.accuracy.score_calibration --bundles runs/human-v1/seed0/bundle ... --save calibration

* ECE: the gap between scores and hits in 15 bins of equal mass, over answered cells.  Beside it the ECE that perfectly
  calibrated scores of the same values would show by chance with so many cells: mean and 95th percentile of 200 draws.
* Classwise ECE: the same for the probability of each label of a set with at least ten cells, mean over these labels.
  A cell whose own label is above that label says nothing about it and is left out.
* Brier: mean squared distance between score and hit, over answered cells.
* Risk and coverage over all labelled cells, surest answers first; cells without an answer come last and aren't right.

"Together" joins the cells of all sets, each set counting alike.  With several bundles (one a seed) figures are means
over them, and the picture shows the first.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.lib.answering import answer_cells, describe, open_runtime, read_tests, right, with_bundles
from benchmarks.lib.reliability import brier, chance_error, reliability, risk_coverage
from benchmarks.lib.saving import save_figures, save_picture, save_result
from benchmarks.lib.studies import Cells, is_right
from spoticell.annotation.figures import MIN_SUPPORT, NO_ANSWER
from spoticell.model.runtime import Runtime

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)
MEAN, TOGETHER = "mean over sets", "together"

Figures = dict[str, float]


@dataclass(frozen=True)
class Judged:
    """Scores and hits of the labelled cells of a set, or of several joined."""

    score_n: NDArray[np.float64]
    """0 where there is no answer."""
    right_n: NDArray[np.bool_]
    answered_n: NDArray[np.bool_]
    weight_n: NDArray[np.float64]
    classwise: float

    def figures(self) -> Figures:
        """Give all figures."""
        answered = self.answered_n
        score_n, right_n, weight_n = self.score_n[answered], self.right_n[answered], self.weight_n[answered]
        chance_r = chance_error(score_n, weight_n)
        curve = risk_coverage(self.score_n, self.right_n, self.weight_n)
        return {
            "cells": len(self.score_n),
            "ece": reliability(score_n, right_n, weight_n).error,
            "chance_ece": float(chance_r.mean()),
            "chance_ece_95": float(np.quantile(chance_r, 0.95)),
            "classwise_ece": self.classwise,
            "brier": brier(score_n, right_n, weight_n),
            "aurc": curve.area,
            **{f"accuracy_{coverage:.0%}": curve.accuracy_at(coverage) for coverage in COVERAGES},
        }


def judge(cells: Cells, runtime: Runtime) -> Judged:
    """Answer the cells of a set and hold the answers against the labels."""
    found = answer_cells(cells, runtime)
    return Judged(
        found.score_n.astype(np.float64),
        right(cells.term_n, found.term_n),
        ~np.isin(found.term_n, list(NO_ANSWER)),
        np.full(len(cells), 1 / len(cells)),
        classwise_error(cells.term_n, found.probability_nm, runtime.bundle.nodes),
    )


def join(sets: Sequence[Judged]) -> Judged:
    """Join sets, each counting alike."""
    fields = ("score_n", "right_n", "answered_n", "weight_n")
    joined = (np.concatenate([getattr(one, field) for one in sets]) for field in fields)
    return Judged(*joined, classwise=float(np.mean([one.classwise for one in sets])))


def classwise_error(
    truth_n: NDArray[np.object_], probabilities_nm: NDArray[np.floating], nodes: Sequence[str]
) -> float:
    """Give the mean calibration error of the probabilities of a set's own labels."""
    terms, cells = np.unique(truth_n.astype(str), return_counts=True)
    errors = []
    for term in terms[(cells >= MIN_SUPPORT) & np.isin(terms, nodes)].tolist():
        is_n, may_be_n = (
            np.array([rule(term, truth) for truth in truth_n], dtype=bool)
            for rule in (is_right, lambda term, truth: truth != term and is_right(truth, term))
        )
        score_n = probabilities_nm[~may_be_n, nodes.index(term)].astype(np.float64)
        errors.append(reliability(score_n, is_n[~may_be_n]).error)
    return float(np.mean(errors)) if errors else float("nan")


def measure(sets: dict[str, Judged]) -> dict[str, Figures]:
    """Give the figures of each set, their means, and those of all sets together."""
    rows = {name: judged.figures() for name, judged in sets.items()}
    return {**rows, MEAN: mean_of(list(rows.values())), TOGETHER: join(list(sets.values())).figures()}


def mean_of(rows: Sequence[Figures]) -> Figures:
    """Give the mean of each figure."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def table(rows: dict[str, Figures]) -> list[str]:
    """Lay out the figures."""
    heads = ["cells", "ECE", "by chance (95 %)", "classwise ECE", "Brier", "AURC"]
    heads += [f"right at {coverage:.0%}" for coverage in COVERAGES]
    lines = [f"| | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for name, row in rows.items():
        words = ["" if name == MEAN else f"{row['cells']:,.0f}", f"{row['ece']:.3f}"]
        words += [f"{row['chance_ece']:.3f} ({row['chance_ece_95']:.3f})"]
        words += [f"{row[key]:.3f}" for key in ("classwise_ece", "brier", "aurc")]
        words += [f"{row[f'accuracy_{coverage:.0%}']:.1%}" for coverage in COVERAGES]
        mark = "**" if name in (MEAN, TOGETHER) else ""
        lines.append(f"| {mark}{name}{mark} | {' | '.join(words)} |")
    return lines


def picture(sets: dict[str, Judged]) -> Figure:
    """Draw hits against scores, and accuracy against coverage: each set, and all together in black."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    trust, cut = figure.subplots(1, 2)
    trust.plot([0, 1], [0, 1], color="0.75", linestyle="--", linewidth=1)
    colors = colormaps["Dark2"].colors
    curves = [(name, judged, color, 1) for (name, judged), color in zip(sets.items(), cycle(colors))]
    curves.append(("all, counting alike", join(list(sets.values())), "0.1", 2.6))
    for name, judged, color, width in curves:
        answered = judged.answered_n
        bins = reliability(judged.score_n[answered], judged.right_n[answered], judged.weight_n[answered])
        curve = risk_coverage(judged.score_n, judged.right_n, judged.weight_n)
        look = {"color": color, "linewidth": width, "label": name.split("_")[0]}
        trust.plot(bins.score_b, bins.right_b, marker="o", markersize=1.5 + width, **look)
        cut.plot(curve.coverage_n, curve.accuracy_n, **look)
    trust.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", ylabel="share of answers that are right", title="Reliability")
    cut.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="share of cells answered, surest first", title="Risk and coverage")
    cut.set_ylabel("share of these that are right")
    figure.legend(*cut.get_legend_handles_labels(), frameon=False, loc="outside right center", fontsize="small")
    for axes in (trust, cut):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    with_bundles(parser)
    args = parser.parse_args()
    runtimes = [open_runtime(bundle, args.threads) for bundle in args.bundles]
    seeds = [
        {cells.name: judge(cells, runtime) for cells in read_tests(args.data, runtime, args.most)}
        for runtime in runtimes
    ]
    by_seed = [measure(sets) for sets in seeds]
    rows = {name: mean_of([seed[name] for seed in by_seed]) for name in by_seed[0]}
    lines = [f"Bundles: {', '.join(map(describe, runtimes))}.", "", *table(rows)]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Calibration", lines)
        save_figures(args.save, {"mean over bundles": rows, "bundles": by_seed})
        save_picture(args.save, picture(seeds[0]))


if __name__ == "__main__":
    main()
