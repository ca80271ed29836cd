"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MOST_NAMES = 20
"""Rooms and files at the top of the package."""

FORBIDDEN = {
    "pickle": r"\b(?:import|from)\s+(?:c?[pP]ickle|dill|joblib|shelve|marshal)\b|\bpickle\.\w+\(",
    "torch.load": r"\btorch\s*\.\s*load\s*\(",
    "allow_pickle=True": r"allow_pickle\s*=\s*True",
    "eval or exec": r"(?<![\w.])(?:eval|exec)\s*\(",
    "yaml.load": r"\byaml\s*\.\s*(?:unsafe_|full_)?load(?:_all)?\s*\(",
    "the global random state": r"\bnp\.random\.(?!default_rng\b|Generator\b|SeedSequence\b|PCG64\b)\w+",
    "print": r"(?<![\w.])print\(",
}


@cache
def code(path: Path) -> str:
    """Give a file without its docstrings and comments, whose words are free."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not _is_text(line)] or [ast.Pass()]
    return ast.unparse(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def named(path: Path) -> str:
    return str(path.relative_to(SRC))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_sources_do_without(what: str) -> None:
    assert [named(path) for path in FILES if re.search(FORBIDDEN[what], code(path))] == []


def test_the_search_would_find_what_it_looks_for() -> None:
    bad = (
        "import pickle; torch.load (f); load(f, allow_pickle = True); eval(x); yaml.load(x); np.random.rand(); print(1)"
    )
    assert all(re.search(pattern, bad) for pattern in FORBIDDEN.values())
    good = "model.eval(); yaml.safe_load(x); np.random.default_rng(1); allow_pickle=False; session.exec_module(x)"
    assert not any(re.search(pattern, good) for pattern in FORBIDDEN.values())


def test_every_module_says_what_lives_in_it() -> None:
    assert [named(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {named(path): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long_to_read() -> None:
    functions = {
        f"{named(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > LONGEST_FUNCTION} == {}


def test_the_top_level_can_be_taken_in_at_a_glance() -> None:
    names = {path.name for path in (SRC / "spoticell").iterdir() if path.name != "__pycache__"}
    assert len(names) <= MOST_NAMES, sorted(names)


def test_the_core_works_without_torch() -> None:
    core = sorted(
        ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
        for path in (SRC / "spoticell").rglob("*.py")
        if "training" not in path.relative_to(SRC).parts
    )
    program = f"""
import importlib, sys, warnings

class Missing:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "onnx", "scanpy", "tiledbsoma", "cellxgene_census"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing)
warnings.simplefilter("ignore")
for name in {core!r}:
    importlib.import_module(name)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=SRC)


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, spoticell\n"
        "heavy = {'numpy', 'pandas', 'anndata', 'onnxruntime', 'matplotlib', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=SRC)


ROOT = SRC.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_readme_names_targets_that_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)\n", (ROOT / "README.md").read_text(encoding="utf-8"))) <= targets


BY_NAME = r"pip install (?:-\S+ )*['\"]?spoticell(?![-\w])"
"""An install line that only works for packages of an index, which Spoticell isn't on."""


@pytest.mark.parametrize("place", ["README.md", "docs", "examples", "src"])
def test_no_install_line_asks_an_index_for_the_package(place: str) -> None:
    files = [ROOT / place] if place.endswith(".md") else (ROOT / place).rglob("*.*")
    texts = [path for path in files if path.suffix in {".md", ".py", ".yaml", ".html", ".js"}]
    assert texts
    assert [str(path) for path in texts if re.search(BY_NAME, path.read_text(encoding="utf-8"))] == []


def test_install_lines_that_work_are_told_from_those_that_do_not() -> None:
    for line in ("pip install spoticell", "pip install -q 'spoticell[web]'", 'pip install "spoticell[web]"'):
        assert re.search(BY_NAME, line), line
    for line in ("pip install '.[web]'", "pip install spoticell-0.1.0-py3-none-any.whl", "pip install 'FILE.whl[web]'"):
        assert not re.search(BY_NAME, line), line
