"""A server with the tiny bundle, driven as a browser drives it."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata
import httpx
import pytest
import uvicorn
from tests.conftest import tiny_adata

import spoticell
from spoticell.model.bundle import Bundle
from spoticell.web.app import create_app
from spoticell.web.settings import Limits, Settings

LONG = 600
"""Seconds that work may take: the machine may be busy."""


def small(folder: Path, bundle: Path) -> Settings:
    limits = Limits(file_bytes=2_000_000, cells=1000, check_seconds=LONG, run_seconds=LONG)
    return Settings(data_dir=folder / "state", bundles=(str(bundle),), limits=limits)


@pytest.fixture
def settings(tmp_path: Path, tiny_bundle_folder: Path) -> Settings:
    return small(tmp_path, tiny_bundle_folder)


@contextmanager
def serving(settings: Settings) -> Iterator[httpx.Client]:
    """Run a server beside the test, and give what talks to it."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="critical", timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            address = f"http://localhost:{listening.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=LONG, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


Opened = Callable[..., httpx.Client]


@pytest.fixture
def opened(settings: Settings) -> Iterator[Opened]:
    """Starts servers, with settings and limits changed as asked, and ends them."""
    with ExitStack() as stack:

        def start(*, limits: dict[str, Any] | None = None, **changes: Any) -> httpx.Client:
            changed = replace(settings, limits=replace(settings.limits, **(limits or {})), **changes)
            return stack.enter_context(serving(changed))

        yield start


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_folder: Path) -> Iterator[httpx.Client]:
    """One server for all tests that need no settings of their own."""
    with serving(small(tmp_path_factory.mktemp("shared"), tiny_bundle_folder)) as client:
        yield client


@pytest.fixture(scope="session")
def tiny_index(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Bundle) -> Path:
    """Three studies of all types of the tiny bundle."""
    folder = tmp_path_factory.mktemp("index") / "tiny-index"
    studies = [tiny_adata(per_type=20, seed=seed) for seed in (1, 2, 3)]
    for number, cells in enumerate(studies, start=1):
        cells.obs["study"] = f"study_{number}"
    spoticell.build_index(studies, folder, model=tiny_bundle)
    return folder


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return h5ad(tiny_adata(), tmp_path_factory.mktemp("cells") / "cells.h5ad")


@pytest.fixture(scope="session")
def done_job(shared: httpx.Client, tiny_file: bytes) -> dict[str, Any]:
    """A job on the shared server that is done, to be looked at and left as it is."""
    return done(shared, tiny_file, "my cells.h5ad")


def h5ad(cells: anndata.AnnData, path: Path) -> bytes:
    cells.write_h5ad(path)
    return path.read_bytes()


def send(client: httpx.Client, contents: bytes, name: str = "cells.h5ad") -> Any:
    return client.post("/api/jobs", files={"file": (name, io.BytesIO(contents))})


def settled(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until nothing happens to a job any more."""
    while job["state"] in {"checking", "queued", "running"}:
        time.sleep(0.02)
        job = client.get(f"/api/jobs/{job['id']}").json()
    return job


def checked(client: httpx.Client, contents: bytes, name: str = "cells.h5ad") -> dict[str, Any]:
    reply = send(client, contents, name)
    assert reply.status_code == 201, reply.text
    return settled(client, reply.json())


def run(client: httpx.Client, job: dict[str, Any], **order: Any) -> dict[str, Any]:
    reply = client.post(f"/api/jobs/{job['id']}/run", json=order)
    assert reply.status_code == 202, reply.text
    return settled(client, reply.json())


def done(client: httpx.Client, contents: bytes, name: str = "cells.h5ad") -> dict[str, Any]:
    job = run(client, checked(client, contents, name))
    assert job["state"] == "done", job["error"]
    return job
