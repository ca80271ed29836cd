"""A server of tiny cells, and a real browser that looks at its page and minds what it must not do."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.chromium import PATIENCE
from tests.conftest import tiny_adata
from tests.web.conftest import checked, run

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")

LIMIT_GIB = 0.05

ROOT = Path(__file__).parents[3]


class Server:
    """`spoticell serve` in a process of its own, which can be killed and started again at the same port."""

    def __init__(self, folder: Path, bundle: Path | str, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.command = [sys.executable, "-m", "tests.web.page.held", "serve", "--no-browser", "--port", str(port)]
        self.command += ["--data-dir", str(folder), "--bundle", str(bundle), "--max-file", str(LIMIT_GIB), *options]
        self.log = folder.with_suffix(".log")
        self._hold = folder / "hold"

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url, timeout=PATIENCE).close()
                return
            except OSError:
                time.sleep(0.1)
        self.stop(hard=True)
        pytest.fail(f"the server didn't start: {self.log.read_text()}")

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Let no run go on until the block ends."""
        self._hold.touch()
        try:
            yield
        finally:
            self._hold.unlink()

    def stop(self, *, hard: bool = False) -> None:
        self.process.kill() if hard else self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Gives a running server with a bundle and options, one of each for all tests: to start takes seconds."""
    held: dict[tuple[str, ...], Server] = {}

    def of(bundle: Path | str, *options: str) -> Server:
        key = (str(bundle), *options)
        if key not in held:
            held[key] = Server(tmp_path_factory.mktemp("server") / "data", bundle, *options)
            held[key].start()
        return held[key]

    yield of
    for server in held.values():
        server.stop()


@pytest.fixture(scope="session")
def server(started: Callable[..., Server], tiny_bundle_folder: Path) -> Server:
    return started(tiny_bundle_folder)


@pytest.fixture(scope="session")
def cells_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    tiny_adata(per_type=30).write_h5ad(path)
    return path


@pytest.fixture
def look() -> dict[str, Any]:
    """What a test wants of the window."""
    return {"viewport": {"width": 1280, "height": 860}, "color_scheme": "light"}


@pytest.fixture(scope="session")
def contexts(browser: Any) -> Iterator[Callable[[str, dict[str, Any]], Any]]:
    """Gives a browser's context for a server and a look of the window, one for all tests: the page is loaded once."""
    held: dict[str, Any] = {}

    def of(url: str, look: dict[str, Any]) -> Any:
        key = json.dumps([url, look], sort_keys=True)
        if key not in held:
            held[key] = browser.new_context(base_url=url, reduced_motion="reduce", accept_downloads=True, **look)
            held[key].set_default_timeout(1000 * PATIENCE)
        return held[key]

    yield of
    for context in held.values():
        context.close()


@pytest.fixture
def page(contexts: Callable[[str, dict[str, Any]], Any], server: Server, look: dict[str, Any]) -> Iterator[Any]:
    """A window on the server's page; fails on errors of scripts, broken policies and requests to others."""
    page = contexts(server.url, look).new_page()
    faults: list[str] = []
    # that the server answered with an error, or not at all, is what some tests are about
    page.on("console", lambda message: _note(faults, message))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: _is_own(request.url, server.url) or faults.append(f"asked {request.url}"))
    yield page
    _forget(page, server)
    assert faults == []


def _forget(page: Any, server: Server) -> None:
    """Close a window and all that it opened, and let the next one know nothing of it."""
    context = page.context
    if page.is_closed() or not page.url.startswith(server.url):
        page = context.new_page()
        page.goto("/static/icon.svg")
    page.evaluate("() => localStorage.clear()")
    context.clear_cookies()
    for one in context.pages:
        one.close()


def window(browser: Any, server: Server, **look: Any) -> Any:
    """Open a patient window in a context of its own."""
    context = browser.new_context(base_url=server.url, **look)
    context.set_default_timeout(1000 * PATIENCE)
    return context.new_page()


def _note(faults: list[str], message: Any) -> None:
    if message.type == "error" and "Failed to load resource" not in message.text:
        faults.append(message.text)


def _is_own(url: str, server: str) -> bool:
    return url.startswith((server + "/", "data:", "blob:" + server, "blob:null"))


@pytest.fixture(scope="session")
def link(server: Server, cells_file: Path) -> str:
    """Where a finished result is; tests share it, so none may change it."""
    return link_to_cells(server, cells_file)


def until(place: Any, script: str, arg: Any = None) -> None:
    """Wait until a script says so. The page's policy lets playwright's own wait not run text as a script."""
    deadline = time.monotonic() + PATIENCE
    while not place.evaluate(script, arg):
        if time.monotonic() > deadline:
            pytest.fail(f"it never came true: {script}")
        time.sleep(0.05)


def name_cells(page: Any, path: Path) -> None:
    """Bring a file, run it and wait for the map."""
    page.goto("/")
    page.set_input_files("#file", path)
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")


def link_to_cells(server: Server, path: Path, **order: Any) -> str:
    """Name the cells of a file without a window, and say where the result is."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as client:
        job = run(client, checked(client, path.read_bytes(), path.name), **order)
    assert job["state"] == "done", job["error"]
    return f"{server.url}{job['links']['page']}"


@pytest.fixture
def result(page: Any, link: str) -> Any:
    """The page with a finished result, its map drawn."""
    page.goto(link)
    page.wait_for_selector("#map[data-drawn]")
    return page
