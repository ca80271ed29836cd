import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from spoticell.api import annotate, check, evaluate
from spoticell.errors import CountsError, OutputError, SpoticellError

LABEL = "cell_type_ontology_term_id"


def test_an_h5ad_file_keeps_all_it_had_and_gains_the_answers(
    tiny_h5ad, tiny_cells, tiny_bundle, tiny_answers, tmp_path
):
    tiny_cells.obsm["X_pca"] = np.ones((31, 2))
    tiny_cells.uns["note"] = "mine"
    tiny_cells.write_h5ad(tiny_h5ad)
    before = tiny_h5ad.read_bytes()
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle)
    out = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert out.obs["spoticell_cell_type_ontology_term_id"].tolist() == tiny_answers
    assert set(out.obsm) == {"X_pca", "X_spoticell", "spoticell_probabilities"}
    assert out.uns["note"] == "mine"
    assert out.uns["spoticell"]["bundle"] == "tiny"
    assert list(out.uns["spoticell"]["classes"]) == list(tiny_bundle.nodes)
    assert len(out.uns["spoticell_cell_type_colors"]) == len(out.obs["spoticell_cell_type"].cat.categories)
    assert tiny_h5ad.read_bytes() == before


def test_a_file_and_an_object_get_the_same_answers(tiny_h5ad, tiny_cells, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle, threads=1)
    out = anndata.read_h5ad(tmp_path / "out.h5ad")
    annotate(tiny_cells, model=tiny_bundle, threads=1)
    pd.testing.assert_frame_equal(out.obs, tiny_cells.obs)
    for key in out.obsm:
        np.testing.assert_array_equal(out.obsm[key], tiny_cells.obsm[key])
    assert out.uns["spoticell"].keys() == tiny_cells.uns["spoticell"].keys()
    assert list(out.uns["spoticell_cell_type_colors"]) == tiny_cells.uns["spoticell_cell_type_colors"]


def test_a_csv_holds_one_line_a_cell_in_the_order_of_the_file(tiny_h5ad, tiny_bundle, tiny_answers, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle)
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table) == [
        "cell",
        "spoticell_cell_type",
        "spoticell_cell_type_short",
        "spoticell_cell_type_ontology_term_id",
        "spoticell_score",
        "spoticell_second_cell_type",
        "spoticell_second_cell_type_ontology_term_id",
        "spoticell_second_probability",
        "spoticell_level_broad",
        "spoticell_n_counts_used",
        "spoticell_n_genes_used",
        "spoticell_reason",
        "spoticell_single_cell_type",
        "spoticell_single_cell_type_ontology_term_id",
        "spoticell_single_score",
        "spoticell_mixed",
        "spoticell_mixed_score",
    ]
    assert table["cell"].tolist() == [f"cell-{row}" for row in range(31)]
    assert table["spoticell_cell_type_ontology_term_id"].tolist() == tiny_answers
    assert table["spoticell_n_counts_used"].dtype == np.int64


@pytest.mark.rows(47)
def test_cell_names_that_a_spreadsheet_would_run_are_disarmed(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.obs_names = ["=cmd()", "+1", "-1", "@x", *tiny_cells.obs_names[4:]]
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    annotate(tmp_path / "in.h5ad", tmp_path / "out.csv", model=tiny_bundle)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:6]] == ["'=cmd()", "'+1", "'-1", "'@x", "cell-4"]


@pytest.mark.parametrize("name", ["out.csv", "out.h5ad"])
def test_the_same_file_twice_gives_the_same_bytes(tiny_h5ad, tiny_bundle, tmp_path, name):
    outputs = []
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        annotate(tiny_h5ad, tmp_path / run / name, model=tiny_bundle)
        outputs.append((tmp_path / run / name).read_bytes())
    assert outputs[0] == outputs[1]


