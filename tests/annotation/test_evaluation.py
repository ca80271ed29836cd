import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.annotation.figures import score
from spoticell.api import annotate, evaluate
from spoticell.biology.ontology import Ontology
from spoticell.biology.tissues import find_tissue
from spoticell.errors import ConfigError, FileFormatError, SpoticellWarning

T, ALPHA_BETA, CD4, CD8, NK, CELL = "CL:0000084", "CL:0000789", "CL:0000624", "CL:0000625", "CL:0000623", "CL:0000000"


def test_a_subtype_of_the_label_is_right_and_an_ancestor_is_not():
    figures = score([T, CD4], [CD4, T])
    assert figures["accuracy"] == 0.5
    assert figures["per_type"][T]["recall"] == 1
    assert figures["per_type"][CD4]["recall"] == 0


def test_a_finer_answer_keeps_full_hierarchical_marks_and_a_coarser_one_gets_part():
    assert score([T], [CD4])["hierarchical_f1"] == 1
    coarse = score([CD4], [T])
    assert coarse["hierarchical_precision"] == 1
    assert 0 < coarse["hierarchical_recall"] < 1


def test_cells_without_a_label_are_left_out_and_cells_without_an_answer_are_misses():
    figures = score([T, "unknown", "", T], [T, T, T, "unknown"])
    assert (figures["cells"], figures["coverage"], figures["accuracy"], figures["accuracy_answered"]) == (
        2,
        0.5,
        0.5,
        1,
    )


def test_a_wrong_answer_costs_precision_of_the_nearest_label_above_it():
    figures = score([NK, T, CD4], [CD8, T, CD4])
    assert figures["per_type"][T]["precision"] == 0.5
    assert figures["per_type"][CD4]["precision"] == 1


def test_of_two_labels_as_near_the_first_by_name_takes_a_wrong_answer():
    table = {"CL:0": ("cell", [], []), "CL:1": ("zeta", ["CL:0"], []), "CL:2": ("alpha", ["CL:0"], [])}
    table |= {"CL:3": ("both", ["CL:1", "CL:2"], []), "CL:4": ("other", ["CL:0"], [])}
    figures = score(["CL:1", "CL:2", "CL:4"], ["CL:1", "CL:2", "CL:3"], ontology=Ontology(table, {}, "made up"))
    assert figures["per_type"]["CL:1"]["precision"] == 1
    assert figures["per_type"]["CL:2"]["precision"] == 0.5


def test_answers_of_other_tissues_are_counted_with_a_tissue_and_are_not_at_home():
    pericyte, mesangial, heart = "CL:0000669", "CL:0000650", find_tissue("heart")
    figures = score([pericyte] * 4 + [T], [mesangial, mesangial, pericyte, "unknown", CD4], tissue=heart)
    assert (figures["foreign"], figures["accuracy_home"], figures["accuracy"]) == (0.5, 0.4, 0.8)
    assert "foreign" not in score([T], [T])


def test_an_answer_no_finer_than_the_label_is_not_foreign():
    neuron = "CL:0000540"
    assert score(["CL:0000617"], [neuron], tissue=find_tissue("liver"))["foreign"] == 0
    assert score([T], [neuron], tissue=find_tissue("liver"))["foreign"] == 1


def test_macro_figures_need_ten_cells_of_a_type():
    assert score([T] * 9, [T] * 9)["macro_f1"] is None
    figures = score([T] * 10 + [NK] * 9, [T] * 19)
    assert figures["types"] == 1
    assert figures["macro_recall"] == 1
    assert figures["macro_f1"] == pytest.approx(2 * 10 / 19 / (1 + 10 / 19))


def test_scores_that_say_how_often_they_are_right_have_no_calibration_error():
    truth = [T] * 60
    answer = [T] * 32 + [NK] * 28
    assert score(truth, answer, [1.0] * 32 + [0.0] * 28)["ece"] == 0
    assert score(truth, answer, [0.0] * 32 + [1.0] * 28)["ece"] > 0.9
    assert "ece" not in score([T], ["unknown"], [0.0])


