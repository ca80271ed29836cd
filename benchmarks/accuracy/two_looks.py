"""What the sample adds: Spoticell and its peers, each cell alone and with all cells of the file.

    python -m benchmarks.accuracy.two_looks --bundles SEED0 SEED1 SEED2 --cells CELLS \
        --chosen benchmarks/results/peers.json --kept FOLDER --judge ../shared/bench/score.py --save two_looks

All cells of a development test are seen, those with a label are scored: whole, and through random genes.  Peers learn
from CELLS, those that the bundles were trained on, with the settings and answer rules that ``peers.compare`` chose.
Each answers alone, with Spoticell's neighbours and reading (and without types of tissues that the sample doesn't show,
as Spoticell does it), and by CellTypist's majority vote over its over-clustering; panhuman_distill_v1 is also refined
to the cells by its makers' function.  Neighbours are those of the first bundle.  What peers say, neighbours and
clusters are kept in FOLDER, and rows that ``--rows-from`` holds aren't measured again, nor ways of Spoticell's.  Needs
the packages celltypist and igraph, and actinn-jax for the pretrained peer.
Axes: ``n`` cells, ``c`` labels.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.development_tests import Judge, load_judge
from benchmarks.accuracy.gene_panels import MANY_GENES, OURS
from benchmarks.accuracy.looks_table import (
    ALONE,
    OWN,
    REFINED,
    TISSUE,
    TOGETHER,
    VOTE,
    Rows,
    report,
)
from benchmarks.lib.answering import answer_together, describe, neighbours_among, open_runtime, with_bundles
from benchmarks.lib.incomplete import ALL, views
from benchmarks.lib.saving import save_figures, save_result
from benchmarks.lib.studies import Cells, read_aligned
from benchmarks.peers.compare import Entry, brief, entries
from benchmarks.peers.methods import Peer, RefusedError
from benchmarks.peers.tuning import Choice
from benchmarks.peers.votes import Answer, majority, neighbours_answer, over_clustering, tissue_answer
from spoticell.biology.genes import load_vocabulary
from spoticell.biology.neighbours import Neighbours
from spoticell.errors import CountsError
from spoticell.io.write import atomic
from spoticell.model.runtime import Runtime
from spoticell.training.data.labelled import LabelledCells, read_labelled

SIZES, DRAWS = (1000, 300), 3
"""Random genes, and how often they are drawn."""
VIEWS = (ALL, *map(str, SIZES))
PRETRAINED = "panhuman_distill_v1"
PEERS = (
    "MLP, Spoticell's augmentation",
    "linear, hierarchical loss",
    "logistic regression",
    "CellTypist (SGD)",
    PRETRAINED,
)

Arrays = Mapping[str, NDArray]
Ways = dict[str, Answer]
"""What is answered in each way."""


@dataclass(frozen=True)
class Seen:
    """All cells of a set, seen through some of its genes."""

    cells: Cells
    view: str
    draw: int

    @property
    def name(self) -> str:
        """Name of what is kept of it."""
        return f"{self.cells.name}-{self.view}-{self.draw}"


def seen_sets(data: Path) -> Iterator[Seen]:
    """Give each development test that has labels, whole, and through random genes where it has many."""
    for folder in (data / "test", data / "more" / "test"):
        for path in sorted(folder.glob("*.h5ad")):
            try:
                cells = read_aligned(path, load_vocabulary())
            except CountsError:
                continue
            if not len(cells.labelled()):
                continue
            sizes = SIZES if cells.measured_g.sum() >= MANY_GENES else ()
            for view in views(cells.measured_g, {}, DRAWS, sizes):
                yield Seen(cells.seen_through(view.panel_g), view.name, view.draw)


@dataclass(frozen=True)
class Kept:
    """A folder of arrays that take long to make."""

    folder: Path

    def get(self, kind: str, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Give arrays, made if they aren't there."""
        path = self.folder / re.sub(r"\W+", "_", kind) / f"{name}.npz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path) as passing, passing.open("wb") as file:
                np.savez(file, **make())
        with np.load(path) as found:
            return dict(found)

    def neighbours(self, seen: Seen, runtime: Runtime) -> Neighbours:
        """Give the neighbours that Spoticell finds."""
        kind = f"neighbours {runtime.bundle.sha256[:12]}"
        return Neighbours(**self.get(kind, seen.name, lambda: vars(neighbours_among(seen.cells, runtime))))

    def groups(self, seen: Seen) -> NDArray[np.str_]:
        """Give CellTypist's over-clustering."""
        return self.get("over-clustering", seen.name, lambda: {"group_n": over_clustering(seen.cells)})["group_n"]


