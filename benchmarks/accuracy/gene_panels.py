"""Incomplete profiles: what answers are worth when fewer genes are measured, beside linear models.

    python -m benchmarks.accuracy.gene_panels --bundles runs/human-v1/seed0/bundle ... \
        --cells runs/human-v1/cells --save panels

The labelled development tests with at least 6,000 known genes are seen through random genes (drawn from those that the
set measures) and through the real panels of DATA/refs/panels.  The peers are trained on CELLS, the cells that the
bundle was trained on: logistic regression on all genes, with missing genes as zero, and logistic regression fitted
again on each panel's genes, which a user would have to do for each assay.  Both always answer; Spoticell may give a
coarser term or none, so it is also judged by its most probable label, and as it answers when it is told the tissue:
each cell alone.  With the sample it reads the labelled cells of a set together, as ``annotate`` does.  A cell that a
panel leaves without counts stays unknown.  Figures are means over draws and over bundles (one a seed), then
over the sets.

The peers' figures don't depend on the bundle: with --peers RESULT.json those of an earlier result are taken.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from numpy.typing import NDArray

from benchmarks.accuracy.development_tests import forced
from benchmarks.lib.answering import answer_cells, answer_together, describe, open_runtime, read_tests, with_bundles
from benchmarks.lib.incomplete import ALL, SIZES, View, area_under, views, worth
from benchmarks.lib.saving import save_figures, save_picture, save_result
from benchmarks.lib.studies import Cells, read_panel, within
from benchmarks.peers.networks import Network
from spoticell.annotation.allowed import allowed_types
from spoticell.biology.genes import load_vocabulary
from spoticell.keys import UNKNOWN
from spoticell.model.runtime import Runtime
from spoticell.training.data.labelled import LabelledCells, read_labelled
from spoticell.training.history import ACCENT, GREY, SECOND

MANY_GENES = 6000
TISSUES = {"pbmc": "blood", "gierahn": "blood", "pdac": "pancreas"}
"""Tissue of the sets whose names have a word in them."""
OURS, TOLD, FORCED = "Spoticell", "Spoticell, told the tissue", "Spoticell, most probable label"
SAMPLE = "Spoticell, with the sample"
ZERO, REFITTED = "linear, missing as zero", "linear, fitted on the panel"
LOOKS = {
    OURS: (ACCENT, "o", "-"),
    SAMPLE: (ACCENT, "D", "-"),
    TOLD: (ACCENT, "", "--"),
    FORCED: (ACCENT, "", ":"),
    REFITTED: (SECOND, "s", "-"),
    ZERO: (GREY, "^", "-"),
}
FIGURES = ("macro_f1", "hierarchical_f1", "coverage", "depth", "coarser")
KEPT = {1000: 0.90, 300: 0.75}
"""Share of the hierarchical F1 with all genes that should be left at so many."""

Answer = Callable[[Cells], dict[str, NDArray[np.object_]]]
"""What each row of the table answers for some cells."""
Views = list[tuple[Cells, list[View]]]


def judge(answer: Answer, sets: Views) -> Iterable[dict[str, object]]:
    """Judge the answers for each set through each view."""
    for cells, seen in sets:
        for view in seen:
            place = {"set": cells.name, "view": view.name, "draw": view.draw, "genes": int(view.panel_g.sum())}
            for row, answer_n in answer(cells.seen_through(view.panel_g)).items():
                yield {"row": row} | place | worth(cells.term_n.tolist(), answer_n.tolist())
        print(cells.name, file=sys.stderr)


def spoticell(runtime: Runtime) -> Answer:
    """Answer as a bundle does: alone, with the sample, told the tissue, and by the most probable label."""
    bundle = runtime.bundle

    def answer(cells: Cells) -> dict[str, NDArray[np.object_]]:
        found = answer_together(cells, runtime)
        tissue = allowed_types(bundle, tissue=next(tissue for word, tissue in TISSUES.items() if word in cells.name))
        told = answer_cells(cells, runtime, allowed=tissue)
        forced_n = np.array(bundle.nodes, dtype=object)[forced(found.prediction.probabilities_nm, bundle)]
        forced_n[cells.counts_n == 0] = UNKNOWN
        return {OURS: found.single_term_n, SAMPLE: found.term_n, TOLD: told.term_n, FORCED: forced_n}

    return answer


def linear_peers(folder: Path) -> Answer:
    """Answer as both linear models do."""
    known = read_labelled(folder, load_vocabulary())
    whole = fitted(known, np.ones(known.counts_ng.shape[1], dtype=np.bool_))

    def answer(cells: Cells) -> dict[str, NDArray[np.object_]]:
        refitted = fitted(known, cells.measured_g)
        return {ZERO: most_probable(whole, cells), REFITTED: most_probable(refitted, cells)}

    return answer


def fitted(known: LabelledCells, panel_g: NDArray[np.bool_]) -> Network:
    """Fit logistic regression, as ``peers.py`` chooses it, to what a panel shows of cells."""
    return Network(hierarchical=False).fit(replace(known, counts_ng=within(known.counts_ng, panel_g)), seed=0)


def most_probable(model: Network, cells: Cells) -> NDArray[np.object_]:
    """Give the most probable label of each cell."""
    return model.labels.astype(object)[model.probabilities(cells.counts_ng, cells.measured_g).argmax(axis=1)]


def average(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the mean figures of each row, set and view, over draws and bundles."""
    return rows.groupby(["row", "set", "view"], sort=False)[["genes", *FIGURES]].mean().reset_index()


