"""What each part of the model is worth: trainings that differ in one thing from one of the networks that it has two of.

    python -m benchmarks.accuracy.ablation --cells runs/human-v1/cells --panels runs/human-v1/panels \
        --output runs/ablation --save ablation

All learn from CELLS without the data sets that a calibration of the shipped model holds out, and from nothing made of
those, in a fifth of the shipped model's steps.  Each is then asked for the most probable label of the held-out cells:
whole, with a fifth of their counts, through random genes and through two real panels.  So no answer rule, threshold or
calibration is judged here, and no development test is looked at.  A training that OUTPUT holds is not made again, so
two runs can share the seeds.
Axes: ``n`` cells, ``g`` genes, ``c`` labels.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from scripts.human_v1.training_cells import CELLS_A_PROFILE

from benchmarks.accuracy.ablation_trainings import cells_as_ranks, learning_from
from benchmarks.lib.incomplete import named_panels, thinned, views
from benchmarks.lib.saving import DATA, ROOT, save_figures, save_result
from benchmarks.lib.studies import within
from spoticell.annotation.figures import score
from spoticell.biology.genes import load_vocabulary
from spoticell.io.write import atomic
from spoticell.training.config import TrainConfig, load_config
from spoticell.training.data.labelled import LabelledCells, read_labelled
from spoticell.training.export import BEST
from spoticell.training.network import count_parameters
from spoticell.training.pretrained import load_start
from spoticell.training.train import train
from spoticell.training.validate import predict

HELD_OUT = load_config(ROOT / "configs" / "human-v1-calibration-a.yaml").validation
OF_HELD_OUT = ("atlas_averages_enge_pancreas_rare",)
"""Cells that were made from a held-out data set."""
PROFILES = tuple(CELLS_A_PROFILE)
EPOCHS = 4
"""Of the shipped model's twenty."""
REAL = ("panel_cosmx_960_nsclc", "panel_xenium_human_multi_tissue_v1")
SIZES = (1000, 300)
SHALLOW = 0.2
KEPT = "ablation.json"
"""What a training's folder keeps its figures in."""
MOST = 1500
"""Cells of a data set, drawn at random where it has more."""
KEYS = ("macro_f1", "hierarchical_f1")
ONE, AVERAGED = "one network", "one network, the seeds averaged"


@dataclass(frozen=True)
class Variant:
    """One difference from the network that the shipped model has two of."""

    config: dict[str, Any] = field(default_factory=dict)
    """What differs in the settings."""
    without: Sequence[str] = ()
    """Patterns of the data sets that aren't learnt from."""
    ranks: bool = False
    """Whether cells are seen as ranks."""
    taught: bool = False
    """Whether the trainings of one network, one a seed, are its teachers."""

    def differing(self, output: Path, seeds: Sequence[int]) -> AbstractContextManager[None]:
        """Give the context in which the variant's networks are trained and asked."""
        if self.taught:
            return learning_from([folder_of(output, ONE, seed) / BEST for seed in seeds])
        return cells_as_ranks() if self.ranks else nullcontext()


def network(**settings: Any) -> Variant:
    """Give a variant of the network."""
    return Variant({"network": settings})


def augment(**settings: Any) -> Variant:
    """Give a variant of how cells are made incomplete."""
    return Variant({"augment": settings})


ALONE = {"cell_token": 0}
BOTH = {"cnn": True, "transformer": True}
VARIANTS = {
    ONE: Variant(),
    "two networks side by side, as shipped": Variant(
        load_config(ROOT / "configs" / "human-v1-members.yaml").model_dump(exclude_unset=True)
    ),
    "a summary twice as wide": network(cell_token=96),
    "with CNN": network(cnn=True),
    "with transformer": network(transformer=True),
    "with CNN and transformer": network(**BOTH),
    "CNN and transformer, no summary": network(**BOTH, **ALONE),
    "CNN alone": network(cnn=True, **ALONE),
    "CNN alone, alphabetical layout": network(cnn=True, layout="alphabetical", **ALONE),
    "CNN alone, chromosomal layout": network(cnn=True, layout="chromosomal", **ALONE),
    "CNN alone, random layout": network(cnn=True, layout="random", **ALONE),
    "transformer alone": network(transformer=True, **ALONE),
    "cells of length 1": network(cell_length=1.0),
    "with CNN and transformer, cells of length 1": network(cell_length=1.0, **BOTH),
    "flat cross-entropy": Variant({"loss": "flat"}),
    "binary cross-entropy and penalty": Variant({"loss": "bce"}),
    "no loss of the fingerprint's own": Variant({"contrast": 0.0}),
    "log1p of counts per 10,000": network(scaling="log1p"),
    "ranks of counts": Variant(ranks=True),
    "all genes weigh alike": network(weigh_genes=0.0),
    "no panels": augment(panels=0.0),
    "no thinning": augment(thinning=0.0),
    "no gene noise": augment(gene_noise=0.0),
    "no augmentation": augment(panels=0.0, thinning=0.0, gene_noise=0.0),
    "no cells from profiles": Variant(without=PROFILES),
    "taught by the three seeds of one network": Variant(taught=True),
}