def test_a_table_becomes_an_h5ad_with_the_matrix_that_was_used(tiny_cells, tiny_bundle, tiny_answers, tmp_path):
    table = pd.DataFrame(tiny_cells.X.toarray().astype(int), index=tiny_cells.obs_names, columns=tiny_cells.var_names)
    table.to_csv(tmp_path / "cells.csv")
    annotate(tmp_path / "cells.csv", tmp_path / "out.h5ad", model=tiny_bundle)
    out = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert out.obs["spoticell_cell_type_ontology_term_id"].tolist() == tiny_answers
    np.testing.assert_array_equal(out.X.toarray(), tiny_cells.X.toarray())


def test_progress_rises_from_nothing_to_all(tiny_h5ad, tiny_bundle, tmp_path):
    steps = []

    def note(done, total):
        steps.append(done / total)

    annotate(tiny_h5ad, tmp_path / "o.csv", model=tiny_bundle, on_progress=note)
    assert steps[-1] == 1
    steps.clear()
    annotate(tiny_h5ad, tmp_path / "p.csv", model=tiny_bundle, on_progress=note, report=tmp_path / "p.html")
    assert "cells.h5ad" in (tmp_path / "p.html").read_text()
    assert steps == sorted(steps)
    assert steps[-1] == 1