@dataclass(frozen=True)
class Bench:
    """What everyone is scored on."""

    sets: list[Seen]
    judge: Judge
    kept: Kept
    runtimes: list[Runtime]

    def score(self, answer: Callable[[Seen], Ways | None]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        """Give the figures of each way, view and set, means over draws; sets that are refused have none."""
        found: dict[str, dict[str, dict[str, list[dict[str, float]]]]] = {}
        for seen in self.sets:
            known_n = seen.cells.has_label_n
            truth = seen.cells.term_n[known_n].tolist()
            for way, (term_n, score_n) in (answer(seen) or {}).items():
                given = np.array(term_n, dtype=object)[known_n].tolist()
                figures = self.judge(seen.cells.name, truth, given, None if score_n is None else score_n[known_n])
                by_set = found.setdefault(way, {}).setdefault(seen.view, {})
                by_set.setdefault(seen.cells.name, []).append(figures)
        return {
            way: {view: {name: over_draws(runs) for name, runs in sets.items()} for view, sets in by_view.items()}
            for way, by_view in found.items()
        }

    def spoticell(self, runtime: Runtime, ways: Collection[str] = tuple(OWN)) -> Callable[[Seen], Ways]:
        """Answer as a bundle does, in some of its ways."""

        def answer(seen: Seen) -> Ways:
            found = answer_together(seen.cells, runtime)
            alone = found.single_term_n.tolist()
            said: Ways = {
                ALONE: (alone, found.single_score_n),
                TISSUE: (found.term_n.tolist(), found.score_n),
            }
            if VOTE in ways:
                said[VOTE] = (majority(alone, self.kept.groups(seen)), None)
            return {way: said[way] for way in ways}

        return answer

    def peer(self, name: str, learner: Learner) -> Callable[[Seen], Ways | None]:
        """Answer as a peer does."""

        def answer(seen: Seen) -> Ways | None:
            said = self.kept.get(name, seen.name, lambda: learner.probabilities(seen))
            if not len(said["labels"]):
                return None
            of_peer = (said["chance_nc"], said["labels"].tolist(), learner.choice.rule)
            neighbours = self.kept.neighbours(seen, self.runtimes[0])
            alone = learner.choice.rule.answer(*of_peer[:2])
            ways: Ways = {
                ALONE: alone,
                TOGETHER: neighbours_answer(*of_peer, neighbours),
                TISSUE: tissue_answer(*of_peer, neighbours),
                VOTE: (majority(alone[0], self.kept.groups(seen)), None),
            }
            if name == PRETRAINED:
                own = self.kept.get(f"{name} refined", seen.name, lambda: learner.refined(seen))
                ways[REFINED] = (own["term_n"].tolist(), own["score_n"])
            return ways

        return answer


def over_draws(runs: list[dict[str, float]]) -> dict[str, float]:
    """Give the mean of each figure that is a number."""
    return {
        key: float(np.mean([run[key] for run in runs]))
        for key, value in brief({"": runs[0]})[""].items()
        if isinstance(value, int | float)
    }


@dataclass
class Learner:
    """A peer that is trained when it is first asked."""

    entry: Entry
    choice: Choice
    training: Training

    @cached_property
    def peer(self) -> Peer:
        """The peer, trained."""
        cells = self.training.cells if self.entry.learns else None
        return self.entry.make(**self.choice.settings).fit(cells, seed=0)

    def probabilities(self, seen: Seen) -> Arrays:
        """Give the probability of each label, and the labels: none where the peer refuses the cells."""
        try:
            chance_nc = self.peer.probabilities(seen.cells.counts_ng, seen.cells.measured_g)
        except RefusedError:
            return {"chance_nc": np.zeros((0, 0)), "labels": np.array([], dtype=str)}
        return {"chance_nc": chance_nc.astype(np.float32), "labels": np.array(self.peer.labels, dtype=str)}

    def refined(self, seen: Seen) -> Arrays:
        """Give what the pretrained peer answers once it is refined to the cells."""
        term_n, score_n = self.peer.model.refined(seen.cells.counts_ng, seen.cells.measured_g, load_vocabulary())
        return {"term_n": np.array(term_n, dtype=str), "score_n": score_n}


@dataclass
class Training:
    """The cells that peers learn from, read when first asked for."""

    folder: Path

    @cached_property
    def cells(self) -> LabelledCells:
        """The cells."""
        return read_labelled(self.folder, load_vocabulary())


def learners(args: argparse.Namespace) -> Iterator[tuple[str, Learner]]:
    """Give the peers."""
    known, chosen = entries(args.data / "refs" / "panels"), json.loads(args.chosen.read_text())["cells"]["peers"]
    training = Training(args.cells)
    for name in args.peers:
        yield name, Learner(known[name], Choice.from_json(chosen[name]["choice"]), training)


def missing(rows: Rows, bench: Bench, args: argparse.Namespace) -> Iterator[Rows]:
    """Measure the rows that aren't known yet, and give all after each."""
    for name, learner in learners(args) if args.cells else ():
        if name not in rows:
            print(name, file=sys.stderr)
            add(rows, name, [bench.score(bench.peer(name, learner))])
            yield rows
    if ways := [way for way in OWN if way not in rows.get(OURS, {})]:
        add(rows, OURS, [bench.score(bench.spoticell(runtime, ways)) for runtime in bench.runtimes])
        yield rows


def add(rows: Rows, name: str, runs: Iterable[dict[str, dict[str, dict[str, dict[str, float]]]]]) -> None:
    """Add the runs of all seeds."""
    found = rows.setdefault(name, {})
    for run in runs:
        for way, by_view in run.items():
            for view, sets in by_view.items():
                found.setdefault(way, {}).setdefault(view, []).append(sets)


def main() -> None:
    """Read the command line, measure who isn't known yet, print and save."""
    args = parse()
    rows: Rows = json.loads(args.rows_from.read_text())["rows"] if args.rows_from else {}
    runtimes = [open_runtime(bundle, args.threads) for bundle in args.bundles]
    bench = Bench(list(seen_sets(args.data)), load_judge(args.judge), Kept(args.kept), runtimes)
    sets = {view: [seen.cells.name for seen in bench.sets if (seen.view, seen.draw) == (view, 0)] for view in VIEWS}
    bundles = ", ".join(map(describe, runtimes))

    def keep() -> list[str]:
        lines = [f"Bundles: {bundles}.", "", *report(rows, sets)]
        if args.save:
            save_result(args.save, "Two looks: each cell alone, and with the sample", lines)
            save_figures(args.save, {"rows": rows})
        return lines

    for _ in missing(rows, bench, args):
        keep()
    print("\n".join(keep()))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    with_bundles(parser)
    parser.add_argument("--cells", type=Path, help="the training cells, for the peers; without them there are none")
    parser.add_argument("--chosen", type=Path, help="JSON of peers.compare, which says what was chosen for each peer")
    parser.add_argument("--peers", nargs="+", default=PEERS, help="which ones")
    parser.add_argument("--kept", type=Path, required=True, help="folder for what takes long to make")
    parser.add_argument("--rows-from", type=Path, help="JSON of this benchmark: rows in it aren't measured again")
    parser.add_argument("--judge", type=Path, help="a stand-alone scorer; the package's own rules if not given")
    args = parser.parse_args()
    if args.cells and not args.chosen:
        parser.error("--cells needs --chosen")
    return args


if __name__ == "__main__":
    main()
