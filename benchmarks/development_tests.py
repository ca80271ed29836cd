"""Spoticell, the pretrained panhuman_distill_v1 and two plain peers on the development test sets.

    python benchmarks/development_tests.py --bundles runs/human-v1/seed0/bundle ... --save development_tests

Each bundle (one a seed) answers as shipped (deepest term that passes the threshold) and forced (most probable label).
The plain peers are trained on the labelled training cells alone, missing genes taken as zero, untuned.
Prints a table in Markdown and writes it, with the figures as JSON, to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from saving import DATA, RESULTS, ROOT, save_result
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from spoticell.bundle import load_bundle
from spoticell.evaluate import score
from spoticell.findings import inspect
from spoticell.genes import load_vocabulary
from spoticell.io import open_cells
from spoticell.keys import LABEL, UNKNOWN
from spoticell.ontology import TOO_GENERAL, load_ontology, reach_matrix
from spoticell.runtime import Runtime
from spoticell.stream import annotate_blocks, read_counts

Judge = Callable[[list[str], list[str], np.ndarray | None], dict[str, Any]]
ABSENT = {"", UNKNOWN, "nan"}


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


def read_aligned(path: Path) -> tuple[sparse.csr_array, np.ndarray, list[str]]:
    """Give counts over the vocabulary, the genes measured and the labels of a data set."""
    with open_cells(path) as source:
        found = inspect(source, load_vocabulary())
        counts_ng = read_counts(source, found)
        labels = source.obs()[LABEL].astype(str).tolist()
    return counts_ng, found.match.measured_g, labels


def spoticell_rows(folder: Path, tests: Iterable[Path], judge: Judge) -> dict[str, dict[str, dict[str, Any]]]:
    """Score a bundle, as shipped and forced."""
    bundle = load_bundle(folder)
    runtime = Runtime(bundle)
    label_m = np.array([node in set(bundle.manifest.labels) - TOO_GENERAL for node in bundle.nodes])
    rows: dict[str, dict[str, dict[str, Any]]] = {"Spoticell": {}, "Spoticell, forced": {}}
    for path in tests:
        with open_cells(path) as source:
            found = inspect(source, bundle.vocabulary)
            blocks = list(annotate_blocks(source, found, runtime))
            truth = source.obs()[LABEL].astype(str).tolist()
        answer_n = np.concatenate([block.answer_n for block in blocks])
        score_n = np.concatenate([block.score_n for block in blocks])
        probabilities_nm = np.concatenate([block.probabilities_nm for block in blocks])
        terms = [*bundle.nodes, UNKNOWN]
        rows["Spoticell"][path.stem] = judge(truth, [terms[answer] for answer in answer_n], score_n)
        forced_n = forced(probabilities_nm, bundle.manifest.labels, bundle.nodes, label_m)
        forced_score_n = probabilities_nm[np.arange(len(forced_n)), forced_n]
        rows["Spoticell, forced"][path.stem] = judge(truth, [terms[answer] for answer in forced_n], forced_score_n)
    return rows


def forced(
    probabilities_nm: np.ndarray, labels: tuple[str, ...], nodes: tuple[str, ...], label_m: np.ndarray
) -> np.ndarray:
    """Give the label with most probability of its own, what its sub-labels have taken away."""
    own_nm = own_probabilities(probabilities_nm, labels, nodes)
    return np.where(label_m, own_nm, -1).argmax(axis=1)


def own_probabilities(probabilities_nm: np.ndarray, labels: tuple[str, ...], nodes: tuple[str, ...]) -> np.ndarray:
    """Solve p R = P for the labels' own probabilities, placed among the nodes."""
    _, reach_cm = reach_matrix(labels, load_ontology())
    own_nc = np.linalg.lstsq(reach_cm.T.astype(float), probabilities_nm.T.astype(float), rcond=None)[0].T
    own_nm = np.full(probabilities_nm.shape, -1.0)
    own_nm[:, [nodes.index(label) for label in labels]] = own_nc
    return own_nm


