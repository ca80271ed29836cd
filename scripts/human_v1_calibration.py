"""Fits how far the answers of human-v1 can be trusted, on data sets that each were held out of a training.

    python scripts/human_v1_calibration.py --runs runs/human-v1/calibration-a runs/human-v1/calibration-b \
        --train DATA/train --panels runs/human-v1/panels --output runs/human-v1/calibration.json

Every held-out data set is seen whole, through random and real panels, and shallow.  Prints the calibration error of
each run's data sets with a calibration fitted on the other runs' only, and what each threshold gives; writes the
calibration fitted on all of them, with the answers that are most often wrong.
Axes: ``n`` cells, ``g`` genes, ``m`` nodes.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.calibration import Calibration
from spoticell.evaluate import score
from spoticell.genes import load_vocabulary
from spoticell.keys import UNKNOWN
from spoticell.ontology import answers, load_ontology
from spoticell.train.calibrate import Answered, fit_calibration
from spoticell.train.cells import LabelledCells, read_labelled
from spoticell.train.export import BEST
from spoticell.train.loss import reach_of
from spoticell.train.panels import read_panels
from spoticell.train.start import load_start
from spoticell.train.validate import predict_nodes

RANDOM = (1000, 300)
"""Genes of the random panels."""
REAL = ("panel_cosmx_960_nsclc", "panel_xenium_human_multi_tissue_v1")
SHALLOW = 0.2
"""Share of counts that the shallow view keeps."""
MOST = 1500
"""Cells of a data set, drawn at random where it has more."""
ANSWERED = 0.3
"""Raw probability that an answer needs where the calibration is fitted: of surer and less sure ones alike."""
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """The cells of a held-out data set, seen in one way, and what the network of its run says."""

    dataset: str
    name: str
    label_n: NDArray[np.object_]
    counts_n: NDArray[np.float64]
    probabilities_nm: NDArray[np.float32]
    nodes: tuple[str, ...]

    def answered(self) -> Answered:
        """Give the raw answers that there are, and whether they are right."""
        answer_n, sure_n = answers(self.probabilities_nm, self.nodes, load_ontology(), threshold=ANSWERED)
        ontology, given = load_ontology(), answer_n >= 0
        above = [ontology.ancestors(self.nodes[answer]) for answer in answer_n[given]]
        right_n = np.array(
            [label in terms for label, terms in zip(self.label_n[given], above, strict=True)], dtype=bool
        )
        return Answered(sure_n[given], self.counts_n[given], right_n)

    def figures(self, calibration: Calibration, threshold: float) -> dict[str, Any]:
        """Score calibrated answers."""
        term_n, score_n = self.calibrated(calibration, threshold)
        return score(self.label_n.tolist(), term_n, score_n)

    def calibrated(self, calibration: Calibration, threshold: float) -> tuple[list[str], NDArray[np.float32]]:
        """Give the calibrated answers, ``unknown`` where there is none, and their scores."""
        chance_nm = calibration.apply(self.probabilities_nm, self.counts_n)
        answer_n, score_n = answers(chance_nm, self.nodes, load_ontology(), threshold=threshold)
        terms = [*self.nodes, UNKNOWN]
        return [terms[answer] for answer in answer_n], score_n


def views_of_run(run: Path, cells: LabelledCells, panels: dict[str, Mask]) -> Iterator[View]:
    """Give every view of every data set that a run held out."""
    start = load_start(run / BEST)
    network, (nodes, reach_cm) = start.network(), reach_of(start.labels)
    for name in json.loads((run / "params.json").read_text())["config"]["validation"]:
        rng = np.random.default_rng(0)
        rows = np.flatnonzero(cells.dataset_n == cells.datasets.index(name))
        few = cells.take(np.sort(rng.choice(rows, min(MOST, len(rows)), replace=False)))
        measured_g = cells.measured_sg[cells.datasets.index(name)]
        for view, counts_ng, seen_g in show(few.counts_ng, measured_g, panels, rng):
            seen = LabelledCells(
                counts_ng, few.label_n, np.zeros(len(few), dtype=np.intp), few.donor_n, (name,), seen_g[None]
            )
            yield View(name, view, few.label_n, seen.counts_n, predict_nodes(network, seen, reach_cm), nodes)


def show(
    counts_ng: sparse.csr_array, measured_g: Mask, panels: dict[str, Mask], rng: np.random.Generator
) -> Iterator[tuple[str, sparse.csr_array, Mask]]:
    """Give cells whole, through panels, and shallow: name, counts, and the genes that are measured."""
    yield "whole", counts_ng, measured_g
    shallow_ng = counts_ng.copy()
    shallow_ng.data = rng.binomial(np.rint(shallow_ng.data).astype(np.int64), SHALLOW).astype(np.float32)
    yield "shallow", shallow_ng, measured_g
    drawn = {}
    for size in RANDOM:
        drawn[f"{size} genes"] = np.zeros_like(measured_g)
        drawn[f"{size} genes"][rng.choice(np.flatnonzero(measured_g), size, replace=False)] = True
    for name, panel_g in (drawn | {name: panels[name] for name in REAL}).items():
        seen_g = measured_g & panel_g
        yield name, sparse.csr_array(counts_ng @ sparse.diags_array(seen_g.astype(np.float32))), seen_g


def show_thresholds(views: Sequence[View], calibration: Calibration) -> None:
    """Print what each threshold gives, mean over data sets: of whole cells, and of all views."""
    keys = ("macro_f1", "hierarchical_f1", "coverage", "ece")
    print("threshold " + "  ".join(f"{key:>15}" for key in keys) + "   (whole / all views)")
    for threshold in THRESHOLDS:
        rows = [(view.name, view.figures(calibration, threshold)) for view in views]
        whole = [row for name, row in rows if name == "whole"]
        means = [(np.mean([r[key] for r in whole]), np.mean([r[key] for _, r in rows])) for key in keys]
        print(f"{threshold:9.2f} " + "  ".join(f"{a:7.3f} / {b:.3f}" for a, b in means))


def show_crossed(runs: Sequence[Sequence[View]], threshold: float) -> dict[str, float]:
    """Print and give calibration errors of whole cells, each run's calibrated by the other runs."""
    raw, crossed = [], []
    plain = Calibration(slope=1, depth=0, intercept=0)
    for held, views in enumerate(runs):
        others = [view.answered() for at, run in enumerate(runs) if at != held for view in run]
        calibration = fit_calibration(others)
        whole = [view for view in views if view.name == "whole"]
        raw += [view.figures(plain, ANSWERED)["ece"] for view in whole]
        crossed += [view.figures(calibration, threshold)["ece"] for view in whole]
    found = {"ece_raw": float(np.mean(raw)), "ece_crossed": float(np.mean(crossed))}
    print(f"mean ECE of whole cells: raw {found['ece_raw']:.3f}, calibrated by other runs {found['ece_crossed']:.3f}")
    return found


