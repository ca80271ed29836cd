"""Catalogues of models, and a place for what is pulled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.serving import FolderServer, serving

from spoticell.io import download
from spoticell.io.sealed import record_of
from spoticell.model.push import push_model

BIG = 2_500_000


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of pulled models, empty at first."""
    folder = tmp_path / "models"
    monkeypatch.setenv("SPOTICELL_MODELS", str(folder))
    return folder


def changed_bundle(original: Path, folder: Path, **fields: object) -> Path:
    """A copy of a bundle with other fields in its manifest, which is then another revision."""
    shutil.copytree(original, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(manifest | fields))
    return folder


@pytest.fixture
def another(tiny_bundle_folder: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a copy of the tiny bundle with other fields."""
    made = iter(range(100))
    return lambda **fields: changed_bundle(tiny_bundle_folder, tmp_path / f"bundle{next(made)}", **fields)


@pytest.fixture
def big_bundle(tiny_bundle_folder: Path, tmp_path: Path) -> Path:
    """The tiny bundle with weights of some megabytes, which take several reads."""
    folder = tmp_path / "big"
    shutil.copytree(tiny_bundle_folder, folder)
    (folder / "weights.safetensors").write_bytes(np.random.default_rng(0).bytes(BIG))
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["files"]["weights.safetensors"] = record_of(folder / "weights.safetensors").model_dump()
    (folder / "bundle.json").write_text(json.dumps(manifest | {"name": "big"}))
    return folder


@pytest.fixture
def catalogue(tiny_bundle_folder: Path, tmp_path: Path) -> Path:
    """A folder that offers the tiny model."""
    push_model(tiny_bundle_folder, tmp_path / "shelf")
    return tmp_path / "shelf"


@pytest.fixture
def server(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderServer]:
    """Serves that catalogue; nobody waits between tries."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    with serving(catalogue) as served:
        yield served
