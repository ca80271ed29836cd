"""Spoticell on the development test sets; ``peers.py`` puts its peers beside it.

    python -m benchmarks.accuracy.development_tests --bundles runs/human-v1/seed0/bundle ... --save development_tests

Each bundle (one a seed) answers as shipped (deepest term that passes the threshold) and forced (most probable label).
Prints a table in Markdown and writes it, with the figures as JSON, to benchmarks/results/.
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

from benchmarks.lib.answering import answer_cells
from benchmarks.lib.saving import DATA, RESULTS, save_result
from benchmarks.lib.studies import read_aligned, read_cells
from spoticell.annotation.figures import score
from spoticell.biology.genes import load_vocabulary
from spoticell.biology.ontology import TOO_GENERAL, load_ontology, reach_matrix
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.model.runtime import Runtime

Judge = Callable[[list[str], list[str], np.ndarray | None], dict[str, Any]]


def load_judge(path: Path | None) -> Judge:
    """Give the scorer: a stand-alone script's, or the package's own, which follows the same rules."""
    if path is None:
        return score
    spec = importlib.util.spec_from_file_location("judge", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def judge(truth: list[str], answers: list[str], scores: np.ndarray | None) -> dict[str, Any]:
        cells = [f"cell{number}" for number in range(len(truth))]
        column = None if scores is None else pd.Series(scores, index=cells)
        return module.score(pd.Series(truth, index=cells), pd.Series(answers, index=cells), column)

    return judge


def labelled_tests(data: Path) -> list[Path]:
    """Give the test sets that have labels."""
    paths = sorted((data / "test").glob("*.h5ad"))
    return [path for path in paths if len(read_aligned(path, load_vocabulary()).labelled())]


def spoticell_rows(folder: Path, tests: Iterable[Path], judge: Judge) -> dict[str, dict[str, dict[str, Any]]]:
    """Score a bundle, as shipped and forced."""
    runtime = Runtime(load_bundle(folder))
    nodes = np.array(runtime.bundle.nodes, dtype=object)
    rows: dict[str, dict[str, dict[str, Any]]] = {"Spoticell": {}, "Spoticell, forced": {}}
    for path in tests:
        cells = read_cells(path, runtime).labelled()
        truth, found = cells.term_n.tolist(), answer_cells(cells, runtime)
        rows["Spoticell"][path.stem] = judge(truth, found.term_n.tolist(), found.score_n)
        # what labels have of their own can only be told from the sums that the network gives
        probabilities_nm = found.prediction.probabilities_nm
        forced_n = forced(probabilities_nm, runtime.bundle)
        forced_score_n = probabilities_nm[np.arange(len(forced_n)), forced_n]
        rows["Spoticell, forced"][path.stem] = judge(truth, nodes[forced_n].tolist(), forced_score_n)
    return rows


def forced(probabilities_nm: np.ndarray, bundle: Bundle) -> np.ndarray:
    """Give the node of the label with most probability of its own, what its sub-labels have taken away."""
    labels = bundle.manifest.labels
    usable = set(labels) - TOO_GENERAL
    label_m = np.array([node in usable for node in bundle.nodes])
    return np.where(label_m, own_probabilities(probabilities_nm, labels, bundle.nodes), -1).argmax(axis=1)


def own_probabilities(probabilities_nm: np.ndarray, labels: tuple[str, ...], nodes: tuple[str, ...]) -> np.ndarray:
    """Solve p R = P for the labels' own probabilities, placed among the nodes."""
    _, reach_cm = reach_matrix(labels, load_ontology())
    own_nc = np.linalg.lstsq(reach_cm.T.astype(float), probabilities_nm.T.astype(float), rcond=None)[0].T
    own_nm = np.full(probabilities_nm.shape, -1.0)
    own_nm[:, [nodes.index(label) for label in labels]] = own_nc
    return own_nm


def table(rows: dict[str, list[dict[str, dict[str, Any]]]], sets: list[str]) -> list[str]:
    """Lay out macro-F1 / hierarchical F1 by set: medians over the seeds."""
    lines = ["| | " + " | ".join(rows) + " |", "|---|" + "---|" * len(rows)]
    for name in sets:
        cells = [_cell([[run[name][key] for run in runs] for key in KEYS]) for runs in rows.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    means = []
    for runs in rows.values():
        per_run = [[statistics.mean(run[name][key] for name in sets) for key in KEYS] for run in runs]
        means.append(_cell(list(zip(*per_run, strict=True))))
    lines.append("| **mean** | " + " | ".join(f"**{mean}**" for mean in means) + " |")
    return lines


KEYS = ("macro_f1", "hierarchical_f1")


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
    tests = labelled_tests(args.data)
    sets = [path.stem for path in tests]
    rows: dict[str, list[dict[str, dict[str, Any]]]] = {}
    for folder in args.bundles:
        for name, figures in spoticell_rows(folder, tests, judge).items():
            rows.setdefault(name, []).append(figures)
    lines = table(rows, sets)
    answered = [run[name] for run in rows["Spoticell"] for name in sets]
    coverage = statistics.mean(figure["coverage"] for figure in answered)
    ece = statistics.mean(figure["ece"] for figure in answered)
    spread = [statistics.mean(run[name]["macro_f1"] for name in sets) for run in rows["Spoticell"]]
    spread_forced = [statistics.mean(run[name]["macro_f1"] for name in sets) for run in rows["Spoticell, forced"]]
    lines += [
        "",
        "Macro-F1 / hierarchical F1; median over seeds for Spoticell.",
        f"Mean macro-F1 by seed: {', '.join(f'{value:.3f}' for value in spread)}; "
        f"forced: {', '.join(f'{value:.3f}' for value in spread_forced)}.",
        f"Spoticell answers {coverage:.1%} of cells; mean ECE over sets {ece:.3f}.",
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Development test sets", lines)
        (RESULTS / f"{args.save}.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
