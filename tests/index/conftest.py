"""Indexes of cells with random fingerprints."""

import pytest

pytest.importorskip("faiss", reason="searching needs faiss: pip install '.[search]'")

from tests.index.made import random_cells

from spoticell.index import create_index


@pytest.fixture
def small_lists(monkeypatch):
    """Have an index of a few hundred cells cut into lists."""
    monkeypatch.setattr("spoticell.index.coarse.EXACT", 100)
    monkeypatch.setattr("spoticell.index.folder.segment.EXACT", 100)
    monkeypatch.setattr("spoticell.index.exact.FEW", 20)


@pytest.fixture
def index_folder(tmp_path, tiny_bundle):
    """An index of 60 cells of study a."""
    create_index(tmp_path / "index", tiny_bundle, [random_cells(40), random_cells(20, seed=1)])
    return tmp_path / "index"
