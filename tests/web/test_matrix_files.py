"""A matrix and its files of names, sent together, are one job."""

from __future__ import annotations

import io

import pytest
from tests.conftest import tiny_adata
from tests.web.conftest import run, settled
from tests.web.test_uploads import error, tenx


@pytest.fixture
def client(shared):
    return shared


def send_all(client, files: dict[str, bytes]):
    return client.post("/api/jobs", files=[("file", (name, io.BytesIO(contents))) for name, contents in files.items()])


def job_of(client, files: dict[str, bytes]):
    reply = send_all(client, files)
    assert reply.status_code == 201, reply.text
    return settled(client, reply.json())


@pytest.mark.parametrize("packed", [True, False])
def test_the_files_of_a_10x_folder_are_one_job(client, packed):
    files = tenx(tiny_adata(), folder="", packed=packed)
    job = job_of(client, files)
    assert (job["state"], job["findings"]["cells"]) == ("ready", 31), job["error"]
    assert job["name"].startswith("matrix.mtx")
    assert job["bytes"] == sum(map(len, files.values()))
    assert run(client, job)["state"] == "done"
    assert client.get(f"/api/jobs/{job['id']}/cells/0").json()["name"] == tiny_adata().obs_names[0]


def test_they_may_come_in_any_order_under_names_of_their_own_beside_other_files(client):
    files = tenx(tiny_adata(), folder="run 7/GSM1_", packed=True)
    names = ["features.tsv.gz", "barcodes.tsv.gz", "matrix.mtx.gz"]
    job = job_of(client, {f"run 7/GSM1_{name}": files[f"run 7/GSM1_{name}"] for name in names} | {"run 7/note": b"x"})
    assert (job["state"], job["findings"]["cells"], job["name"]) == ("ready", 31, "run 7"), job["error"]
    assert job["lines"][0].startswith("run 7 ")


def test_only_names_of_ours_reach_the_disk(opened, settings):
    files = tenx(tiny_adata(), folder="../../etc/", packed=True)
    job = job_of(opened(), files)
    assert job["state"] == "ready", job["error"]
    folder = next((settings.jobs_dir / job["id"] / "input").iterdir())
    assert set(folder.name.removesuffix("-files")) <= set("0123456789abcdef")
    found = {path.name for path in folder.iterdir()}
    assert found == {"matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz"}


def test_a_matrix_without_a_file_of_names_is_told_what_is_missing(client):
    files = tenx(tiny_adata(), folder="")
    del files["features.tsv.gz"]
    job = job_of(client, files)
    assert job["state"] == "failed"
    assert "has no file with the names of its genes" in job["error"]


@pytest.mark.parametrize(
    "names",
    [
        ["a.csv", "b.csv"],
        ["matrix.mtx", "other.mtx", "genes.tsv", "barcodes.tsv"],
        ["matrix.mtx", "genes.tsv", "GENES.tsv", "barcodes.tsv"],
        ["a/matrix.mtx", "a/genes.tsv", "b/genes.tsv"],
    ],
)
def test_files_that_are_not_one_matrix_are_refused(opened, settings, names):
    reply = send_all(opened(), dict.fromkeys(names, b"a,b\n"))
    assert (reply.status_code, "one by one" in error(reply)) == (400, True)
    assert list(settings.jobs_dir.iterdir()) == []


def test_a_file_of_names_that_is_of_another_kind_is_refused_by_its_first_bytes(client):
    files = tenx(tiny_adata(), folder="")
    reply = send_all(client, files | {"barcodes.tsv.gz": b"\x80\x04\x95" + bytes(100)})
    assert reply.status_code == 415
    assert "pickle" in error(reply)


def test_all_of_them_together_may_not_be_larger_than_one_file(opened, settings):
    names = ("matrix.mtx", "genes.tsv", "barcodes.tsv")
    reply = send_all(opened(limits={"file_bytes": 100_000}), dict.fromkeys(names, b"a,b\n" * 80_000))
    assert reply.status_code == 413
    assert list(settings.jobs_dir.iterdir()) == []
