"""Formats that the page takes besides those that have tests of their own."""

from __future__ import annotations

import zipfile

import h5py
import pytest
from tests.conftest import tiny_adata
from tests.web.conftest import checked, run


@pytest.fixture
def client(shared):
    return shared


def loom(path) -> bytes:
    cells = tiny_adata()
    with h5py.File(path, "w") as file:
        file["matrix"] = cells.X.T.toarray()
        file["row_attrs/Gene"] = cells.var_names.to_numpy(dtype=object)
        file["col_attrs/CellID"] = cells.obs_names.to_numpy(dtype=object)
        file.create_group("layers")
    return path.read_bytes()


def zarr(path, *, deep: str = "") -> bytes:
    store, packed = path.with_suffix(".zarr"), path.with_suffix(".zip")
    tiny_adata().write_zarr(store)
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(store.rglob("*")):
            if file.is_file():
                archive.write(file, f"{deep}{file.relative_to(store)}")
    return packed.read_bytes()


def test_a_loom_file_is_a_file_of_cells(client, tmp_path):
    job = checked(client, loom(tmp_path / "cells.loom"), "cells.loom")
    assert (job["state"], job["findings"]["format"], job["findings"]["cells"]) == ("ready", "loom", 31), job["error"]
    assert run(client, job)["state"] == "done"


@pytest.mark.filterwarnings("ignore")
def test_a_zipped_zarr_store_is_a_file_of_cells(client, tmp_path):
    job = checked(client, zarr(tmp_path / "cells"), "cells.zarr.zip")
    assert (job["state"], job["findings"]["format"], job["findings"]["cells"]) == ("ready", "zarr", 31), job["error"]
    assert run(client, job)["state"] == "done"
    assert client.get(f"/api/jobs/{job['id']}/cells/0").json()["name"] == tiny_adata().obs_names[0]


@pytest.mark.filterwarnings("ignore")
def test_a_zarr_store_whose_folder_was_zipped_is_one_too(client, tmp_path):
    job = checked(client, zarr(tmp_path / "cells", deep="cells.zarr/"), "cells.zip")
    assert (job["state"], job["error"]) == ("ready", None)
