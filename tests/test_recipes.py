"""Recipes in the docs that people will copy: they do what the text says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
from tests.conftest import tiny_adata

import spoticell

DOCS = Path(__file__).parents[1] / "docs"


def recipe(page: str, word: str) -> str:
    """Give the first block of Python of a page that holds a word."""
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if word in block)


def test_counts_are_summed_by_sample_and_type(tiny_bundle, tmp_path, monkeypatch):
    adata = tiny_adata(per_type=40)
    adata.obs["condition"] = np.where(np.arange(adata.n_obs) % 2, "ill", "well")
    adata.obs["sample"] = [f"{at % 4 // 2} {condition}" for at, condition in enumerate(adata.obs["condition"])]
    spoticell.annotate(adata, model=tiny_bundle)
    path = tmp_path / "recipe.py"
    path.write_text(recipe("samples.md", "bulk ="), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), init_globals={"adata": adata})

    sums, samples = (pd.read_csv(name, index_col=0) for name in ("t_cells.csv", "samples.csv"))
    obs = adata.obs
    assert samples["condition"].to_dict() == {name: name.split()[1] for name in sorted(obs["sample"].unique())}
    for name, row in sums.iterrows():
        own_n = ((obs["sample"] == name) & (obs["spoticell_level_broad"] == "T cell")).to_numpy()
        assert own_n.sum() >= 10
        assert row.to_numpy().tolist() == np.asarray(adata.X[own_n].sum(axis=0)).ravel().tolist()
