"""What Python and a notebook print of answers."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.conftest import tiny_adata

import spoticell
from spoticell.annotation import printed
from spoticell.annotation.cautions import Caution


@pytest.fixture(scope="module")
def annotation(tiny_bundle):
    return spoticell.annotate(tiny_adata(), model=tiny_bundle)


def test_answers_print_as_a_few_lines(annotation):
    text = repr(annotation)
    cells, unknown = len(annotation.answer_n), int((annotation.answer_n < 0).sum())
    head = (
        f"Annotation of AnnData by {annotation.bundle.name}: {cells} cells, {cells - unknown} named, {unknown} unknown"
    )
    first, _, *rows = text.splitlines()
    assert first == head
    assert len(text) < 1500
    summary = annotation.summary()
    assert rows[0].split()[:3] == [
        str(summary["cells"][0]),
        f"{summary['share'][0]:.1%}",
        f"{summary['median_score'][0]:.2f}",
    ]
    assert any(row.split() == [str(unknown), f"{unknown / cells:.1%}", "unknown"] for row in rows)


def test_types_beyond_the_commonest_are_counted(annotation, monkeypatch):
    types = len(np.unique(annotation.answer_n[annotation.answer_n >= 0]))
    monkeypatch.setattr(printed, "TOP", types - 1)
    assert "1 other type\n" in repr(annotation)
    monkeypatch.setattr(printed, "TOP", 1)
    assert f"{types - 1} other types" in repr(annotation)
    assert len(repr(annotation).splitlines()) == 5 + len(annotation.cautions)


def test_one_cell_is_no_cells(annotation):
    some = {"answer_n": annotation.answer_n[:1], "score_n": annotation.score_n[:1], "programs_np": None}
    one = replace(annotation, **some)
    assert ": 1 cell, 1 named" in repr(one)


def test_a_notebook_shows_a_table_with_the_colours_of_the_types(annotation):
    class Reader(HTMLParser):
        opened = 0

        def handle_starttag(self, tag, attrs):
            self.opened += 1

        def handle_endtag(self, tag):
            self.opened -= 1

    html, reader = annotation._repr_html_(), Reader()
    reader.feed(html)
    assert reader.opened == 0
    common = annotation.nodes[np.bincount(annotation.answer_n[annotation.answer_n >= 0]).argmax()]
    assert annotation.colors.of(common) in html
    assert html.count("<tr>") == len(repr(annotation).splitlines()) - 1 - len(annotation.cautions)


def test_what_a_file_is_called_can_not_change_the_table(annotation):
    findings = replace(annotation.findings, source="<script>.h5ad")
    assert "<script>" not in replace(annotation, findings=findings)._repr_html_()


def test_cautions_are_told(annotation):
    changed = replace(annotation)
    changed.__dict__["cautions"] = (Caution("panel", "Few <genes>."),)
    assert repr(changed).endswith("note: Few <genes>.")
    assert "<p>note: Few &lt;genes&gt;.</p>" in changed._repr_html_()


def test_findings_print_what_they_found(annotation):
    text = repr(annotation.findings)
    assert text.splitlines() == ["Findings", *annotation.findings.describe()]
    assert len(text) < 2000