def test_results_are_not_replaced_unless_allowed(tiny_h5ad, tiny_bundle, tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("precious")
    with pytest.raises(OutputError, match="there already"):
        annotate(tiny_h5ad, output, model=tiny_bundle)
    assert output.read_text() == "precious"
    annotate(tiny_h5ad, output, model=tiny_bundle, overwrite=True)
    assert output.read_text().startswith("cell,")


@pytest.mark.rows(20)
def test_the_input_may_be_replaced_by_its_annotated_self_if_allowed(tiny_h5ad, tiny_bundle, tiny_answers):
    with pytest.raises(OutputError, match="the input itself"):
        annotate(tiny_h5ad, tiny_h5ad, model=tiny_bundle)
    annotate(tiny_h5ad, tiny_h5ad, model=tiny_bundle, overwrite=True)
    assert anndata.read_h5ad(tiny_h5ad).obs["spoticell_cell_type_ontology_term_id"].tolist() == tiny_answers


@pytest.mark.parametrize(
    ("output", "report", "message"),
    [
        ("out.txt", None, "written as .h5ad or .csv"),
        ("out", None, "written as .h5ad or .csv"),
        ("missing/out.csv", None, "folder does not exist"),
        ("out.csv", "page.pdf", "written as .html"),
        ("out.csv", "missing/page.html", "folder does not exist"),
    ],
)
def test_outputs_that_could_not_be_written_are_refused_before_any_work(tmp_path, tiny_bundle, output, report, message):
    report = None if report is None else tmp_path / report
    with pytest.raises(OutputError, match=message):
        annotate(tmp_path / "not even there.h5ad", tmp_path / output, model=tiny_bundle, report=report)


def test_a_failure_leaves_nothing_behind(tiny_h5ad, tiny_bundle, tmp_path, monkeypatch):
    from spoticell.annotation import first_blocks  # noqa: PLC0415

    folder = tmp_path / "out"
    folder.mkdir()

    def broken(*args, **kwargs):
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(first_blocks, "first_blocks", broken)
    for name in ("out.h5ad", "out.csv"):
        with pytest.raises(KeyboardInterrupt):
            annotate(tiny_h5ad, folder / name, model=tiny_bundle)
    assert list(folder.iterdir()) == []


def bad_cells(name, adata):
    values = adata.X.toarray()
    if name == "NaN":
        values[2, 2] = np.nan
    elif name == "negative":
        values[2, 2] = -1
    elif name == "mouse":
        adata.var_names = [gene.capitalize() for gene in adata.var_names]
        del adata.var["gene_id"]
    elif name == "foreign genes":
        adata.var_names = [f"gene {i}" for i in range(200)]
        del adata.var["gene_id"]
    elif name == "no cells":
        return adata[:0].copy()
    elif name == "no genes":
        return adata[:, :0].copy()
    adata.X = sparse.csr_matrix(values)
    return adata


@pytest.mark.parametrize("name", ["NaN", "negative", "mouse", "foreign genes", "no cells", "no genes"])
def test_cells_that_can_not_be_used_are_refused_with_a_sentence(tiny_cells, tiny_bundle, tmp_path, name):
    bad_cells(name, tiny_cells).write_h5ad(tmp_path / "bad.h5ad")
    with pytest.raises(SpoticellError, match=r"bad\.h5ad"):
        annotate(tmp_path / "bad.h5ad", tmp_path / "out.csv", model=tiny_bundle)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.rows(27, 29)
def test_cells_without_any_count_are_all_unknown(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.X = sparse.diags_array([1.0] + [0.0] * 30) @ tiny_cells.X
    tiny_cells.write_h5ad(tmp_path / "empty.h5ad")
    annotation = annotate(tmp_path / "empty.h5ad", tmp_path / "out.h5ad", model=tiny_bundle)
    assert annotation.why_unknown() == {"no counts in known genes": 30}
    out = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert (out.obs["spoticell_cell_type"][1:] == "unknown").all()
    assert not out.obsm["X_spoticell"][1:].any()


@pytest.mark.rows(29)
def test_a_file_without_any_count_is_refused_and_nothing_written(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.X = sparse.csr_matrix(tiny_cells.shape, dtype=np.float32)
    tiny_cells.write_h5ad(tmp_path / "empty.h5ad")
    with pytest.raises(CountsError, match="None of the 31 cells has a value above zero"):
        annotate(tmp_path / "empty.h5ad", tmp_path / "out.h5ad", model=tiny_bundle)
    assert not (tmp_path / "out.h5ad").exists()


def test_checking_gives_the_findings_and_runs_nothing(tiny_h5ad, tiny_bundle):
    found = check(tiny_h5ad, model=tiny_bundle)
    assert (found.source, found.format, found.n_cells) == ("cells.h5ad", "h5ad", 31)


def test_the_command_that_repeats_a_run_names_only_what_differs(tiny_h5ad, tiny_bundle, tmp_path):
    annotation = annotate(tiny_h5ad, tmp_path / "my out.csv", model=tiny_bundle, threshold=0.7)
    command = annotation.options.settled().command(tiny_h5ad, tmp_path / "my out.csv", tmp_path / "page.html")
    assert command.startswith(
        f"spoticell annotate {tiny_h5ad} -o '{tmp_path}/my out.csv' --report {tmp_path}/page.html"
    )
    assert command.endswith(f"--model {tiny_bundle.path} --threshold 0.7")


def test_the_command_that_repeats_a_run_names_what_answers_were_kept_to(tiny_h5ad, tiny_bundle, tmp_path):
    asked = {"allow": ["T cell", "CL:0000236"], "deny": ["cd8-positive, alpha-beta t cell"], "tissue": "PBMC"}
    annotation = annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle, **asked)
    command = annotation.options.settled().command(tiny_h5ad, tmp_path / "out.csv", tmp_path / "page.html")
    assert command.endswith("--allow CL:0000084 --allow CL:0000236 --deny CL:0000625 --tissue blood")


def test_what_answers_were_kept_to_stands_in_the_file(tiny_h5ad, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle, allow=["T cell"], deny=["fibroblast"])
    record = anndata.read_h5ad(tmp_path / "out.h5ad").uns["spoticell"]["allowed"]
    assert {name: np.ravel(value).tolist() for name, value in record.items()} == {
        "allow": ["CL:0000084"],
        "deny": ["CL:0000057"],
        "labels": [2],
    }


@pytest.mark.parametrize("asked", [{"allow": ["B sell"]}, {"deny": ["cell"]}, {"tissue": "lunge"}])
def test_a_choice_of_types_that_can_not_be_is_refused_before_anything_is_written(
    tiny_h5ad, tiny_bundle, tmp_path, asked
):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SpoticellError):
        annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle, **asked)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.real
def test_real_cells_are_found_and_annotated(data_folder, tiny_bundle, tmp_path):
    path = data_folder / "test" / "kang2018_ifnb_pbmc.h5ad"
    annotate(path, tmp_path / "out.h5ad", model=tiny_bundle)
    figures = evaluate(tmp_path / "out.h5ad", truth_key=LABEL)
    assert figures.hierarchical_f1 > 0.8
    assert figures.per_type.loc["CL:0000623", "recall"] > 0.9
