"""Names of files that a manifest may not list."""

from __future__ import annotations

import json

import pytest

from spoticell.errors import BundleError
from spoticell.io.sealed import FileRecord, record_of
from spoticell.model.bundle import load_bundle
from spoticell.model.pull import pull_model
from spoticell.model.push import push_model

STRANGE = ["a\nb", "a\x1b[31m", "a\u202eb", "n" * 201, "../x", "bundle.json"]
"""Names that no file should have."""
TAKEN = [
    "pulled.json",
    "lock",
    "meant",
    "BUNDLE.JSON",
    "Pulled.json",
    "MODEL.onnx",
    "genes.tsv.json",
    "model.onnx.part",
]
"""Names that another file has, on one disk or another, or while it is fetched."""


def listing(folder, name):
    path = folder / "bundle.json"
    manifest = json.loads(path.read_text())
    manifest["files"][name] = FileRecord(sha256="0" * 64, bytes=1).model_dump()
    path.write_text(json.dumps(manifest))
    return path


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, "is not a plain file name") for name in STRANGE),
        *((name, "would lie on another file") for name in TAKEN),
    ],
)
def test_a_bundle_with_such_a_file_is_refused(another, name, why):
    folder = another()
    listing(folder, name)
    with pytest.raises(BundleError, match=why):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["pulled.json", "BUNDLE.JSON", "a\nb", "n" * 300])
def test_nothing_of_it_is_put_in_place_by_a_pull(models, another, tmp_path, name):
    offer, _ = push_model(another(), tmp_path / "shelf")
    path = listing(tmp_path / "shelf" / offer.folder, name)
    offered = tmp_path / "shelf" / "models.json"
    offered.write_text(offered.read_text().replace(offer.sha256, record_of(path).sha256))
    with pytest.raises(BundleError, match="file"):
        pull_model("tiny", tmp_path / "shelf", on_progress=False)
    assert list(models.iterdir()) == []
