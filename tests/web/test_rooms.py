"""A worker reaches its own job's folder and no other, where the kernel can see to that."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.web.conftest import checked, done, send, settled

from spoticell.annotation.options import Options
from spoticell.web import child, landlock, rooms, workers
from spoticell.web.rooms import keep_to_job
from spoticell.web.settings import Limits
from spoticell.web.task import CHECK, Task

needs_kernel = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


def outcome(act):
    try:
        act()
    except (OSError, subprocess.SubprocessError) as error:
        return type(error).__name__
    return "done"


def _program(folder):
    path = folder / "program"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return path


def peek(connection, task):
    """Stand in for the work on an upload: try what a hijacked worker would."""
    child.confine(task.limits)
    keep_to_job(task)
    others = sorted(path for path in task.folder.parent.parent.rglob("*") if path.is_file())
    mine = task.folder / "input" / task.file
    tried = {
        "list": str(others),
        "passwd": outcome(lambda: Path("/etc/passwd").read_bytes()),
        "database": outcome((task.folder.parent.parent / "jobs.sqlite").read_bytes),
        "environ": outcome(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()),
        "outside": outcome((task.folder.parent / "new").touch),
        "package": outcome(lambda: Path(rooms.__file__).open("ab").close()),
        "own": outcome(mine.read_bytes),
        "write": outcome(lambda: (task.folder / "mine").write_text("x")),
        "null": outcome(lambda: Path(os.devnull).write_bytes(b"x")),
        "run": outcome(lambda: subprocess.run([sys.executable, "-c", "open('/etc/passwd')"], check=True)),
        "make": outcome(lambda: subprocess.run([_program(task.folder)], check=False)),
        "signal": outcome(lambda: os.kill(os.getppid(), 0)),
        "tcp": outcome(lambda: socket.create_connection(("127.0.0.1", 1), timeout=1)),
    }
    connection.send_bytes(child.json.dumps({"failed": repr(tried)}).encode())


@needs_kernel
def test_a_worker_reaches_nothing_but_its_jobs_folder(opened, tiny_file, monkeypatch):
    client = opened()
    other = checked(client, tiny_file)
    monkeypatch.setattr(workers, "run", peek)
    told = settled(client, send(client, tiny_file, "peek.h5ad").json())["error"]
    assert other["id"] not in told
    for what in ("passwd", "database", "environ", "outside", "package", "make"):
        assert f"'{what}': 'PermissionError'" in told, told
    for what in ("own", "write", "null"):
        assert f"'{what}': 'done'" in told, told
    assert "'run': 'CalledProcessError'" in told, "what it runs is shut in too"
    if landlock.version() >= 4:
        assert "'tcp': 'PermissionError'" in told
    if landlock.version() >= 6:
        assert "'signal': 'PermissionError'" in told


def test_a_run_with_reference_cells_needs_nothing_else(opened, tiny_file, tiny_index, tmp_path):
    # the folder of the index may hold links to where its files lie
    place = tmp_path / "linked"
    place.mkdir()
    for path in tiny_index.iterdir():
        (place / path.name).symlink_to(path)
    assert done(opened(index=place), tiny_file)["state"] == "done"


def test_the_server_itself_is_never_shut_in(tmp_path):
    assert not keep_to_job(Task(CHECK, tmp_path, "f", "n", Options(), Limits()))


def test_folders_of_modules_that_hold_the_jobs_are_not_readable(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), "/elsewhere"])
    folder = tmp_path / "state" / "jobs" / "x"
    needed = [str(path) for path in rooms._needed(Task(CHECK, folder, "f", "n", Options(), Limits()))]
    assert "/elsewhere" in needed
    assert str(tmp_path) not in needed


@pytest.mark.parametrize("found", [-1, 0, 1])
def test_without_landlock_nothing_happens(monkeypatch, found):
    monkeypatch.setattr(landlock, "_call", lambda *values: found)
    assert landlock.shut_in(lists=[], reads=[], writes=[]) is False


def test_other_systems_have_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert landlock.version() == 0


@pytest.mark.parametrize(("version", "size", "every"), [(2, 8, 14), (3, 8, 15), (4, 16, 15), (5, 16, 16), (7, 24, 16)])
def test_a_kernel_is_asked_for_no_more_than_it_can(monkeypatch, tmp_path, version, size, every):
    asked = []

    def kernel(number, *values):
        if number == landlock.CREATE_RULESET and values[0] is None:
            return version
        asked.append((number, values))
        return os.open(os.devnull, os.O_RDONLY) if number == landlock.CREATE_RULESET else -1

    monkeypatch.setattr(landlock, "_call", kernel)
    monkeypatch.setattr(landlock, "_NO_NEW_PRIVS", 39)  # which only reads it
    assert landlock.shut_in(lists=[], reads=[tmp_path / "missing"], writes=[tmp_path]) is False
    (_, (attributes, stated, _)), *rules = asked
    assert stated == size
    assert attributes._obj.files == (1 << every) - 1
    assert [number for number, _ in rules] == [landlock.ADD_RULE, landlock.RESTRICT_SELF]
