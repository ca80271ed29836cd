"""An object store on this machine, which speaks S3 over real HTTP, and cells in it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import pytest
from tests.serving import FolderServer, serving

BUCKET = "cells"


@dataclass
class Store:
    """A bucket of the store; ``client`` is of the library botocore, not of the one that is tested."""

    client: Any
    url: str

    def put(self, path: Path, key: str) -> str:
        """Put a file, or a folder with all that is in it, into the bucket, and give its address."""
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                name = f"{key}/{file.relative_to(path)}" if path.is_dir() else key
                self.client.put_object(Bucket=BUCKET, Key=name, Body=file.read_bytes())
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def names(self) -> list[str]:
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    def unfinished(self) -> list[Any]:
        """Uploads that were begun and neither finished nor given up."""
        return list(self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()))


def forget() -> None:
    """Have the library look anew for hosts and credentials."""
    import fsspec  # noqa: PLC0415 - of an extra

    for scheme in ("s3", "gs"):
        fsspec.get_filesystem_class(scheme).clear_instance_cache()


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    pytest.importorskip("s3fs", reason="object stores need the extra 'remote': pip install '.[remote]'")
    moto = pytest.importorskip("moto.server", reason="needs moto, a store to test against")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Words that let people in, and nothing of the user's own; no question goes to a cloud's machine."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "FSSPEC_S3_ANON"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "s3cr3t",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(s3_server: str, credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty bucket."""
    import botocore.session  # noqa: PLC0415 - of the tests of stores

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    forget()
    client = botocore.session.get_session().create_client("s3")
    client.create_bucket(Bucket=BUCKET)
    store = Store(client, s3_server)
    yield store
    for key in store.names():
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def web(tmp_path: Path, credentials: None) -> Iterator[FolderServer]:
    """A web server for a folder ``web``."""
    pytest.importorskip("aiohttp", reason="addresses need the extra 'remote': pip install '.[remote]'")
    (tmp_path / "web").mkdir()
    with serving(tmp_path / "web") as server:
        yield server


@pytest.fixture
def zarr_of(tmp_path: Path) -> Callable[[anndata.AnnData, int], Path]:
    """Writes cells as zarr of a format."""

    def write(cells: anndata.AnnData, number: int) -> Path:
        path = tmp_path / f"cells-{number}.zarr"
        with warnings.catch_warnings(), anndata.settings.override(zarr_write_format=number):
            warnings.simplefilter("ignore", UserWarning)  # of what will be the default one day
            cells.write_zarr(path)
        return path

    return write
