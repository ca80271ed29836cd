"""The engine of the browser says of every input what Python says: the same names, findings and refusals."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.lib.folder_server import given_out
from scripts.conformance import write_set
from tests.browser.cases import all_cases
from tests.browser.compare import differences

RUN = Path(__file__).with_name("run.mjs")
BROWSER = Path(__file__).parents[2] / "browser"
FEWEST = 60
PATIENCE = 600
# SPOTICELL_CASES chooses some by a pattern
CHOSEN = {case.name: case for case in all_cases() if re.search(os.environ.get("SPOTICELL_CASES", ""), case.name)}
# both run the same engine, and say the same; node takes a third of the time
ENGINES = ["node", pytest.param("Chromium", marks=pytest.mark.slow)]
OFTEN = 3
"""Of each kind every so manieth input is always asked about, the others with the slow tests."""


def cases() -> Iterator[Any]:
    """Give the names of the inputs."""
    seen: Counter[str] = Counter()
    for name in CHOSEN:
        kind = name.split(":")[0]
        yield name if seen[kind] % OFTEN == 0 else pytest.param(name, marks=pytest.mark.slow)
        seen[kind] += 1


@pytest.fixture(scope="module")
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the inputs that some test of this run is about, and what Python says of each."""
    folder = tmp_path_factory.mktemp("conformance")
    about = {getattr(item, "callspec", None) and item.callspec.params.get("case") for item in request.session.items}
    # odd inputs make libraries warn as they are written, and Spoticell as they are read
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_set(folder, (case for name, case in CHOSEN.items() if name in about))
    return folder


@pytest.fixture(scope="module", params=ENGINES)
def answers(request: pytest.FixtureRequest, asked: Path, page_folder: Path) -> dict[str, tuple[Any, Any]]:
    """Python's answer and the engine's, by the name of the case."""
    if request.param == "node":
        out = asked / "out.json"
        node = request.getfixturevalue("node")
        subprocess.run([node, str(RUN), str(page_folder), str(asked), str(out)], check=True, timeout=PATIENCE)
        text = out.read_text()
    else:
        text = _in_a_browser(request.getfixturevalue("browser"), asked, page_folder)
    wanted = {case["name"]: case["answer"] for case in json.loads((asked / "set.json").read_text())["cases"]}
    return {told["name"]: (wanted[told["name"]], told["answer"]) for told in json.loads(text)}


def _in_a_browser(browser: Any, asked: Path, page_folder: Path) -> str:
    root = asked.with_name(f"{asked.name}-served")
    root.mkdir()
    for name, target in {"set": asked, "page": page_folder}.items():
        (root / name).symlink_to(target)
    for name in ("answering.mjs", "chromium.mjs"):
        (root / name).symlink_to(RUN.with_name(name))
    (root / "index.html").write_text('<!DOCTYPE html><script type="module" src="chromium.mjs"></script>')
    with given_out(root) as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("() => globalThis.told !== undefined", timeout=1000 * PATIENCE)
        text: str = page.evaluate("() => globalThis.told")
        page.close()
    return text


@pytest.mark.parametrize("case", [*cases()])
def test_an_input_is_answered_as_in_python(answers: dict[str, tuple[Any, Any]], case: str):
    assert differences(*answers[case])[:5] == []


def test_enough_is_compared_of_every_kind(answers: dict[str, tuple[Any, Any]]):
    if "SPOTICELL_CASES" in os.environ:
        pytest.skip("some cases were chosen")
    kinds = {name.split(":")[0] for name in answers}
    assert kinds == {"format", "bad", "values", "names", "settings"}
    share = len(answers) / len(CHOSEN)
    assert share > 0.9 / OFTEN
    assert sum("types" in wanted for wanted, _ in answers.values()) > share * (FEWEST - 10)
    assert sum("refused" in wanted for wanted, _ in answers.values()) > share * FEWEST


def test_what_differs_is_told():
    wanted = {"refused": "it is damaged.", "scores": [0.5], "findings": {"cells": 3}}
    assert differences(wanted, wanted) == []
    told = differences(wanted, {"refused": "it is broken.", "scores": [0.502], "findings": {"genes": 3}})
    assert [line.split(":")[0] for line in told] == ["refused", "scores[0]", "findings", "findings"]


def test_the_committed_engine_is_what_its_sources_give(node: str, tmp_path: Path):
    if not (BROWSER / "node_modules" / "esbuild").is_dir():
        pytest.skip("building needs node_modules: make engine")
    built = tmp_path / "engine"
    subprocess.run([node, "build.mjs", "--to", str(built)], cwd=BROWSER, check=True, timeout=PATIENCE)
    committed = BROWSER.parent / "src" / "spoticell" / "web" / "static" / "engine"
    assert (built / "engine.js").read_bytes() == (committed / "engine.js").read_bytes(), "run make engine"
    machine_code = [gzip.decompress((folder / "hdf5.wasm.gz").read_bytes()) for folder in (built, committed)]
    assert machine_code[0] == machine_code[1], "run make engine"
