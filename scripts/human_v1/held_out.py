"""Fits how far the answers of a shipped bundle can be trusted, on data sets that each were held out of a training.

    python -m scripts.human_v1.held_out --runs runs/human-v1/calibration-a runs/human-v1/calibration-b \
        --labelled FOLDER --panels runs/human-v1/panels --output runs/human-v1/calibration.json

Every held-out data set is seen whole, through random and real panels, and shallow.  Prints what each threshold and
each share of strange cells give, and the calibration error, where each run's data sets are answered with a calibration
fitted on the other runs' only; writes the calibration fitted on all of them, with the answers that are most often
wrong.
Axes: ``n`` cells, ``g`` genes, ``m`` nodes.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.lib.answering import relatives_in_sample
from benchmarks.lib.incomplete import named_panels
from numpy.typing import NDArray
from scipy import sparse

from spoticell.annotation.decision import Decision, Said, decide, decide_together
from spoticell.annotation.evaluation import score
from spoticell.annotation.first_blocks import first_block
from spoticell.annotation.looks import FirstLook, kept_of
from spoticell.annotation.options import Options
from spoticell.biology.genes import load_vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.biology.sketch import Sketch
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle
from spoticell.model.calibration import Softening, Together, Trust
from spoticell.model.runtime import Prediction
from spoticell.training.calibrate import (
    Heard,
    JudgedAnswers,
    Seen,
    Weighed,
    fit_power,
    fit_softening,
    fit_stranger,
    fit_trust,
    possible,
)
from spoticell.training.data.labelled import LabelledCells, read_labelled
from spoticell.training.export import BEST
from spoticell.training.loss import node_probabilities, reach_of
from spoticell.training.network import familiarity
from spoticell.training.pretrained import load_start
from spoticell.training.validate import predict

RANDOM = (1000, 300)
"""Genes of the random panels."""
REAL = ("panel_cosmx_960_nsclc", "panel_xenium_human_multi_tissue_v1")
SHALLOW = 0.2
"""Share of counts that the shallow view keeps."""
MOST = 1000
"""Cells of a data set, drawn at random where it has more."""
STRANGE = 0.02
"""Share of known cells, over all views, that are too strange to be named: of whole ones it is less than 0.01."""
STRANGE_TOGETHER = 0.01
"""The same of cells that are read together: who is strange has strange company, so that whole samples may be lost."""
FEW = 200
"""Cells of a view, drawn at random, by which it is fitted who is strange."""
THRESHOLDS = (0.2, 0.3, 0.4, 0.5)
STRANGERS = (0.01, 0.02, 0.03, 0.05)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """The cells of a held-out data set, seen in one way, and what the network of its run says."""

    dataset: str
    name: str
    label_n: NDArray[np.object_]
    counts_ng: sparse.csr_array
    prediction: Prediction
    bundle: Bundle

    @cached_property
    def counts_n(self) -> NDArray[np.float64]:
        """Counts of each cell."""
        return np.asarray(self.counts_ng.sum(axis=1), dtype=np.float64)

    def decide(self, softening: Softening, trust: Trust | None, threshold: float) -> Decision:
        """Answer the cells, each alone."""
        bundle = self.with_settings(softening=softening, trust=trust)
        return decide(self.prediction, self.counts_n, bundle, threshold=threshold, relatives=self.relatives)

    def with_settings(self, **settings: Softening | Trust | Together | None) -> Bundle:
        """Give the bundle with other maps."""
        manifest = self.bundle.manifest.model_copy(update={"calibration": None} | settings)
        return replace(self.bundle, manifest=manifest)

    def read_together(self, softening: Softening) -> Said:
        """Give what is said of the cells, read together."""
        if softening not in self.said:
            options = Options(self.with_settings(softening=softening))
            first = FirstLook(self.prediction.n_measured)
            alone = first_block(0, self.counts_ng, self.prediction, options, relatives=None)
            first.add(replace(alone, kept=kept_of(alone, Sketch(self.counts_ng))))
            self.said[softening] = first.said(first.neighbours(), np.arange(len(self.label_n)))
        return self.said[softening]

    @cached_property
    def said(self) -> dict[Softening, Said]:
        """What was read together already."""
        return {}

    def decide_together(self, softening: Softening, together: Together, threshold: float) -> Decision:
        """Answer the cells, read together."""
        bundle, said = self.with_settings(softening=softening, together=together), self.read_together(softening)
        return decide_together(said, self.counts_n, bundle, threshold=threshold, relatives=self.relatives)

    def heard(self, softening: Softening) -> Heard:
        """Give the weights that were read together, and which labels the cells can be."""
        said = self.read_together(softening)
        return Heard(said.weight_nc, said.heard_n, possible(self.label_n, self.bundle.manifest.labels))

    @cached_property
    def relatives(self) -> Relatives:
        """What the tissues that the cells show make of types of others."""
        return relatives_in_sample(self.prediction.probabilities_nm, self.bundle)

    def terms(self, decision: Decision) -> list[str]:
        """Name the answers, ``unknown`` where there is none."""
        terms = [*self.bundle.nodes, UNKNOWN]
        return [terms[answer] for answer in decision.answer_n]

    def figures(self, decision: Decision) -> dict[str, Any]:
        """Score answers."""
        return score(self.label_n.tolist(), self.terms(decision), decision.score_n)

    def weighed(self) -> Weighed:
        """Give the weights of labels, and which of them the cells can be."""
        weight_nc = self.bundle.label_weights.of(self.prediction.probabilities_nm)
        return Weighed(weight_nc, self.counts_n, possible(self.label_n, self.bundle.manifest.labels))

    def seen(self, softening: Softening | None = None) -> Seen:
        """Give some of the cells, as they look to the network: alone, or read together after a softening."""
        some = np.random.default_rng(0).permutation(len(self.counts_n))[:FEW]
        read = self.prediction if softening is None else self.read_together(softening)
        return Seen(read.familiarity_n[some], self.counts_n[some], self.prediction.n_measured)

    def judged(self, decision: Decision, familiarity_n: NDArray[np.floating[Any]]) -> JudgedAnswers:
        """Give the answers that there are, and whether they are the label or a subtype of it."""
        ontology = load_ontology()
        given = decision.answer_n >= 0
        right = [
            label in ontology.ancestors(term)
            for label, term in zip(self.label_n[given], np.array(self.terms(decision))[given], strict=True)
        ]
        return JudgedAnswers(
            decision.score_n[given],
            self.counts_n[given],
            np.array(right, dtype=bool),
            familiarity_n[given],
        )


def views_of_run(run: Path, cells: LabelledCells, panels: dict[str, Mask]) -> Iterator[View]:
    """Give every view of every data set that a run held out."""
    start = load_start(run / BEST)
    network, (_, reach_cm) = start.network(), reach_of(start.labels)
    direction_cd = start.examples.directions(len(start.labels))
    for name in json.loads((run / "params.json").read_text())["config"]["validation"]:
        rng = np.random.default_rng(0)
        rows = np.flatnonzero(cells.dataset_n == cells.datasets.index(name))
        few = cells.take(np.sort(rng.choice(rows, min(MOST, len(rows)), replace=False)))
        measured_g = cells.measured_sg[cells.datasets.index(name)]
        for view, counts_ng, seen_g in show(few.counts_ng, measured_g, panels, rng):
            seen = LabelledCells(
                counts_ng, few.label_n, np.zeros(len(few), dtype=np.intp), few.donor_n, (name,), seen_g[None]
            )
            fingerprint_nd, logits_nc = predict(network, seen)
            logits = torch.from_numpy(logits_nc)
            known = familiarity(logits, torch.from_numpy(fingerprint_nd), direction_cd, start.config.nearness)
            probabilities_nm = node_probabilities(logits, reach_cm).numpy()
            shown_nd = network.shown(torch.from_numpy(fingerprint_nd)).numpy()
            said = Prediction(shown_nd, probabilities_nm, known.numpy(), int(seen_g.sum()))
            yield View(name, view, few.label_n, sparse.csr_array(counts_ng), said, start.bundle)


def show(
    counts_ng: sparse.csr_array, measured_g: Mask, panels: dict[str, Mask], rng: np.random.Generator
) -> Iterator[tuple[str, sparse.csr_array, Mask]]:
    """Give cells whole, shallow, and through the panels that there are: name, counts, and the genes measured."""
    yield "whole", counts_ng, measured_g
    shallow_ng = counts_ng.copy()
    shallow_ng.data = rng.binomial(np.rint(shallow_ng.data).astype(np.int64), SHALLOW).astype(np.float32)
    yield "shallow", shallow_ng, measured_g
    drawn = {}
    for size in (size for size in RANDOM if size < measured_g.sum()):
        drawn[f"{size} genes"] = np.zeros_like(measured_g)
        drawn[f"{size} genes"][rng.choice(np.flatnonzero(measured_g), size, replace=False)] = True
    for name, panel_g in (drawn | {name: panels[name] for name in REAL if name in panels}).items():
        seen_g = measured_g & panel_g
        yield name, sparse.csr_array(counts_ng @ sparse.diags_array(seen_g.astype(np.float32))), seen_g


Fitted = tuple[Softening, Trust, Together]
Pairs = list[tuple[View, Fitted]]
"""Views, each with what was fitted without its run."""


def fit(views: Sequence[View], threshold: float) -> Fitted:
    """Fit calibration and trust, for cells alone and for cells read together."""
    softening = fit_softening([view.weighed() for view in views])
    trust = fit_trust(
        [view.judged(view.decide(softening, None, threshold), view.prediction.familiarity_n) for view in views]
    )
    together = Together(power=fit_power([view.heard(softening) for view in views]))
    trust_together = fit_trust(
        [
            view.judged(
                view.decide_together(softening, together, threshold), view.read_together(softening).familiarity_n
            )
            for view in views
        ]
    )
    strange = {"stranger": fit_stranger([view.seen() for view in views], share=STRANGE)}
    strange_together = {"stranger": fit_stranger([view.seen(softening) for view in views], share=STRANGE_TOGETHER)}
    together = together.model_copy(update={"trust": trust_together.model_copy(update=strange_together)})
    return softening, trust.model_copy(update=strange), together


def crossed(runs: Sequence[Sequence[View]], threshold: float) -> Pairs:
    """Give every view with what was fitted on the other runs'."""
    found = []
    for held, views in enumerate(runs):
        fitted = fit([view for at, run in enumerate(runs) if at != held for view in run], threshold)
        found += [(view, fitted) for view in views]
    return found


