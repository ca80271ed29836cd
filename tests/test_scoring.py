import pytest

from spoticell.errors import ConfigError, FileFormatError
from spoticell.files import annotate_file
from spoticell.scoring import evaluate_file

LABEL = "cell_type_ontology_term_id"


def test_answers_are_scored_against_a_column_of_the_same_file(tiny_h5ad, tiny_bundle, tmp_path):
    annotate_file(tiny_h5ad, tmp_path / "out.h5ad", bundle=tiny_bundle)
    figures = evaluate_file(tmp_path / "out.h5ad", truth_key=LABEL)
    assert (figures["cells"], figures["cells_without_label"], figures["accuracy"]) == (30, 1, 1)


def test_answers_in_a_csv_are_scored_against_another_file_by_cell_name(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.obs_names = ["=1", *tiny_cells.obs_names[1:]]
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    tiny_cells[::-1].copy().write_h5ad(tmp_path / "turned.h5ad")
    annotate_file(tmp_path / "in.h5ad", tmp_path / "out.csv", bundle=tiny_bundle)
    for truth in ("in.h5ad", "turned.h5ad"):
        figures = evaluate_file(tmp_path / "out.csv", truth_key=LABEL, truth=tmp_path / truth)
        assert (figures["cells"], figures["accuracy"]) == (30, 1)
    assert figures["ece"] < 0.05


def test_labels_may_be_names_and_others_count_as_none(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.obs["author"] = ["b cell"] * 5 + ["CD4 T?"] * 10 + ["natural killer cell"] * 16
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    annotate_file(tmp_path / "in.h5ad", tmp_path / "out.h5ad", bundle=tiny_bundle)
    figures = evaluate_file(tmp_path / "out.h5ad", truth_key="author")
    assert (figures["cells"], figures["cells_without_label"]) == (21, 10)


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tiny_h5ad, tiny_bundle, tmp_path):
    annotate_file(tiny_h5ad, tmp_path / "out.h5ad", bundle=tiny_bundle)
    with pytest.raises(ConfigError, match=r"no column 'truth'; there are cell_type_ontology_term_id, batch"):
        evaluate_file(tmp_path / "out.h5ad", truth_key="truth")
    with pytest.raises(ConfigError, match="no column 'spoticell_cell_type_ontology_term_id'"):
        evaluate_file(tiny_h5ad, truth_key=LABEL)
    with pytest.raises(ConfigError, match="no cell has a label"):
        evaluate_file(tmp_path / "out.h5ad", truth_key="batch")


def test_labels_of_cells_with_repeated_names_can_not_be_joined(tiny_cells, tiny_h5ad, tiny_bundle, tmp_path):
    annotate_file(tiny_h5ad, tmp_path / "out.csv", bundle=tiny_bundle)
    tiny_cells.obs_names = ["same"] * 31
    tiny_cells.write_h5ad(tmp_path / "same.h5ad")
    with pytest.raises(ConfigError, match="cell names repeat"):
        evaluate_file(tmp_path / "out.csv", truth_key=LABEL, truth=tmp_path / "same.h5ad")


def test_a_csv_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="can't be read as a table of answers"):
        evaluate_file(tmp_path / "nowhere.csv", truth_key=LABEL)