def confusions(views: Sequence[View], calibration: Calibration, threshold: float) -> list[str]:
    """Name the ten commonest wrong answers on whole cells."""
    ontology = load_ontology()
    pairs, sizes = Counter(), Counter()
    for view in (view for view in views if view.name == "whole"):
        term_n, _ = view.calibrated(calibration, threshold)
        sizes.update(view.label_n)
        for label, term in zip(view.label_n, term_n, strict=True):
            if term != UNKNOWN and label not in ontology.ancestors(term) and term not in ontology.ancestors(label):
                pairs[label, term] += 1
    return [
        f"{ontology.name(label)} called {ontology.name(term)}: {count:,} of {sizes[label]:,} cells"
        for (label, term), count in pairs.most_common(10)
    ]


def main() -> None:
    """Read the command line, fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--panels", type=Path, required=True)
    parser.add_argument("--threshold", type=float, default=0.5, help="that the crossed errors are shown at")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    vocabulary = load_vocabulary()
    cells = read_labelled(args.train, vocabulary)
    names = [path.stem for path in sorted(args.panels.glob("*.txt"))]
    panels = dict(zip(names, read_panels(args.panels, vocabulary), strict=True))
    runs = [list(views_of_run(run, cells, panels)) for run in args.runs]
    views = [view for run in runs for view in run]
    calibration = fit_calibration([view.answered() for view in views])
    print(calibration)
    found = show_crossed(runs, args.threshold)
    show_thresholds(views, calibration)
    record = {
        "calibration": calibration.model_dump(),
        "held_out": sorted({view.dataset for view in views}),
        "confusions": confusions(views, calibration, args.threshold),
        **found,
    }
    args.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
