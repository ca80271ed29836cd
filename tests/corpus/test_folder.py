from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from spoticell.biology.counts import Kind
from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.folder import prepare
from spoticell.corpus.original import original_datasets
from spoticell.errors import ConfigError, FileFormatError, OutputError
from spoticell.io import open_cells
from spoticell.io.aligned import AlignedSource
from spoticell.io.findings import inspect

LIVER = next(dataset for dataset in original_datasets() if dataset.name == "Liver")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "processed"


def save(cells: anndata.AnnData, path: Path) -> Path:
    cells.write_h5ad(path)
    return path


def dense(cells: anndata.AnnData) -> np.ndarray:
    return cells.X.toarray() if sparse.issparse(cells.X) else np.asarray(cells.X)


def test_a_prepared_file_holds_the_labelled_cells_with_their_counts(
    tiny_h5ad: Path, tiny_cells: anndata.AnnData, out: Path
) -> None:
    (prepared,) = prepare([tiny_h5ad], out)
    got = anndata.read_h5ad(out / "cells.h5ad")
    order = [load_vocabulary().by_id[gene] for gene in got.var_names]
    assert order == sorted(order)
    assert got.obs_names.tolist() == tiny_cells.obs_names[:-1].tolist()
    assert (
        dense(got) == dense(tiny_cells[:-1])[:, pd.Index(tiny_cells.var["gene_id"]).get_indexer(got.var_names)]
    ).all()
    assert sparse.issparse(got.X)
    assert got.X.dtype == np.float32
    assert (prepared.cells, prepared.kept, prepared.left_out) == (31, 30, {"no label": 1})


def test_label_name_donor_and_data_set_stand_in_obs(tiny_cells: anndata.AnnData, tmp_path: Path, out: Path) -> None:
    tiny_cells.obs["donor_id"] = np.arange(31) % 3
    prepare([save(tiny_cells, tmp_path / "mine.h5ad")], out)
    first = anndata.read_h5ad(out / "mine.h5ad").obs.iloc[0]
    assert first.to_dict() == {
        "cell_type_ontology_term_id": "CL:0000236",
        "cell_type": "B cell",
        "donor_id": "0",
        "dataset_id": "mine",
    }


def test_a_donor_that_is_not_told_is_unknown(tiny_cells: anndata.AnnData, tmp_path: Path, out: Path) -> None:
    tiny_cells.obs["donor_id"] = np.array([None, "nan", *["one"] * 29], dtype=object)
    prepare([save(tiny_cells, tmp_path / "mine.h5ad")], out)
    assert anndata.read_h5ad(out / "mine.h5ad").obs["donor_id"].tolist() == ["unknown"] * 2 + ["one"] * 28


def test_what_is_prepared_can_be_read_as_counts_of_the_same_genes(tiny_h5ad: Path, out: Path) -> None:
    prepare([tiny_h5ad], out)
    with open_cells(tiny_h5ad) as before, open_cells(out / "cells.h5ad") as after:
        found = [inspect(source, load_vocabulary()) for source in (before, after)]
    assert (found[0].match.measured_g == found[1].match.measured_g).all()
    assert found[1].verdict.kind is Kind.COUNTS


def test_counts_are_recovered_from_logarithms(tiny_cells: anndata.AnnData, tmp_path: Path, out: Path) -> None:
    counts_nv = dense(tiny_cells)
    sums_n = np.maximum(counts_nv.sum(axis=1, keepdims=True), 1)
    tiny_cells.X = sparse.csr_matrix(np.log1p(counts_nv / sums_n * 1e4).astype(np.float32))
    (prepared,) = prepare([save(tiny_cells, tmp_path / "logged.h5ad")], out)
    got = anndata.read_h5ad(out / "logged.h5ad")
    wanted = counts_nv[:-1, pd.Index(tiny_cells.var["gene_id"]).get_indexer(got.var_names)]
    np.testing.assert_allclose(dense(got), wanted, atol=0.01)
    assert prepared.counts.startswith("X: natural log")


def test_names_serve_where_there_are_no_terms(tiny_cells: anndata.AnnData, tmp_path: Path, out: Path) -> None:
    tiny_cells.obs = pd.DataFrame({"cell_type": ["T cell"] * 20 + ["clump"] * 11}, index=tiny_cells.obs_names)
    (prepared,) = prepare([save(tiny_cells, tmp_path / "named.h5ad")], out)
    assert prepared.types == {"CL:0000084": 20}
    assert (out / "unresolved_labels.tsv").read_text().splitlines() == [
        "dataset\tlabel\tcells\tcell_type_ontology_term_id",
        "named\tclump\t11\t",
    ]


def test_the_summary_says_what_became_of_each_data_set(
    tiny_h5ad: Path, tiny_cells: anndata.AnnData, tmp_path: Path, out: Path
) -> None:
    prepare([tiny_h5ad, save(tiny_cells, tmp_path / "again.h5ad")], out)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["cells"], summary["types"]) == (60, 6)
    assert [one["name"] for one in summary["datasets"]] == ["cells", "again"]
    assert summary["datasets"][0]["counts"] == "X: counts"
    assert summary["datasets"][0]["genes"] == 200