def curve(mean: pd.DataFrame) -> pd.DataFrame:
    """Give the mean over sets for all genes and each number of random genes that every set has."""
    wanted = [ALL, *map(str, SIZES)]
    random = mean[mean["view"].isin(wanted)]
    everywhere = random.groupby("view")["set"].nunique() == random["set"].nunique()
    random = random[random["view"].map(everywhere)]
    order = {view: place for place, view in enumerate(wanted)}
    found = random.groupby(["row", "view"])[["genes", *FIGURES]].mean().reset_index()
    return found.sort_values("view", key=lambda view: view.map(order), kind="stable", ignore_index=True)


def curve_table(points: pd.DataFrame) -> list[str]:
    """Lay out the curves: macro-F1 / hierarchical F1 of each row, and how Spoticell answers."""
    names = [name for name in LOOKS if name in set(points["row"])]
    heads = ["genes", *names, "coverage", "depth of answers", "right but coarser"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for view, rows in points.groupby("view", sort=False):
        by_row = rows.set_index("row")
        cells = [_f1(by_row.loc[name]) for name in names]
        ours = by_row.loc[OURS]
        rest = [f"{ours['coverage']:.1%}", f"{ours['depth']:.2f}", f"{ours['coarser']:.1%}"]
        lines.append(f"| {f'{int(view):,}' if view.isdigit() else view} | {' | '.join([*cells, *rest])} |")
    return lines


def _f1(row: pd.Series) -> str:
    return f"{row['macro_f1']:.3f} / {row['hierarchical_f1']:.3f}"


def real_table(mean: pd.DataFrame) -> list[str]:
    """Lay out the real panels, means over the sets that measure enough of their genes.

    The last column compares what is answered with the sample.
    """
    real = mean[~mean["view"].isin([ALL, *map(str, SIZES)])]
    names = [name for name in LOOKS if name in set(real["row"])]
    heads = ["panel", "genes measured", "sets", *names, "coverage", "right but coarser"]
    heads += ["at least the fitted one"] if REFITTED in names else []
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for view, rows in real.groupby("view", sort=False):
        by_row = rows.groupby("row")[["genes", *FIGURES]].mean()
        ours = by_row.loc[OURS]
        words = [view, f"{ours['genes']:,.0f}", str(rows["set"].nunique()), *(_f1(by_row.loc[name]) for name in names)]
        words += [f"{ours['coverage']:.1%}", f"{ours['coarser']:.1%}"]
        words += [_at_least(by_row.loc[SAMPLE], by_row.loc[REFITTED])] if REFITTED in names else []
        lines.append(f"| {' | '.join(words)} |")
    return lines


def _at_least(ours: pd.Series, fitted: pd.Series) -> str:
    return " / ".join("yes" if ours[key] >= fitted[key] else "no" for key in FIGURES[:2])


def summary(mean: pd.DataFrame, points: pd.DataFrame) -> list[str]:
    """Say what is kept at fewer genes, set by set and on average, and the area under each curve."""
    lines = []
    for (size, target), name in product(KEPT.items(), (OURS, SAMPLE)):
        ours = mean[mean["row"] == name].pivot_table(index="set", columns="view", values="hierarchical_f1")
        share = ours[str(size)] / ours[ALL]
        lines.append(
            f"* {name}: with {size:,} genes {share.mean():.1%} of the hierarchical F1 with all genes is kept, mean "
            f"over sets ({share.min():.1%} to {share.max():.1%}); the aim is {target:.0%}."
        )
    areas = []
    for name, rows in points[points["view"] != ALL].groupby("row", sort=False):
        area = [area_under(rows["genes"].tolist(), rows[key].tolist()) for key in FIGURES[:2]]
        areas.append(f"{name} {area[0]:.3f} / {area[1]:.3f}")
    sizes = points.loc[points["view"] != ALL, "genes"]
    lines.append(f"* Mean over the logarithm of genes, {sizes.min():,.0f} to {sizes.max():,.0f}: {'; '.join(areas)}.")
    return lines


def picture(points: pd.DataFrame) -> Figure:
    """Draw hierarchical F1, macro-F1, and how Spoticell answers, against the number of genes."""
    figure = Figure(figsize=(11, 3.9), layout="constrained")
    whole, fine, how = figure.subplots(1, 3)
    for name, rows in points.groupby("row", sort=False):
        color, marker, line = LOOKS[name]
        for axes, key in ((whole, "hierarchical_f1"), (fine, "macro_f1")):
            axes.plot(rows["genes"], rows[key], line, color=color, marker=marker, markersize=4, label=name)
    ours = points[points["row"] == OURS]
    how.plot(ours["genes"], ours["coverage"], color=ACCENT, marker="o", markersize=4, label="answered")
    how.plot(ours["genes"], ours["coarser"], color=SECOND, marker="s", markersize=4, label="right but coarser")
    depth = ours["depth"] / ours["depth"].iloc[0]
    how.plot(ours["genes"], depth, color=GREY, marker="^", markersize=4, label="depth, against all genes")
    whole.set(ylabel="hierarchical F1", title="Right or nearly")
    fine.set(ylabel="macro-F1", title="Right at the label")
    how.set(ylabel="share", title="How Spoticell answers")
    for axes in (whole, fine, how):
        axes.set(xscale="log", xlabel="genes measured (mean over sets)", ylim=(0, 1.05))
        axes.set_xticks([50, 100, 300, 1000, 3000, 10000])
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    whole.legend(frameon=False, loc="lower right", fontsize="small")
    how.legend(frameon=False, loc="center right", fontsize="small")
    return figure


def main() -> None:
    """Read the command line, judge, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    with_bundles(parser)
    parser.add_argument("--cells", type=Path, help="the training cells, for the peers; without them there are none")
    parser.add_argument("--peers", type=Path, help="JSON of an earlier result, whose peers' figures are taken")
    parser.add_argument("--draws", type=int, default=3, help="random panels of each size; none to see real ones alone")
    args = parser.parse_args()
    runtimes = [open_runtime(bundle, args.threads) for bundle in args.bundles]
    rows: list[dict[str, object]] = []
    for number, runtime in enumerate(runtimes):
        sets = views_of(args.data, runtime, args.most, args.draws)
        rows += [row | {"bundle": number} for row in judge(spoticell(runtime), sets)]
    if args.peers:
        rows += [row for row in json.loads(args.peers.read_text())["rows"] if row["row"] in (ZERO, REFITTED)]
    elif args.cells:
        rows += judge(linear_peers(args.cells), sets)
    mean = average(pd.DataFrame(rows))
    points = curve(mean)
    lines = [
        f"Bundles: {', '.join(map(describe, runtimes))}.  Sets: {', '.join(cells.name for cells, _ in sets)}.",
        "",
        "Macro-F1 / hierarchical F1, means over the sets; the last columns are Spoticell's.",
        "",
        *([*curve_table(points), "", *summary(mean, points), ""] if args.draws else []),
        "Real panels, as far as the sets measure their genes:",
        "",
        *real_table(mean),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Incomplete profiles", lines)
        save_figures(args.save, {"rows": rows})
        if args.draws:
            save_picture(args.save, picture(points))


def views_of(data: Path, runtime: object, most: int | None, draws: int) -> Views:
    """Give the sets with many genes, each with all that it is seen through."""
    paths = sorted((data / "refs" / "panels").glob("*.txt"))
    panels = {path.stem.removeprefix("panel_").replace("_", " "): read_panel(path, runtime) for path in paths}
    tests = [cells for cells in read_tests(data, runtime, most) if cells.measured_g.sum() >= MANY_GENES]
    return [(cells, list(views(cells.measured_g, panels, draws))) for cells in tests]


if __name__ == "__main__":
    main()
