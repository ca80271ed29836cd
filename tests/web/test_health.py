"""What a program is told that watches over the server."""

from __future__ import annotations

import sqlite3
import threading
import time

import httpx
import pytest
from tests.web.conftest import checked, done

from spoticell.web import quota, site, steady, workers
from spoticell.web.jobs import CHECKING, QUEUED, WAITING, Job, Jobs
from spoticell.web.steady import Steady


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(site, "WATCH", 0.02)
    monkeypatch.setattr(steady, "PAUSE", 0.02)
    monkeypatch.setattr(quota, "SPARE_DISK", 0)


def said(client):
    reply = client.get("/api/health")
    return reply.status_code, reply.json()


def wait_for(client, words):
    while not any(words in line for line in said(client)[1]["wrong"]):
        time.sleep(0.01)


def test_a_server_that_is_well_says_so_without_a_token(opened):
    client = opened(token="open sesame 1859", workers=2)
    while said(client)[0] != 200:
        time.sleep(0.01)
    status, found = said(client)
    assert (status, found["ok"], found["wrong"], found["workers"], found["workers_needed"]) == (200, True, [], 4, 4)
    assert found["oldest_waits_seconds"] is None
    assert found["free_bytes"] > 0
    assert client.get("/api/info").status_code == 401


@pytest.mark.parametrize("path", ["/", "/jobs/" + 32 * "0", "/api/health"])
def test_head_is_answered_as_get_without_the_body(shared, path):
    got, asked = shared.get(path), shared.head(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    assert asked.headers["content-type"] == got.headers["content-type"]


def test_nothing_of_a_job_is_told(opened, tiny_file):
    client = opened()
    job = checked(client, tiny_file, "patient 7.h5ad")
    told = client.get("/api/health").text
    assert job["id"] not in told
    assert "patient" not in told


def test_a_server_without_room_is_not_well(opened):
    client = opened(limits={"disk_bytes": 0})
    status, found = said(client)
    assert (status, found["ok"]) == (503, False)
    assert "no room" in " ".join(found["wrong"])


def test_a_thread_that_meets_errors_is_named_and_goes_on(opened, tiny_file, monkeypatch):
    client = opened()
    with monkeypatch.context() as bad:

        def fail(jobs):
            raise sqlite3.OperationalError("database or disk is full")

        bad.setattr(Jobs, "_take", lambda jobs, *values, **named: fail(jobs))
        wait_for(client, "Worker 1 does not get on (OperationalError)")
        assert said(client)[0] == 503
    assert done(client, tiny_file)["state"] == "done"
    assert said(client)[0] == 200


def test_a_table_that_cant_be_read_is_said(opened, monkeypatch):
    client = opened()

    def fail(jobs):
        raise sqlite3.DatabaseError("file is not a database")

    with monkeypatch.context() as bad:
        bad.setattr(Jobs, "waiting_since", fail)
        status, found = said(client)
    assert (status, found["table"]) == (503, False)


def test_a_sweeper_that_is_late_is_said(opened, monkeypatch):
    client = opened()
    monkeypatch.setattr("spoticell.web.health.SWEEP", -1.0)
    status, found = said(client)
    assert (status, "sweeper" in " ".join(found["wrong"])) == (503, True)


class Deadly(BaseException):
    """What ends a thread for good."""


def test_threads_that_died_are_started_anew_and_their_job_too(opened, tiny_file, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    client = opened()
    job = checked(client, tiny_file)
    listen, fallen = workers.Workers._listen, []

    def die(self, *values):
        if not fallen:
            fallen.append(1)
            raise Deadly
        return listen(self, *values)

    monkeypatch.setattr(workers.Workers, "_listen", die)
    client.post(job["links"]["self"] + "/run")
    while (job := client.get(job["links"]["self"]).json())["state"] != "done":
        time.sleep(0.02)
    assert fallen
    assert said(client)[0] == 200


def test_a_thread_that_couldnt_start_is_started_later(monkeypatch):
    ending, began = threading.Event(), threading.Event()
    thread = Steady("the clock", lambda: (began.set(), ending.wait()), ending=ending)
    with monkeypatch.context() as full:

        def refuse(self):
            raise RuntimeError("can't start new thread")

        full.setattr(threading.Thread, "start", refuse)
        assert not thread.revive()
    thread.join(0)
    assert not thread.alive
    assert thread.revive()
    assert not thread.revive(), "one is enough"
    began.wait()
    ending.set()
    thread.join(60)
    assert not thread.revive(), "it is over"


def test_the_watch_goes_on_if_it_can_start_nothing(opened, monkeypatch):
    client = opened()
    asked = []

    def fail(self):
        asked.append(1)
        raise RuntimeError("no")

    monkeypatch.setattr(workers.Workers, "revive", fail)
    while len(asked) < 3:
        time.sleep(0.02)
    assert client.get("/api/info").status_code == 200


def test_the_oldest_job_that_waits_is_known(tmp_path):
    jobs = Jobs(tmp_path / "jobs.sqlite")
    assert jobs.waiting_since() is None
    jobs.add(Job("a" * 32, "n", "f", 1, 5.0, 0, state=QUEUED, stage=WAITING, queued=70.0))
    assert jobs.waiting_since() == 70
    jobs.add(Job("b" * 32, "n", "f", 1, 60.0, 0, state=CHECKING, stage=WAITING))
    assert jobs.waiting_since() == 60
    jobs.close()


def test_a_server_of_another_name_is_refused_here_too(shared):
    assert httpx.get(shared.base_url.join("/api/health"), headers={"host": "evil"}).status_code == 400
