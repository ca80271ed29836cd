"""Waiting for workers: what is said, and when it ends."""

from datetime import timedelta

import pytest

from spoticell.annotation.cluster import waiting
from spoticell.annotation.cluster.waiting import Vigil
from spoticell.errors import ConfigError, SpoticellWarning


class Cluster:
    """Has the workers that it is told, look by look, the last for ever."""

    def __init__(self, *workers):
        self.workers, self.looks = list(workers), 0

    def nthreads(self):
        self.looks += 1
        found = self.workers.pop(0) if len(self.workers) > 1 else self.workers[0]
        if isinstance(found, Exception):
            raise found
        return found


class Task:
    """Is done after some looks at its progress, or never."""

    def __init__(self, looks=None):
        self.left, self.tell = looks, None

    def add_done_callback(self, tell):
        self.tell = tell
        self.look()

    def look(self):
        if self.left == 0:
            self.tell(self)
        elif self.left is not None:
            self.left -= 1


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(waiting, "HEARD", 0.001)
    monkeypatch.setattr(waiting, "LOOKED", 0)


def test_a_task_is_waited_for_and_its_progress_looked_at():
    task, cluster = Task(looks=3), Cluster({"worker": 1})
    Vigil(cluster, "the cluster").wait(task, task.look)
    assert task.left == 0
    assert cluster.looks >= 2


def test_a_wait_without_workers_ends_at_the_time_that_was_said(monkeypatch):
    monkeypatch.setattr(waiting, "LONGEST", timedelta(0))
    vigil = Vigil(Cluster({}), "the cluster at tcp://x")
    with (
        pytest.warns(SpoticellWarning, match=r"no worker has joined the cluster at tcp://x yet; .* until \d\d:\d\d"),
        pytest.raises(ConfigError, match=r"no worker has joined the cluster at tcp://x until \d\d:\d\d. Start some"),
    ):
        vigil.wait(Task())


def test_a_worker_that_comes_begins_the_wait_anew(monkeypatch):
    monkeypatch.setattr(waiting, "LONGEST", timedelta(0))
    vigil, task = Vigil(Cluster({}, {"worker": 1}, {}, {"worker": 1}), "the cluster"), Task(looks=6)
    with pytest.warns(SpoticellWarning, match="no worker has joined") as told:
        vigil.wait(task, task.look)
    assert len(told) == 2


def test_a_scheduler_that_is_gone_ends_no_wait_of_its_own():
    task = Task(looks=2)
    Vigil(Cluster(OSError("gone")), "the cluster").wait(task, task.look)
    assert task.left == 0
