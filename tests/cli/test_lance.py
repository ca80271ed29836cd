"""The same verbs on an index in a Lance database."""

import json
from importlib import import_module

import anndata
import pandas as pd
import pytest
from typer.testing import CliRunner

pytest.importorskip("faiss", reason="searching needs faiss: pip install '.[search]'")

from tests.conftest import tiny_adata

import spoticell
from spoticell.cli.app import app

RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


@pytest.fixture
def references(tmp_path):
    """Three labelled files of two studies."""
    for seed in range(3):
        adata = tiny_adata(seed=seed + 1)
        adata.obs["study"] = "one" if seed < 2 else "two"
        adata.write_h5ad(tmp_path / f"{seed}.h5ad")
    return [tmp_path / f"{seed}.h5ad" for seed in range(3)]


def test_without_lancedb_a_sentence_names_what_to_install(monkeypatch, references, tiny_bundle_folder, tmp_path):
    def missing(name):
        if name.partition(".")[0] == "lancedb":
            raise ModuleNotFoundError(name)
        return import_module(name)

    monkeypatch.setattr("spoticell.extras.import_module", missing)
    (tmp_path / "there.lance").mkdir()
    for command in (
        ("index", "build", references[0], "-o", tmp_path / "i.lance", "-b", tiny_bundle_folder),
        ("index", "info", tmp_path / "there.lance"),
        ("search", references[0], "-i", "s3://bucket/i.lance", "-o", tmp_path / "hits.csv"),
    ):
        result = run(*command)
        assert result.exit_code == 1
        assert result.stderr == (
            "spoticell: an index in a Lance database needs lancedb. Install the extra 'lance': "
            "pip install '.[lance]' in your clone, or pip install 'FILE.whl[lance]'.\n"
        )
    assert not (tmp_path / "i.lance").exists()


class TestVerbs:
    """Each verb, on a folder and on a database."""

    @pytest.fixture(params=["index", "index.lance"])
    def index(self, request, references, tiny_bundle_folder, tmp_path):
        pytest.importorskip("lancedb", reason="needs LanceDB: pip install '.[lance]'")
        arguments = ("-o", tmp_path / request.param, "-b", tiny_bundle_folder, "--set", "tissue=blood")
        result = run("index", "build", *references[:2], *arguments)
        assert result.exit_code == 0, result.output
        assert result.stderr.endswith(f"the index holds 60. Written: {tmp_path / request.param}\n")
        return tmp_path / request.param

    def test_an_index_is_built_added_to_shown_and_merged(self, index, references, tiny_bundle_folder, tmp_path):
        assert run("index", "add", index, references[2], "-b", tiny_bundle_folder).exit_code == 0
        again = run("index", "add", index, references[2], "-b", tiny_bundle_folder)
        assert (again.exit_code, "already" in again.stderr) == (1, True)
        shown = run("index", "info", index, "--check", "--json")
        facts = json.loads(shown.stdout)
        assert facts["bytes"] > 1000
        names = ("cells", "types", "studies", "datasets", "bundle", "segments", "lists")
        assert [facts[name] for name in names] == [90, 6, 2, 3, "tiny", 2, 1]
        merged = run("index", "merge", index, "-o", tmp_path / f"tidy-{index.name}", "--json")
        assert (json.loads(merged.stdout)["cells"], json.loads(merged.stdout)["segments"]) == (90, 1)

    def test_a_search_finds_the_same(self, index, tiny_bundle_folder, tiny_h5ad, tmp_path, references):
        run("index", "add", index, references[2], "-b", tiny_bundle_folder)
        out, plain = tmp_path / "hits.csv", tmp_path / "plain.csv"
        where = ("-b", tiny_bundle_folder, "-w", "study!=two", "-k", 4)
        assert run("search", tiny_h5ad, "-i", index, "-o", out, *where).exit_code == 0
        spoticell.build_index(references, tmp_path / "once", model=tiny_bundle_folder, facts={"tissue": "blood"})
        assert run("search", tiny_h5ad, "-i", tmp_path / "once", "-o", plain, *where).exit_code == 0
        hits, expected = pd.read_csv(out), pd.read_csv(plain)
        assert set(hits["study"]) == {"one"}
        columns = ["cell", "rank", "similarity", "p", "reference", "cell_type", "dataset"]
        pd.testing.assert_frame_equal(hits[columns], expected[columns])

    def test_cells_are_matched_with_it(self, index, tiny_bundle_folder, tiny_h5ad, tmp_path):
        arguments = ("-o", tmp_path / "named.h5ad", "-b", tiny_bundle_folder, "--index", index, "--report")
        result = run("annotate", tiny_h5ad, *arguments, tmp_path / "named.html")
        assert result.exit_code == 0, result.output
        adata = anndata.read_h5ad(tmp_path / "named.h5ad")
        assert (adata.obs["spoticell_match_count"] > 0).sum() == 30
        assert adata.uns["spoticell"]["index"]["name"] == index.name
        assert adata.uns["spoticell"]["index"]["references"] == 60
        assert f"--index {index}" in (tmp_path / "named.html").read_text()
        opened = spoticell.open_index(index)
        spoticell.annotate(adata, model=tiny_bundle_folder, index=opened, key_added="again")
        assert adata.obs["again_match_cell_type"].tolist() == adata.obs["spoticell_match_cell_type"].tolist()