def means(rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, tuple[float, float]]:
    """Give the mean of each figure over the data sets seen whole, and over all views."""
    rows = list(rows)
    whole = [row for name, row in rows if name == "whole"]
    keys = ("macro_f1", "hierarchical_f1", "coverage", "ece")
    return {
        key: tuple(float(np.nanmean([r.get(key, np.nan) for r in part])) for part in (whole, [r for _, r in rows]))
        for key in keys
    }


def show_means(words: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, tuple[float, float]]:
    """Print the means, whole / all views."""
    found = means(rows)
    print(f"{words:28}" + "  ".join(f"{key} {whole:.3f} / {every:.3f}" for key, (whole, every) in found.items()))
    return found


def show_thresholds(pairs: Pairs) -> None:
    """Print what each threshold gives, where no cell is strange."""
    for threshold in THRESHOLDS:
        show_means(
            f"threshold {threshold:.2f}",
            ((view.name, view.figures(view.decide(softening, None, threshold))) for view, (softening, *_) in pairs),
        )


def show_strangers(pairs: Pairs, views: Sequence[View], threshold: float) -> None:
    """Print what each share of strange cells costs."""
    for share in STRANGERS:
        stranger = {"stranger": fit_stranger([view.seen() for view in views], share=share)}
        show_means(
            f"strange {share:.2f}",
            (
                (view.name, view.figures(view.decide(softening, trust.model_copy(update=stranger), threshold)))
                for view, (softening, trust, _) in pairs
            ),
        )


