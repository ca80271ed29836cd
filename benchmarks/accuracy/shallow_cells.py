"""Shallow cells: what answers are worth when cells are sequenced less, beside peers trained on the same cells.

    python -m benchmarks.accuracy.shallow_cells --bundles SEED0 SEED1 SEED2 --cells CELLS \
        --chosen benchmarks/results/peers.json --save depth

The labelled development tests with at least 6,000 known genes keep a random part of their counts.  Peers learn from
CELLS, those that the bundles were trained on, with the settings and answer rules that ``peers.py`` chose for them on
held-out training sets.  None is told at which depth it is asked.  Figures are means over bundles or seeds, then over
sets.
Axes: ``n`` cells, ``c`` labels.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.accuracy.gene_panels import LOOKS, MANY_GENES, OURS
from benchmarks.lib.answering import answer_cells, describe, open_runtime, read_tests, with_bundles
from benchmarks.lib.incomplete import thinned, worth
from benchmarks.lib.saving import save_figures, save_picture, save_result
from benchmarks.lib.studies import Cells
from benchmarks.peers.compare import entries
from benchmarks.peers.methods import Peer
from benchmarks.peers.tuning import Choice
from spoticell.biology.genes import load_vocabulary
from spoticell.model.runtime import Runtime
from spoticell.training.data.labelled import LabelledCells, read_labelled
from spoticell.training.history import GREY, SECOND

SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02)
"""Of the counts of a cell."""
PEERS = (
    "linear, hierarchical loss",
    "logistic regression",
    "MLP, hierarchical loss",
    "MLP, Spoticell's augmentation",
    "CellTypist (SGD)",
    "PCA + neighbours",
)
COLORS = dict(zip(PEERS, (SECOND, "#f0b592", "#8a6bb0", "#5c9c6f", "#c9a227", GREY), strict=True))
NAMES = {"macro_f1": "macro-F1", "hierarchical_f1": "hierarchical F1"}
KEYS = tuple(NAMES)

Answer = Callable[[Cells], Sequence[str]]


@dataclass(frozen=True)
class Figures:
    """What the answers of one bundle or peer for one set are worth at one depth."""

    row: str
    seed: int
    set_name: str
    share: float
    counts: float
    """Median of the cells."""
    figures: dict[str, float]


def shallow(sets: Iterable[Cells]) -> Iterator[tuple[float, Cells]]:
    """Give each set at each depth."""
    for cells in sets:
        for share in SHARES:
            fewer_ng = cells.counts_ng if share == 1 else thinned(cells.counts_ng, share, np.random.default_rng(0))
            yield share, replace(cells, counts_ng=fewer_ng)


def judge(row: str, seed: int, answer: Answer, seen: Sequence[tuple[float, Cells]]) -> list[Figures]:
    """Judge the answers for every set at every depth."""
    print(f"{row}, {seed}", file=sys.stderr)
    return [
        Figures(
            row,
            seed,
            cells.name,
            share,
            float(np.median(cells.counts_n)),
            worth(cells.term_n.tolist(), list(answer(cells))),
        )
        for share, cells in seen
    ]


def as_bundle(runtime: Runtime) -> Answer:
    """Answer as a bundle does."""
    return lambda cells: answer_cells(cells, runtime).term_n.tolist()


def as_peer(peer: Peer, choice: Choice) -> Answer:
    """Answer as a peer does, by the rule that was chosen for it."""
    return lambda cells: choice.rule.answer(peer.probabilities(cells.counts_ng, cells.measured_g), peer.labels)[0]


def peers(cells: LabelledCells, chosen: Path, panels: Path, seeds: int) -> Iterator[tuple[str, int, Answer]]:
    """Train each peer with every seed."""
    known, found = entries(panels), json.loads(chosen.read_text())["cells"]["peers"]
    for name in PEERS:
        choice = Choice.from_json(found[name]["choice"])
        for seed in range(seeds):
            yield name, seed, as_peer(known[name].make(**choice.settings).fit(cells, seed=seed), choice)


def mean(rows: Iterable[Figures], key: str) -> float:
    """Give the mean of a figure over seeds and sets, each set counting alike."""
    by_set: dict[str, list[float]] = {}
    for one in rows:
        by_set.setdefault(one.set_name, []).append(one.figures[key])
    return statistics.mean(statistics.mean(values) for values in by_set.values())


def table(rows: Sequence[Figures]) -> list[str]:
    """Lay out macro-F1 / hierarchical F1 by depth."""
    names = list(dict.fromkeys(one.row for one in rows))
    heads = ["counts kept", "median counts of a cell, mean over sets", *names, "Spoticell answers", "right but coarser"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for share in SHARES:
        here = {name: [one for one in rows if one.row == name and one.share == share] for name in names}
        counts = statistics.mean({one.set_name: one.counts for one in here[OURS]}.values())
        words = [" / ".join(f"{mean(here[name], key):.3f}" for key in KEYS) for name in names]
        rest = [f"{mean(here[OURS], key):.1%}" for key in ("coverage", "coarser")]
        lines.append(f"| {share:.0%} | {counts:,.0f} | {' | '.join([*words, *rest])} |")
    return lines


def picture(rows: Sequence[Figures]) -> Figure:
    """Draw both figures against the share of counts."""
    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    for axes, key, title in zip(
        figure.subplots(1, 2), reversed(KEYS), ("Right or nearly", "Right at the label"), strict=True
    ):
        for name in dict.fromkeys(one.row for one in rows):
            value = [mean((one for one in rows if one.row == name and one.share == share), key) for share in SHARES]
            color = LOOKS[OURS][0] if name == OURS else COLORS[name]
            axes.plot(
                SHARES, value, color=color, marker="o", markersize=4, linewidth=2.4 if name == OURS else 1.4, label=name
            )
        axes.set(xscale="log", xlabel="share of counts kept", ylabel=NAMES[key], ylim=(0, 1.05), title=title)
        axes.set_xticks(SHARES, [f"{share:.0%}" for share in SHARES])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside right center", fontsize="small")
    return figure


def main() -> None:
    """Read the command line, judge, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    with_bundles(parser)
    parser.add_argument("--cells", type=Path, help="the training cells, for the peers; without them there are none")
    parser.add_argument("--chosen", type=Path, help="JSON of peers.py, which says what was chosen for each peer")
    parser.add_argument("--seeds", type=int, default=3, help="of each peer")
    args = parser.parse_args()
    if args.cells and not args.chosen:
        parser.error("--cells needs --chosen")
    runtimes = [open_runtime(bundle, args.threads) for bundle in args.bundles]
    tests = [cells for cells in read_tests(args.data, runtimes[0], args.most) if cells.measured_g.sum() >= MANY_GENES]
    seen = list(shallow(tests))
    rows = [one for seed, runtime in enumerate(runtimes) for one in judge(OURS, seed, as_bundle(runtime), seen)]
    if args.cells:
        cells = read_labelled(args.cells, load_vocabulary())
        for name, seed, answer in peers(cells, args.chosen, args.data / "refs" / "panels", args.seeds):
            rows += judge(name, seed, answer, seen)
    lines = [
        f"Bundles: {', '.join(map(describe, runtimes))}.  Sets: {', '.join(cells.name for cells in tests)}.",
        "",
        "Macro-F1 / hierarchical F1, means over seeds and sets:",
        "",
        *table(rows),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Shallow cells", lines)
        save_figures(args.save, [vars(one) for one in rows])
        save_picture(args.save, picture(rows))


if __name__ == "__main__":
    main()
