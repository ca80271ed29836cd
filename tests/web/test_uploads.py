"""What is refused at the door, and what is found out about archives."""

from __future__ import annotations

import gzip
import io
import socket
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import tiny_adata
from tests.web.conftest import checked, run, send

from spoticell.errors import FileFormatError
from spoticell.web import upload
from spoticell.web.responses import kept_name
from spoticell.web.settings import Limits
from spoticell.web.unpack import unpacked
from spoticell.web.upload import shown_name


@pytest.fixture
def client(shared):
    return shared


def tenx(cells, *, folder="filtered/", packed=True) -> dict[str, bytes]:
    """Give the files of a 10x folder."""
    counts_vn = cells.X.T.tocoo()
    lines = [
        f"{g + 1} {n + 1} {int(count)}"
        for g, n, count in zip(counts_vn.row, counts_vn.col, counts_vn.data, strict=True)
    ]
    matrix = "\n".join(
        ["%%MatrixMarket matrix coordinate integer general", f"{cells.n_vars} {cells.n_obs} {len(lines)}", *lines, ""]
    )
    features = "".join(
        f"{gene}\t{symbol}\tGene Expression\n"
        for gene, symbol in zip(cells.var["gene_id"], cells.var_names, strict=True)
    )
    files = {"matrix.mtx": matrix, "features.tsv": features, "barcodes.tsv": "\n".join(cells.obs_names) + "\n"}
    pack = (lambda text: gzip.compress(text.encode())) if packed else str.encode
    return {f"{folder}{name}{'.gz' if packed else ''}": pack(text) for name, text in files.items()}


def zipped(files: dict[str, bytes], **options) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, contents in files.items():
            archive.writestr(name, contents)
    return file.getvalue()


def error(reply) -> str:
    assert set(reply.json()) == {"error"}
    return reply.json()["error"]


@pytest.mark.parametrize("packed", [True, False])
def test_a_zipped_10x_folder_is_a_file_of_cells(client, packed):
    files = tenx(tiny_adata(), packed=packed) | {"__MACOSX/filtered/._matrix.mtx.gz": b"x", "filtered/notes.pdf": b"y"}
    job = checked(client, zipped(files), "run 7.zip")
    assert (job["state"], job["findings"]["cells"]) == ("ready", 31), job["error"]
    assert job["lines"][0].startswith("run 7.zip")
    assert run(client, job)["state"] == "done"


@pytest.mark.parametrize("name", ["cells.csv", "cells.tsv.gz"])
def test_tables_are_files_of_cells(client, name):
    cells = tiny_adata()
    table = cells.to_df().to_csv(sep="\t" if "tsv" in name else ",").encode()
    job = checked(client, gzip.compress(table) if name.endswith("gz") else table, name)
    assert (job["state"], job["findings"]["cells"]) == ("ready", 31), job["error"]


@pytest.mark.parametrize(
    ("contents", "name", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(600), "cells.h5ad", "PNG picture"),
        (b"\x80\x04\x95" + bytes(100), "cells.pkl", "pickle"),
        (b"", "cells.h5ad", "is empty"),
        (b"<html>", "cells.h5ad", "not an HDF5 file"),
        (bytes(range(256)) * 3, "cells.bin", "isn't known"),
        (b"\x1f\x8bbroken", "cells.csv.gz", "damaged gzip"),
    ],
)
def test_what_holds_no_cells_is_told_by_its_first_bytes(client, contents, name, words):
    reply = send(client, contents, name)
    assert reply.status_code == 415
    assert words in error(reply)
    assert name in error(reply)