def show_crossed(pairs: Pairs, threshold: float) -> dict[str, float]:
    """Print and give calibration errors of whole cells: uncalibrated, with chances as scores, and as fitted."""
    plain = Softening(power=0, depth=0)
    kinds = {
        "ece_raw": lambda view, _: view.decide(plain, None, threshold),
        "ece_chance": lambda view, fitted: view.decide(fitted[0], None, threshold),
        "ece_crossed": lambda view, fitted: view.decide(*fitted[:2], threshold),
        "ece_together": lambda view, fitted: view.decide_together(fitted[0], fitted[2], threshold),
    }
    return {
        name: show_means(name, ((view.name, view.figures(kind(view, fitted))) for view, fitted in pairs))["ece"][0]
        for name, kind in kinds.items()
    }


def confusions(views: Sequence[View], fitted: Fitted, threshold: float) -> list[str]:
    """Name the ten commonest wrong answers on whole cells."""
    ontology = load_ontology()
    pairs, sizes = Counter(), Counter()
    for view in (view for view in views if view.name == "whole"):
        sizes.update(view.label_n)
        for label, term in zip(
            view.label_n, view.terms(view.decide_together(fitted[0], fitted[2], threshold)), strict=True
        ):
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
    parser.add_argument("--labelled", type=Path, required=True, help="the data sets, labelled by their authors")
    parser.add_argument("--panels", type=Path, required=True)
    parser.add_argument("--threshold", type=float, default=0.3, help="that answers are chosen by")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    vocabulary = load_vocabulary()
    cells = read_labelled(args.labelled, vocabulary)
    panels = named_panels(args.panels, vocabulary)
    runs = [list(views_of_run(run, cells, panels)) for run in args.runs]
    views = [view for run in runs for view in run]
    pairs = crossed(runs, args.threshold)
    show_thresholds(pairs)
    show_strangers(pairs, views, args.threshold)
    fitted = fit(views, args.threshold)
    print(*fitted, sep="\n")
    record = {
        "softening": fitted[0].model_dump(),
        "trust": fitted[1].model_dump(),
        "together": fitted[2].model_dump(),
        "held_out": sorted({view.dataset for view in views}),
        "confusions": confusions(views, fitted, args.threshold),
        **show_crossed(pairs, args.threshold),
    }
    args.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
