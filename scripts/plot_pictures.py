"""Draws the pictures of the gallery of plots, docs/plots.md.

    plot_pictures.py FOLDER

FOLDER gets ``pl-*.png``.  Needs the cells of SPOTICELL_DATA: blood of Kang 2018, with and without interferon beta, and
immune cells of kidneys of Stewart 2019, of several donors.  Look at the pictures before they are kept.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from sklearn.manifold import TSNE

import spoticell
from spoticell import pl

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SPOTICELL_DATA", ROOT.parent / "shared" / "data"))
DPI, LESS = 160, 120
"""Dots an inch, and those of a figure that fills a page."""
COLORS = 200
"""Of a picture; they are flat."""

Drawn = Axes | Figure


def main() -> None:
    """Name the cells, draw, and make the pictures small."""
    folder = Path(sys.argv[1])
    mpl.use("agg")
    blood, kidney = read_blood(), read_kidney()
    with pl.style("paper"):
        for name, draw in plots(blood, kidney, read_panels()).items():
            drawn = draw()
            figure = drawn if isinstance(drawn, Figure) else drawn.figure
            save(figure, folder / f"pl-{name}.png")
            plt.close("all")


def plots(blood: Any, kidney: Any, panels: pd.DataFrame) -> dict[str, Callable[[], Drawn]]:  # noqa: ANN401
    """Say how each picture is drawn."""
    markers = {
        "T": ["CD3D", "IL7R", "CD8B"],
        "NK": ["GNLY", "NKG7"],
        "B": ["MS4A1", "CD79A"],
        "mono": ["CD14", "LYZ", "FCGR3A"],
        "DC": ["FCER1A", "CLEC4C"],
    }
    meanings = {"T activated": "T cell", "B Activated": "B cell"}
    return {
        "overview": lambda: pl.overview(blood, label_column="cell_type", meanings=meanings, by="condition"),
        "cell": lambda: pl.cell_picture(blood, cell=3),
        "types": lambda: pl.type_pictures(blood, types=["T cell", "NK", "B cell"]),
        "layout": pl.layout_map,
        "map": lambda: pl.fingerprint_map(blood, color="broad"),
        "umap": lambda: pl.umap(blood, ["broad", "score"], basis="X_tsne"),
        "composition": lambda: pl.composition(blood, level="broad"),
        "samples": lambda: pl.sample_composition(kidney, by="donor_id", condition="surgery", level="broad"),
        "share": lambda: pl.type_share(kidney, "macrophage", by="donor_id", condition="surgery"),
        "tree": lambda: pl.type_tree(blood, least=0.01),
        "dots": lambda: pl.marker_dots(
            blood, markers, types=["CD4 T", "CD8 T", "NK", "B cell", "CD14 mono", "CD16 mono", "DC", "pDC"]
        ),
        "scores": lambda: pl.score_histogram(blood),
        "confusion": lambda: pl.confusion(blood, label_column="cell_type", meanings=meanings, least=0.09),
        "reliability": lambda: pl.reliability(blood, label_column="cell_type"),
        "panels": lambda: pl.panel_curve(panels),
        "sankey": lambda: pl.sankey(blood, "cell_type", "spoticell_level_broad"),
    }


def read_blood() -> anndata.AnnData:
    """Name the cells of Kang 2018."""
    blood = anndata.read_h5ad(DATA / "test" / "kang2018_ifnb_pbmc.h5ad")
    spoticell.annotate(blood)
    blood.obsm["X_tsne"] = TSNE(init="pca", random_state=0).fit_transform(blood.obsm["X_spoticell"])
    return blood


def read_kidney() -> anndata.AnnData:
    """Name the cells of Stewart 2019, of donors with 20 cells or more."""
    kidney = anndata.read_h5ad(DATA / "more" / "test" / "stewart2019_kidneyimmune_ktplotspy.h5ad")
    donors = kidney.obs["donor_id"].value_counts()
    kidney = kidney[kidney.obs["donor_id"].isin(donors[donors >= 20].index)].copy()
    kidney.obs["surgery"] = ["transplant" if "Tx" in donor else "tumour" for donor in kidney.obs["donor_id"]]
    spoticell.annotate(kidney, by="donor_id", condition="surgery")
    return kidney


def read_panels() -> pd.DataFrame:
    """Give the means over sets of the benchmark of panels, of random genes."""
    rows = pd.DataFrame(json.loads((ROOT / "benchmarks" / "results" / "panels.json").read_text())["rows"])
    rows = rows[rows["view"].str.isdigit() & rows["row"].isin(["Spoticell", "linear, missing as zero"])]
    sets = rows.groupby("view")["set"].transform("nunique") == rows["set"].nunique()
    table = rows[sets].assign(genes=rows["view"].astype(int))
    return table.groupby(["row", "genes", "draw"])["hierarchical_f1"].mean().reset_index()


def save(figure: Figure, path: Path) -> None:
    """Save a figure with few colours."""
    held = io.BytesIO()
    figure.savefig(held, dpi=LESS if min(figure.get_size_inches()) > 6 else DPI)
    with Image.open(held) as picture:
        few = picture.convert("RGB").quantize(COLORS, kmeans=3, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
