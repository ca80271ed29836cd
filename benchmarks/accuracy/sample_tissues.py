"""How often a tissue is named that the cells are from, by how likely it is said to be.

    python -m benchmarks.accuracy.sample_tissues --save sample_tissues

Each set is seen whole, and through 1,000 and 300 random genes where it has twice as many, by up to 512 of its cells, as
`annotate` does it, and by 100 and by 30 of these.  Each set counts once, however many views of it there are.
The three numbers of ``annotation.tissue_chances`` were the likeliest of a grid for the sets for training; the
development tests had no part in it.  A set that is of several tissues is named rightly by each.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.mixed_cells import read
from benchmarks.lib.answering import open_runtime, with_bundles
from benchmarks.lib.saving import save_result
from benchmarks.lib.studies import random_panel
from spoticell.annotation.sample_tissue import FEW, show_tissues
from spoticell.biology.ontology import load_ontology
from spoticell.biology.sample import cell_keys
from spoticell.errors import SpoticellError
from spoticell.model.runtime import Runtime

TRAIN, TEST = ("train", "more/train", "unlabelled"), ("test", "more/test")
TISSUES = {
    "pancreas": ("baron", "enge2017", "xin2016", "moncada2020", "segerstolpe2016"),
    "breast": ("wu2021",),
    "brain": ("darmanis2015", "linnarsson", "boldog2018", "nowakowski2017"),
    "lung": ("delorey2021", "cosmx_nsclc"),
    "liver": ("he2020_liver", "aizarani2019"),
    "heart": ("kanemaru2023", "litvinukova2020", "reichart2022", "koenig2022"),
    "placenta|uterus": ("ventotormo2018",),
    "testis": ("li2017",),
    "bone marrow": ("he2020_marrow",),
    "kidney": ("stewart2019",),
    "blood": (
        *("pbmc", "zheng2017", "ding2020", "ica2019", "zanini2018", "croote2018", "bcells", "combat2022", "hao2021"),
        *("kang2018", "gierahn2017", "mimitou2019", "tenx_pbmc4k", "villani2017", "finak2015"),
    ),
}
"""Tissues of the sets, by how their names begin; of the others they are mixed, or not known."""
SIZES, CELLS = (1000, 300), (FEW, 100, 30)
BANDS = ((0.9, 1.01), (0.5, 0.9), (0, 0.5))


@dataclass(frozen=True)
class Named:
    """What is named of one view of a set."""

    name: str
    view: str
    tissue: str
    chance: float
    right: bool


def tissue_of(name: str) -> str | None:
    """Give the tissues of a set; None where they aren't known."""
    return next((tissue for tissue, starts in TISSUES.items() if name.startswith(starts)), None)


def named(data: Path, folders: Sequence[str], runtime: Runtime) -> Iterator[Named]:
    """Name the tissues of all sets of some folders."""
    weights, bundle = runtime.bundle.label_weights, runtime.bundle
    for path in sorted(path for folder in folders for path in (data / folder).glob("*.h5ad")):
        truth = tissue_of(path.stem)
        if truth is None:
            continue
        try:
            cells = read(path, runtime)
        except SpoticellError:
            continue
        cells = cells.take(np.argsort(cell_keys(cells.counts_ng), kind="stable")[:FEW])
        views = {"all genes": cells} | {
            f"{size:,} genes": cells.seen_through(random_panel(cells.measured_g, size, seed=0))
            for size in SIZES
            if cells.measured_g.sum() >= 2 * size
        }
        for view, seen in views.items():
            said = runtime.predict(seen.counts_ng, seen.measured_g)
            weight_nc = weights.of(said.probabilities_nm)[seen.counts_n > 0]
            for number in CELLS:
                if number < FEW and len(weight_nc) < 2 * number:
                    continue
                found = show_tissues(weight_nc[:number], weights.label_c, bundle.nodes, load_ontology())
                # of several tissues none is said to be the sample's
                tissue, chance = next(iter(found.chances.items()), ("several", 0.0))
                yield Named(path.stem, view, tissue, chance, tissue in truth.split("|"))


def table(rows: Sequence[Named]) -> Iterator[str]:
    """Give a table by how likely the tissue is said to be: each set as heavy as another."""
    yield "| | said to be | views (sets) | mean of what is said | right |"
    yield "|---|---|---|---|---|"
    for view in dict.fromkeys(row.view for row in rows):
        seen = [row for row in rows if row.view == view]
        weight = {name: 1 / sum(row.name == name for row in seen) for name in {row.name for row in seen}}
        for low, high in BANDS:
            some = [row for row in seen if low <= row.chance < high]
            if some:
                weights = [weight[row.name] for row in some]
                said, right = (
                    np.average([getattr(row, key) for row in some], weights=weights) for key in ("chance", "right")
                )
                band, sets = f"{low} to {min(high, 1)}", len({row.name for row in some})
                yield f"| {view} | {band} | {len(some)} ({sets}) | {said:.2f} | {right:.2f} |"


def wrong(rows: Sequence[Named]) -> str:
    """Name the sets of which all cells and genes name another tissue with a probability of .5."""
    found = {
        row.name: f"{row.name} ({row.tissue}, {row.chance:.2f})"
        for row in rows
        if row.view == "all genes" and not row.right and row.chance >= BANDS[1][0]
    }
    return ", ".join(found.values()) or "none"


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    with_bundles(parser)
    args = parser.parse_args()
    runtime, lines = open_runtime(args.bundles[0], args.threads), []
    for title, folders in (("Sets for training", TRAIN), ("Development tests", TEST)):
        rows = list(named(args.data, folders, runtime))
        lines += [f"## {title}", "", *table(rows), "", f"All genes, named wrongly: {wrong(rows)}.", ""]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "What tissue a sample is from", lines[:-1])


if __name__ == "__main__":
    main()
