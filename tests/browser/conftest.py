"""The page as a folder of static files, a server that gives them out, and node."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.lib.folder_server import given_out

from spoticell.web.static_page import write_page


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone") / "lab" / "page"
    folder.parent.mkdir()
    write_page(folder, "human-v1")
    return folder


@pytest.fixture(scope="session")
def address(page_folder: Path) -> Iterator[str]:
    """Address of the page below another folder, as hosts have it."""
    with given_out(page_folder.parents[1]) as root:
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
