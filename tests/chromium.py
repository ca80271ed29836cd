"""A real browser, one for all tests of a process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first that is there is used: the one that has no windows needs half the processor time for each page."""
LOOK = "--disable-gpu --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
"""WebGL without a graphics card."""
QUIET = (
    "--no-sandbox --no-first-run --disable-quic --disable-sync"
    " --disable-background-networking --disable-component-update"
)
PATIENCE = 300
"""Seconds that a test waits for anything: the machine may be busy."""


def path_of_chromium() -> str | None:
    """Where it is, nothing if it isn't there."""
    return os.environ.get("SPOTICELL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright; SPOTICELL_CHROMIUM may say where it is."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    path = path_of_chromium()
    if path is None:
        pytest.skip("the browser tests need chromium; SPOTICELL_CHROMIUM may say where it is")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=[*QUIET.split(), *LOOK.split()], timeout=1000 * PATIENCE
        )
        yield browser
        browser.close()
