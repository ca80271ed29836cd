"""How workers hear from the processes that do their tasks."""

from __future__ import annotations

import json
from multiprocessing import Pipe
from types import SimpleNamespace
from typing import Any

import pytest

from spoticell.web import workers
from spoticell.web.jobs import RUNNING
from spoticell.web.workers import CRASHED, Workers, _Held


def heard(connection: Any) -> dict[str, Any]:
    """Listen to a process that has ended."""
    server = SimpleNamespace(
        _held={"a": _Held()},
        jobs=SimpleNamespace(get=lambda _: SimpleNamespace(state=RUNNING)),
        quota=SimpleNamespace(measure=lambda _: True),
    )
    process = SimpleNamespace(sentinel=None, exitcode=0, is_alive=lambda: False, join=lambda timeout: None)
    return Workers._listen(server, SimpleNamespace(id="a"), process, connection, 60)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def waits_for_nothing(monkeypatch):
    monkeypatch.setattr(workers, "wait", lambda *_, **__: [])


def test_a_last_word_that_comes_just_after_a_wait_is_heard():
    ours, theirs = Pipe()
    with ours, theirs:
        theirs.send_bytes(json.dumps({"done": {"findings": {}}}).encode())
        assert heard(ours) == {"done": {"findings": {}}}


def test_a_process_that_ended_without_a_word_has_crashed():
    ours, theirs = Pipe()
    with ours, theirs:
        assert heard(ours)["failed"] == CRASHED
