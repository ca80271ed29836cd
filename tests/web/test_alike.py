"""Page, report and command line tell the same of the same cells."""

import numpy as np
import pytest

from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import annotate_source
from spoticell.io import open_cells
from spoticell.report.sections.composition import compose
from spoticell.web.summary import summarise


@pytest.fixture
def annotation(tiny_h5ad, tiny_bundle):
    with open_cells(tiny_h5ad) as source:
        return annotate_source(source, Options(tiny_bundle), [])


def test_types_have_the_same_numbers_in_the_same_order_and_the_same_scores(annotation):
    summary = summarise(annotation)
    rows = sorted((row for lineage in compose(annotation) for row in lineage.rows), key=lambda row: row.number)
    assert len(rows) > 2
    assert [row.term for row in rows] == [kind["term"] for kind in summary["types"]]
    assert [row.number for row in rows] == [kind["index"] + 1 for kind in summary["types"]]
    assert [row.cells for row in rows] == sorted((row.cells for row in rows), reverse=True)
    told = annotation.summary().set_index("term")["median_score"]
    for row, kind in zip(rows, summary["types"], strict=True):
        assert row.median_score == pytest.approx(kind["median_score"])
        assert row.median_score == pytest.approx(told[row.term])


def test_broad_types_have_the_median_of_all_their_cells(annotation):
    broad = summarise(annotation)["levels"][0]["groups"]
    assert {lineage.term: lineage.cells for lineage in compose(annotation)} == {
        one["term"]: one["cells"] for one in broad
    }
    for lineage in compose(annotation):
        own_n = np.isin(annotation.answer_n, [row.answer for row in lineage.rows])
        assert lineage.median_score == pytest.approx(np.median(annotation.score_n[own_n]))
        [same] = [one for one in broad if one["term"] == lineage.term]
        assert same["median_score"] == pytest.approx(lineage.median_score)
