"""Runs whose cells are read by processes of their own, which are killed and interrupted."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import tiny_adata

import spoticell
from spoticell.annotation.cluster.crew import crew_of

pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Cells for four tasks, a few of which are of each type."""
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    tiny_adata(per_type=2100).write_h5ad(path)
    return path


@pytest.mark.slow
def test_workers_that_are_killed_at_random_lose_and_double_nothing(cells, tiny_bundle, tmp_path):
    asked = {"model": tiny_bundle, "each_cell_alone": True, "on_progress": False}
    spoticell.annotate(cells, tmp_path / "here.csv", **asked)
    rng, killed = random.Random(0), []
    with crew_of("local", threads=2) as crew:
        take = crew.next_of

        def kill_and_take(file):
            if len(killed) < 2:
                pids = set(crew._client.run(os.getpid, on_error="ignore").values()) - set(killed)
                killed.append(rng.choice(sorted(pids)))
                os.kill(killed[-1], signal.SIGKILL)
            return take(file)

        crew.next_of = kill_and_take
        spoticell.annotate(cells, tmp_path / "there.csv", dask=crew, **asked)
    assert len(killed) == 2
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


@pytest.mark.slow
def test_ctrl_c_ends_the_workers_too_and_leaves_nothing_behind(cells, tiny_bundle_folder, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = [
        "annotate",
        cells,
        "-o",
        tmp_path / "out.h5ad",
        "-b",
        tiny_bundle_folder,
        "--dask",
        "local",
        "--threads",
        "2",
    ]
    command = [sys.executable, "-m", "spoticell", *map(str, words)]
    environment = os.environ | {"TMPDIR": str(scratch)}
    run = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, start_new_session=True, text=True)
    workers = _children(run, at_least=3)
    time.sleep(random.random())  # whatever they are at
    # a terminal sends it to all of them
    os.killpg(run.pid, signal.SIGINT)
    said = run.communicate(timeout=120)[1]
    assert (run.returncode, said) == (130, "spoticell: interrupted; nothing half-done is left behind\n")
    assert not psutil.wait_procs(workers, timeout=30)[1]
    assert not (tmp_path / "out.h5ad").exists()
    assert list(scratch.iterdir()) == []


def _children(run, *, at_least):
    """Wait until two workers are at work; Python's own helper for them is the third process."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        children = psutil.Process(run.pid).children()
        if len(children) >= at_least and all(Path(f"/proc/{child.pid}").exists() for child in children):
            return children
        time.sleep(0.1)
    raise AssertionError(f"no workers after two minutes: {run.poll()}")
