"""Spoticell on the development test sets; ``peers.py`` puts its peers beside it.

    python -m benchmarks.accuracy.development_tests --bundles runs/human-v1/seed0/bundle ... \
        --judge ../shared/bench/score.py --save development_tests

Each bundle (one a seed) answers as shipped, each cell alone, with types of all tissues possible (``any``), and forced
(most probable label, each cell alone).  Bundles of another model than the default one have columns of their own.  With
a judge that counts them, answers that name a type of another organ are given too.  Prints tables in Markdown and writes
them, with the figures as JSON, to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.lib.answering import answer_together
from benchmarks.lib.saving import DATA, RESULTS, save_result
from benchmarks.lib.studies import Cells, read_aligned
from spoticell.annotation.figures import score
from spoticell.biology.genes import load_vocabulary
from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import TOO_GENERAL, load_ontology
from spoticell.biology.tissues import find_tissue
from spoticell.errors import CountsError
from spoticell.model.bundle import DEFAULT, Bundle, load_bundle
from spoticell.model.manifest import UNNAMED
from spoticell.model.runtime import Runtime

FIRST = ("cosmx", "gierahn", "he2020", "kang", "mimitou", "moncada", "pbmc68k")
"""How the sets of the first round begin, which tables of earlier versions are about."""
ORGANS = {
    "aizarani": "liver",
    "boldog": "brain",
    "cosmx": "lung",
    "finak": "blood",
    "gierahn": "blood",
    "he2020": "bone marrow|blood",
    "kang": "blood",
    "koenig": "heart",
    "mimitou": "blood",
    "moncada": "pancreas",
    "nowakowski": "brain",
    "pbmc68k": "blood",
    "segerstolpe": "pancreas",
    "stewart": "kidney",
    "tenx": "blood",
    "villani": "blood",
}
"""Organ of each set, by how its name begins; others are mixtures, or their organ isn't known."""

Judge = Callable[[str, list[str], list[str], np.ndarray | None], dict[str, Any]]


