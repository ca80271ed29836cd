import importlib.util
import sys

import pytest

from spoticell import progress


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setattr(progress, "_is_terminal", lambda _: False)


def found(monkeypatch, spec):
    monkeypatch.setattr(progress, "find_spec", lambda name: spec if name == "ipywidgets" else None)


def test_a_notebook_with_widgets_has_a_bar(notebook, monkeypatch):
    found(monkeypatch, importlib.util.find_spec("json"))
    with progress.shown(True, "naming cells") as step:
        assert step is not None


def test_a_notebook_without_widgets_has_no_bar_as_rich_would_warn_at_each_step(notebook, monkeypatch):
    found(monkeypatch, None)
    with progress.shown(True, "naming cells") as step:
        assert step is None
