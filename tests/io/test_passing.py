"""What is half written has a name of its own, and what killed processes leave is removed by the next one."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.stopping import at_every_change

from spoticell.cli.ending import Ending
from spoticell.errors import OutputError
from spoticell.io import passing
from spoticell.io.passing import held, passing_place, remove_left
from spoticell.io.write import atomic

SOURCE = str(Path(__file__).parents[2] / "src")
WRITES = """
import sys, time
from pathlib import Path
from spoticell.io.write import atomic
with atomic(Path(sys.argv[1])) as passing:
    passing.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def writer(path):
    """Start a process that writes a file until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": SOURCE},
    )
    assert process.stdout.readline() == b"writing\n"
    return process


def killed(path):
    process = writer(path)
    process.kill()
    process.communicate()


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path):
    killed(tmp_path / "out.csv")
    assert len(names(tmp_path)) == 2
    with atomic(tmp_path / "out.csv") as place:
        place.write_text("whole")
    assert names(tmp_path) == ["out.csv"]


def test_what_a_living_process_writes_stays(tmp_path):
    process = writer(tmp_path / "one.csv")
    try:
        with atomic(tmp_path / "other.csv") as place:
            place.write_text("whole")
    finally:
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert names(tmp_path) == ["one.csv", "other.csv"]


def test_a_process_that_is_told_to_end_leaves_nothing(tmp_path):
    with passing_place(tmp_path / "index") as place:
        (place / "segments").mkdir(parents=True)
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == []


def left(folder, *, machine, token="0123abcd"):
    """Make what a killed process leaves."""
    (folder / f".spoticell-{token}.lock").write_text(machine)
    (folder / f".spoticell-{token}.tmp.h5ad").write_text("half")


def test_what_another_machine_writes_stays_since_its_lock_may_not_be_seen(tmp_path):
    left(tmp_path, machine="a-node-of-a-cluster\nboot")
    remove_left(tmp_path)
    assert len(names(tmp_path)) == 2


def test_what_was_left_before_a_restart_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "here")
    left(tmp_path, machine="here\nanother-boot")
    remove_left(tmp_path)
    assert names(tmp_path) == []


def test_files_that_are_only_called_alike_stay(tmp_path):
    for name in (
        ".spoticell-notes",
        ".spoticell-[a-z].lock",
        ".spoticell-0123abcd.tmp.h5ad",
        "spoticell-0123abcd.lock",
    ):
        (tmp_path / name).write_text("mine")
    remove_left(tmp_path)
    assert len(names(tmp_path)) == 4


def test_a_lock_that_leads_elsewhere_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("")
    (tmp_path / ".spoticell-0123abcd.lock").symlink_to(tmp_path / "mine")
    remove_left(tmp_path)
    assert len(names(tmp_path)) == 2


def test_a_disk_that_can_not_lock_is_written_to_and_nothing_is_swept_there(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(38, "no locks here")

    left(tmp_path, machine="")
    monkeypatch.setattr(passing, "lock_descriptor", refuse)
    with atomic(tmp_path / "out.csv") as place:
        place.write_text("whole")
    assert len(names(tmp_path)) == 3


def test_a_lock_that_was_taken_for_one_left_is_made_anew(tmp_path, monkeypatch):
    answers = iter([False, True])
    monkeypatch.setattr(passing, "_hold", lambda handle: next(answers))
    with passing_place(tmp_path / "out.csv"):
        assert len(names(tmp_path)) == 2
    (tmp_path / names(tmp_path)[0]).unlink()  # the first one, which its sweeper would have removed


def test_a_folder_is_held_by_one_and_let_go_without_a_trace(tmp_path):
    taken = OutputError("taken")
    with held(tmp_path, taken), pytest.raises(OutputError, match="taken"), held(tmp_path, taken):
        raise AssertionError("never reached")
    assert names(tmp_path) == []
    with held(tmp_path, taken):
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == []


def write_ended_at(moment, folder):
    """Hold a folder and write a file, and be told to end at a moment; say whether it came to that."""
    moments = iter(range(1000))

    def end():
        if next(moments) == moment:
            signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, Ending())
    try:
        with at_every_change(end), held(folder, OutputError("taken")), atomic(folder / "out.csv") as place:
            place.write_text("whole")
    except SystemExit:
        return True
    finally:
        signal.signal(signal.SIGTERM, before)
    return False


def test_a_signal_at_any_moment_leaves_neither_a_lock_nor_a_passing_file(tmp_path):
    left(tmp_path, machine="")
    others = {*names(tmp_path)}
    moment = 0
    while write_ended_at(moment, tmp_path):
        assert {*names(tmp_path)} <= {"out.csv", *others}
        left(tmp_path, machine="")
        moment += 1
    assert moment > 12


def test_of_two_that_write_one_new_file_the_second_is_told(tmp_path):
    path = tmp_path / "out.csv"
    second = ExitStack()
    second.enter_context(atomic(path, overwrite=False)).write_text("second")
    with atomic(path, overwrite=False) as first:
        first.write_text("first")
    with pytest.raises(OutputError, match=r"out\.csv came into being while.*--overwrite"):
        second.close()
    assert path.read_text() == "first"
    assert names(tmp_path) == ["out.csv"]


def test_the_first_wins_on_a_disk_without_hard_links_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with atomic(tmp_path / "out.csv", overwrite=False) as place:
        place.write_text("first")
    with pytest.raises(OutputError, match="came into being"), atomic(tmp_path / "out.csv", overwrite=False) as place:
        place.write_text("second")
    assert (tmp_path / "out.csv").read_text() == "first"
    assert names(tmp_path) == ["out.csv"]
