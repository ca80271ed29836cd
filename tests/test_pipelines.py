"""What lies in ``pipelines/`` and ``docs/meta.yaml`` agrees with the package."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
import yaml

from spoticell import __version__
from spoticell.cli.app import app

ROOT = Path(__file__).parents[1]
PIPELINES = ROOT / "pipelines"
MODULE = PIPELINES / "nextflow" / "modules" / "local" / "spoticell" / "annotate"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = {"matplotlib": "matplotlib-base"}
"""Names that conda-forge has for packages of PyPI, where they differ."""


def requirements(lines):
    """Give the lower bound of each package that is needed, by its conda name."""
    found = [re.fullmatch(r"([\w-]+)\s*>=\s*([\d.]+)", line) for line in lines]
    assert all(found), lines
    return {CONDA.get(one[1], one[1]): one[2] for one in found}


def test_the_recipe_needs_what_the_package_needs():
    recipe = yaml.safe_load((PIPELINES / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    assert recipe["context"] == {
        "version": PROJECT["version"],
        "python_min": PROJECT["requires-python"].removeprefix(">="),
    }
    python, *others = recipe["requirements"]["run"]
    assert python == "python >=${{ python_min }}"
    assert requirements(others) == requirements(PROJECT["dependencies"])
    extra = requirements(PROJECT["optional-dependencies"]["search"])
    assert requirements(recipe["requirements"]["run_constraints"]) == extra
    assert recipe["build"]["python"]["entry_points"] == [
        f"{name} = {place}" for name, place in PROJECT["scripts"].items()
    ]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("conda/recipe.yaml", r'version: "(.+)"'),
        ("galaxy/spoticell_annotate.xml", r'<token name="@TOOL_VERSION@">(.+)</token>'),
        ("snakemake/envs/spoticell.yaml", r"spoticell =(.+)"),
        ("nextflow/modules/local/spoticell/annotate/environment.yml", r"spoticell=(.+)"),
        ("nextflow/modules/local/spoticell/annotate/main.nf", r'container "spoticell-cli:(.+)"'),
    ],
)
def test_all_pieces_are_of_this_version(file, pattern):
    assert re.findall(pattern, (PIPELINES / file).read_text(encoding="utf-8")) == [__version__]


@pytest.mark.parametrize(
    "file",
    [
        "snakemake/Snakefile",
        "nextflow/modules/local/spoticell/annotate/main.nf",
        "galaxy/spoticell_annotate.xml",
    ],
)
def test_all_options_are_options_of_annotate(file):
    text = (PIPELINES / file).read_text(encoding="utf-8")
    command = text[text.index("spoticell annotate ") :]
    used = set(re.findall(r"(?<=[\s\"])--[a-z][a-z-]+", command))
    known = {name for one in typer.main.get_command(app).commands["annotate"].params for name in one.opts}
    assert {"--composition", "--sample"} <= used
    assert used - known - {"--version"} == set()


def test_the_module_describes_the_outputs_that_it_has():
    text = (MODULE / "main.nf").read_text(encoding="utf-8")
    described = yaml.safe_load((MODULE / "meta.yml").read_text(encoding="utf-8"))
    outputs = re.findall(r'path(?:\(| )"([^"]+)"\)?\s*, emit: (\w+)', text)
    assert {emit: file for file, emit in outputs} == {
        emit: next(iter(parts[0][1] if isinstance(parts[0], list) else parts[0]))
        for emit, parts in described["output"].items()
    }
    assert re.findall(r"path\((\w+),", text) == [next(iter(part)) for part in described["input"][0][1:]]


def rendered(kind, **values):
    """Give the shell script of the module as Nextflow would: names filled in, escapes undone."""
    text = (MODULE / "main.nf").read_text(encoding="utf-8")
    script = re.search(rf'{kind}:\n.*?"""\n(.*?)    """', text, re.DOTALL)[1]
    script = re.sub(r"(?<!\\)\$\{([\w.]+)\}", lambda name: str(values[name[1]]), script)
    return re.sub(r"^ {4}", "", script.replace("\\\\", "\\").replace("\\$", "$"), flags=re.MULTILINE)


@pytest.fixture
def command_on_the_path(tmp_path):
    """Give an environment in which ``spoticell`` is the tree's own."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "spoticell"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m spoticell "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("kind", ["script", "stub"])
def test_the_script_of_the_module_runs(tiny_h5ad, tiny_bundle_folder, tmp_path, command_on_the_path, kind):
    values = {"prefix": "donor 1", "meta.id": "donor 1", "cells": tiny_h5ad, "task.cpus": 1, "task.process": "NAMES"}
    script = rendered(kind, **values, args=f"--model {tiny_bundle_folder}")
    (tmp_path / "work").mkdir()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path / "work", env=command_on_the_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    made = {path.name for path in (tmp_path / "work").iterdir()}
    assert made == {f"donor 1.{end}" for end in ("h5ad", "html", "json", "composition.csv")} | {"versions.yml"}
    versions = yaml.safe_load((tmp_path / "work" / "versions.yml").read_text(encoding="utf-8"))
    assert versions == {"NAMES": {"spoticell": __version__}}
    if kind == "script":
        table = (tmp_path / "work" / "donor 1.composition.csv").read_text(encoding="utf-8")
        assert table.splitlines()[1].startswith("donor 1,")


def test_the_galaxy_tool_puts_no_quote_of_a_user_into_a_shell():
    tool = ElementTree.parse(PIPELINES / "galaxy" / "spoticell_annotate.xml").getroot()
    words = [one for one in tool.iter("param") if one.get("type") == "text"]
    assert words
    assert all(one.find("expand").get("macro") == "words" for one in words)
    assert tool.find("macros/xml[@name='words']/sanitizer/valid/remove").get("value") == "'"


def test_the_page_is_the_image_that_is_built_if_nothing_is_said():
    stages = re.findall(r"^FROM \S+ AS (\w+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert stages == ["build", "cli", "page"]


def test_the_entry_for_scverse_has_the_fields_of_its_schema():
    entry = yaml.safe_load((ROOT / "docs" / "meta.yaml").read_text(encoding="utf-8"))
    needed = {"name", "description", "project_home", "documentation_home", "install", "license", "tags", "version"}
    optional = {"tutorials_home", "language", "test_command", "primary_category", "category"}
    assert entry.keys() == needed | {"contact"} | optional
    assert {name for name, value in entry.items() if not value} == {
        "project_home", "documentation_home", "tutorials_home", "install", "contact",
    }, "the project has an address: mend this test"  # fmt: skip
    assert entry["version"] == f"v{__version__}"
    assert entry["license"] == PROJECT["license"]
    assert entry["description"].count(". ") + entry["description"].count(".\n") <= 2  # one or two sentences
    assert len(set(entry["tags"])) == len(entry["tags"]) >= 1
    assert all(isinstance(value, str) for name, value in entry.items() if name not in {"install", "tags", "contact"})
