"""Writes a shipped bundle with its calibration and its card.

python -m scripts.human_v1.card --name human-v1 --cells runs/human-v1/cells \
        --calibration runs/human-v1/calibration.json --final runs/human-v1/seed0 --threshold 0.3 \
        --results benchmarks/results/development_tests.json --output src/spoticell/data/human-v1
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import yaml

from spoticell.biology.genes import load_vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.model.bundle import DEFAULT
from spoticell.model.calibration import Softening, Together, Trust
from spoticell.training.config import TrainConfig
from spoticell.training.data.labelled import LabelledCells, read_labelled
from spoticell.training.data.supply import FolderSupply
from spoticell.training.export import About, export_bundle
from spoticell.training.loop import Run

ROOT = Path(__file__).parents[2]


DESCRIPTION = {
    False: "Human cells of many tissues; whole profiles and gene panels.",
    True: "Human cells of many tissues, whole profiles and gene panels, by the full dual path over the cell's picture.",
}
"""What a bundle says of itself, by whether its network reads the picture of a cell."""


def reopen(folder: Path, cells: LabelledCells) -> Run:
    """Give a finished training back."""
    params = json.loads((folder / "params.json").read_text())
    config = TrainConfig.model_validate(params["config"])
    seed = params["random_state"]
    supply = FolderSupply(cells, config, rng=np.random.default_rng(seed))
    run = Run(supply, load_vocabulary(), config, output=folder, random_state=seed)
    run.restore()
    return run


SUMMARY = (
    "It is {members} networks side by side, each of which reads a summary of all genes.  Their logits are averaged."
)
DUAL = (
    "It reads a summary of all genes, and the picture of the cell on the 155 x 155 grid, where every gene has a pixel: "
    "by convolutions over it and by a transformer over its parts, which are fused with the summary."
)
"""What the network of a shipped bundle reads, in the words of its card."""


def card(name: str, run: Run, sources: list[dict], results: dict, about: dict) -> str:
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
            f"# {name}",
            "",
            "Names human cells from single-cell RNA counts, whole profiles and gene panels alike.  "
            f"{len(run.labels)} labels, {len(run.nodes)} terms of the Cell Ontology ({ontology.version}), "
            f"{about['parameters']:,} parameters, fingerprints of {run.config.network.fingerprint} numbers.  "
            f"{DUAL if run.config.network.cnn else SUMMARY.format(members=run.config.network.members)}",
            "",
            f"Scores are calibrated, and the threshold of {about['threshold']:g} and the bound of doubt of "
            f"{about['trust']['doubt']:g} were chosen, on data sets that were held out of two trainings of their own "
            f"({', '.join(about['held_out'])}), seen whole, through panels and shallow.  With a calibration from the "
            f"other training's sets the mean calibration error (ECE) of whole cells is {about['ece_crossed']:.3f}; "
            f"with the chance of the answer's term as its score, which doesn't weigh how familiar a cell looks, "
            f"{about['ece_chance']:.3f}; without any calibration {about['ece_raw']:.3f}.",
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
            "Real cells are of blood, pancreas, liver, lung, heart, brain, breast, decidua and testis; most types of "
            "other organs are known from mean profiles.",
            "",
            "## Development test sets (none was trained or tuned on)",
            "",
            "| set | macro-F1 | hierarchical F1 | coverage | ECE |",
            "|---|---|---|---|---|",
            *figures,
            "",
            "The donor of pbmc68k_reduced is that of two training sets: its figures flatter a little.  Teachers may "
            "have seen cells of public test sets.",
            "",
            "## Known confusions (on the held-out data sets)",
            "",
            *(f"* {confusion}" for confusion in about["confusions"]),
            "",
            "## Types",
            "",
            "; ".join(names) + ".",
            "",
            "## Attribution",
            "",
            "The teacher is panhuman_distill_v1 of actinn-jax 0.3.1 (MIT), distilled from Pan-human Azimuth (Sarkar et "
            "al., bioRxiv 2026, doi:10.64898/2026.07.16.738997; weights CC BY 4.0).  Chosen subtypes come from further "
            "teachers, which are listed among the sources.",
            "",
        ]
    )


def main() -> None:
    """Read the command line, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="of the bundle")
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, required=True, help="JSON of held_out")
    parser.add_argument("--final", type=Path, required=True)
    parser.add_argument("--results", type=Path, help="JSON of benchmarks.accuracy.development_tests")
    parser.add_argument("--seed-row", type=int, default=0, help="which of the benchmark's seeds the final training is")
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    cells = read_labelled(args.cells, load_vocabulary())
    fitted = json.loads(args.calibration.read_text())
    run = reopen(args.final, cells)
    sizes = dict(zip(cells.datasets, np.bincount(cells.dataset_n).tolist(), strict=True))
    listed = yaml.safe_load((ROOT / "configs" / "human-v1-sources.yaml").read_text())
    sources = [source | {"cells": sizes.get(source["name"], 0)} for source in listed]
    row = "Spoticell" if args.name == DEFAULT else f"Spoticell ({args.name})"
    results = json.loads(args.results.read_text())[row][args.seed_row] if args.results else {}
    about = fitted | {"threshold": args.threshold, "parameters": run.describe()["parameters"]}
    export_bundle(
        run.trained(),
        args.output,
        About(
            name=args.name,
            description=DESCRIPTION[run.config.network.cnn],
            licence="MIT; the teacher's share CC BY 4.0 (see MODEL_CARD.md)",
            threshold=args.threshold,
            softening=Softening(**fitted["softening"]),
            trust=Trust(**fitted["trust"]),
            together=Together(**fitted["together"]),
            sources=sources,
            figures={
                name: {key: value for key, value in row.items() if isinstance(value, float)}
                for name, row in results.items()
            },
            card=card(args.name, run, sources, results, about),
        ),
    )
    print(f"wrote {args.output}")


if __name__ == "__main__":
    main()
