"""Chooses temperature and threshold of human-v1 on held-out data sets, and writes the bundle with its card.

    python scripts/human_v1_bundle.py --cells runs/human-v1/cells --calibration runs/human-v1/calibration \
        --final runs/human-v1/seed0 --results benchmarks/results/development_tests.json \
        --output src/spoticell/data/human-v1

Without ``--output`` it prints the calibration and stops.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import yaml
from scipy.optimize import minimize_scalar

from spoticell.evaluate import score
from spoticell.genes import load_vocabulary
from spoticell.keys import UNKNOWN
from spoticell.ontology import answers, load_ontology
from spoticell.train.cells import LabelledCells, read_labelled
from spoticell.train.config import TrainConfig
from spoticell.train.export import About, export_bundle
from spoticell.train.loss import hierarchical_loss, node_probabilities
from spoticell.train.run import Run
from spoticell.train.supply import FolderSupply

ROOT = Path(__file__).parents[1]
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7)


def reopen(folder: Path, cells: LabelledCells) -> Run:
    """Give a finished training back."""
    params = json.loads((folder / "params.json").read_text())
    config = TrainConfig.model_validate(params["config"])
    seed = params["random_state"]
    supply = FolderSupply(cells, config, rng=np.random.default_rng(seed))
    run = Run(supply, load_vocabulary(), config, output=folder, random_state=seed)
    run.restore()
    return run


def logits_of(run: Run, cells: LabelledCells) -> torch.Tensor:
    """Give the best network's logits."""
    run.best.eval()
    blocks = []
    with torch.inference_mode():
        for start in range(0, len(cells), 512):
            rows = slice(start, start + 512)
            measured = torch.from_numpy(cells.measured_sg[cells.dataset_n[rows]].astype(np.float32))
            blocks.append(run.best(torch.from_numpy(cells.counts_ng[rows].toarray()), measured)[1])
    return torch.cat(blocks)


def held_out(run: Run, train: Path) -> LabelledCells:
    """Give the cells of the held-out data sets with their authors' labels, those that the network can know."""
    cells = read_labelled(train, load_vocabulary())
    wanted = np.isin(np.array(cells.datasets, dtype=object)[cells.dataset_n], run.config.validation)
    return cells.take(wanted & np.isin(cells.label_n, run.nodes))


def fit_temperature(run: Run, cells: LabelledCells, logits_nc: torch.Tensor) -> float:
    """Give the temperature with the least loss, every data set counting alike."""
    position = {node: m for m, node in enumerate(run.nodes)}
    node_n = torch.tensor([position[label] for label in cells.label_n])
    weight_n = torch.from_numpy(1 / np.bincount(cells.dataset_n, minlength=len(cells.datasets))[cells.dataset_n])

    def loss(logarithm: float) -> float:
        each_n = hierarchical_loss(logits_nc / float(np.exp(logarithm)), node_n, run.reach_cm)
        return float((each_n * weight_n).sum() / weight_n.sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.0, 2.0), method="bounded").x))


def show_thresholds(run: Run, cells: LabelledCells, probabilities_nm: np.ndarray) -> None:
    """Print what each threshold gives on the held-out data sets, mean over them."""
    print("threshold  macro-F1  hierarchical F1  coverage  accuracy of answers  ECE")
    for threshold in THRESHOLDS:
        rows = [figures_of(run, cells, probabilities_nm, dataset, threshold) for dataset in np.unique(cells.dataset_n)]
        keys = ("macro_f1", "hierarchical_f1", "coverage", "accuracy_answered", "ece")
        print(f"{threshold:9.2f}  " + "  ".join(f"{np.mean([row[key] for row in rows]):.3f}" for key in keys))


def figures_of(run: Run, cells: LabelledCells, probabilities_nm: np.ndarray, dataset: int, threshold: float) -> dict:
    """Score one held-out data set."""
    rows = cells.dataset_n == dataset
    answer_n, score_n = answers(probabilities_nm[rows], run.nodes, load_ontology(), threshold=threshold)
    terms = [*run.nodes, UNKNOWN]
    return score(cells.label_n[rows].tolist(), [terms[answer] for answer in answer_n], score_n)


def confusions(run: Run, cells: LabelledCells, probabilities_nm: np.ndarray, threshold: float) -> list[str]:
    """Name the ten commonest wrong answers on the held-out data sets."""
    ontology = load_ontology()
    answer_n, _ = answers(probabilities_nm, run.nodes, ontology, threshold=threshold)
    pairs, sizes = Counter(), Counter(cells.label_n)
    for label, answer in zip(cells.label_n, answer_n, strict=True):
        term = run.nodes[answer] if answer >= 0 else ""
        if term and label not in ontology.ancestors(term) and term not in ontology.ancestors(label):
            pairs[label, term] += 1
    return [
        f"* {ontology.name(label)} called {ontology.name(term)}: {count:,} of {sizes[label]:,} cells"
        for (label, term), count in pairs.most_common(10)
    ]