Figures = dict[str, dict[str, dict[str, float]]]
"""By data set and view."""


@dataclass(frozen=True)
class Seen:
    """Held-out cells of one data set, seen in one way."""

    dataset: str
    view: str
    cells: LabelledCells


def held_out_cells(data: Path, panels_dir: Path) -> list[Seen]:
    """Give the held-out cells in every view."""
    vocabulary = load_vocabulary()
    folders = [read_labelled(folder, vocabulary) for folder in (data / "train", data / "more" / "train")]
    panels = named_panels(panels_dir, vocabulary)
    own = {name: cells for cells in folders for name in cells.datasets}
    return [seen for name in HELD_OUT for seen in seen_ways(own[name], name, {real: panels[real] for real in REAL})]


def seen_ways(every: LabelledCells, name: str, panels: dict[str, NDArray[np.bool_]]) -> Iterator[Seen]:
    """Give some cells of a data set whole, shallow, and through each panel."""
    rng, dataset = np.random.default_rng(0), every.datasets.index(name)
    rows = np.flatnonzero(every.dataset_n == dataset)
    cells = every.take(np.sort(rng.choice(rows, min(MOST, len(rows)), replace=False)))
    measured_g = every.measured_sg[dataset]
    for view in views(measured_g, panels, 1, SIZES):
        yield Seen(name, view.name, through(cells, name, view.panel_g))
    whole = through(cells, name, measured_g)
    yield Seen(name, "shallow", replace(whole, counts_ng=thinned(whole.counts_ng, SHALLOW, rng)))


def through(cells: LabelledCells, name: str, panel_g: NDArray[np.bool_]) -> LabelledCells:
    """Give the cells of one data set as if only some genes had been measured."""
    counts_ng = within(cells.counts_ng, panel_g)
    return LabelledCells(
        counts_ng, cells.label_n, np.zeros(len(cells), dtype=np.intp), cells.donor_n, (name,), panel_g[None]
    )


def chosen_sets(cells: Path, variant: Variant) -> list[Path]:
    """Give the files that a variant learns from."""
    left_out = {
        path for pattern in (*HELD_OUT, *OF_HELD_OUT, *variant.without) for path in cells.glob(f"{pattern}.h5ad")
    }
    return sorted(set(cells.glob("*.h5ad")) - left_out)


def settings(variant: Variant) -> TrainConfig:
    """Give the settings of a variant."""
    given = load_config(ROOT / "configs" / "human-v1.yaml").model_dump() | {"epochs": EPOCHS}
    for key, value in variant.config.items():
        given[key] = given[key] | value if isinstance(value, dict) else value
    return TrainConfig.model_validate(given)


def trained(variant: Variant, folder: Path, *, cells: Path, panels: Path, seed: int) -> Path:
    """Give the bundle of a variant, trained into a folder unless it is there already."""
    bundle = folder / BEST
    if not bundle.exists():
        own = folder / "cells"
        own.mkdir(parents=True, exist_ok=True)
        for path in chosen_sets(cells, variant):
            (own / path.name).unlink(missing_ok=True)
            (own / path.name).symlink_to(path.resolve())
        train(own, folder, settings(variant), random_state=seed, panels_dir=panels, resume=True)
    return bundle


def chances(bundle: Path, held_out: Iterable[Seen]) -> tuple[tuple[str, ...], list[NDArray[np.float32]]]:
    """Give a bundle's labels, and the probability of each for the cells of every view."""
    start = load_start(bundle)
    asked = start.network()
    return start.labels, [softmax(predict(asked, seen.cells)[1], axis=1) for seen in held_out]


def judged(labels: Sequence[str], chance_vnc: Sequence[NDArray[np.floating]], held_out: Sequence[Seen]) -> Figures:
    """Score the most probable label of each cell."""
    found: Figures = {}
    for seen, chance_nc in zip(held_out, chance_vnc, strict=True):
        answer_n = [labels[c] for c in chance_nc.argmax(axis=1)]
        figures = score(seen.cells.label_n.tolist(), answer_n)
        found.setdefault(seen.dataset, {})[seen.view] = {key: figures[key] for key in KEYS}
    return found


def folder_of(output: Path, name: str, seed: int) -> Path:
    """Give the folder of a training."""
    return output / f"{name.replace(' ', '-').replace(',', '')}-{seed}"


