import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import spoticell

ROOT = Path(__file__).parents[1]


def test_the_public_names_are_these():
    assert spoticell.__all__ == [
        "Annotation",
        "Bundle",
        "Evaluation",
        "Explanation",
        "Findings",
        "Index",
        "__version__",
        "add_to_index",
        "annotate",
        "build_index",
        "check",
        "demo_cells",
        "errors",
        "evaluate",
        "explain",
        "finetune",
        "keys",
        "load_bundle",
        "merge_indexes",
        "open_index",
        "packaged_bundles",
        "pl",
        "prepare",
        "pull_model",
        "search",
        "train",
    ]
    assert dir(spoticell) == spoticell.__all__


@pytest.mark.parametrize("name", spoticell.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(spoticell, name)
    assert isinstance(value, str) or value.__doc__
    assert isinstance(value, str | ModuleType) or ">>>" in value.__doc__


def test_annotate_stays_the_function_whatever_is_imported():
    code = "import spoticell, spoticell.annotation.result, spoticell.api; spoticell.annotate.__call__"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "src")}, check=True)


def test_what_a_check_does_without_is_not_loaded_for_it():
    slow = {"onnxruntime", "scipy.special", "scipy.linalg", "scipy.sparse.linalg", "http.client"}
    code = f"import sys, spoticell.api; found = {slow} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "src")}, check=True)


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = spoticell.nonsense


def test_the_version_is_stated_once():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == spoticell.__version__
