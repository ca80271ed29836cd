"""A Google store on this machine: as much of its JSON as the library asks for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from tests.io.remote.conftest import forget
from tests.serving import server_of

import spoticell
from spoticell.errors import DownloadError, OutputError
from spoticell.io import open_cells

pytest.importorskip("gcsfs", reason="Google stores need the extra 'remote': pip install '.[remote]'")


class Google:
    """Holds objects, all of one bucket."""

    def __init__(self) -> None:
        self.objects, self.lock = dict[str, bytes](), threading.Lock()
        self.http = server_of(self.answer)
        self.http.RequestHandlerClass.do_POST = self.http.RequestHandlerClass.do_GET  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def about(self, name: str) -> dict[str, str]:
        digest = base64.b64encode(hashlib.md5(self.objects[name]).digest()).decode()
        link = f"{self.url}/download/storage/v1/b/cells/o/{name.replace('/', '%2F')}?alt=media"
        times = {"updated": "2026-01-01T00:00:00.000Z", "timeCreated": "2026-01-01T00:00:00.000Z"}
        return {
            "name": name,
            "bucket": "cells",
            "size": str(len(self.objects[name])),
            "etag": digest,
            "md5Hash": digest,
            "mediaLink": link,
            **times,
        }

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if request.command == "POST":
            self.take(request, asked)
            return
        name = unquote(parts.path.partition("/b/cells/o/")[2])
        if (name and name not in self.objects) or "/b/cells/" not in f"{parts.path}/":
            self.send(request, 404, b"{}")
        elif name and asked.get("alt") == "media":
            wanted = re.findall(r"\d+", request.headers.get("Range") or "")
            body = self.objects[name]
            self.send(request, 206 if wanted else 200, body[int(wanted[0]) : int(wanted[1]) + 1] if wanted else body)
        elif name:
            self.send(request, 200, json.dumps(self.about(name)).encode())
        else:
            found = [self.about(key) for key in self.objects if key.startswith(asked.get("prefix", ""))]
            self.send(request, 200, json.dumps({"items": found}).encode())

    def take(self, request: BaseHTTPRequestHandler, asked: dict[str, str]) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        _, about, data = body.split(b"--==0==")[0:3]
        name = json.loads(about.split(b"\n\n", 1)[1])["name"]
        if asked.get("ifGenerationMatch") == "0" and name in self.objects:
            self.send(request, 412, b"{}")
            return
        self.objects[name] = data.split(b"\n\n", 1)[1].removesuffix(b"\n")
        self.send(request, 200, json.dumps(self.about(name)).encode())

    def send(self, request: BaseHTTPRequestHandler, code: int, body: bytes) -> None:
        request.send_response(code)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    store = Google()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", store.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    forget()
    thread = threading.Thread(target=store.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield store
    store.http.shutdown()
    store.http.server_close()
    thread.join()


def test_a_zarr_store_of_google_gives_its_cells(google: Google, tiny_cells: Any, zarr_of: Any) -> None:
    folder = zarr_of(tiny_cells, 3)
    for file in folder.rglob("*"):
        if file.is_file():
            google.objects[f"cells.zarr/{file.relative_to(folder)}"] = file.read_bytes()
    with open_cells("gs://cells/cells.zarr/") as far, open_cells(folder) as near:
        assert far.obs().equals(near.obs())
        assert [len(block) for block in far.blocks("X")] == [len(block) for block in near.blocks("X")]


def test_cells_come_from_a_google_store_and_answers_go_there(
    google: Google, tiny_h5ad: Path, tiny_bundle_folder: Path
) -> None:
    google.objects["in/cells.h5ad"] = tiny_h5ad.read_bytes()
    far = spoticell.annotate("gs://cells/in/cells.h5ad", "gs://cells/out/named.csv", model=tiny_bundle_folder)
    near = spoticell.annotate(tiny_h5ad, model=tiny_bundle_folder)
    assert far.obs.equals(near.obs)
    assert google.objects["out/named.csv"].startswith(b"cell,spoticell_cell_type")
    assert google.objects["in/cells.h5ad"] == tiny_h5ad.read_bytes()
    with pytest.raises(OutputError, match=r"gs://cells/out/named\.csv is there already"):
        spoticell.annotate("gs://cells/in/cells.h5ad", "gs://cells/out/named.csv", model=tiny_bundle_folder)
    with pytest.raises(OutputError, match="is there already"):
        near.write("gs://cells/out/named.csv")
    with pytest.raises(DownloadError, match=r"gs://cells/none.h5ad can't be read: there is no such file\."):
        spoticell.check("gs://cells/none.h5ad", model=tiny_bundle_folder)
