"""Spoticell beside its peers: all learn from the same cells and are scored on the same development test sets.

    python -m benchmarks.peers.compare --cells runs/human-v1/cells --bundles human-v1 --save peers

Peers learn from CELLS, those that the bundles were trained on, and again from the labelled real cells of DATA/train
alone.  Their settings are chosen on data sets held out of that (``peer_tuning``), never on the test sets; then each is
trained with every seed.  The result is written after each peer; with ``--peers-from`` peers that a result holds already
are taken from there, so a run that was stopped goes on, and other bundles are put beside peers in a minute.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.accuracy.development_tests import Judge, labelled_tests, load_judge, spoticell_rows
from benchmarks.lib.saving import DATA, RESULTS, save_result
from benchmarks.lib.studies import Cells, read_aligned
from benchmarks.peers.comparison import Runs, report
from benchmarks.peers.methods import BoostedTrees, CellTypist, Neighbours, Peer, Pretrained, RefusedError
from benchmarks.peers.networks import EQUAL, WIDE, Network
from benchmarks.peers.tuning import HELD_OUT, Choice, Settings, tune
from spoticell.biology.genes import load_vocabulary
from spoticell.io.write import atomic
from spoticell.training.config import AugmentConfig
from spoticell.training.data.labelled import LabelledCells, read_labelled
from spoticell.training.data.panels import read_panels


@dataclass(frozen=True)
class Entry:
    """A peer, the settings that are tried, and the package that it needs."""

    make: Callable[..., Peer]
    grid: Sequence[Settings]
    needs: str = "sklearn"
    learns: bool = True


def combinations(**values: Sequence[Any]) -> list[Settings]:
    """Give every combination of some settings.

    Examples
    --------
    >>> combinations(leaves=(7, 31), rounds=(40,))
    [{'leaves': 7, 'rounds': 40}, {'leaves': 31, 'rounds': 40}]
    """
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


def entries(panels_dir: Path) -> dict[str, Entry]:
    """Give the peers."""
    scalings = ("log1p", "sqrt")
    nearest = combinations(scaling=scalings, components=(50, 100), neighbours=(3, 5, 15))
    linear = combinations(scaling=scalings, weight_decay=(0.01, 3.0))
    wide = combinations(scaling=scalings, dropout=(0.1, 0.4))
    trees = combinations(penalty=(1.0, 10.0, 100.0), learning_rate=(0.1, 0.3))
    one_by_one = combinations(alpha=(1e-3, 1e-2, 1e-1, 1.0, 10.0), feature_selection=(False, True))
    augmented = partial(
        Network, hidden=WIDE, augment=AugmentConfig(), panels=read_panels(panels_dir, load_vocabulary())
    )
    return {
        "panhuman_distill_v1": Entry(Pretrained, [{}], needs="actinn_jax", learns=False),
        "PCA + neighbours": Entry(Neighbours, nearest),
        "logistic regression": Entry(partial(Network, hierarchical=False), linear),
        "linear, hierarchical loss": Entry(Network, linear),
        "MLP, hierarchical loss": Entry(partial(Network, hidden=WIDE), wide),
        "MLP of Spoticell's size": Entry(partial(Network, hidden=EQUAL), wide),
        "MLP, Spoticell's augmentation": Entry(augmented, wide),
        "LightGBM on PCs": Entry(BoostedTrees, trees, needs="lightgbm"),
        "CellTypist (SGD)": Entry(CellTypist, one_by_one, needs="celltypist"),
    }


@dataclass(frozen=True)
class Bench:
    """What every peer is tuned and scored on."""

    held_out: Sequence[Cells]
    tests: Sequence[Cells]
    judge: Judge
    seeds: int

    def measure(self, entry: Entry, cells: LabelledCells) -> dict[str, Any]:
        """Choose a peer's settings, train it with every seed, and score it."""
        choice = tune(entry.make, entry.grid, cells, self.held_out)
        runs: Runs = []
        start = time.monotonic()
        for seed in range(self.seeds if entry.learns else 1):
            runs.append(self.score(entry.make(**choice.settings).fit(cells, seed=seed), choice))
        seconds = (time.monotonic() - start) / len(runs)
        return {"choice": choice.as_json(), "seconds": round(seconds, 1), "runs": runs}

    def score(self, peer: Peer, choice: Choice) -> dict[str, dict[str, Any]]:
        """Give a peer's figures on each set that it doesn't refuse."""
        figures = {}
        for cells in (cells.labelled() for cells in self.tests):
            try:
                chance_nc = peer.probabilities(cells.counts_ng, cells.measured_g)
            except RefusedError:
                continue
            figures[cells.name] = self.judge(
                cells.name, cells.term_n.tolist(), *choice.rule.answer(chance_nc, peer.labels)
            )
        return brief(figures)


