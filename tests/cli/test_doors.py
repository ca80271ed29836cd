"""The three original commands, run as they were: from the project's root, with the options they had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anndata
import pytest

ROOT = Path(__file__).parents[2]


def run(door: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, f"src/{door}.py", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_preprocessing_prepares_local_files(tiny_h5ad: Path, tiny_cells: anndata.AnnData, tmp_path: Path) -> None:
    tiny_cells.write_h5ad(tmp_path / "more cells.h5ad")
    out = tmp_path / "data" / "processed"
    done = run("preprocessing", "--output_dir", out, "--datasets", tiny_h5ad, tmp_path / "more cells.h5ad")
    assert (done.returncode, done.stdout) == (0, "")
    assert sorted(path.name for path in out.glob("*.h5ad")) == ["cells.h5ad", "more cells.h5ad"]
    assert "31    30      6  cells" in done.stderr


def test_predict_names_cells_with_a_bundle_folder(tiny_h5ad: Path, tiny_bundle_folder: Path, tmp_path: Path) -> None:
    done = run("predict", "--model_path", tiny_bundle_folder, "--data_path", tiny_h5ad)
    assert done.returncode == 0, done.stderr
    answers = anndata.read_h5ad(tmp_path / "cells_predicted.h5ad").obs["spoticell_cell_type"]
    assert answers.iloc[0] == "B cell"
    assert answers.iloc[-1] == "unknown"


@pytest.mark.slow
def test_train_model_leads_to_a_bundle_that_predict_takes(tiny_h5ad: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    models = tmp_path / "models" / "spoticell_test"
    settings = tmp_path / "small.yaml"
    settings.write_text("network: {transformer: false, layout: random, stem_channels: 2}\nbatch_size: 8\n")
    options = ("--config", settings, "--epochs", 1, "--quiet")
    assert run("preprocessing", "--output_dir", tmp_path / "processed", "--datasets", tiny_h5ad).returncode == 0
    done = run("train_model", "--data_dir", tmp_path / "processed", "--output_dir", models, *options)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "types.csv"
    done = run("predict", "--model_path", models / "best_model_f1", "--data_path", tiny_h5ad, "--output", out)
    assert done.returncode == 0, done.stderr
    assert len(out.read_text().splitlines()) == 32


@pytest.mark.parametrize("door", ["preprocessing", "train_model", "predict"])
def test_every_door_explains_its_options(door: str) -> None:
    done = run(door, "--help")
    assert done.returncode == 0
    assert ("--output_dir" if door != "predict" else "--model_path") in done.stdout


@pytest.mark.parametrize(
    ("door", "arguments"),
    [
        ("preprocessing", ["--output_dir", "{tmp}/out", "--datasets", "{tmp}/nowhere.h5ad"]),
        ("predict", ["--model_path", "{tmp}/nowhere", "--data_path", "{tmp}/nowhere.h5ad"]),
    ],
)
def test_a_missing_file_is_one_sentence(door: str, arguments: list[str], tmp_path: Path) -> None:
    done = run(door, *(argument.format(tmp=tmp_path) for argument in arguments))
    assert done.returncode == 1
    assert done.stderr.startswith("spoticell: ")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("door", ["preprocessing", "train_model", "predict"])
def test_a_forgotten_option_is_a_usage_error(door: str) -> None:
    assert run(door).returncode == 2


@pytest.mark.slow
def test_preprocessing_without_network_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    done = run("preprocessing", "--output_dir", tmp_path / "out", "--download_dir", tmp_path / "raw")
    assert done.returncode == 1
    assert "--datasets" in done.stderr.splitlines()[-1]
