"""The page as a folder of static files, a server that gives them out, and node."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from spoticell.web.static_page import write_page


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone") / "lab" / "page"
    folder.parent.mkdir()
    write_page(folder, "human-v1")
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Give the address of a folder while the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def address(page_folder: Path) -> Iterator[str]:
    """Address of the page below another folder, as hosts have it."""
    with served(page_folder.parents[1]) as root:
        yield f"{root}lab/page/"


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        driver = pytest.importorskip(
            "playwright._impl._driver", reason="node is needed, or playwright, which brings it"
        )
        found = driver.compute_driver_executable()[0]
    return str(found)
