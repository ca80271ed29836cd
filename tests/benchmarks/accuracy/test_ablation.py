"""What an ablation leaves out, what its cells are seen through, and how its table is summed up."""

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("torch", reason="an ablation trains networks")

from benchmarks.accuracy import ablation
from benchmarks.accuracy.ablation import (
    HELD_OUT,
    OF_HELD_OUT,
    ONE,
    VARIANTS,
    chosen_sets,
    seen_ways,
    settings,
    table,
)

from spoticell.training.data.labelled import LabelledCells


def result(variant, seed, macro, hierarchical=0.5):
    views = {view: {"macro_f1": macro, "hierarchical_f1": hierarchical} for view in ("all", "300")}
    return {"variant": variant, "seed": seed, "parameters": 10, "sets": {"a": views, "b": {"all": views["all"]}}}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_differs_from_one_network_only_where_it_says(name):
    one, changed = settings(VARIANTS[ONE]).model_dump(), settings(VARIANTS[name]).model_dump()
    differing = {key for key in one if one[key] != changed[key]}
    assert differing == set(VARIANTS[name].config)


def test_nothing_made_of_a_held_out_set_is_learnt_from(tmp_path):
    kept = ["baron_human1", "numbat_ref_hca"]
    for name in (*HELD_OUT, *OF_HELD_OUT, *kept):
        (tmp_path / f"{name}.h5ad").touch()
    assert {path.stem for path in chosen_sets(tmp_path, VARIANTS[ONE])} == set(kept)
    assert [path.stem for path in chosen_sets(tmp_path, VARIANTS["no cells from profiles"])] == ["baron_human1"]


def test_a_view_shows_no_gene_outside_its_panel(monkeypatch):
    monkeypatch.setattr(ablation, "SIZES", (80,))
    counts = sparse.csr_array(np.random.default_rng(0).poisson(2, (30, 200)).astype(np.float32))
    none = np.zeros(30, dtype=np.intp)
    every = LabelledCells(
        counts, np.full(30, "CL:0000084", dtype=object), none, none, ("some",), np.ones((1, 200), bool)
    )
    real = np.arange(200) < 60
    found = {seen.view: seen.cells for seen in seen_ways(every, "some", {"real": real})}
    assert set(found) == {"all", "80", "real", "shallow"}
    for cells in found.values():
        assert not cells.counts_ng[:, ~cells.measured_sg[0]].nnz
    assert found["80"].measured_sg.sum() == 80
    assert 0.1 < found["shallow"].counts_ng.sum() / counts.sum() < 0.3


def test_the_table_gives_means_over_seeds_and_the_way_from_one_network():
    lines = table([result(ONE, 0, 0.5), result(ONE, 1, 0.7), result("no CNN", 0, 0.4), result("no CNN", 1, 0.4)])
    assert "**0.600 ± 0.141 / 0.500 ± 0.000**" in lines[2]
    assert lines[3].endswith("| 0.400 / 0.500 | 0.400 / 0.500 | **0.400 ± 0.000 / 0.500 ± 0.000** | -0.200 / +0.000 |")
