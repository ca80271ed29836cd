"""What a run writes for the page: all of it, or nothing."""

from __future__ import annotations

import pytest

from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import annotate_source, look_at
from spoticell.io import open_cells
from spoticell.web.sink import PageSink


@pytest.fixture
def options(tiny_bundle):
    return Options(tiny_bundle)


def page_sink(folder, upload, heard=None):
    told = [] if heard is None else heard
    return PageSink(folder, upload=upload, name="my cells.h5ad", tell=lambda stage, share: told.append(stage))


def test_the_stages_after_the_cells_are_named_are_told(tmp_path, tiny_h5ad, options):
    heard = []
    with open_cells(tiny_h5ad) as source:
        annotate_source(source, options, [page_sink(tmp_path / "page", tiny_h5ad, heard)])
    assert heard == ["drawing the map", "writing the report"]
    assert {"annotated.h5ad", "types.csv", "report.html"} <= {path.name for path in (tmp_path / "page").iterdir()}


class Full:
    """A sink that fails at a step."""

    def __init__(self, step):
        self.step = step

    def __getattr__(self, name):
        def act(*values):
            if name == self.step:
                raise OSError("the disk is full")

        return act


@pytest.mark.parametrize("step", ["begin", "add", "finish"])
def test_a_run_that_fails_leaves_nothing_of_the_page(tmp_path, tiny_h5ad, options, step):
    sinks = [page_sink(tmp_path / "page", tiny_h5ad), Full(step)]
    with open_cells(tiny_h5ad) as source, pytest.raises(OSError, match="full"):
        annotate_source(source, options, sinks)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.h5ad"]


def test_a_page_that_cannot_be_begun_leaves_nothing_behind(tmp_path, tiny_h5ad, options, monkeypatch):
    def fail(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr("spoticell.web.sink.CountsWriter", fail)
    with open_cells(tiny_h5ad) as source:
        findings = look_at(source, options)
        with pytest.raises(OSError, match="full"):
            page_sink(tmp_path / "page", tiny_h5ad).begin(source, findings, options.bundle)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.h5ad"]