def card(run: Run, sources: list[dict], results: dict, about: dict) -> str:
    """Write the model card."""
    ontology = load_ontology()
    names = sorted(ontology.name(label) for label in run.labels)
    origin = [f"| {s['name']} | {s['accession']} | {s['licence']} | {s['cells']:,} | {s['note']} |" for s in sources]
    figures = [
        f"| {name} | {row['macro_f1']:.3f} | {row['hierarchical_f1']:.3f} | {row['coverage']:.3f} | {row['ece']:.3f} |"
        for name, row in results.items()
    ]
    return "\n".join(
        [
            "# human-v1",
            "",
            "Names human cells from single-cell RNA counts, whole profiles and gene panels alike.  "
            f"{len(run.labels)} labels, {len(run.nodes)} terms of the Cell Ontology ({ontology.version}), "
            f"{about['parameters']:,} parameters, fingerprints of {run.config.network.fingerprint} numbers.",
            "",
            f"Temperature {about['temperature']:.3f} and threshold {about['threshold']:g} were chosen on data sets "
            f"held out of a training of their own ({', '.join(about['held_out'])}).",
            "",
            "## What it is for, and what not",
            "",
            "For a first naming of human cells that a person then looks at.  Not for diagnosis.  Malignant cells, cell "
            "lines and types that aren't in the list below should come out as a coarser type or `unknown`, but often "
            "don't: look at the scores and at known markers.",
            "",
            "## Trained on",
            "",
            "| source | accession | licence | cells used | note |",
            "|---|---|---|---|---|",
            *origin,
            "",
            "Most types outside blood, pancreas, breast and brain are known from mean profiles, not from real cells.",
            "",
            "## Development test sets (none was trained or tuned on)",
            "",
            "| set | macro-F1 | hierarchical F1 | coverage | ECE |",
            "|---|---|---|---|---|",
            *figures,
            "",
            "The donor of pbmc68k_reduced is that of two training sets: its figures flatter a little.  The teacher may "
            "have seen cells of public test sets.",
            "",
            "## Known confusions (on the four held-out data sets)",
            "",
            *about["confusions"],
            "",
            "## Types",
            "",
            "; ".join(names) + ".",
            "",
            "## Attribution",
            "",
            "The teacher is panhuman_distill_v1 of actinn-jax 0.3.1 (MIT), distilled from Pan-human Azimuth (Sarkar et "
            "al., bioRxiv 2026, doi:10.64898/2026.07.16.738997; weights CC BY 4.0).",
            "",
        ]
    )


def main() -> None:
    """Read the command line, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--train", type=Path, default=ROOT.parent / "shared" / "data" / "train")
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--final", type=Path)
    parser.add_argument("--results", type=Path, help="JSON of benchmarks/development_tests.py")
    parser.add_argument("--seed-row", type=int, default=0, help="which of the benchmark's seeds the final training is")
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    cells = read_labelled(args.cells, load_vocabulary())
    calibration = reopen(args.calibration, cells)
    validation = held_out(calibration, args.train)
    logits_nc = logits_of(calibration, validation)
    temperature = fit_temperature(calibration, validation, logits_nc)
    probabilities_nm = node_probabilities(logits_nc / temperature, calibration.reach_cm).numpy()
    print(f"temperature {temperature:.3f} from {len(validation):,} cells")
    show_thresholds(calibration, validation, probabilities_nm)
    if args.output is None or args.final is None:
        return
    run = reopen(args.final, cells)
    sizes = dict(zip(cells.datasets, np.bincount(cells.dataset_n).tolist(), strict=True))
    listed = yaml.safe_load((ROOT / "configs" / "human-v1-sources.yaml").read_text())
    sources = [source | {"cells": sizes.get(source["name"], 0)} for source in listed]
    results = json.loads(args.results.read_text())["Spoticell"][args.seed_row] if args.results else {}
    about = {
        "temperature": temperature,
        "threshold": args.threshold,
        "held_out": calibration.config.validation,
        "parameters": run.describe()["parameters"],
        "confusions": confusions(calibration, validation, probabilities_nm, args.threshold),
    }
    export_bundle(
        run.trained(),
        args.output,
        About(
            name="human-v1",
            description="Human cells of many tissues; whole profiles and gene panels.",
            licence="MIT; the teacher's share CC BY 4.0 (see MODEL_CARD.md)",
            temperature=temperature,
            threshold=args.threshold,
            sources=sources,
            figures={
                name: {key: value for key, value in row.items() if isinstance(value, float)}
                for name, row in results.items()
            },
            card=card(run, sources, results, about),
        ),
    )
    print(f"wrote {args.output}")


if __name__ == "__main__":
    main()
