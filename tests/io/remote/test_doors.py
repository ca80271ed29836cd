"""Addresses as people give them: to the command and to the functions, with the answers of the files themselves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import anndata
import pandas as pd
import pytest
from tests.io.remote.conftest import Store
from tests.serving import FolderServer
from typer.testing import CliRunner

import spoticell
from spoticell.cli.app import app
from spoticell.io.address import Address

RUNNER = CliRunner()


def run(*words: object) -> Any:
    return RUNNER.invoke(app, [str(word) for word in words], prog_name="spoticell")


def test_a_command_reads_and_writes_addresses_with_the_answers_of_the_file(
    store: Store, tiny_h5ad: Path, tiny_bundle_folder: Path, tmp_path: Path
) -> None:
    address = store.put(tiny_h5ad, "in/cells.h5ad")
    near, far = tmp_path / "named.h5ad", "s3://cells/out/named.h5ad"
    options = ("-b", tiny_bundle_folder, "--by", "batch")
    assert run("annotate", tiny_h5ad, "-o", near, *options).exit_code == 0
    tables = ("--report", "s3://cells/out/page.html", "--composition", "s3://cells/out/composition.csv")
    result = run("annotate", address, "-o", far, *options, *tables, "--json")
    assert result.exit_code == 0, result.output
    assert f"Written: {far}, s3://cells/out/page.html, s3://cells/out/composition.csv" in result.stderr
    assert json.loads(result.stdout)["output"] == far
    (tmp_path / "got.h5ad").write_bytes(store.get("out/named.h5ad"))
    got, wanted = anndata.read_h5ad(tmp_path / "got.h5ad"), anndata.read_h5ad(near)
    pd.testing.assert_frame_equal(got.obs, wanted.obs)
    assert (got.obsm["X_spoticell"] == wanted.obsm["X_spoticell"]).all()
    assert f"spoticell annotate {address} -o {far}".encode() in store.get("out/page.html")
    assert sorted(store.names()) == ["in/cells.h5ad", "out/composition.csv", "out/named.h5ad", "out/page.html"]
    assert store.get("in/cells.h5ad") == tiny_h5ad.read_bytes()
    refused = run("annotate", address, "-o", far, *options)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "is there already" in refused.stderr


def test_several_addresses_go_into_a_folder_of_the_bucket(
    store: Store, make_tiny_cells: Any, tiny_bundle_folder: Path, tmp_path: Path
) -> None:
    places = []
    for seed, key in enumerate(("one/cells.h5ad", "two/cells.h5ad")):
        make_tiny_cells(seed=seed).write_h5ad(tmp_path / "x.h5ad")
        places.append(store.put(tmp_path / "x.h5ad", key))
    result = run("annotate", *places, "-o", "s3://cells/named", "-b", tiny_bundle_folder, "-q")
    assert result.exit_code == 0, result.output
    made = [key for key in store.names() if key.startswith("named/")]
    assert made == ["named/composition.csv", "named/one-cells.h5ad", "named/two-cells.h5ad"]
    assert "is given 2 times" in run("annotate", places[0], places[0], "-o", "s3://cells/named").stderr
    assert "Name a folder" in run("annotate", *places, "-o", "s3://cells/named.h5ad").stderr


def test_a_zarr_store_on_a_web_server_is_checked_and_named(
    web: FolderServer, tiny_cells: anndata.AnnData, zarr_of: Any, tiny_bundle_folder: Path, tmp_path: Path
) -> None:
    folder = zarr_of(tiny_cells, 3)
    shutil.copytree(folder, web.folder / "cells-3.zarr")
    address = f"{web.url}/cells-3.zarr"
    far, near = run("check", address, "-b", tiny_bundle_folder), run("check", folder, "-b", tiny_bundle_folder)
    assert (far.exit_code, far.stdout) == (0, near.stdout)
    signed, page = f"{address}?sig=s3cr3t", tmp_path / "page.html"
    options = {"model": tiny_bundle_folder, "report": page, "on_progress": False}
    named = spoticell.annotate(signed, tmp_path / "named.h5ad", **options)
    assert named.path == Address(signed)
    assert address.encode() in page.read_bytes()
    for path in (page, tmp_path / "named.h5ad"):
        assert b"s3cr3t" not in path.read_bytes()
    pd.testing.assert_frame_equal(named.obs, spoticell.annotate(folder, model=tiny_bundle_folder).obs)
    assert anndata.read_h5ad(tmp_path / "named.h5ad").n_obs == tiny_cells.n_obs


def test_answers_are_written_read_and_scored_at_addresses(
    store: Store, tiny_h5ad: Path, tiny_bundle_folder: Path, tmp_path: Path
) -> None:
    address = store.put(tiny_h5ad, "cells.h5ad")
    named = spoticell.annotate(address, "s3://cells/named.h5ad", model=tiny_bundle_folder)
    assert named.write("s3://cells/named.csv") == Address("s3://cells/named.csv")
    assert store.get("named.csv").startswith(b"cell,spoticell_cell_type")
    column = "cell_type_ontology_term_id"
    near = spoticell.annotate(tiny_h5ad, tmp_path / "near.h5ad", model=tiny_bundle_folder)
    assert near.path == tiny_h5ad
    far = spoticell.evaluate("s3://cells/named.h5ad", label_column=column)
    assert far.to_dict() == spoticell.evaluate(tmp_path / "near.h5ad", label_column=column).to_dict()
    told = run("evaluate", "s3://cells/named.h5ad", "--label-column", column, "--json")
    assert json.loads(told.stdout) == far.to_dict()
    with pytest.raises(spoticell.errors.FileFormatError, match="tables about cells are read from paths"):
        spoticell.evaluate("s3://cells/named.csv", label_column=column)


def test_an_address_is_explained_and_refused_like_a_path(
    store: Store, tiny_h5ad: Path, tiny_bundle_folder: Path
) -> None:
    address = store.put(tiny_h5ad, "cells.h5ad")
    words = ("--genes", 2, "--cells", "cell0", "-b", tiny_bundle_folder, "-q")
    far, near = run("explain", address, *words), run("explain", tiny_h5ad, *words)
    assert far.stdout == near.stdout
    result = run("check", "ftp://example.org/cells.h5ad")
    assert result.stderr == (
        "spoticell: ftp:// addresses aren't taken. Cells are read from paths and from s3://, gs:// and https:// "
        "addresses.\n"
    )
