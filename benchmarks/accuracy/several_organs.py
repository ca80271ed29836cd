"""Cells of several organs in one file: what the tissues that the cells show cost and gain.

    python -m benchmarks.accuracy.several_organs --runs RUN RUN RUN --labelled FOLDER --save several_organs

Each run held data sets out of its training (``validation`` of its config).  Mixtures are drawn from these: some organs
with shares by chance, of each organ one data set, named each cell alone.  Four ways: any type can be, those of the
first tissue that the cells show, what `annotate` makes of the tissues that they show, and those of the organs that they
are from.
Scores are means over the data sets in a mixture, then over mixtures.  No development test is looked at.
Axes: ``n`` cells, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scripts.human_v1.held_out import views_of_run

from benchmarks.accuracy.sample_tissues import tissue_of
from benchmarks.lib.saving import save_result
from spoticell.annotation.evaluation import score
from spoticell.annotation.sample_tissue import FEW, SampleTissues, of_tissues, show_tissues
from spoticell.biology.answer_rule import rule_of
from spoticell.biology.genes import load_vocabulary
from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.biology.relatives import Relatives
from spoticell.keys import UNKNOWN
from spoticell.training.data.labelled import read_labelled

VIEWS, ORGANS, MIXTURES = ("whole", "shallow"), (1, 2, 3, 4, 6), 30
CELLS, LEAST, EVENNESS = 1500, 30, 2.0
"""Cells of a mixture, fewest of an organ, and of the Dirichlet distribution that their shares are drawn from."""
BLOOD, THRESHOLD = "blood", 0.3


@dataclass(frozen=True)
class Named:
    """What a network that didn't learn from a data set says of it."""

    name: str
    organ: str
    label_n: NDArray[np.object_]
    weight_nc: NDArray[np.float32]


@dataclass(frozen=True)
class Mixture:
    """Cells of some data sets in one sample."""

    sets: list[str]
    organs: list[str]
    set_n: NDArray[np.str_]
    label_n: NDArray[np.object_]
    weight_nc: NDArray[np.float32]


