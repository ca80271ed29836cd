"""Cells at an address: the same as by path, of one version, and one sentence where they can't be had."""

from __future__ import annotations

import gzip
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pytest
from scipy import sparse
from tests.io.remote.conftest import Store, forget
from tests.serving import FolderServer, server_of

from spoticell.errors import ConfigError, DownloadError, FileFormatError, OutputError, SpoticellError
from spoticell.io import CellSource, open_cells
from spoticell.io import download as downloading
from spoticell.io.remote import fetched
from spoticell.io.remote import open as opening
from spoticell.io.remote.stores import file_system


def same(one: CellSource, other: CellSource) -> bool:
    counts = [
        sparse.vstack([block.values_nv for block in source.blocks(source.matrices[0], size=7)])
        for source in (one, other)
    ]
    names = one.cell_names.equals(other.cell_names) and one.obs().equals(other.obs())
    return names and (counts[0] != counts[1]).nnz == 0


def refusal(address: str) -> str:
    with pytest.raises(SpoticellError) as error, open_cells(address):
        pass
    assert "s3cr3t" not in str(error.value)
    return str(error.value)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_a_file_in_a_bucket_gives_the_cells_of_the_file(store: Store, tiny_h5ad: Path, temporary: Path) -> None:
    address = store.put(tiny_h5ad, "a/b c/cells.h5ad")
    with open_cells(address) as far, open_cells(tiny_h5ad) as near:
        assert (far.name, far.format) == (near.name, near.format)
        assert far.inner is not None
        assert far.inner.read_bytes() == tiny_h5ad.read_bytes()
        assert same(far, near)
    assert list(temporary.iterdir()) == []
    assert store.get("a/b c/cells.h5ad") == tiny_h5ad.read_bytes()


def test_a_file_on_a_web_server_gives_the_cells_of_the_file(
    web: FolderServer, tiny_h5ad: Path, temporary: Path
) -> None:
    shutil.copy(tiny_h5ad, web.folder / "cells.h5ad")
    with open_cells(f"{web.url}/cells.h5ad") as far, open_cells(tiny_h5ad) as near:
        assert same(far, near)
    assert list(temporary.iterdir()) == []


def test_a_packed_file_is_unpacked_and_both_go_in_the_end(store: Store, tiny_h5ad: Path, temporary: Path) -> None:
    packed = tiny_h5ad.with_name("cells.h5ad.gz")
    packed.write_bytes(gzip.compress(tiny_h5ad.read_bytes()))
    with open_cells(store.put(packed, "cells.h5ad.gz")) as far, open_cells(tiny_h5ad) as near:
        assert far.inner is not None
        assert far.inner.name == "cells.h5ad"
        assert same(far, near)
    assert list(temporary.iterdir()) == []


def test_a_folder_of_matrix_market_in_a_bucket_is_read(
    store: Store, tiny_cells: anndata.AnnData, tmp_path: Path
) -> None:
    from scipy.io import mmwrite  # noqa: PLC0415 - for this test alone

    folder = tmp_path / "outs"
    folder.mkdir()
    mmwrite(folder / "matrix.mtx", sparse.coo_matrix(tiny_cells.X.T).astype(int))
    (folder / "features.tsv").write_text("".join(f"{name}\t{name}\tGene Expression\n" for name in tiny_cells.var_names))
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in tiny_cells.obs_names))
    with open_cells(store.put(folder, "outs")) as far, open_cells(folder) as near:
        assert same(far, near)
    store.put(tmp_path / "outs" / "features.tsv", "text/a.txt")
    assert "is neither a file, nor a zarr store, nor a folder with matrix.mtx" in refusal("s3://cells/text")
    for number in range(fetched.MOST_BESIDE):
        store.put(folder / "barcodes.tsv", f"outs/{number}.tsv")
    assert "holds 23 objects" in refusal("s3://cells/outs")


