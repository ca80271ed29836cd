"""A folder of labelled cells as it is read for training."""

from pathlib import Path

import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.errors import SpoticellWarning
from spoticell.training.data.labelled import read_labelled


def test_cells_without_a_label_are_left_out_and_donors_that_are_not_told_stay_empty(
    make_labelled, tmp_path: Path
) -> None:
    adata = make_labelled(seed=0, n_cells=6)
    adata.obs.iloc[0, adata.obs.columns.get_loc("cell_type_ontology_term_id")] = None
    adata.obs.iloc[1:3, adata.obs.columns.get_loc("donor_id")] = [None, "unknown"]
    adata.write_h5ad(tmp_path / "mine.h5ad")
    cells = read_labelled(tmp_path, load_vocabulary())
    assert cells.label_n.tolist() == adata.obs["cell_type_ontology_term_id"].tolist()[1:]
    assert cells.donor_n.tolist() == ["", "", "d0", "d1", "d2"]


def test_a_label_that_names_no_type_is_said_and_one_that_no_cell_has_is_not(make_labelled, tmp_path: Path) -> None:
    adata = make_labelled(seed=0, n_cells=6)
    labels = adata.obs["cell_type_ontology_term_id"].astype("category").cat.add_categories(["odd one", "nobody's"])
    labels.iloc[0] = "odd one"
    adata.obs["cell_type_ontology_term_id"] = labels
    adata.write_h5ad(tmp_path / "mine.h5ad")
    with pytest.warns(SpoticellWarning, match=r"labels that name no type are left out \(1\): odd one\."):
        cells = read_labelled(tmp_path, load_vocabulary())
    assert len(cells) == 5