class Ways:
    """Answers cells among the types that can be.

    Parameters
    ----------
    labels
        Of all networks.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.nodes, _ = reach_matrix(labels, load_ontology())
        self.weights = LabelWeights(labels, self.nodes, load_ontology())
        self.rule = rule_of(self.nodes, load_ontology())
        self._relatives: dict[bytes, Relatives] = {}

    def shown(self, mixture: Mixture) -> SampleTissues:
        """Give the tissues that a mixture shows."""
        some = np.random.default_rng(0).permutation(len(mixture.set_n))[:FEW]
        return show_tissues(mixture.weight_nc[some], self.weights.label_c, self.nodes, load_ontology())

    def among(self, tissues: Iterable[str]) -> NDArray[np.bool_]:
        """Say which nodes some tissues have; with none, which blood has."""
        shares = [{tissue: 0.0} for tissue in tissues] or [{}]
        parts = [of_tissues(one, self.nodes, load_ontology(), blood=False).possible_m for one in shares]
        return np.asarray(np.any(parts, axis=0))

    def figures(self, mixture: Mixture, possible_m: NDArray[np.bool_] | None) -> NDArray[np.float64]:
        """Give macro-F1 and hierarchical F1, means over the data sets, where some nodes can be, or all."""
        how = self.weights if possible_m is None else self._relatives_among(possible_m)
        answer_n, score_n = self.rule.standing(how.summed(mixture.weight_nc)).answers(THRESHOLD)
        term_n = np.array([*self.nodes, UNKNOWN], dtype=object)[answer_n]
        rows = []
        for name in mixture.sets:
            own_n = mixture.set_n == name
            found = score(mixture.label_n[own_n].tolist(), term_n[own_n].tolist(), score_n[own_n])
            # of a set of few cells no type may have enough for a macro-F1
            rows.append([np.nan if found[key] is None else found[key] for key in ("macro_f1", "hierarchical_f1")])
        return np.asarray(np.nanmean(rows, axis=0))

    def _relatives_among(self, possible_m: NDArray[np.bool_]) -> Relatives:
        key = possible_m.tobytes()
        if key not in self._relatives:
            self._relatives[key] = Relatives(self.weights, self.nodes, load_ontology(), possible_m)
        return self._relatives[key]


def named(runs: Sequence[Path], labelled: Path) -> tuple[list[str], dict[str, list[Named]]]:
    """Give the labels of all runs, and of each view the sets that they held out, with the weights of these labels."""
    cells = read_labelled(labelled, load_vocabulary())
    views = []
    for run in runs:
        views += [view for view in views_of_run(run, cells, {}) if view.name in VIEWS]
    labels = sorted({label for view in views for label in view.bundle.manifest.labels})
    found: dict[str, list[Named]] = {name: [] for name in VIEWS}
    for view in views:
        organ = (tissue_of(view.dataset) or "").split("|")[0]
        if not organ or len(view.label_n) < LEAST:
            continue
        weight_nc = np.zeros((len(view.label_n), len(labels)), dtype=np.float32)
        own_c = np.searchsorted(labels, view.bundle.manifest.labels)
        weight_nc[:, own_c] = view.bundle.label_weights.of(view.prediction.probabilities_nm)
        found[view.name].append(Named(view.dataset, organ, view.label_n, weight_nc))
    return labels, found


def mixtures(sets: Sequence[Named], organs: int) -> Iterator[Mixture]:
    """Draw mixtures of so many organs."""
    rng, by_organ = np.random.default_rng(organs), sorted({one.organ for one in sets})
    for _ in range(MIXTURES):
        chosen = rng.choice(by_organ, size=min(organs, len(by_organ)), replace=False).tolist()
        parts, rows = [], []
        for organ, share in zip(chosen, rng.dirichlet([EVENNESS] * len(chosen)), strict=True):
            of_organ = [one for one in sets if one.organ == organ]
            parts.append(of_organ[int(rng.integers(len(of_organ)))])
            rows.append(rng.choice(len(parts[-1].label_n), size=max(int(share * CELLS), LEAST)))
        yield Mixture(
            [part.name for part in parts],
            chosen,
            np.concatenate([np.full(len(row), part.name) for part, row in zip(parts, rows, strict=True)]),
            np.concatenate([part.label_n[row] for part, row in zip(parts, rows, strict=True)]),
            np.concatenate([part.weight_nc[row] for part, row in zip(parts, rows, strict=True)]),
        )


def row(sets: Sequence[Named], ways: Ways, view: str, organs: int) -> str:
    """Measure mixtures of so many organs, as a line of a table."""
    figures, found, all_n, strange = [], 0, 0, 0
    for mixture in mixtures(sets, organs):
        own, tissues = set(mixture.organs) - {BLOOD}, ways.shown(mixture)
        shown = [*tissues.shares]
        given = [None, ways.among(shown[:1]), tissues.possible_m, ways.among(own)]
        figures.append([ways.figures(mixture, possible_m) for possible_m in given])
        found, all_n, strange = found + len(own & set(shown)), all_n + len(own), strange + len(set(shown) - own)
    means = " | ".join(f"{macro:.3f} / {hierarchical:.3f}" for macro, hierarchical in np.mean(figures, axis=0))
    return f"| {view} | {organs} | {means} | {found} of {all_n} | {strange} |"


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--labelled", type=Path, required=True, help="the data sets, labelled by their authors")
    parser.add_argument("--save", metavar="NAME")
    args = parser.parse_args()
    labels, sets = named(args.runs, args.labelled)
    ways = Ways(labels)
    organs = sorted({one.organ for one in sets[VIEWS[0]]})
    lines = [
        f"{len(sets[VIEWS[0]])} held-out data sets of {', '.join(organs)}; {MIXTURES} mixtures a row, of up to "
        f"{CELLS:,} cells.  Macro-F1 / hierarchical F1, each cell alone, threshold {THRESHOLD}.",
        "",
        "| cells | organs | any type | first tissue shown | as shown | organs told | tissues found | strange ones |",
        "|---|---|---|---|---|---|---|---|",
        *(row(sets[view], ways, view, number) for view in VIEWS for number in ORGANS),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Cells of several organs in one file", lines)


if __name__ == "__main__":
    main()