def test_an_original_data_set_keeps_its_types_in_healthy_tissue(
    tiny_cells: anndata.AnnData, tmp_path: Path, out: Path
) -> None:
    assert "CL:0000236" not in LIVER.terms  # B cell
    assert "CL:0000624" in LIVER.terms  # CD4-positive, alpha-beta T cell
    tiny_cells.obs["disease"] = ["normal", "lupus"] * 15 + ["normal"]
    (prepared,) = prepare([save(tiny_cells, tmp_path / LIVER.file_name)], out)
    assert prepared.types == {"CL:0000624": 2}
    assert prepared.left_out == {"no label": 1, "not healthy": 15, "type not among the original ones": 13}
    assert sum(prepared.left_out.values()) + prepared.kept == 31


def test_the_same_cells_under_another_name_are_all_kept(tiny_cells: anndata.AnnData, tmp_path: Path, out: Path) -> None:
    tiny_cells.obs["disease"] = "lupus"
    (prepared,) = prepare([save(tiny_cells, tmp_path / "mine.h5ad")], out)
    assert prepared.kept == 30


@pytest.mark.parametrize("size", [1, 7, 100])
def test_blocks_of_any_size_give_the_same_cells(tiny_h5ad: Path, size: int) -> None:
    keep_n = np.arange(31) % 3 > 0
    with open_cells(tiny_h5ad) as source:
        findings = inspect(source, load_vocabulary())
        view = AlignedSource(source, findings, load_vocabulary(), keep_n=keep_n, obs=source.obs()[keep_n])
        blocks = list(view.blocks("X", size=size))
    starts = np.cumsum([0, *(len(block) for block in blocks)])
    assert [block.start for block in blocks] == starts[:-1].tolist()
    assert starts[-1] == keep_n.sum() == view.n_cells


def test_the_same_input_gives_the_same_bytes(tiny_h5ad: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        prepare([tiny_h5ad], tmp_path / folder)
    for name in ("cells.h5ad", "summary.json", "unresolved_labels.tsv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_progress_never_goes_back_and_ends_at_the_end(
    tiny_h5ad: Path, tiny_cells: anndata.AnnData, tmp_path: Path, out: Path
) -> None:
    seen: list[tuple[int, int]] = []
    paths = [tiny_h5ad, save(tiny_cells, tmp_path / "again.h5ad")]
    prepare(paths, out, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (2000, 2000)


def test_what_is_there_is_replaced_only_on_request(tiny_h5ad: Path, out: Path) -> None:
    prepare([tiny_h5ad], out)
    with pytest.raises(OutputError, match="there already"):
        prepare([tiny_h5ad], out)
    prepare([tiny_h5ad], out, overwrite=True)


def test_nothing_is_touched_when_one_of_many_could_not_be_written(
    tiny_h5ad: Path, tiny_cells: anndata.AnnData, tmp_path: Path, out: Path
) -> None:
    out.mkdir()
    (out / "second.h5ad").write_text("mine")
    with pytest.raises(OutputError):
        prepare([tiny_h5ad, save(tiny_cells, tmp_path / "second.h5ad")], out)
    assert [file.name for file in out.iterdir()] == ["second.h5ad"]


def test_an_interruption_leaves_nothing_half_done(tiny_h5ad: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AlignedSource, "blocks", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare([tiny_h5ad], out)
    assert list(out.iterdir()) == []


def test_no_data_set_is_refused(out: Path) -> None:
    with pytest.raises(ConfigError, match="at least one labelled file"):
        prepare([], out)


def test_two_data_sets_of_one_name_are_refused(out: Path) -> None:
    with pytest.raises(ConfigError, match="two data sets are called 'cells'"):
        prepare([Path("a/cells.h5ad"), Path("b/cells.h5ad")], out)


def test_cells_without_any_known_label_are_refused_with_examples(
    tiny_cells: anndata.AnnData, tmp_path: Path, out: Path
) -> None:
    tiny_cells.obs = pd.DataFrame({"cell_type": ["clump"] * 30 + [""]}, index=tiny_cells.obs_names)
    with pytest.raises(FileFormatError, match=r"no cell to train on \(1 no label, 30 label not in .*it holds 'clump'"):
        prepare([save(tiny_cells, tmp_path / "clumps.h5ad")], out)


@pytest.mark.real
def test_real_data_sets_keep_exactly_their_labelled_cells(data_folder: Path, out: Path) -> None:
    paths = [data_folder / "train" / f"{name}.h5ad" for name in ("malt_tumour_citeseq_streak", "tcell_citeseq_trex")]
    prepared = prepare(paths, out)
    assert [(one.kept, len(one.types)) for one in prepared] == [(296, 2), (213, 2)]
