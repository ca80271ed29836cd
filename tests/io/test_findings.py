import re

import anndata
import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.counts import Kind
from spoticell.biology.genes import load_vocabulary
from spoticell.errors import ConfigError, CountsError, FileFormatError, GeneMatchError
from spoticell.io.findings import inspect
from spoticell.io.in_memory import AnnDataCells


def find(adata, bundle, **options):
    return inspect(AnnDataCells(adata), bundle.vocabulary, **options)


def test_counts_in_x_are_found_and_described_for_people_and_programs(tiny_cells, tiny_bundle):
    found = find(tiny_cells, tiny_bundle)
    assert (found.matrix, found.verdict.kind, found.n_cells, found.n_genes) == ("X", Kind.COUNTS, 31, 200)
    text = "\n".join(found.describe())
    assert "31 cells, 200 genes" in text
    assert "without any count, which stay unknown: 1" in text
    assert "only 200 known genes are measured" in text
    record = found.to_dict()
    assert record["counts"]["kind"] == "counts"
    assert record["gene_match"]["found"] == 200
    assert record["passed_over"] == {}


def test_counts_in_a_layer_go_before_logarithms_in_x(tiny_cells, tiny_bundle):
    tiny_cells.layers["counts"] = tiny_cells.X.copy()
    tiny_cells.X = tiny_cells.X.log1p()
    assert find(tiny_cells, tiny_bundle).matrix == "layers/counts"


def test_counts_in_x_go_before_a_layer_that_only_claims_to_hold_them(tiny_cells, tiny_bundle):
    tiny_cells.layers["counts"] = tiny_cells.X.log1p()
    found = find(tiny_cells, tiny_bundle)
    assert found.matrix == "X"
    assert [matrix for matrix, _ in found.tried] == ["layers/counts"]
    assert any(line.startswith("passed over: layers/counts") for line in found.describe())


def counted(tiny_cells, chosen_n=slice(None), chosen_v=slice(None)) -> sparse.csr_matrix:
    part = np.zeros(tiny_cells.shape, dtype=np.float32)
    part[chosen_n, chosen_v] = tiny_cells.X.toarray()[chosen_n, chosen_v]
    return sparse.csr_matrix(part)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            lambda cells: counted(cells, slice(15)),
            r"layers/counts was passed over: it holds \d+% .* of its cells are empty",
        ),
        (lambda cells: counted(cells, chosen_v=slice(100)), r"it holds \d+% of the counts above zero that X holds"),
        (lambda cells: counted(cells, slice(0)), "None of the 31 cells has a value above zero"),
        (lambda cells: counted(cells, slice(1), slice(1)), "layers/counts was passed over"),
        (lambda cells: (cells.X > 0).astype(np.float32), "layers/counts was passed over: .* seen or not seen"),
        (lambda cells: sparse.csr_matrix(np.random.default_rng(0).poisson(1, cells.shape)), "noise, not counts"),
    ],
    ids=["half of the cells", "half of the genes", "nothing", "a single value", "a mask", "noise"],
)
@pytest.mark.parametrize("logs", [False, True])
def test_a_layer_that_holds_less_than_x_is_passed_over_and_said_so(tiny_cells, tiny_bundle, layer, said, logs):
    tiny_cells.layers["counts"] = layer(tiny_cells)
    if logs:
        totals = np.maximum(np.asarray(tiny_cells.X.sum(axis=1)), 1)
        tiny_cells.X = sparse.csr_matrix(tiny_cells.X.multiply(1e4 / totals)).log1p()
    found = find(tiny_cells, tiny_bundle)
    assert found.matrix == "X"
    assert any(re.search(said, note) for note in found.warnings), found.warnings
    assert [matrix for matrix, _ in found.tried] == ["layers/counts"]


def test_counts_of_few_genes_in_x_give_way_to_all_genes_in_raw(tiny_cells, tiny_bundle):
    tiny_cells.raw = tiny_cells
    few = tiny_cells[:, :60].copy()
    few.layers["counts"] = few.X.copy()
    found = find(few, tiny_bundle)
    assert (found.matrix, found.n_genes) == ("raw/X", 200)


