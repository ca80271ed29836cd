from __future__ import annotations

from pathlib import Path

import anndata
import pytest

from spoticell.corpus.build import build_store
from spoticell.corpus.plan import Plan, plan
from spoticell.corpus.recipe.recipe import load_recipe
from spoticell.corpus.sources.opening import open_sources


def planned(folder: Path, sources: str) -> Plan:
    (folder / "recipe.yaml").write_text(f"name: mine\nsources:\n{sources}")
    recipe = load_recipe(folder / "recipe.yaml")
    return plan(recipe, open_sources(recipe, downloads=folder / "downloads"))


def test_a_plan_tells_the_cells_and_types_that_the_store_will_have(tiny_h5ad: Path, tmp_path: Path) -> None:
    told = planned(tmp_path, "  - file: cells.h5ad\n")
    recipe = load_recipe(tmp_path / "recipe.yaml")
    summary = build_store(recipe, open_sources(recipe, downloads=tmp_path), tmp_path / "store")
    assert (told.cells, told.types) == (summary["cells"], summary["types"])
    assert told.sources[0].left_out == summary["sources"][0]["left_out"]
    assert told.bytes > 0
    assert told.seconds > 0


def test_nothing_is_fetched_or_written(tiny_h5ad: Path, tmp_path: Path) -> None:
    source = "  - file: cells.h5ad\n  - {url: 'https://example.org/liver.h5ad', cells: 1000}\n"
    told = planned(tmp_path, source)
    assert {path.name for path in tmp_path.iterdir()} == {"cells.h5ad", "recipe.yaml"}
    assert [(one.name, one.is_here, one.cells) for one in told.sources] == [("cells", True, 30), ("liver", False, 1000)]
    assert told.sources[1].bytes == pytest.approx(2e6)


def test_a_source_of_which_nothing_is_kept_takes_no_room(tiny_h5ad: Path, tmp_path: Path) -> None:
    told = planned(tmp_path, "  - {file: cells.h5ad, types: [neuron]}\n")
    assert (told.cells, told.types, told.bytes) == (0, {}, 0)


@pytest.mark.slow
@pytest.mark.real
def test_the_size_that_is_told_is_about_right(data_folder: Path, tmp_path: Path) -> None:
    told = planned(tmp_path, f"  - file: {data_folder}/train/pbmc3k_10x.h5ad\n")
    recipe = load_recipe(tmp_path / "recipe.yaml")
    summary = build_store(recipe, open_sources(recipe, downloads=tmp_path), tmp_path / "store")
    assert told.bytes == pytest.approx(summary["bytes"], rel=0.3)


def test_labels_that_will_not_be_understood_are_told(tiny_cells: anndata.AnnData, tmp_path: Path) -> None:
    tiny_cells.obs["cell_type_ontology_term_id"] = ["clump"] * 20 + ["CL:0000084"] * 11
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    assert planned(tmp_path, "  - file: cells.h5ad\n").sources[0].unresolved == {"clump": 20}
