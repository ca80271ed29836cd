"""What a model gains and what it forgets when it is taught a new tissue.

    python -m benchmarks.accuracy.new_tissue --save teaching

A model is trained on the data sets for training but pancreas and brain, and taught the pancreas of one donor.  Beside
it stands a model that was trained on the same cells all at once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.lib.saving import DATA, save_result
from spoticell.annotation.figures import score
from spoticell.api import annotate
from spoticell.io import open_cells
from spoticell.keys import LABEL
from spoticell.model.bundle import load_bundle
from spoticell.training.config import TrainConfig
from spoticell.training.finetune import finetune
from spoticell.training.train import train

NEW, LEFT_OUT = "baron_human1", "darmanis2015_brain"
TESTS = {
    "moncada2020_pdac_cardspa": "new",
    "kang2018_ifnb_pbmc": "old",
    "gierahn2017_seqwell_liger": "old",
    "mimitou2019_eccite_pbmc_citefuse": "old",
    "he2020_marrow_421genes_ref": "old",
}
CONFIG = TrainConfig(class_balance=0.7, epochs=8, cells_per_epoch=16_384)


def figures(bundle: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """Macro-F1 and hierarchical F1 on each test set, answers at the threshold of the bundle."""
    found = {}
    for name in TESTS:
        path = DATA / "test" / f"{name}.h5ad"
        annotation = annotate(path, folder / f"{name}.csv", model=bundle, overwrite=True)
        with open_cells(path) as source:
            truth = source.obs()[LABEL].astype(str).to_numpy()
        known = np.flatnonzero(truth != "unknown")
        answers = annotation.terms_n[known].tolist()
        result = score(truth[known].tolist(), answers, annotation.score_n[known])
        found[name] = (result["macro_f1"], result["hierarchical_f1"])
    return found


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    rows: dict[str, list[dict[str, tuple[float, float]]]] = {"before": [], "taught": [], "all at once": []}
    seconds, panels = [], DATA / "refs" / "panels"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("old", "new", "all"):
            (folder / part).mkdir()
        for path in sorted((DATA / "train").glob("*.h5ad")):
            if path.stem == LEFT_OUT:
                continue
            for part in ("all", "new" if path.stem == NEW else "old"):
                (folder / part / path.name).symlink_to(path.resolve())
        for seed in range(args.seeds):
            options = {"random_state": seed, "panels_dir": panels}
            before = train(folder / "old", folder / f"before{seed}", CONFIG, **options)
            start = time.perf_counter()
            taught = finetune(before, folder / "new", folder / f"taught{seed}", CONFIG, **options)
            seconds.append(time.perf_counter() - start)
            at_once = train(folder / "all", folder / f"all{seed}", CONFIG, **options)
            for kind, bundle in zip(rows, (before, taught, at_once), strict=True):
                rows[kind].append(figures(bundle, folder))
                print(seed, kind, rows[kind][-1], file=sys.stderr, flush=True)
        labels = [len(load_bundle(bundle).manifest.labels) for bundle in (before, taught, at_once)]
    lines = [f"Macro-F1 / hierarchical F1, means over {args.seeds} seeds.", ""]
    lines += ["| | " + " | ".join(f"{kind} ({count} labels)" for kind, count in zip(rows, labels, strict=True)) + " |"]
    lines += ["|---|---|---|---|"]
    for test, kind in TESTS.items():
        means = [np.mean([one[test] for one in found], axis=0) for found in rows.values()]
        lines.append(f"| {test} ({kind} types) | " + " | ".join(f"{a:.3f} / {b:.3f}" for a, b in means) + " |")
    lines += ["", f"Teaching took {np.median(seconds):.0f} s (median), the bundle's writing among it."]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Teaching a trained model", lines)


if __name__ == "__main__":
    main()