def load_judge(path: Path | None) -> Judge:
    """Give the scorer: a stand-alone script's, or the package's own, which follows the same rules."""
    if path is None:

        def own(name: str, truth: list[str], answers: list[str], scores: np.ndarray | None) -> dict[str, Any]:
            organ = organ_of(name)
            tissue = None if organ is None else find_tissue(organ.split("|")[0])
            return score(truth, answers, scores, tissue=tissue)

        return own
    spec = importlib.util.spec_from_file_location("judge", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def judge(name: str, truth: list[str], answers: list[str], scores: np.ndarray | None) -> dict[str, Any]:
        cells = [f"cell{number}" for number in range(len(truth))]
        column = None if scores is None else pd.Series(scores, index=cells)
        true, given = pd.Series(truth, index=cells), pd.Series(answers, index=cells)
        organ = organ_of(name)
        return module.score(true, given, column) | ({} if organ is None else module.foreign(true, given, organ))

    return judge


def organ_of(name: str) -> str | None:
    """Give the organ of a set; None where it isn't one, or isn't known."""
    return next((organ for start, organ in ORGANS.items() if name.startswith(start)), None)


def labelled_tests(data: Path) -> tuple[list[Cells], list[str]]:
    """Give the test sets that have labels, all their cells, and the names of those whose values are refused."""
    tests, refused = [], []
    for folder in (data / "test", data / "more" / "test"):
        for path in sorted(folder.glob("*.h5ad")):
            try:
                cells = read_aligned(path, load_vocabulary())
            except CountsError:
                refused.append(path.stem)
            else:
                tests += [cells] if cells.has_label_n.any() else []
    return tests, refused


def spoticell_rows(folder: Path, tests: Iterable[Cells], judge: Judge) -> dict[str, dict[str, dict[str, Any]]]:
    """Score a bundle: as shipped, each cell alone, with types of all tissues possible, and forced.

    All cells of a set are read, as a user would give them; those that have a label are scored.  The rows of another
    model than the default one have its name.
    """
    runtime = Runtime(load_bundle(folder))
    nodes = np.array(runtime.bundle.nodes, dtype=object)
    name = runtime.bundle.name
    model = "" if name in {DEFAULT, UNNAMED} else f" ({name})"
    rows: dict[str, dict[str, dict[str, Any]]] = {
        f"{row}{model}": {} for row in ("Spoticell", "each cell alone", "any tissue", "forced")
    }
    for cells in tests:

        def put(row: str, term_n: np.ndarray, score_n: np.ndarray, cells: Cells = cells) -> None:
            asked = cells.has_label_n
            truth, answers = cells.term_n[asked].tolist(), term_n[asked].tolist()
            rows[f"{row}{model}"][cells.name] = judge(cells.name, truth, answers, score_n[asked])

        found = answer_together(cells, runtime)
        put("Spoticell", found.term_n, found.score_n)
        put("each cell alone", found.single_term_n, found.single_score_n)
        anywhere = answer_together(cells, runtime, any_tissue=True)
        put("any tissue", anywhere.term_n, anywhere.score_n)
        # what labels have of their own can only be told from the sums that the network gives
        probabilities_nm = found.prediction.probabilities_nm
        forced_n = forced(probabilities_nm, runtime.bundle)
        put("forced", nodes[forced_n], probabilities_nm[np.arange(len(forced_n)), forced_n])
    return rows


def forced(probabilities_nm: np.ndarray, bundle: Bundle) -> np.ndarray:
    """Give the node of the label with most probability of its own, what its sub-labels have taken away."""
    labels = bundle.manifest.labels
    usable = set(labels) - TOO_GENERAL
    label_m = np.array([node in usable for node in bundle.nodes])
    return np.where(label_m, own_probabilities(probabilities_nm, labels, bundle.nodes), -1).argmax(axis=1)


def own_probabilities(probabilities_nm: np.ndarray, labels: tuple[str, ...], nodes: tuple[str, ...]) -> np.ndarray:
    """Give the labels' own probabilities, placed among the nodes."""
    weights = LabelWeights(labels, nodes, load_ontology())
    own_nm = np.full(probabilities_nm.shape, -1.0)
    own_nm[:, weights.label_c] = weights.of(probabilities_nm)
    return own_nm


KEYS = ("macro_f1", "hierarchical_f1")
AT_HOME = ("foreign", "accuracy_home")

Rows = dict[str, list[dict[str, dict[str, Any]]]]


def table(rows: Rows, sets: list[str], keys: Sequence[str]) -> list[str]:
    """Lay out some figures by set: medians over the seeds."""
    lines = ["| | " + " | ".join(rows) + " |", "|---|" + "---|" * len(rows)]
    for name in sets:
        cells = [_cell([[run[name][key] for run in runs] for key in keys]) for runs in rows.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    firsts = [name for name in sets if name.startswith(FIRST)]
    for words, some in (("mean of the first seven", firsts), (f"mean of all {len(sets)}", sets)):
        means = [_cell(list(zip(*_means(runs, some, keys), strict=True))) for runs in rows.values()]
        lines.append(f"| **{words}** | " + " | ".join(f"**{mean}**" for mean in means) + " |")
    return lines


def summary(name: str, runs: list[dict[str, dict[str, Any]]], sets: list[str]) -> list[str]:
    """Say in words what the table of medians doesn't show of a model's runs."""
    answered = [run[cells] for run in runs for cells in sets]
    coverage = statistics.mean(figure["coverage"] for figure in answered)
    ece = statistics.mean(figure["ece"] for figure in answered)
    spread = [mean for (mean,) in _means(runs, sets, ["macro_f1"])]
    return [
        f"{name}: mean macro-F1 by seed {', '.join(f'{value:.3f}' for value in spread)}; "
        f"it answers {coverage:.1%} of cells; mean ECE over sets {ece:.3f}.",
    ]


def _means(runs: list[dict[str, dict[str, Any]]], sets: list[str], keys: Sequence[str]) -> list[list[float]]:
    return [[statistics.mean(run[name][key] for name in sets) for key in keys] for run in runs]


def _cell(columns: Sequence[Sequence[float]]) -> str:
    return " / ".join(f"{statistics.median(column):.3f}" for column in columns)


def main() -> None:
    """Read the command line, score everybody, print and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundles", nargs="+", required=True, help="bundle folders, one a seed, or packaged names")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--judge", type=Path, help="a stand-alone scorer; the package's own rules if not given")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    judge = load_judge(args.judge)
    tests, refused = labelled_tests(args.data)
    sets = [cells.name for cells in tests]
    rows: Rows = {}
    for folder in args.bundles:
        for name, figures in spoticell_rows(folder, tests, judge).items():
            rows.setdefault(name, []).append(figures)
    shipped = [name for name in rows if name.startswith("Spoticell")]
    lines = [*table(rows, sets, KEYS), "", "Macro-F1 / hierarchical F1; median over seeds."]
    for name in shipped:
        lines += summary(name, rows[name], sets)
    lines.append(f"Refused, since their values are no counts: {', '.join(refused) or 'none'}.")
    known = [name for name in sets if all(key in rows[shipped[0]][0][name] for key in AT_HOME)]
    if known:
        lines += [
            "",
            "Share of answers that name another organ's type / of cells named rightly and of the organ:",
            "",
        ]
        lines += table(rows, known, AT_HOME)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Development test sets", lines)
        (RESULTS / f"{args.save}.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
