"""What a job leaves on disk: arrays that grow, counts by gene and by cell, findings, commands."""

from __future__ import annotations

import shlex
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

import spoticell
from spoticell.biology.genes import GeneMatch
from spoticell.io import open_cells
from spoticell.io.findings import Findings, inspect
from spoticell.web.arrays import ArrayFile, Counts, CountsWriter
from spoticell.web.kept import recall, remember
from spoticell.web.sink import commands
from spoticell.web.summary import summarise

counts = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 30), st.just(5)), elements=st.sampled_from([0, 0, 0, 1, 2.5, 9])
)


@given(counts, st.integers(1, 8))
@settings(max_examples=40)
def test_counts_come_back_by_gene_and_by_cell(tmp_path_factory, counts_ng, size):
    folder = tmp_path_factory.mktemp("counts")
    with CountsWriter(folder, n_genes=5) as writer:
        for start in range(0, len(counts_ng), size):
            writer.append(sparse.csr_array(counts_ng[start : start + size]))
    kept = Counts(folder)
    assert kept.n_cells == len(counts_ng)
    for g in range(5):
        np.testing.assert_array_equal(kept.gene(g), counts_ng[:, g])
        assert kept.cells_with(g) == np.count_nonzero(counts_ng[:, g])
    for n in range(len(counts_ng)):
        np.testing.assert_array_equal(kept.cell(n), counts_ng[n])


def test_an_array_is_written_row_by_row(tmp_path):
    with ArrayFile(tmp_path / "a.npy", (4, 3), np.float16) as file:
        file.append(np.ones((1, 3)))
        file.append(np.zeros((3, 3)))
    assert np.load(tmp_path / "a.npy").tolist() == [[1] * 3] + [[0] * 3] * 3


def test_findings_come_back_as_they_were(tmp_path, tiny_h5ad, tiny_bundle):
    with open_cells(tiny_h5ad) as source:
        found = inspect(source, tiny_bundle.vocabulary)
    remember(found, tmp_path, bundle_sha256=tiny_bundle.sha256)
    again = recall(tmp_path, bundle_sha256=tiny_bundle.sha256)
    assert again.describe() == found.describe()
    assert again.to_dict() == found.to_dict()
    for item in fields(GeneMatch):
        np.testing.assert_array_equal(getattr(again.match, item.name), getattr(found.match, item.name))
    same = {item.name for item in fields(Findings)} - {"match", "sample_nv", "sample_at_s"}
    assert all(getattr(again, name) == getattr(found, name) for name in same)


def test_findings_of_another_bundle_are_not_believed(tmp_path, tiny_h5ad, tiny_bundle):
    with open_cells(tiny_h5ad) as source:
        remember(inspect(source, tiny_bundle.vocabulary), tmp_path, bundle_sha256=tiny_bundle.sha256)
    assert recall(tmp_path, bundle_sha256="another") is None
    assert recall(tmp_path / "nowhere", bundle_sha256=tiny_bundle.sha256) is None


@pytest.fixture
def annotation(tiny_h5ad, tiny_bundle, tmp_path):
    return spoticell.annotate(tiny_h5ad, model=tiny_bundle, threshold=0.6)


@pytest.mark.parametrize("name", ["cells.h5ad", "my 'own' cells.h5ad", "x; rm -rf ~", '"""', "a\\b", "$(id)"])
def test_commands_hold_any_name(annotation, name):
    words = commands(name, annotation)
    assert shlex.split(words["shell"])[:3] == ["spoticell", "annotate", name]
    assert "--threshold" in words["shell"]
    assert "threshold=0.6" in words["python"]
    compile(words["python"], "python", "exec")


def test_the_levels_of_a_summary_hold_all_named_cells(annotation):
    summary = summarise(annotation)
    for level in summary["levels"]:
        assert sum(group["cells"] for group in level["groups"]) == summary["named"]
        assert sorted(index for group in level["groups"] for index in group["types"]) == list(range(6))
