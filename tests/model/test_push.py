"""Models put into a folder that others pull from."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from spoticell.errors import BundleError, ConfigError, OutputError
from spoticell.model import push
from spoticell.model.bundle import load_bundle
from spoticell.model.catalogue import CATALOGUE
from spoticell.model.pull import pull_model
from spoticell.model.push import push_model
from spoticell.model.shelves import FolderShelf


def test_a_catalogue_says_what_each_model_is(tmp_path, tiny_bundle, tiny_bundle_folder):
    offer, is_new = push_model(tiny_bundle_folder, tmp_path / "some" / "shelf")
    assert is_new
    assert (offer.name, offer.types, offer.genes, offer.licence) == ("tiny", 6, 200, "MIT")
    assert offer.revision == tiny_bundle.sha256[:12]
    folder = tmp_path / "some" / "shelf"
    assert offer.bytes == sum(path.stat().st_size for path in (folder / offer.folder).iterdir())
    assert FolderShelf(folder).catalogue().models == (offer,)
    assert json.loads((folder / CATALOGUE).read_text())["format_version"] == "1.0"


def test_the_same_model_is_offered_once_and_another_revision_beside_it(tmp_path, tiny_bundle, another):
    first, _ = push_model(tiny_bundle, tmp_path / "shelf")
    assert push_model(tiny_bundle, tmp_path / "shelf") == (first, False)
    second, _ = push_model(another(date="2026-02-02"), tmp_path / "shelf")
    assert FolderShelf(tmp_path / "shelf").catalogue().models == (first, second)


def test_a_trained_model_gets_its_name_when_it_is_shared(tmp_path, models, another):
    trained = another(name="custom")
    with pytest.raises(ConfigError, match="has no name of its own yet"):
        push_model(trained, tmp_path / "shelf")
    offer, _ = push_model(trained, tmp_path / "shelf", name="blood")
    assert push_model(trained, tmp_path / "shelf", name="blood") == (offer, False)
    pulled = pull_model("blood", tmp_path / "shelf", on_progress=False)
    assert (pulled.name, pulled.manifest.date) == ("blood", "2026-01-01")
    assert load_bundle(trained).name == "custom"


@pytest.mark.parametrize("name", ["", "my model", "../blood", "blood@1", "a" * 101])
def test_what_can_be_no_name_is_refused(tmp_path, tiny_bundle, name):
    with pytest.raises(ConfigError, match="can't be a model's name"):
        push_model(tiny_bundle, tmp_path / "shelf", name=name)


def test_models_pushed_at_once_are_all_there(tmp_path, another):
    made = [another(name=f"model{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda folder: push_model(folder, tmp_path / "shelf"), made))
    names = {offer.name for offer in FolderShelf(tmp_path / "shelf").catalogue().models}
    assert names == {f"model{number}" for number in range(6)}


def test_a_push_that_was_killed_is_made_good(tmp_path, tiny_bundle, monkeypatch):
    def killed(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(push, "atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            push_model(tiny_bundle, tmp_path / "shelf")
    assert not (tmp_path / "shelf" / CATALOGUE).exists()
    assert push_model(tiny_bundle, tmp_path / "shelf")[1]


def test_a_bundle_that_is_not_sound_is_not_pushed(tmp_path, tiny_bundle_folder):
    broken = shutil.copytree(tiny_bundle_folder, tmp_path / "broken")
    (broken / "genes.tsv").write_text("gene_id\n")
    with pytest.raises(BundleError):
        push_model(broken, tmp_path / "shelf")
    assert not (tmp_path / "shelf").exists()


def test_a_catalogue_of_a_later_format_stays_as_it_is(tmp_path, tiny_bundle):
    (tmp_path / CATALOGUE).write_text('{"format_version": "2.0"}')
    with pytest.raises(BundleError, match=r"format 2\.0"):
        push_model(tiny_bundle, tmp_path)
    assert (tmp_path / CATALOGUE).read_text() == '{"format_version": "2.0"}'


def test_a_catalogue_that_is_too_long_is_refused(tmp_path, tiny_bundle):
    with (tmp_path / CATALOGUE).open("wb") as file:
        file.truncate(5_000_001)
    with pytest.raises(BundleError, match="5,000,001 bytes long, and 5,000,000 is the most"):
        push_model(tiny_bundle, tmp_path)


def test_nothing_is_uploaded_to_a_web_server(tiny_bundle):
    with pytest.raises(ConfigError, match="push them into a folder, and serve that folder"):
        push_model(tiny_bundle, "https://example.org/models")


def test_a_folder_that_is_a_file_is_said(tmp_path, tiny_bundle):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        push_model(tiny_bundle, tmp_path / "file")


def test_a_catalogue_of_a_later_minor_format_keeps_its_fields(tmp_path, tiny_bundle):
    later = '{"format_version": "1.3", "models": [], "extra": "kept"}'
    (tmp_path / CATALOGUE).write_text(later)
    with pytest.raises(BundleError, match=r"later format 1\.3"):
        push_model(tiny_bundle, tmp_path)
    assert (tmp_path / CATALOGUE).read_text() == later
    assert not (tmp_path / "tiny").exists()


@pytest.mark.parametrize("fails", ["copyfile", "atomic"])
def test_a_push_onto_a_full_disk_leaves_nothing_of_the_model(tmp_path, tiny_bundle, monkeypatch, fails):
    def full(*paths):
        raise OutputError("the disk is full")

    monkeypatch.setattr(push.shutil if fails == "copyfile" else push, fails, full)
    with pytest.raises(OutputError, match="full"):
        push_model(tiny_bundle, tmp_path / "shelf")
    assert list((tmp_path / "shelf" / "tiny").iterdir()) == []


@pytest.mark.parametrize("ending", ["", ".part"])
def test_a_file_or_link_where_the_model_goes_is_replaced_and_not_followed(tmp_path, tiny_bundle, ending):
    place = tmp_path / "shelf" / "tiny" / f"{tiny_bundle.sha256[:12]}{ending}"
    place.parent.mkdir(parents=True)
    (tmp_path / "victim").mkdir()
    place.symlink_to(tmp_path / "victim")
    offer, _ = push_model(tiny_bundle, tmp_path / "shelf")
    assert load_bundle(tmp_path / "shelf" / offer.folder).sha256 == tiny_bundle.sha256
    assert list((tmp_path / "victim").iterdir()) == []