def panhuman_rows(tests: Iterable[Path], judge: Judge) -> dict[str, dict[str, dict[str, Any]]]:
    """Score the pretrained peer with the Cell Ontology terms that it ships."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from panhuman import Panhuman, TooFewGenesError  # noqa: PLC0415 - needs actinn-jax, which --without-peers does without

    peer, rows = Panhuman(better_terms=False), {}
    for path in tests:
        counts_ng, measured_g, truth = read_aligned(path)
        try:
            class_nk = peer.class_probabilities(counts_ng, measured_g, load_vocabulary())
        except TooFewGenesError:
            continue
        best_n = class_nk.argmax(axis=1)
        answers = [peer.term_of[peer.model.classes[best]] or "" for best in best_n]
        rows[path.stem] = judge(truth, answers, class_nk.max(axis=1))
    return {"panhuman_distill_v1": rows}


def plain_rows(train: Path, tests: Iterable[Path], judge: Judge) -> dict[str, dict[str, dict[str, Any]]]:
    """Score logistic regression and PCA with neighbours, trained on the labelled training cells."""
    parts = [read_aligned(path) for path in sorted(train.glob("*.h5ad"))]
    counts = log_normalised(sparse.vstack([part[0] for part in parts], format="csr"))
    labels = np.array([label for part in parts for label in part[2]])
    known = ~np.isin(labels, list(ABSENT))
    peers = {
        "logistic regression": LogisticRegression(max_iter=60, C=1.0),
        "PCA + 15 neighbours": make_pipeline(TruncatedSVD(50, random_state=0), KNeighborsClassifier(15)),
    }
    rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in peers}
    for peer in peers.values():
        peer.fit(counts[known], labels[known])
    for path in tests:
        counts_ng, _, truth = read_aligned(path)
        for name, peer in peers.items():
            chance_nc = peer.predict_proba(log_normalised(counts_ng))
            rows[name][path.stem] = judge(
                truth, peer.classes_[chance_nc.argmax(axis=1)].tolist(), chance_nc.max(axis=1)
            )
    return rows


def log_normalised(counts_ng: sparse.csr_array) -> sparse.csr_matrix:
    """Give log1p of counts per 10,000."""
    total_n = np.asarray(counts_ng.sum(axis=1)).ravel()
    scaled = sparse.diags_array(1e4 / np.maximum(total_n, 1)) @ counts_ng
    return sparse.csr_matrix(scaled.log1p()).astype(np.float32)


def table(rows: dict[str, list[dict[str, dict[str, Any]]]], sets: list[str]) -> list[str]:
    """Lay out macro-F1 / hierarchical F1 by set: medians over the seeds."""
    lines = ["| | " + " | ".join(rows) + " |", "|---|" + "---|" * len(rows)]
    for name in sets:
        cells = [[run[name] for run in runs if name in run] for runs in rows.values()]
        lines.append(f"| {name} | " + " | ".join(_cell(figures) for figures in cells) + " |")
    means = []
    for runs in rows.values():
        whole = [run for run in runs if set(sets) <= set(run)]
        per_run = [[statistics.mean(run[name][key] for name in sets) for key in KEYS] for run in whole]
        means.append(" / ".join(f"{statistics.median(column):.3f}" for column in zip(*per_run, strict=True)) or "-")
    lines.append("| **mean** | " + " | ".join(f"**{mean}**" for mean in means) + " |")
    return lines


KEYS = ("macro_f1", "hierarchical_f1")


def _cell(figures: list[dict[str, Any]]) -> str:
    if not figures:
        return "refuses"
    medians = [statistics.median(figure[key] for figure in figures) for key in KEYS]
    return " / ".join(f"{median:.3f}" for median in medians)


def main() -> None:
    """Read the command line, score everybody, print and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundles", nargs="+", required=True, help="bundle folders, one a seed, or packaged names")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--judge", type=Path, help="a stand-alone scorer; the package's own rules if not given")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    judge = load_judge(args.judge)
    tests = [path for path in sorted((args.data / "test").glob("*.h5ad")) if set(read_aligned(path)[2]) - ABSENT]
    sets = [path.stem for path in tests]
    rows: dict[str, list[dict[str, dict[str, Any]]]] = {}
    for folder in args.bundles:
        for name, figures in spoticell_rows(folder, tests, judge).items():
            rows.setdefault(name, []).append(figures)
    if not args.without_peers:
        peers = panhuman_rows(tests, judge) | plain_rows(args.data / "train", tests, judge)
        rows |= {name: [figures] for name, figures in peers.items()}
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