def figures_of(name: str, seed: int, held_out: Sequence[Seen], args: argparse.Namespace) -> dict[str, Any]:
    """Train a variant if need be, judge it, and keep its figures."""
    folder = folder_of(args.output, name, seed)
    kept = folder / KEPT
    if not kept.exists():
        with VARIANTS[name].differing(args.output, args.seeds):
            bundle = trained(VARIANTS[name], folder, cells=args.cells, panels=args.panels, seed=seed)
            parameters = count_parameters(load_start(bundle).network())
            figures = judged(*chances(bundle, held_out), held_out)
        with atomic(kept) as path:
            path.write_text(json.dumps({"variant": name, "seed": seed, "parameters": parameters, "sets": figures}))
    result: dict[str, Any] = json.loads(kept.read_text())
    return result


def averaged(seeds: Sequence[int], held_out: Sequence[Seen], output: Path) -> dict[str, Any]:
    """Judge the mean of the seeds of one network, over the labels that all of them know."""
    bundles = [folder_of(output, ONE, seed) / BEST for seed in seeds]
    found = [chances(bundle, held_out) for bundle in bundles]
    labels = sorted(set.intersection(*(set(known) for known, _ in found)))
    places = [[known.index(label) for label in labels] for known, _ in found]
    mean_vnc = [
        np.mean([chance_vnc[v][:, place] for place, (_, chance_vnc) in zip(places, found, strict=True)], axis=0)
        for v in range(len(held_out))
    ]
    parameters = sum(count_parameters(load_start(bundle).network()) for bundle in bundles)
    return {"variant": AVERAGED, "seed": 0, "parameters": parameters, "sets": judged(labels, mean_vnc, held_out)}


def mean_over_sets(result: dict[str, Any], view: str, key: str) -> float:
    """Give a figure in one view, mean over the held-out data sets that are seen so."""
    return statistics.mean(views[view][key] for views in result["sets"].values() if view in views)


def table(results: Sequence[dict[str, Any]]) -> list[str]:
    """Lay out the means over data sets and seeds, and how far the mean over views lies from one network's."""
    ways = list(dict.fromkeys(view for result in results for views in result["sets"].values() for view in views))
    by_name: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_name.setdefault(result["variant"], []).append(result)
    one = {key: _each(by_name[ONE], ways, key) for key in KEYS}
    heads = [
        "",
        "parameters",
        "seeds",
        *(view.removeprefix("panel_").replace("_", " ") for view in ways),
        "mean",
        "from one network",
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, rows in by_name.items():
        words = [f"{rows[0]['parameters']:,}", str(len(rows))]
        words += [" / ".join(f"{statistics.mean(_each(rows, [view], key)):.3f}" for key in KEYS) for view in ways]
        means = {key: _each(rows, ways, key) for key in KEYS}
        words.append("**" + " / ".join(_spread(means[key]) for key in KEYS) + "**")
        moved = [statistics.mean(means[key]) - statistics.mean(one[key]) for key in KEYS]
        words.append("" if name == ONE else " / ".join(f"{value:+.3f}" for value in moved))
        lines.append(f"| {name} | {' | '.join(words)} |")
    return lines


def _each(rows: Sequence[dict[str, Any]], ways: Sequence[str], key: str) -> list[float]:
    return [statistics.mean(mean_over_sets(row, view, key) for view in ways) for row in rows]


def _spread(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if len(values) > 1 else mean


def main() -> None:
    """Read the command line, train what is missing, judge, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, required=True, help="the training cells")
    parser.add_argument("--panels", type=Path, required=True, help="folder of real gene panels")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--output", type=Path, required=True, help="folder that gets the trainings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME", help="only these"
    )
    parser.add_argument("--no-training", action="store_true", help="only show the trainings that are there")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    held_out = held_out_cells(args.data, args.panels)
    results = []
    for name in args.variants:
        for seed in args.seeds:
            if args.no_training and not (folder_of(args.output, name, seed) / KEPT).exists():
                continue
            results.append(figures_of(name, seed, held_out, args))
            print(f"seed {seed}, {name}: {mean_over_sets(results[-1], 'all', KEYS[0]):.3f}", flush=True)
    results.append(averaged(args.seeds, held_out, args.output))
    lines = [
        f"Held out: {', '.join(HELD_OUT)}.  Seeds: {', '.join(map(str, args.seeds))}.",
        "",
        "Macro-F1 / hierarchical F1 of the most probable label, means over the held-out sets and the seeds, ± the "
        "standard deviation over seeds:",
        "",
        *table(results),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "What each part is worth", lines)
        save_figures(args.save, results)


if __name__ == "__main__":
    main()