def test_a_file_in_which_nothing_has_counts_is_refused(tiny_cells, tiny_bundle):
    tiny_cells.layers["counts"] = tiny_cells.X = sparse.csr_matrix(tiny_cells.shape, dtype=np.float32)
    with pytest.raises(CountsError, match=r"None of the 31 cells has a value above zero.*Nor does anything else"):
        find(tiny_cells, tiny_bundle)


def test_other_matrices_are_not_read_where_they_cannot_hold_more(tiny_cells, tiny_bundle, monkeypatch):
    tiny_cells.layers["counts"] = tiny_cells.X.copy()
    tiny_cells.X = tiny_cells.X.log1p()
    read = []
    blocks = AnnDataCells.blocks
    monkeypatch.setattr(
        AnnDataCells, "blocks", lambda self, matrix, **more: read.append(matrix) or blocks(self, matrix, **more)
    )
    assert find(tiny_cells, tiny_bundle).matrix == "layers/counts"
    assert read == ["layers/counts"]


def test_counts_in_raw_keep_their_own_genes(tiny_cells, tiny_bundle):
    tiny_cells.raw = tiny_cells
    scaled = tiny_cells[:, :60].copy()
    scaled.X = scaled.X.toarray() - 1.5
    found = find(scaled, tiny_bundle)
    assert (found.matrix, found.n_genes) == ("raw/X", 200)


def test_the_likeliest_matrix_gives_the_error_and_the_others_are_named(tiny_cells, tiny_bundle):
    values = tiny_cells.X.toarray()
    values -= values.mean(axis=0)
    adata = anndata.AnnData(values, obs=tiny_cells.obs, var=tiny_cells.var, layers={"scaled": values})
    with pytest.raises(
        CountsError, match=r"AnnData, X: .* negative .* Nor does anything else in it serve \(layers/scaled\)"
    ):
        find(adata, tiny_bundle)


def test_mouse_genes_are_refused_before_values_are_looked_at(tiny_cells, tiny_bundle):
    tiny_cells.var_names = [name.capitalize() for name in tiny_cells.var_names]
    tiny_cells.X = -tiny_cells.X
    del tiny_cells.var["gene_id"]
    with pytest.raises(GeneMatchError, match="look like mouse"):
        find(tiny_cells, tiny_bundle)


def test_genes_and_cells_that_have_changed_places_are_refused_for_just_that(tiny_cells, tiny_bundle):
    turned = anndata.AnnData(tiny_cells.X.T.tocsr(), obs=tiny_cells.var[[]], var=tiny_cells.obs[[]])
    with pytest.raises(GeneMatchError, match=r"X: genes and cells have changed places: .* adata\.T"):
        find(turned, tiny_bundle)
    turned.obs_names = [str(row) for row in range(turned.n_obs)]
    turned.obs["symbol"] = tiny_cells.var_names.to_numpy()
    for kind in ("object", "category"):
        turned.obs["symbol"] = turned.obs["symbol"].astype(kind)
        with pytest.raises(GeneMatchError, match="genes and cells have changed places"):
            find(turned, tiny_bundle)
    turned.obs.loc["0", "symbol"] = None
    with pytest.raises(GeneMatchError, match=r"\(the first is 'nan'\)"):
        find(turned, tiny_bundle)


def test_what_was_taken_off_the_names_is_said(tiny_cells, tiny_bundle):
    del tiny_cells.var["gene_id"]
    tiny_cells.var_names = [f"GEX_{name}" for name in tiny_cells.var_names]
    found = find(tiny_cells, tiny_bundle)
    assert found.match.n_repaired == found.match.n_found == 200
    assert "all 200 names in 'index' carry the prefix 'GEX_', which was taken off." in found.warnings


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.rows(21)
def test_values_that_are_not_numbers_are_refused_with_their_place(tiny_cells, tiny_bundle, bad):
    values = tiny_cells.X.toarray()
    values[3, 7] = bad
    tiny_cells.X = sparse.csr_matrix(values)
    with pytest.raises(CountsError, match="cell 3, gene 7"):
        find(tiny_cells, tiny_bundle)


def test_no_cells_are_refused(tiny_cells, tiny_bundle):
    with pytest.raises(FileFormatError, match="holds no cells"):
        find(tiny_cells[:0].copy(), tiny_bundle)


