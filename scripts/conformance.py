"""Write the conformance set: inputs, and what Python answers, for the engine of the browser to answer alike.

    python scripts/conformance.py FOLDER [--cases FOLDER] [--only TEXT]

``FOLDER/set.json`` lists the inputs with their answers, ``FOLDER/inputs`` holds them. ``--cases`` names a folder of
further cases, each with a ``make.py`` that gives its trials.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import runpy
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.browser.cases import Case, all_cases  # noqa: E402

from spoticell.annotation.options import Options  # noqa: E402
from spoticell.annotation.pipeline import annotate_source, look_at  # noqa: E402
from spoticell.annotation.result import Annotation  # noqa: E402
from spoticell.errors import SpoticellError  # noqa: E402
from spoticell.io import open_cells  # noqa: E402
from spoticell.model.bundle import load_bundle  # noqa: E402
from spoticell.version import __version__  # noqa: E402

FORMAT = 1
TABLE = 200
"""Rows of a table that are compared."""


def write_set(folder: Path, cases: Iterator[Case]) -> int:
    """Write inputs and answers; give how many.

    Parameters
    ----------
    folder
        Where; made if need be.
    cases
        What to answer.
    """
    bundle = load_bundle("human-v1")
    told = []
    for number, case in enumerate(cases):
        place = folder / "inputs" / f"{number:03d}"
        place.mkdir(parents=True)
        path = case.build(place)
        told.append(
            {
                "name": case.name,
                "input": str(path.relative_to(folder) if path.is_relative_to(folder) else path),
                "settings": case.settings,
                "answer": _as_in_a_folder(path, answer(path, Options(bundle, threads=1, **case.settings))),
            }
        )
    files = {case["input"]: _files_of(folder, case["input"]) for case in told}
    said = {"format": FORMAT, "version": __version__, "model": bundle.sha256, "cases": told, "files": files}
    (folder / "set.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    return len(told)


def _files_of(folder: Path, name: str) -> list[tuple[str, str]]:
    """Give the files that a drop of an input on the page brings, by their names within it, and where they lie.

    A matrix takes the files of names beside it along.
    """
    path = folder / name
    if path.is_dir():
        found = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*"))}
    elif path.name.endswith((".mtx", ".mtx.gz")):
        found = {file.name: file for file in sorted(path.parent.iterdir())}
    else:
        found = {path.name: path}
    here = {inner: file for inner, file in found.items() if file.is_file()}
    return [
        (inner, str(file.relative_to(folder) if file.is_relative_to(folder) else file)) for inner, file in here.items()
    ]


def answer(path: Path, options: Options) -> dict[str, Any]:
    """Give what Python says of an input: why it is refused, or what was found and how each cell is named."""
    with warnings.catch_warnings(action="ignore"):
        try:
            with open_cells(path) as source:
                findings = look_at(source, options)
                told = {"findings": findings.to_dict(), "lines": findings.describe()}
                return told | _answers(annotate_source(source, options, findings=findings))
        except SpoticellError as error:
            return {"refused": str(error), "kind": type(error).__name__}


def _as_in_a_folder(path: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Give what is said of a matrix that the page takes together with its files of names, which makes a folder."""
    words = json.dumps(told, ensure_ascii=False)
    return (
        json.loads(words.replace("Matrix Market", "10x folder"))
        if ".mtx" in path.suffixes and "findings" in told
        else told
    )


def _answers(annotation: Annotation) -> dict[str, Any]:
    groups, samples = annotation.groups, annotation.samples
    return {
        "types": annotation.terms_n.tolist(),
        "scores": annotation.score_n.round(6).tolist(),
        "second": annotation.second_terms_n.tolist(),
        "second_probabilities": annotation.second_probability_n.round(6).tolist(),
        "reasons": annotation.reason_n.tolist(),
        "cautions": [caution.text for caution in annotation.cautions],
        "groups": None if groups is None else _rows(groups.table),
        "composition": None if samples is None else _rows(annotation.by_sample.table()),
        "differences": None if annotation.differences is None else _rows(annotation.differences.table),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(table.head(TABLE).to_json(orient="records", double_precision=10))
    return rows


def cases_of(folder: Path, made: Path) -> Iterator[Case]:
    """Give the trials of a folder of cases that annotate and have no options that the page doesn't have."""
    for script in sorted(folder.glob("*/make.py")):
        if "main(build)" not in script.read_text(encoding="utf-8"):
            continue
        for trial in _trials(script, made / script.parent.name):
            if trial.verb == "annotate" and not trial.options and ".zarr" not in trial.path.name:
                name = f"case {script.parent.name}: {trial.name}"
                yield Case(name, lambda _, path=trial.path: path)  # type: ignore[misc]


def _trials(script: Path, made: Path) -> list[Any]:
    """Give a case's trials without trying them: its script ends in a call that would."""
    sys.path.insert(0, str(script.parents[1]))
    common = importlib.import_module("common")
    found: list[Any] = []
    vars(common)["main"] = lambda build: found.extend(build(made))
    made.mkdir(parents=True, exist_ok=True)
    runpy.run_path(str(script))
    return found


def main() -> None:
    """Write the set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=Path, help="folder of further cases")
    parser.add_argument("--only", default="", help="pattern that the names of the cases must hold")
    asked = parser.parse_args()

    def chosen() -> Iterator[Case]:
        yield from all_cases()
        if asked.cases is not None:
            yield from cases_of(asked.cases, asked.folder / "made")

    n = write_set(asked.folder, (case for case in chosen() if re.search(asked.only, case.name)))
    sys.stderr.write(f"{n:,} cases\n")


if __name__ == "__main__":
    main()