def test_a_broken_file_is_a_failed_job_with_a_sentence(client, tiny_file):
    job = checked(client, tiny_file[: len(tiny_file) // 2], "half.h5ad")
    assert job["state"] == "failed"
    assert job["error"].startswith("half.h5ad is cut short")
    assert client.post(f"/api/jobs/{job['id']}/run").status_code == 409


@pytest.mark.rows(6)
def test_links_out_of_an_hdf5_file_are_not_followed(client, tmp_path, tiny_file):
    path = tmp_path / "linked.h5ad"
    path.write_bytes(tiny_file)
    with h5py.File(path, "r+") as file:
        del file["X"]
        file["X"] = h5py.ExternalLink("/etc/passwd", "/")
    job = checked(client, path.read_bytes())
    assert job["state"] == "failed"
    assert "link to another file" in job["error"]


def test_storage_outside_an_hdf5_file_is_not_read(client, tmp_path, tiny_file):
    path = tmp_path / "outside.h5ad"
    path.write_bytes(tiny_file)
    with h5py.File(path, "r+") as file:
        shape = file["X/data"].shape
        del file["X/data"]
        file["X"].create_dataset("data", shape, np.float32, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
    job = checked(client, path.read_bytes())
    assert (job["state"], "kept in another file" in job["error"]) == ("failed", True)


def test_more_cells_than_allowed_are_refused_with_a_way_out(opened, tiny_file):
    job = checked(opened(limits={"cells": 30}), tiny_file, "many.h5ad")
    assert job["state"] == "failed"
    assert job["error"].startswith("many.h5ad holds 31 cells; this server takes up to 30")


@pytest.mark.rows(59)
def test_a_file_that_is_too_large_is_refused_before_it_is_received(client, settings):
    reply = client.post("/api/jobs", content=b"", headers={"Content-Length": "0"})
    assert reply.status_code == 415
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port)) as line:
        line.sendall(
            b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        assert line.recv(1000).startswith(b"HTTP/1.1 413")


@pytest.mark.rows(59)
def test_a_file_that_turns_out_too_large_is_cut_off_and_forgotten(opened, settings):
    client = opened(limits={"file_bytes": 100_000})

    def body():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'
        for _ in range(100):
            yield b"cell,1,2,3\n" * 1000

    reply = client.post("/api/jobs", content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (reply.status_code, "too large" in error(reply)) == (413, True)
    assert list(settings.jobs_dir.iterdir()) == []
    assert client.get("/api/info").status_code == 200


def part(name: str, contents: bytes = b"a,b\n", filename: str | None = "x.csv") -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    return f"--b\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + contents + b"\r\n"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (part("file") + part("file") + b"--b--\r\n", "multipart/form-data; boundary=b", 400),
        (part("other") + b"--b--\r\n", "multipart/form-data; boundary=b", 400),
        (part("file", filename=None) + b"--b--\r\n", "multipart/form-data; boundary=b", 400),
        (part("a", filename=None) * 1001 + b"--b--\r\n", "multipart/form-data; boundary=b", 400),
        (part("file"), "multipart/form-data; boundary=b", 400),
        (part("file") + b"--b--\r\n", "multipart/form-data; boundary=other", 400),
        (part("file") + b"--b--\r\n", "multipart/form-data", 415),
        (b"a,b\n", "text/csv", 415),
        (b"--b\r\nX-Long: " + b"y" * 20_000 + b"\r\n\r\n--b--", "multipart/form-data; boundary=b", 400),
        (b"", "multipart/form-data; boundary=b", 400),
    ],
    ids=["two files", "other field", "no name", "1,001 fields", "no end", "wrong boundary", "no boundary", "no form",
         "long header", "nothing"],
)  # fmt: skip
@pytest.mark.rows(59)
def test_a_request_that_is_no_upload_is_refused(client, body, kind, status):
    reply = client.post("/api/jobs", content=body, headers={"Content-Type": kind})
    assert reply.status_code == status
    assert error(reply)


@pytest.mark.rows(59)
def test_an_upload_that_breaks_off_leaves_nothing(opened, settings):
    client = opened()
    with socket.create_connection((client.base_url.host, client.base_url.port)) as line:
        line.sendall(
            b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + part("file")
        )
    for _ in range(100):
        if client.get("/api/info").status_code == 200 and not list(settings.jobs_dir.iterdir()):
            break
    assert list(settings.jobs_dir.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../../x.h5ad", "/etc/passwd", "x" * 4000, "CON", "\u202ecsv.exe", "<b>.h5ad", "a\tb"]
)
@pytest.mark.rows(60)
def test_no_name_of_a_file_reaches_the_disk(opened, settings, tiny_file, name):
    client = opened()
    reply = client.post(
        "/api/jobs",
        content=part("file", tiny_file, name) + b"--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert reply.status_code in {201, 415}
    for path in settings.jobs_dir.rglob("*"):
        if "input" in path.parts and path.is_file():
            assert set(path.name.removesuffix(".h5ad")) <= set("0123456789abcdef")


@given(st.text(max_size=300))
@pytest.mark.rows(60, 62)
def test_a_name_is_fit_to_be_shown_and_to_stand_in_a_header(name):
    shown = shown_name(name)
    assert shown
    assert len(shown) <= 120
    assert shown.isprintable()
    assert "/" not in shown
    kept = kept_name(name, "types.csv")
    assert kept.isascii()
    assert not set(kept) & set('"\r\n;\\/')


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a/picture.jpg": b"x"}, "no file of cells"),
        ({"a/matrix.mtx": b"x", "b/matrix.mtx": b"x"}, "2 files that may hold cells"),
        ({"../matrix.mtx": b"x"}, "leads out"),
        ({"/matrix.mtx": b"x"}, "leads out"),
        ({"C:\\x\\matrix.mtx": b"x"}, "leads out"),
        ({"a/matrix.mtx": bytes(3_000_000)}, "over 500 times its size"),
        ({f"{n}.txt": b"" for n in range(1001)}, "more than 1,000 files"),
    ],
)
@pytest.mark.rows(52, 60)
def test_archives_that_mean_harm_or_hold_no_cells_are_refused(tmp_path, files, words):
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(files))
    with pytest.raises(FileFormatError, match=words):
        unpacked(path, Limits())
    assert [item.name for item in tmp_path.iterdir()] == ["x.zip"]


@pytest.mark.rows(52)
def test_links_in_archives_are_refused(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("a/matrix.mtx")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(FileFormatError, match="link"):
        unpacked(path, Limits())


@pytest.mark.rows(52, 60)
def test_an_archive_that_is_too_large_unpacked_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a/matrix.mtx": np.random.default_rng(0).bytes(5000)}))
    with pytest.raises(FileFormatError, match="unpacks to"):
        unpacked(path, Limits(unpacked_bytes=4000))


def test_a_zip_of_another_kind_is_explained(client):
    reply = checked(client, zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""}), "cells.xlsx")
    assert (reply["state"], "Excel workbook" in reply["error"]) == ("failed", True)
    assert "cells.xlsx" in reply["error"]


@pytest.mark.rows(59)
def test_an_upload_that_stops_coming_is_given_up(opened, settings, monkeypatch):
    monkeypatch.setattr(upload, "PATIENCE", 0.3)
    client = opened()
    with socket.create_connection((client.base_url.host, client.base_url.port)) as line:
        line.sendall(
            b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + part("file")
        )
        assert line.recv(1000).startswith(b"HTTP/1.1 408")
    assert list(settings.jobs_dir.iterdir()) == []
