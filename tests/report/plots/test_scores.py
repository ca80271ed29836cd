"""How sure answers are, and whether that can be believed."""

from __future__ import annotations

import numpy as np
import pytest

from spoticell.api import annotate, evaluate
from spoticell.errors import ConfigError
from spoticell.report import plots as pl


def test_the_histogram_marks_the_least_score_that_was_used(cells):
    ax = pl.score_histogram(cells)
    assert ax.get_title() == "1 of 31 cells unknown, not shown"
    assert ax.get_legend().get_texts()[0].get_text() == "unknown below 0.50"
    assert sum(bar.get_height() for bar in ax.patches) == 30


def test_the_histogram_of_an_annotation_is_that_of_its_cells(tiny_cells, tiny_bundle):
    result = annotate(tiny_cells, model=tiny_bundle, threads=1)
    heights = [[bar.get_height() for bar in pl.score_histogram(one).patches] for one in (result, tiny_cells)]
    assert heights[0] == heights[1]
    assert pl.score_histogram(result).get_legend().get_texts()[0].get_text() == "unknown below 0.50"


def test_no_line_is_drawn_where_any_score_will_do(cells):
    assert pl.score_histogram(cells, least=0).get_legend() is None


@pytest.fixture
def many(make_tiny_cells, tiny_bundle):
    """Sixty cells with scores of two sizes: of the high ones all are right, of the low ones a half."""
    cells = make_tiny_cells(per_type=10)
    annotate(cells, model=tiny_bundle, threads=1)
    cells.obs["spoticell_score"] = np.where(np.arange(61) % 2, 0.95, 0.55).astype(np.float32)
    labels = cells.obs["spoticell_cell_type_ontology_term_id"].astype(str).to_numpy().copy()
    labels[::4] = "CL:0000182"  # hepatocyte
    cells.obs["mine"] = labels
    return cells


def test_points_show_the_share_of_right_answers_at_each_score(many):
    ax = pl.reliability(many, label_column="mine")
    points = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points, [[0.55, 0.5], [0.95, 1.0]], atol=1e-6)
    ece = evaluate(many, label_column="mine").ece
    assert ax.texts[0].get_text() == f"ECE {ece:.3f}"
    [below] = ax.child_axes
    assert [bar.get_height() for bar in below.patches] == [0, 0, 0, 0, 0, 30, 0, 0, 0, 30]


def test_a_bin_of_few_cells_has_no_point(many):
    few = many[:12].copy()
    few.obs["spoticell_score"] = [0.95] * 10 + [0.15] * 2
    points = [line for line in pl.reliability(few, label_column="mine").lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == [pytest.approx(0.95)]


def test_the_file_that_was_annotated_has_the_labels(tiny_h5ad, tiny_bundle):
    result = annotate(tiny_h5ad, model=tiny_bundle, threads=1)
    assert pl.reliability(result).texts[0].get_text().startswith("ECE")


def test_without_labels_or_answers_there_is_nothing_to_compare(cells):
    cells.obs["none"] = ""
    with pytest.raises(ConfigError, match="no cell has a label"):
        pl.reliability(cells, label_column="none")
    cells.obs["odd"] = "nonsense"
    with pytest.raises(ConfigError, match="too few labels are understood"):
        pl.reliability(cells, label_column="odd")
    cells.obs["mine"] = "B cell"
    cells.obs["spoticell_cell_type_ontology_term_id"] = "unknown"
    with pytest.raises(ConfigError, match="no cell with a label has an answer"):
        pl.reliability(cells, label_column="mine")
