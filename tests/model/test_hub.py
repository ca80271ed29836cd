"""The Hugging Face hub, with a folder in the place of its repositories."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from spoticell.errors import BundleError, ConfigError, DownloadError, OutputError
from spoticell.model.catalogue import CATALOGUE
from spoticell.model.pull import pull_model
from spoticell.model.pulled import find_pulled, pulled_models
from spoticell.model.push import push_model

PLACE = "hf://lab/models"


class HTTPError(Exception):
    pass


class EntryNotFoundError(Exception):
    pass


class RemoteEntryNotFoundError(HTTPError, OSError, EntryNotFoundError):
    pass


class LocalEntryNotFoundError(FileNotFoundError, EntryNotFoundError):
    pass


class Hub:
    """The functions of ``huggingface_hub`` that are called, with their names for what they take."""

    errors = SimpleNamespace(
        HTTPError=HTTPError, EntryNotFoundError=EntryNotFoundError, LocalEntryNotFoundError=LocalEntryNotFoundError
    )

    def __init__(self, folder: Path) -> None:
        self.folder, self.fault = folder, None
        self.commits: list[tuple[str, str]] = []

    @staticmethod
    def CommitOperationAdd(path_in_repo, path_or_fileobj):  # noqa: N802 - the library's name
        return path_in_repo, path_or_fileobj

    def HfApi(self):  # noqa: N802
        return self

    def hf_hub_url(self, repo_id, filename):
        return self.folder / repo_id / filename

    def get_hf_file_metadata(self, url):
        if self.fault:
            raise self.fault
        if not url.is_file():
            raise RemoteEntryNotFoundError("404")
        return SimpleNamespace(size=url.stat().st_size)

    def hf_hub_download(self, repo_id, filename, *, local_dir):
        to = local_dir / filename
        to.parent.mkdir(parents=True, exist_ok=True)
        return str(shutil.copyfile(self.folder / repo_id / filename, to))

    def create_repo(self, repo_id, *, exist_ok):
        if self.fault:
            raise self.fault
        (self.folder / repo_id).mkdir(parents=True, exist_ok=exist_ok)

    def repo_info(self, repo_id):
        return SimpleNamespace(sha=f"commit{len(self.commits)}")

    def create_commit(self, repo_id, operations, *, commit_message, parent_commit):
        assert parent_commit == f"commit{len(self.commits)}"
        for path_in_repo, contents in operations:
            to = self.folder / repo_id / path_in_repo
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(contents if isinstance(contents, bytes) else contents.read_bytes())
        self.commits.append((repo_id, commit_message))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    hub = Hub(tmp_path / "hub")
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    return hub


def test_a_model_goes_to_the_hub_and_comes_back(models, hub, tiny_bundle):
    offer, is_new = push_model(tiny_bundle, PLACE)
    assert is_new
    assert hub.commits == [("lab/models", f"tiny {offer.revision}")]
    steps = []
    pulled = pull_model("tiny", PLACE, on_progress=lambda done, total: steps.append((done, total)))
    assert pulled.sha256 == tiny_bundle.sha256
    assert steps[-1][0] <= steps[-1][1] == offer.bytes
    assert [model.source for model in pulled_models()] == [PLACE]
    assert sorted(path.name for path in pulled.path.iterdir()) == [
        "bundle.json",
        "genes.tsv",
        "model.onnx",
        "pulled.json",
    ]


def test_revisions_stay_beside_each_other(models, hub, tiny_bundle, another):
    first, _ = push_model(tiny_bundle, PLACE)
    assert push_model(tiny_bundle, f"{PLACE}/") == (first, False)
    push_model(another(date="2026-02-02"), PLACE)
    assert pull_model("tiny", PLACE, revision=first.revision, on_progress=False).manifest.date == "2026-01-01"
    assert len(hub.commits) == 2


def test_a_tampered_file_is_refused(models, hub, tiny_bundle):
    push_model(tiny_bundle, PLACE)
    path = next(hub.folder.rglob("genes.tsv"))
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(BundleError, match=r"genes.tsv of tiny from hf://lab/models is not what is stated"):
        pull_model("tiny", PLACE, on_progress=False)
    assert find_pulled("tiny") is None


def test_a_file_that_is_too_long_is_not_fetched(models, hub, tiny_bundle):
    push_model(tiny_bundle, PLACE)
    with next(hub.folder.rglob("genes.tsv")).open("ab") as file:
        file.write(b" ")
    with pytest.raises(BundleError, match="is the most that it may have"):
        pull_model("tiny", PLACE, on_progress=False)


def test_a_place_outside_of_the_repository_is_refused(models, hub, tiny_bundle):
    offer, _ = push_model(tiny_bundle, PLACE)
    path = hub.folder / "lab" / "models" / CATALOGUE
    path.write_text(path.read_text().replace(offer.folder, "https://example.org/tiny"))
    with pytest.raises(BundleError, match="is a repository, and tiny lies elsewhere"):
        pull_model("tiny", PLACE, on_progress=False)


def test_a_repository_without_a_catalogue_is_said(models, hub):
    with pytest.raises(BundleError, match="hf://lab/models is no catalogue of models"):
        pull_model("tiny", PLACE, on_progress=False)


@pytest.mark.parametrize(
    "fault",
    [
        HTTPError("no such\n\nrepository.\nand much more"),
        LocalEntryNotFoundError("no such repository"),
        ValueError("no such repository."),
    ],
)
def test_what_the_library_refuses_is_one_sentence(models, hub, fault):
    hub.fault = fault
    with pytest.raises(DownloadError, match=r"^hf://lab/models can't be used: no such repository\.$"):
        pull_model("tiny", PLACE, on_progress=False)


def test_a_full_disk_is_told_as_such(models, hub, tiny_bundle, monkeypatch):
    push_model(tiny_bundle, PLACE)
    fetched = hub.hf_hub_download

    def full(repo_id, filename, *, local_dir):
        if filename == CATALOGUE:
            return fetched(repo_id, filename, local_dir=local_dir)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub, "hf_hub_download", full)
    with pytest.raises(OutputError, match="the disk is full"):
        pull_model("tiny", PLACE, on_progress=False)


@pytest.mark.parametrize("place", ["hf://models", "hf://a/b/c", "hf:///models", "hf://lab/"])
def test_a_repository_has_an_owner_and_a_name(models, hub, place):
    with pytest.raises(ConfigError, match="is no repository of the hub"):
        pull_model("tiny", place, on_progress=False)


def test_without_the_library_the_extra_is_named(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r"the Hugging Face hub needs huggingface_hub. Install the extra 'hub'"):
        pull_model("tiny", PLACE, on_progress=False)
