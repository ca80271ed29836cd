"""The round trip of a model: into a catalogue, onto a web server, and from there to another machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import spoticell
from spoticell.annotation.options import Options
from spoticell.errors import BundleError, ConfigError, DownloadError, OutputError, SpoticellWarning
from spoticell.io.sealed import record_of
from spoticell.model import bundle as bundles
from spoticell.model import pull
from spoticell.model.bundle import load_bundle
from spoticell.model.catalogue import CATALOGUE
from spoticell.model.pull import pull_model
from spoticell.model.pulled import find_pulled, models_folder, pulled_models
from spoticell.model.push import push_model
from spoticell.model.shelves import open_shelf

ROOT = Path(__file__).parents[2]
PULL = "import sys; from spoticell.model.pull import pull_model; pull_model(*sys.argv[1:], on_progress=False)"


def whole(models, name, sha256):
    """What lies in the folder of a model that is at hand, and nothing is left over."""
    found = [path for path in (models / name).iterdir() if path.is_dir()]
    assert [path.name for path in found] == [sha256[:12]]
    return sorted(path.name for path in found[0].iterdir())


def process(server, name):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen([sys.executable, "-c", PULL, name, server.url], env=environment, stderr=subprocess.PIPE)


def test_a_model_makes_the_whole_way_and_is_known_by_name_without_a_network(
    models, server, catalogue, tiny_bundle, tiny_cells
):
    steps = []
    pulled = pull_model("tiny", server.url, on_progress=lambda done, total: steps.append((done, total)))
    assert pulled.sha256 == tiny_bundle.sha256
    assert whole(models, "tiny", pulled.sha256) == ["bundle.json", "genes.tsv", "model.onnx", "pulled.json"]
    assert steps == sorted(steps)
    assert 0 < steps[-1][0] <= steps[-1][1]
    server.http.shutdown()
    shutil.rmtree(catalogue)
    for name in ("tiny", *(f"tiny@{pulled.sha256[:size]}" for size in (6, 12, 64))):
        assert load_bundle(name).sha256 == tiny_bundle.sha256
    named = spoticell.annotate(tiny_cells, model="tiny", on_progress=False)
    assert named.options.settled().model == f"tiny@{pulled.sha256[:12]}"


def test_a_model_that_is_here_is_not_fetched_again(models, server):
    pull_model("tiny", server.url, on_progress=False)
    server.asked.clear()
    pull_model("tiny", server.url, on_progress=False)
    assert [name for name, _ in server.asked] == [CATALOGUE]


def test_an_interrupted_pull_goes_on_where_it_was(models, server, catalogue, big_bundle):
    push_model(big_bundle, catalogue)
    server.cut = {"weights.safetensors": 0}
    with pytest.raises(DownloadError, match="the connection was cut after 0 of 2,500,000 bytes"):
        pull_model("big", server.url, on_progress=False)
    assert find_pulled("big") is None
    assert pulled_models() == []
    server.cut, server.asked = {}, []
    pull_model("big", server.url, on_progress=False)
    # what was whole is not asked for again
    assert [name for name, _ in server.asked] == [CATALOGUE, "weights.safetensors"]


def test_a_killed_pull_leaves_nothing_half_and_goes_on(models, server, catalogue, big_bundle):
    offer, _ = push_model(big_bundle, catalogue)
    server.cut, server.stalls = {"weights.safetensors": 1_500_000}, frozenset({"weights.safetensors"})
    with process(server, "big") as killed:
        part = models / "big" / f"{offer.revision}.part" / "weights.safetensors.part"
        while not (part.is_file() and part.stat().st_size >= 1 << 20):
            assert killed.poll() is None
            server.go_on.wait(0.01)
        killed.send_signal(signal.SIGKILL)
    server.go_on.set()
    assert find_pulled("big") is None
    server.cut, server.stalls, server.asked = {}, frozenset(), []
    pull_model("big", server.url, on_progress=False)
    assert server.asked[-1] == ("weights.safetensors", "bytes=1048576-")
    assert "weights.safetensors" in whole(models, "big", offer.sha256)


def test_two_processes_that_pull_at_once_get_one_whole_model(models, server, catalogue, big_bundle):
    offer, _ = push_model(big_bundle, catalogue)
    both = [process(server, "big") for _ in range(2)]
    said = [one.communicate(timeout=100)[1].decode() for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert [name for name, _ in server.asked].count("weights.safetensors") == 1
    assert "weights.safetensors" in whole(models, "big", offer.sha256)


@pytest.mark.parametrize("name", ["bundle.json", "model.onnx", "genes.tsv"])
@pytest.mark.parametrize("over_http", [True, False])
def test_a_tampered_file_is_refused_and_nothing_of_the_model_is_kept(models, server, catalogue, name, over_http):
    path = next(catalogue.rglob(name))
    contents = path.read_bytes()
    path.write_bytes(contents[:-1] + bytes([contents[-1] ^ 1]))
    with pytest.raises(
        BundleError, match=rf"{name} of tiny .*its sha256 is [0-9a-f]{{64}}, not [0-9a-f]{{64}}; nothing"
    ):
        pull_model("tiny", server.url if over_http else catalogue, on_progress=False)
    assert list(models.iterdir()) == []


@pytest.mark.parametrize("over_http", [True, False])
def test_a_file_longer_than_is_stated_is_refused(models, server, catalogue, over_http):
    with next(catalogue.rglob("model.onnx")).open("ab") as file:
        file.write(bytes(1000))
    with pytest.raises((BundleError, DownloadError), match=r"bytes that it may have|most that it may have"):
        pull_model("tiny", server.url if over_http else catalogue, on_progress=False)
    assert find_pulled("tiny") is None


def rewritten(catalogue, **fields):
    path = catalogue / CATALOGUE
    stated = json.loads(path.read_text())
    stated["models"][0] |= fields
    path.write_text(json.dumps(stated))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"sha256": "0" * 64}, "is not what is stated"),
        ({"bytes": 7}, "offers tiny with 7 bytes, and what lies there is tiny with"),
        ({"name": "other"}, "what lies there is tiny with"),
        ({"folder": "elsewhere"}, "missing"),
        ({"folder": "https://example.org/tiny"}, "is a folder, and .* lies elsewhere"),
        ({"folder": "../tiny"}, "leads out of the catalogue"),
    ],
)
def test_a_tampered_catalogue_is_refused(models, catalogue, fields, why):
    rewritten(catalogue, **fields)
    with pytest.raises(BundleError, match=why):
        pull_model(fields.get("name", "tiny"), catalogue, on_progress=False)
    assert pulled_models() == []


def test_a_link_out_of_the_catalogue_is_not_followed(models, catalogue, tmp_path):
    path = next(catalogue.rglob("genes.tsv"))
    path.rename(tmp_path / "genes.tsv")
    path.symlink_to(tmp_path / "genes.tsv")
    with pytest.raises(BundleError, match="is a link that leads out of the catalogue"):
        pull_model("tiny", catalogue, on_progress=False)


def test_a_bundle_of_a_later_format_is_refused_and_not_kept(models, catalogue, another, tmp_path):
    later = another(name="later")
    offer, _ = push_model(later, catalogue)
    manifest = catalogue / offer.folder / "bundle.json"
    manifest.write_text(manifest.read_text().replace('"1.4"', '"2.0"'))
    stated = json.loads((catalogue / CATALOGUE).read_text())
    stated["models"][1]["sha256"] = record_of(manifest).sha256
    (catalogue / CATALOGUE).write_text(json.dumps(stated))
    with pytest.raises(BundleError, match=r"has format 2.0, and this Spoticell reads 1.x"):
        pull_model("later", catalogue, on_progress=False)
    assert list(models.iterdir()) == []


def test_a_name_goes_on_meaning_the_first_revision_until_it_is_said(models, catalogue, another, tiny_bundle):
    pull_model("tiny", catalogue, on_progress=False)
    newer, _ = push_model(another(date="2026-02-02"), catalogue)
    refusal = f"tiny is here as the revision {tiny_bundle.sha256[:12]}, and .* offers {newer.revision}"
    with pytest.raises(BundleError, match=refusal):
        pull_model("tiny", catalogue, on_progress=False)
    beside = pull_model("tiny", catalogue, revision=newer.revision, on_progress=False)
    assert beside.manifest.date == "2026-02-02"
    assert load_bundle("tiny").sha256 == tiny_bundle.sha256
    assert [(model.offer.date, model.is_meant) for model in pulled_models()] == [
        ("2026-01-01", True),
        ("2026-02-02", False),
    ]
    assert pull_model(f"tiny@{tiny_bundle.sha256[:12]}", catalogue, on_progress=False).sha256 == tiny_bundle.sha256
    pull_model("tiny", catalogue, overwrite=True, on_progress=False)
    assert load_bundle("tiny").sha256 == newer.sha256
    assert load_bundle(f"tiny@{tiny_bundle.sha256[:12]}").sha256 == tiny_bundle.sha256


def test_a_model_that_was_removed_can_be_had_again_in_a_newer_revision(models, catalogue, another):
    shutil.rmtree(pull_model("tiny", catalogue, on_progress=False).path)
    assert find_pulled("tiny") is None
    newer, _ = push_model(another(date="2026-02-02"), catalogue)
    pull_model("tiny", catalogue, on_progress=False)
    assert load_bundle("tiny").sha256 == newer.sha256


def test_a_model_that_was_changed_since_is_not_used_and_replaced_only_when_told(models, catalogue, tiny_bundle):
    path = pull_model("tiny", catalogue, on_progress=False).path
    (path / "genes.tsv").write_text("gene_id\n")
    with pytest.raises(BundleError, match=r"genes\.tsv of the bundle"):
        load_bundle("tiny")
    with pytest.raises(BundleError, match="is there already and was changed since it was pulled"):
        pull_model("tiny", catalogue, on_progress=False)
    assert pull_model("tiny", catalogue, overwrite=True, on_progress=False).sha256 == tiny_bundle.sha256
    (path / "bundle.json").write_text((path / "bundle.json").read_text() + " ")
    with pytest.raises(BundleError, match="the model tiny was changed since it was pulled"):
        load_bundle("tiny")
    assert pull_model("tiny", catalogue, overwrite=True, on_progress=False).sha256 == tiny_bundle.sha256


def test_a_model_that_travels_along_is_not_fetched_and_its_name_means_no_other(models, catalogue, another, monkeypatch):
    bundles_here = another(name="ours").parent
    monkeypatch.setattr(bundles, "PACKAGED", bundles_here)
    monkeypatch.setattr(pull, "PACKAGED", bundles_here)
    (bundles_here / "bundle0").rename(bundles_here / "ours")
    push_model("ours", catalogue)
    assert pull_model("ours", catalogue, on_progress=False).path == bundles_here / "ours"
    assert load_bundle(f"ours@{load_bundle('ours').sha256[:8]}").path == bundles_here / "ours"
    newer, _ = push_model(another(name="ours", date="2026-02-02"), catalogue)
    with pytest.warns(SpoticellWarning, match=f"this one is ours@{newer.revision}"):
        pull_model("ours", catalogue, on_progress=False)
    assert load_bundle("ours").path == bundles_here / "ours"
    assert load_bundle(f"ours@{newer.revision}").manifest.date == "2026-02-02"


def test_a_full_disk_is_found_before_anything_large_is_fetched(models, catalogue, monkeypatch):
    usage = shutil.disk_usage(catalogue)
    monkeypatch.setattr(pull.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(OutputError, match=r"10 bytes left and [0-9,]+ bytes are still to come.* SPOTICELL_MODELS"):
        pull_model("tiny", catalogue, on_progress=False)


def test_a_folder_that_cant_be_written_to_is_said(models, catalogue):
    models.write_text("a file")
    with pytest.raises(OutputError, match="can't be written"):
        pull_model("tiny", catalogue, on_progress=False)


def test_no_network_is_said_in_one_sentence(models, server):
    server.http.server_close()
    with pytest.raises(DownloadError, match=r"models.json can't be fetched: the server can't be reached"):
        pull_model("tiny", server.url, on_progress=False)


def test_files_on_another_server_are_fetched_from_there(models, server, catalogue, monkeypatch):
    offered = json.loads((catalogue / CATALOGUE).read_text())["models"][0]
    rewritten(catalogue, folder="https://example.org/tiny model")
    asked = []

    def elsewhere(url, path, **options):
        asked.append(url)
        shutil.copyfile(catalogue / offered["folder"] / path.name if "example" in url else catalogue / CATALOGUE, path)
        return path

    monkeypatch.setattr("spoticell.model.shelves.fetch", elsewhere)
    pull_model("tiny", server.url, on_progress=False)
    assert asked[1] == "https://example.org/tiny model/bundle.json"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://example.org/models", "is not encrypted"),
        ("ftp://example.org/models", "is no place of a catalogue"),
        ("https://", "is no place of a catalogue"),
        ("https://[::1/models", "is no address"),
    ],
)
def test_other_addresses_are_refused(models, place, why):
    with pytest.raises(ConfigError, match=why):
        pull_model("tiny", place, on_progress=False)


def test_addresses_are_taken_without_the_name_of_the_file():
    assert open_shelf(f"https://example.org/models/{CATALOGUE}").place == "https://example.org/models"


@pytest.mark.parametrize("place", ["", f"/{CATALOGUE}", "/"])
def test_the_address_of_the_catalogue_itself_will_do(models, catalogue, place):
    assert pull_model("tiny", f"{catalogue}{place}", on_progress=False).name == "tiny"


def test_a_folder_without_a_catalogue_is_refused(models, tmp_path):
    with pytest.raises(BundleError, match=r"is no catalogue of models: it holds no models\.json"):
        pull_model("tiny", tmp_path, on_progress=False)


def test_the_folder_of_models_is_among_the_users_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("SPOTICELL_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models_folder() == tmp_path / "spoticell" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert models_folder() == Path.home() / ".cache" / "spoticell" / "models"


def test_what_lies_beside_the_models_is_passed_over(models, catalogue):
    pull_model("tiny", catalogue, on_progress=False)
    (models / "tiny" / ("f" * 12)).mkdir()
    (models / "tiny" / ("f" * 12) / "bundle.json").write_text("no bundle")
    (models / "tiny" / "meant").unlink()
    assert [(model.offer.name, model.is_meant) for model in pulled_models()] == [("tiny", False)]
    assert find_pulled("tiny") is None
    assert find_pulled("tiny@abcdef") is None
    assert find_pulled("no/name") is None
    with pytest.raises(BundleError, match=r"there is no bundle 'tiny'; known by name: human-v1, human-v1-dual, tiny@"):
        load_bundle("tiny")


def test_the_model_of_a_run_is_named_as_it_can_be_had_again(models, catalogue, tiny_bundle):
    pull_model("tiny", catalogue, on_progress=False)
    command = Options(model="tiny").settled().command("cells.h5ad", "named.h5ad")
    assert command == f"spoticell annotate cells.h5ad -o named.h5ad --model tiny@{tiny_bundle.sha256[:12]}"