def brief(figures: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Leave out the figures of single types."""
    return {name: {key: row[key] for key in row if key != "per_type"} for name, row in figures.items()}


def spoticell_runs(found: Path | None, bundles: Iterable[str], tests: Sequence[Cells], judge: Judge) -> dict[str, Runs]:
    """Give Spoticell's figures, as shipped and forced: from a file, else of each bundle."""
    rows: dict[str, Runs] = {}
    if found:
        before = json.loads(found.read_text())
        return {name: [brief(run) for run in before[name]] for name in before if name.startswith("Spoticell")}
    for folder in bundles:
        for name, figures in spoticell_rows(folder, tests, judge).items():
            rows.setdefault(name, []).append(brief(figures))
    return rows


def digest(folder: Path) -> str:
    """Give a mark of the files in a folder, by their names and sizes."""
    files = sorted((path.name, path.stat().st_size) for path in folder.glob("*.h5ad"))
    return hashlib.sha256(repr(files).encode()).hexdigest()[:16]


def missing(
    results: dict[str, Any], folders: dict[str, Path], peers: dict[str, Entry]
) -> Iterator[tuple[dict[str, Any], str, LabelledCells]]:
    """Name the peers that a corpus lacks, with where their figures go and the cells that they learn from."""
    for corpus, folder in folders.items():
        found = results.setdefault(corpus, {"files": digest(folder), "peers": {}})
        if found["files"] != digest(folder):
            raise SystemExit(f"The peers that are known were trained on other cells than those in {folder}.")
        lacking = [name for name in peers if name not in found["peers"]]
        if lacking:
            cells = read_labelled(folder, load_vocabulary())
            found |= {"cells": len(cells), "labels": len(set(cells.label_n))}
        for name in lacking:
            if find_spec(peers[name].needs) is None:
                print(f"{name} is left out: it needs the package {peers[name].needs}.", file=sys.stderr)
                continue
            print(f"{name}, {corpus}", file=sys.stderr)
            yield found["peers"], name, cells


def main() -> None:
    """Read the command line, train and score who isn't known yet, print and save."""
    args = parse()
    judge, (tests, _) = load_judge(args.judge), labelled_tests(args.data)
    vocabulary, train = load_vocabulary(), args.data / "train"
    known = {path.stem: path for folder in (train, args.data / "more" / "train") for path in folder.glob("*.h5ad")}
    held_out = [read_aligned(known[name], vocabulary).labelled() for name in HELD_OUT]
    bench = Bench(held_out, tests, judge, args.seeds)
    spoticell = spoticell_runs(args.spoticell_from, args.bundles, tests, judge)
    results = json.loads(args.peers_from.read_text()) if args.peers_from else {}
    folders = {"cells": args.cells} if args.cells else {}
    folders |= {} if args.same_cells_alone else {"train": train}
    peers = entries(args.data / "refs" / "panels")
    if unknown := set(args.peers or ()) - set(peers):
        raise SystemExit(f"There is no peer {min(unknown)!r}; there are {', '.join(peers)}.")
    wanted = {name: peers[name] for name in args.peers or peers}

    def keep() -> list[str]:
        lines = report(results, spoticell, [cells.name for cells in tests])
        if args.save:
            save_result(args.save, "Spoticell and its peers", lines)
            with atomic(RESULTS / f"{args.save}.json") as passing:
                passing.write_text(json.dumps(results | {"spoticell": spoticell}, indent=1) + "\n")
        return lines

    for found, name, cells in missing(results, folders, wanted):
        found[name] = bench.measure(wanted[name], cells)
        keep()
    print("\n".join(keep()))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, help="folder of the cells that the bundles were trained on")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--bundles", nargs="+", default=[], help="bundle folders, one a seed, or packaged names")
    parser.add_argument("--spoticell-from", type=Path, help="JSON of development_tests.py, in place of bundles")
    parser.add_argument("--peers-from", type=Path, help="JSON of this benchmark: peers in it aren't trained again")
    parser.add_argument("--peers", nargs="+", help="train these alone; all if not given")
    parser.add_argument("--same-cells-alone", action="store_true", help="don't train on the labelled real cells alone")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--judge", type=Path, help="a stand-alone scorer; the package's own rules if not given")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