def test_progress_runs_once_from_nothing_to_all_over_all_matrices(tiny_cells, tiny_bundle):
    tiny_cells.layers["counts"] = tiny_cells.X.log1p()
    steps = []
    inspect(
        AnnDataCells(tiny_cells), tiny_bundle.vocabulary, on_progress=lambda done, total: steps.append(done / total)
    )
    assert steps == [0.5, 1]


def test_the_matrix_that_is_named_is_the_one_looked_at_even_one_that_is_never_chosen(tiny_cells, tiny_bundle):
    tiny_cells.layers["unspliced"] = tiny_cells.X.copy()
    assert find(tiny_cells, tiny_bundle).matrix == "X"
    assert find(tiny_cells, tiny_bundle, layer="unspliced").matrix == "layers/unspliced"
    with pytest.raises(ConfigError, match=r"AnnData has no layer 'umi'; it has X, layers/unspliced\."):
        find(tiny_cells, tiny_bundle, layer="umi")


def test_the_column_of_genes_that_is_named_is_the_one_used(tiny_cells, tiny_bundle):
    assert find(tiny_cells, tiny_bundle).match.column == "index"
    assert find(tiny_cells, tiny_bundle, gene_column="gene_id").match.column == "gene_id"
    with pytest.raises(ConfigError, match=r"no column 'symbol' of gene names; it has index, gene_id\."):
        find(tiny_cells, tiny_bundle, gene_column="symbol")


def test_names_that_are_not_known_as_they_stand_are_listed_with_what_they_were_taken_for(tiny_cells):
    names = tiny_cells.var_names.tolist()
    names[:4] = ["no such gene", "MARCH1", "GRCh38_CD3E", "CD20"]
    tiny_cells.var_names = names
    del tiny_cells.var["gene_id"]
    genes = inspect(AnnDataCells(tiny_cells), load_vocabulary()).genes.set_index("name")
    assert genes.loc["no such gene"].tolist() == ["unmatched", "", ""]
    assert genes.loc["GRCh38_CD3E", ["how", "symbol"]].tolist() == ["repaired", "CD3E"]
    assert genes.loc["CD20", ["how", "symbol"]].tolist() == ["renamed", "MS4A1"]
    assert set(genes.index) <= set(names)


def test_proteins_under_the_names_of_genes_are_left_out_and_do_not_blur_the_scale(tiny_cells, tiny_bundle):
    proteins = np.random.default_rng(0).poisson(200, (tiny_cells.n_obs, 12)).astype(np.float32)
    own = tiny_cells.var_names[:12].tolist()
    counts = sparse.csr_matrix(sparse.hstack([tiny_cells.X, proteins]))
    logs = tiny_cells.X.multiply(1e4 / np.maximum(tiny_cells.X.sum(axis=1), 1)).log1p()
    logged = sparse.csr_matrix(sparse.hstack([logs, np.log1p(proteins)]))
    for values, kind in ((counts, Kind.COUNTS), (logged, Kind.LOG1P)):
        adata = anndata.AnnData(values, obs=tiny_cells.obs)
        adata.var_names = [*tiny_cells.var_names, *(f"{name}-1" for name in own)]
        found = find(adata, tiny_bundle)
        assert any(note.startswith("12 columns have values of another kind than genes") for note in found.warnings)
        assert (found.verdict.kind, found.match.n_found, found.match.n_repeated) == (kind, 200, 0)


def test_numbers_of_half_precision_are_read(tiny_cells, tiny_bundle):
    half = anndata.AnnData(tiny_cells.X.toarray().astype(np.float16), obs=tiny_cells.obs, var=tiny_cells.var)
    assert find(half, tiny_bundle).verdict == find(tiny_cells, tiny_bundle).verdict


def test_spliced_molecules_alone_are_said_to_be_no_whole_cell(tiny_cells, tiny_bundle):
    tiny_cells.layers["spliced"] = tiny_cells.layers["unspliced"] = tiny_cells.X.copy()
    tiny_cells.X = -tiny_cells.X
    found = find(tiny_cells, tiny_bundle)
    assert found.matrix == "layers/spliced"
    assert any("layers/spliced holds spliced molecules only" in note for note in found.warnings)
    tiny_cells.X = tiny_cells.layers["spliced"]
    assert any("X holds spliced molecules only" in note for note in find(tiny_cells, tiny_bundle).warnings)
    del tiny_cells.layers["unspliced"]
    assert not any("spliced" in note for note in find(tiny_cells, tiny_bundle).warnings)