def test_an_object_that_changes_while_it_comes_is_refused(
    store: Store, tiny_h5ad: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = store.put(tiny_h5ad, "cells.h5ad")
    bringing = opening.bring_object

    def late(*arguments: Any, **options: Any) -> Path:
        store.client.put_object(Bucket="cells", Key="cells.h5ad", Body=tiny_h5ad.read_bytes() + b"x")
        return bringing(*arguments, **options)

    monkeypatch.setattr(opening, "bring_object", late)
    assert refusal(address) == f"{address} changed while it was read. Run again when nobody writes to it."
    assert list(temporary.iterdir()) == []


def test_what_there_is_no_room_for_is_not_fetched(
    store: Store, tiny_h5ad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = store.put(tiny_h5ad, "cells.h5ad")
    usage = shutil.disk_usage(tiny_h5ad.parent)
    monkeypatch.setattr(fetched.shutil, "disk_usage", lambda _: usage._replace(free=870))
    with pytest.raises(OutputError, match=r"the temporary folder has 870 bytes left. Make room, or set TMPDIR"):
        open_cells(address)


def test_a_bar_is_told_how_much_has_come(store: Store, tiny_h5ad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager  # noqa: PLC0415 - for this test alone

    seen: list[tuple[int, int]] = []

    @contextmanager
    def shown(wanted: bool, title: str) -> Iterator[Any]:
        assert (wanted, title) == (True, "fetching cells.h5ad")
        yield lambda done, total: seen.append((done, total))

    monkeypatch.setattr(fetched, "shown", shown)
    open_cells(store.put(tiny_h5ad, "cells.h5ad"), bar=True).close()
    assert seen[-1] == (tiny_h5ad.stat().st_size,) * 2


def test_what_a_store_refuses_is_said_in_one_sentence(
    store: Store, tiny_h5ad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = store.put(tiny_h5ad, "cells.h5ad")
    assert refusal("s3://nowhere/cells.h5ad") == "s3://nowhere/cells.h5ad can't be read: there is no such bucket."
    assert refusal("s3://cells/b.h5ad") == "s3://cells/b.h5ad can't be read: there is no such file."
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget()
    assert refusal(address) == f"{address} can't be read: its host can't be reached."
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    forget()
    assert "no credentials were found. Set them as for the aws command" in refusal(address)


def test_who_may_read_but_not_ask_for_the_bucket_is_told_of_the_object(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(file_system(opening.Address("s3://cells/x")))

    def deny(self: object, method: str, **_: Any) -> None:
        raise PermissionError(method)

    monkeypatch.setattr(kind, "call_s3", deny)
    assert "there is no such file" in refusal("s3://cells/b.h5ad")


def test_a_web_page_is_not_taken_for_cells(web: FolderServer, tiny_h5ad: Path) -> None:
    (web.folder / "cells.h5ad").write_text("\n<!DOCTYPE HTML><title>Log in</title>")
    assert "is a web page and no file of cells; some servers give one to log in" in refusal(f"{web.url}/cells.h5ad")


def test_a_file_cut_off_on_the_way_is_asked_for_again(
    web: FolderServer, tiny_h5ad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading.time, "sleep", lambda seconds: web.cut.clear())
    shutil.copy(tiny_h5ad, web.folder / "cells.h5ad")
    web.cut["cells.h5ad"] = 1000
    with open_cells(f"{web.url}/cells.h5ad") as far, open_cells(tiny_h5ad) as near:
        assert same(far, near)
    assert [wanted for _, wanted in web.asked] == [None, "bytes=1000-"]
    assert "404 (Not Found)" in refusal(f"{web.url}/none.h5ad")


def test_a_signature_goes_to_the_server_and_nowhere_else(
    tiny_h5ad: Path, caplog: pytest.LogCaptureFixture, credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading.time, "sleep", lambda seconds: None)
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        body = tiny_h5ad.read_bytes() if len(asked) == 2 else b""
        request.send_response(200 if body else 503 if len(asked) == 1 else 403)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    with server_of(answer) as http:
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}).start()
        address = f"http://127.0.0.1:{http.server_address[1]}/cells.h5ad?X-Amz-Signature=s3cr3t"
        open_cells(address).close()
        assert "403 (Forbidden)" in refusal(address)
        http.shutdown()
    assert asked == ["/cells.h5ad?X-Amz-Signature=s3cr3t"] * 3
    assert "trying again" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_a_link_in_a_file_to_an_address_is_not_followed(store: Store, web: FolderServer, tiny_h5ad: Path) -> None:
    with h5py.File(tiny_h5ad, "r+") as file:
        del file["X"]
        file["X"] = h5py.ExternalLink(f"{web.url}/other.h5", "/X")
    assert "which is not followed" in refusal(store.put(tiny_h5ad, "cells.h5ad"))
    assert web.asked == []


def test_without_the_extra_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ConfigError) as error:
        open_cells("s3://cells/cells.h5ad")
    assert str(error.value).startswith(
        "the address s3://cells/cells.h5ad needs s3fs. Install the extra 'remote': pip install '.[remote]'"
    )


@pytest.mark.parametrize("number", [2, 3])
def test_a_zarr_store_in_a_bucket_gives_its_cells_and_each_chunk_travels_once(
    store: Store, tiny_cells: anndata.AnnData, zarr_of: Any, number: int, temporary: Path
) -> None:
    folder = zarr_of(tiny_cells, number)
    address = store.put(folder, f"cells-{number}.zarr") + "/"
    with open_cells(address) as far, open_cells(folder) as near:
        assert (far.name, far.format) == (near.name, "zarr")
        assert same(far, near)
        came = far.tree._chunks.n_fetched  # type: ignore[attr-defined]
        assert same(far, near)
        assert far.tree._chunks.n_fetched == came  # type: ignore[attr-defined]
        # uns and obsm stay where they are
        assert 0 < came < sum(file.is_file() for file in folder.rglob("*"))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [2, 3])
def test_a_sparse_zarr_store_on_a_web_server_gives_its_cells(
    web: FolderServer, tiny_cells: anndata.AnnData, zarr_of: Any, number: int
) -> None:
    tiny_cells.X = sparse.csr_matrix(tiny_cells.X)
    folder = zarr_of(tiny_cells, number)
    shutil.copytree(folder, web.folder / "cells.zarr")
    with open_cells(f"{web.url}/cells.zarr") as far, open_cells(folder) as near:
        assert same(far, near)
        assert same(far, near)
    chunks = [file for file in (web.folder / "cells.zarr" / "X" / "data").rglob("*") if file.name[0].isdigit()]
    chunks[-1].unlink()
    with open_cells(f"{web.url}/cells.zarr") as far, pytest.raises(FileFormatError, match="a part of 'X' is missing"):
        list(far.blocks("X"))


def test_a_zarr_store_that_changes_meanwhile_is_refused(
    store: Store, web: FolderServer, tiny_cells: anndata.AnnData, zarr_of: Any
) -> None:
    folder = zarr_of(tiny_cells, 3)
    address = store.put(folder, "cells.zarr")
    shutil.copytree(folder, web.folder / "cells.zarr")
    with open_cells(address) as far:
        store.client.put_object(Bucket="cells", Key="cells.zarr/uns/other", Body=b"x")
        with pytest.raises(DownloadError, match="changed while it was read"):
            list(far.blocks("X"))
    with open_cells(f"{web.url}/cells.zarr") as far:
        metadata = web.folder / "cells.zarr" / "zarr.json"
        metadata.write_text(metadata.read_text() + " ")
        with pytest.raises(DownloadError, match="changed while it was read"):
            list(far.blocks("X"))
    chunk = "cells.zarr/X/data/c/0"
    with open_cells(address) as far:
        store.client.put_object(Bucket="cells", Key=chunk, Body=b"shorter")
        with pytest.raises(DownloadError, match="changed while it was read"):
            list(far.blocks("X"))
    with open_cells(address) as far:
        store.client.delete_object(Bucket="cells", Key=chunk)
        with pytest.raises(DownloadError, match="changed while it was read"):
            list(far.blocks("X"))


def test_a_zarr_store_without_a_list_of_its_arrays_is_refused_on_a_web_server(
    web: FolderServer, tiny_cells: anndata.AnnData, zarr_of: Any
) -> None:
    shutil.copytree(zarr_of(tiny_cells, 2), web.folder / "cells.zarr")
    (web.folder / "cells.zarr" / ".zmetadata").unlink()
    assert "has no consolidated metadata" in refusal(f"{web.url}/cells.zarr")


def test_a_folder_of_a_web_server_that_is_no_zarr_store_is_refused_for_what_it_is(web: FolderServer) -> None:
    (web.folder / "folder").mkdir()
    for name in ("folder/", "none/cells.zarr/"):
        assert f"/{name}: no zarr store lies there" in refusal(f"{web.url}/{name}")


def test_a_bucket_without_such_metadata_lists_its_arrays_itself(
    store: Store, tiny_cells: anndata.AnnData, zarr_of: Any
) -> None:
    folder = zarr_of(tiny_cells, 2)
    (folder / ".zmetadata").unlink()
    with open_cells(store.put(folder, "cells.zarr")) as far, open_cells(folder) as near:
        assert same(far, near)
        np.testing.assert_array_equal(far.tree.names(""), near.tree.names(""))  # type: ignore[attr-defined]