def test_terms_that_the_ontology_lacks_are_only_wrong():
    figures = score(["CL:9999999", T], ["CL:9999999", "nonsense"])
    assert figures["accuracy"] == 0


def test_labels_on_no_cell_are_refused():
    with pytest.raises(ConfigError, match="no cell has a label"):
        score(["unknown", ""], [T, T])


@pytest.fixture(scope="module")
def judge(request):
    """The field's yardstick that these rules restate, where it is present."""
    path = Path(__file__).parents[3] / "shared" / "bench" / "score.py"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    pytest.importorskip("cellxgene_ontology_guide")
    spec = importlib.util.spec_from_file_location("judge", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_same(figures, judged):
    for key, value in judged.items():
        if key in {"per_type", "cells_missing_from_predictions"}:
            continue
        assert figures[key] == pytest.approx(value, abs=1e-12), key
    assert figures["per_type"].keys() == judged["per_type"].keys()
    for term, row in judged["per_type"].items():
        assert figures["per_type"][term] == pytest.approx(row), term


@pytest.mark.parametrize("seed", range(6))
def test_the_figures_are_those_of_the_judge(judge, seed):
    rng = np.random.default_rng(seed)
    # No answer here lies below two labels with equally many ancestors: which is nearer, the judge leaves to chance.
    near = [T, ALPHA_BETA, CD4, CD8, NK, CELL, "CL:0000542", "CL:0000236", "CL:0000897", "CL:0000057", "CL:0001054"]
    weights = rng.dirichlet(np.full(len(near), 0.5))
    truth = rng.choice([*near, "unknown"], size=400, p=[*(weights * 0.9), 0.1])
    answer = np.where(rng.random(400) < 0.5, truth, rng.choice([*near, "unknown", ""], size=400))
    scores = np.round(rng.random(400), 3)
    cells = [f"cell {i}" for i in range(400)]
    judged = judge.score(pd.Series(truth, cells), pd.Series(answer, cells), pd.Series(scores, cells))
    assert_same(score(truth.tolist(), answer.tolist(), scores), judged)


TERMS = st.sampled_from([T, ALPHA_BETA, CD4, CD8, NK, "CL:0000236", "CL:0000057"])


@given(st.lists(st.tuples(TERMS, TERMS | st.just("unknown"), st.floats(0, 1)), min_size=1, max_size=40), st.randoms())
def test_the_order_of_cells_changes_nothing_but_ties_and_all_figures_are_shares(rows, random):
    figures = score(*map(list, zip(*rows, strict=True)))
    shuffled = random.sample(rows, len(rows))
    again = score(*map(list, zip(*shuffled, strict=True)))
    for key in ("accuracy", "coverage", "accuracy_answered", "hierarchical_f1", "macro_f1"):
        assert again[key] == figures[key] or again[key] == pytest.approx(figures[key])
        assert figures[key] is None or 0 <= figures[key] <= 1 + 1e-12


@given(st.lists(TERMS, min_size=1, max_size=40))
def test_answers_that_are_the_labels_score_one(truth):
    figures = score(truth, truth, [1.0] * len(truth))
    assert figures["accuracy"] == figures["coverage"] == 1
    assert figures["hierarchical_f1"] == pytest.approx(1)
    assert figures["ece"] == 0


LABEL = "cell_type_ontology_term_id"


def test_answers_are_scored_against_a_column_of_the_same_file(tiny_h5ad, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle)
    figures = evaluate(tmp_path / "out.h5ad", truth_key=LABEL)
    assert (figures.cells, figures.cells_without_label, figures.accuracy) == (30, 1, 1)


def test_answers_in_a_csv_are_scored_against_another_file_by_cell_name(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.obs_names = ["=1", *tiny_cells.obs_names[1:]]
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    tiny_cells[::-1].copy().write_h5ad(tmp_path / "turned.h5ad")
    annotate(tmp_path / "in.h5ad", tmp_path / "out.csv", model=tiny_bundle)
    for truth in ("in.h5ad", "turned.h5ad"):
        figures = evaluate(tmp_path / "out.csv", truth_key=LABEL, truth=tmp_path / truth)
        assert (figures.cells, figures.accuracy) == (30, 1)
    assert figures.ece < 0.05


def test_labels_may_be_names_and_others_are_told(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.obs["author"] = ["b cell"] * 5 + ["CD4 T?"] * 10 + ["natural killer cell"] * 16
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    annotate(tmp_path / "in.h5ad", tmp_path / "out.h5ad", model=tiny_bundle)
    with pytest.warns(
        SpoticellWarning, match=r"are of 21 of 31 labelled cells\. 1 label in 'author' is not understood"
    ) as told:
        figures = evaluate(tmp_path / "out.h5ad", truth_key="author")
    assert figures.notes == tuple(str(one.message) for one in told)
    assert (figures.cells, figures.cells_without_label, figures.cells_not_understood) == (21, 0, 10)
    assert figures.labels_not_understood == {"CD4 T?": 10}


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tiny_h5ad, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle)
    with pytest.raises(ConfigError, match=r"no column 'truth' .*; it has 'cell_type_ontology_term_id', 'batch'"):
        evaluate(tmp_path / "out.h5ad", truth_key="truth")
    with pytest.raises(ConfigError, match="no column 'spoticell_cell_type_ontology_term_id'"):
        evaluate(tiny_h5ad, truth_key=LABEL)
    with pytest.raises(ConfigError, match="of 31 labelled cells 0 have a label that is understood"):
        evaluate(tmp_path / "out.h5ad", truth_key="batch", partial=True)


def test_labels_of_cells_with_repeated_names_can_not_be_joined(tiny_cells, tiny_h5ad, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle)
    tiny_cells.obs_names = [tiny_cells.obs_names[0]] * 31
    tiny_cells.write_h5ad(tmp_path / "same.h5ad")
    with pytest.raises(ConfigError, match="cell names repeat"):
        evaluate(tmp_path / "out.csv", truth_key=LABEL, truth=tmp_path / "same.h5ad")


def test_a_csv_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="there is no such file"):
        evaluate(tmp_path / "nowhere.csv", truth_key=LABEL)


def test_answers_under_another_key_are_found_and_named_where_they_are_not(tiny_h5ad, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle, key_added="run2")
    assert evaluate(tmp_path / "out.h5ad", truth_key=LABEL, key_added="run2").accuracy == 1
    with pytest.raises(ConfigError, match=r"Answers are under 'run2': say so with --key-added"):
        evaluate(tmp_path / "out.h5ad", truth_key=LABEL)


def test_a_result_is_scored_by_its_own_object_or_file(tiny_h5ad, tiny_cells, tiny_bundle):
    of_file = evaluate(annotate(tiny_h5ad, model=tiny_bundle, key_added="run2"), truth_key=LABEL)
    result = annotate(tiny_cells, model=tiny_bundle)
    assert of_file == evaluate(result, truth_key=LABEL) == evaluate(tiny_cells, truth_key=LABEL)
    assert of_file.per_type.loc["CL:0000236", "f1"] == 1
    assert of_file.to_dict()["per_type"]["CL:0000236"]["cells"] == 5


def answered(labels, column="label"):
    """Answers as annotate writes them, all right, beside labels."""
    return pd.DataFrame({"spoticell_cell_type_ontology_term_id": T, "spoticell_score": "0.9", column: labels})


def written(table, folder):
    table.to_csv(folder / "named.csv")
    return folder / "named.csv"


def test_labels_of_which_few_are_understood_give_no_figures_unless_that_is_asked_for(tmp_path):
    named = written(answered(["T cell"] * 14 + ["my cluster"] * 30), tmp_path)
    with pytest.raises(ConfigError, match=r"of 44 labelled cells 14 have .* 'my cluster' \(30 cells.*--meanings TABLE"):
        evaluate(named)
    with pytest.warns(SpoticellWarning, match=r"the figures are of 14 of 44 labelled cells\. 1 label in 'label'"):
        figures = evaluate(named, partial=True)
    assert (figures.cells, figures.to_dict()["labels_not_understood"]) == (14, {"my cluster": 30})
    assert "14 of 44" in figures.to_dict()["notes"][0]


def test_a_table_of_meanings_makes_labels_understood(tmp_path):
    named = written(answered(["T cell"] * 14 + ["my cluster"] * 30), tmp_path)
    (tmp_path / "meanings.csv").write_text("label,cell_type\nmy cluster,CD4+ T cells\n")
    for meanings in (tmp_path / "meanings.csv", {"my cluster": "CL:0000624"}):
        figures = evaluate(named, meanings=meanings)
        assert (figures.cells, figures.accuracy, figures.notes) == (44, 14 / 44, ())


def test_a_handful_of_labelled_cells_among_many_gives_no_figures_unless_that_is_asked_for(tmp_path):
    named = written(answered(["T cell"] * 3 + [""] * 30), tmp_path)
    with pytest.raises(ConfigError, match="only 3 of 33 cells can be scored: figures of so few say little"):
        evaluate(named)
    with pytest.warns(SpoticellWarning, match="only 3 of 33 cells can be scored"):
        assert evaluate(named, partial=True).accuracy == 1


def test_a_few_cells_that_are_all_there_are_scored_with_a_note(tmp_path):
    with pytest.warns(SpoticellWarning, match="only 2 of 2 cells can be scored"):
        assert evaluate(written(answered(["T cells", "T"]), tmp_path)).accuracy == 1


def test_everyday_labels_are_understood_in_a_column_that_nobody_named(tmp_path):
    figures = evaluate(written(answered(["T cells"] * 10 + ["NK"] * 5, column="CellType"), tmp_path))
    assert (figures.label_column, figures.cells, figures.accuracy) == ("CellType", 15, 10 / 15)


def test_cells_without_answers_lead_to_the_command_that_gives_them(tiny_h5ad):
    with pytest.raises(ConfigError, match=r"spoticell annotate .*\.h5ad -o OUT; then evaluate OUT"):
        evaluate(tiny_h5ad, label_column=LABEL)


def test_scores_that_are_missing_or_no_numbers_are_no_riddle(tmp_path):
    table = answered(["T cell"] * 12)
    with pytest.raises(FileFormatError, match="there is no column 'spoticell_score' beside the answers"):
        evaluate(written(table.drop(columns="spoticell_score"), tmp_path))
    for odd in ("high", "nan", "", "7", "-3", "inf"):
        with pytest.raises(FileFormatError, match=f"no numbers from 0 to 1, as annotate writes them: '{odd}' is the"):
            evaluate(written(table.assign(spoticell_score=["0.5"] * (len(table) - 1) + [odd]), tmp_path))


def test_a_cell_without_an_answer_needs_no_score(tmp_path):
    table = answered(["T cell"] * 20)
    table.iloc[0] = ["unknown", "", "T cell"]
    assert evaluate(written(table, tmp_path)).coverage == 0.95


def test_labels_of_other_cells_are_refused(tiny_h5ad, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle)
    (tmp_path / "truth.tsv").write_text("cell\tlabel\nsomewhere else\tT cell\n")
    with pytest.raises(ConfigError, match="no cell of the answers is in the file of labels"):
        evaluate(tmp_path / "out.csv", truth=tmp_path / "truth.tsv")


def test_labels_that_any_answer_meets_give_no_figures_unless_that_is_asked_for(tmp_path):
    named = written(answered(["cell"] * 20 + ["T cell"] * 12), tmp_path)
    with pytest.raises(ConfigError, match="can't tell how good the answers are: 20 of 32 labels say so little"):
        evaluate(named)
    assert "20 of 32 labels" in evaluate(named, partial=True).notes[0]


def test_figures_of_a_small_part_of_the_cells_say_so(tmp_path):
    figures = evaluate(written(answered(["T cell"] * 14 + [""] * 30), tmp_path))
    assert figures.notes == ("the figures are of 14 of 44 cells; 30 have no label.",)
