"""A finished result that is run again: it is there until the new one is whole."""

from __future__ import annotations

import sqlite3
import time

import pytest
from tests.web.conftest import checked, done, run, serving, settled

from spoticell.web import earlier, workers
from spoticell.web.jobs import DONE, MOST_ATTEMPTS, QUEUED, RUNNING, Job, Jobs
from spoticell.web.task import RESULTS, WORK


def hang(connection, task):
    """Stand in for a run that takes long."""
    time.sleep(600)


def fail(connection, task):
    """Stand in for a run that fails."""
    connection.send_bytes(b'{"failed": "The file is odd."}')


def asked_again(client, job, **order):
    reply = client.post(job["links"]["self"] + "/run", json=order)
    assert reply.status_code == 202, reply.text
    return reply.json()


def is_as_before(client, job, before):
    now = client.get(job["links"]["self"]).json()
    assert now["state"] == "done"
    assert now["settings"]["threshold"] == before["settings"]["threshold"]
    assert now["findings"] == before["findings"]
    assert client.get(now["links"]["summary"]).json()["threshold"] == before["settings"]["threshold"]
    return now


def test_a_new_run_that_is_cancelled_leaves_the_earlier_result(opened, tiny_file, monkeypatch):
    client = opened()
    job = run(client, checked(client, tiny_file), threshold=0.7)
    with monkeypatch.context() as slow:
        slow.setattr(workers, "run", hang)
        assert asked_again(client, job, threshold=0.2)["settings"]["threshold"] == 0.2
        assert client.get(job["links"]["summary"]).json()["threshold"] == 0.7, "it can be seen meanwhile"
        cancelled = client.post(job["links"]["self"] + "/cancel").json()
    assert cancelled["state"] == "done"
    assert is_as_before(client, job, job)["notice"] == "The new run was cancelled; this is the earlier result."
    again = run(client, job, threshold=0.2)
    assert (again["notice"], again["settings"]["threshold"]) == (None, 0.2)
    assert client.get(job["links"]["summary"]).json()["threshold"] == 0.2


def test_a_new_run_that_fails_leaves_the_earlier_result(opened, tiny_file, monkeypatch):
    client = opened()
    job = run(client, checked(client, tiny_file), threshold=0.7)
    with monkeypatch.context() as bad:
        bad.setattr(workers, "run", fail)
        settled(client, asked_again(client, job, threshold=0.2))
    notice = is_as_before(client, job, job)["notice"]
    assert notice == "The new run failed: The file is odd. This is the earlier result."


def test_a_restart_during_a_new_run_keeps_the_earlier_result(settings, tiny_file, monkeypatch):
    with monkeypatch.context() as slow:
        with serving(settings) as client:
            job = run(client, checked(client, tiny_file), threshold=0.7)
            slow.setattr(workers, "run", hang)
            asked_again(client, job, threshold=0.2)
            while client.get(job["links"]["self"]).json()["state"] != "running":
                time.sleep(0.02)
        with serving(settings) as client:
            assert client.get(job["links"]["self"]).json()["settings"]["threshold"] == 0.2
            client.post(job["links"]["self"] + "/cancel")
            is_as_before(client, job, job)


@pytest.mark.parametrize(("state", "kept"), [(DONE, "new"), (QUEUED, "old")])
def test_a_server_that_ended_while_results_changed_places_settles_it(settings, tiny_file, state, kept, monkeypatch):
    with serving(settings) as client:
        job = done(client, tiny_file)
    folder = settings.jobs_dir / job["id"]
    (folder / RESULTS / "types.csv").write_text("old")
    (folder / RESULTS).rename(folder / earlier.EARLIER)
    (folder / RESULTS).mkdir()
    (folder / RESULTS / "types.csv").write_text("new")
    jobs = Jobs(settings.database)
    had = {"settings": job["settings"], "findings": job["findings"], "lines": []}
    jobs.update(job["id"], state=state, earlier=None if state == DONE else had)
    jobs.close()
    monkeypatch.setattr(workers, "run", hang)
    with serving(settings) as client:
        client.post(job["links"]["self"] + "/cancel")
        assert client.get(job["links"]["types.csv"]).text == kept
    assert not (folder / earlier.EARLIER).exists()


def test_results_have_their_place_again_if_the_table_cant_be_told(tmp_path):
    for name in (RESULTS, WORK):
        (tmp_path / name).mkdir()
        (tmp_path / name / "types.csv").write_text(name)
    earlier.put(tmp_path)
    assert (tmp_path / RESULTS / "types.csv").read_text() == WORK
    earlier.take_back(tmp_path)
    assert (tmp_path / RESULTS / "types.csv").read_text() == RESULTS
    assert (tmp_path / WORK / "types.csv").read_text() == WORK
    earlier.put(tmp_path)
    earlier.keep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [RESULTS]


def test_a_run_that_is_cancelled_as_it_ends_leaves_the_earlier_result(opened, tiny_file, monkeypatch):
    client = opened()
    job = run(client, checked(client, tiny_file), threshold=0.7)
    settle = workers.Workers._settle

    def late(self, job, outcome, **named):
        self.jobs.cancel(self.jobs.get(job.id))
        settle(self, job, outcome, **named)

    monkeypatch.setattr(workers.Workers, "_settle", late)
    settled(client, asked_again(client, job, threshold=0.2))
    is_as_before(client, job, job)


def test_a_new_run_that_takes_the_server_down_again_and_again_leaves_the_earlier_result(tmp_path):
    jobs = Jobs(tmp_path / "jobs.sqlite")
    had = {"settings": {"model": "a"}, "findings": {"cells": 3}, "lines": ["x"]}
    jobs.add(Job("a", "n", "f", 1, 0, 1, state=RUNNING, attempts=MOST_ATTEMPTS, earlier=had))
    jobs.restore(at_work=["a"])
    assert jobs.get("a").state == RUNNING
    jobs.restore()
    job = jobs.get("a")
    assert (job.state, job.settings, job.findings, job.earlier) == (DONE, {"model": "a"}, {"cells": 3}, None)
    assert "several times" in job.notice
    jobs.close()


def test_a_table_of_an_older_server_is_read(tmp_path):
    path = tmp_path / "jobs.sqlite"
    old = sqlite3.connect(path)
    names = "id PRIMARY KEY, name, file, bytes, created, expires, state, stage, progress, error, findings, lines"
    old.execute(f"CREATE TABLE jobs ({names}, settings, queued, attempts, disk, version)")
    values = ["a", "n", "f", 1, 0.0, 1.0, DONE, "done", 1.0, None, '{"cells": 3}', "[]", '{"model": "m"}', 0.0, 0, 9, 4]
    old.execute(f"INSERT INTO jobs VALUES ({', '.join('?' for _ in values)})", values)
    old.commit()
    old.close()
    jobs = Jobs(path)
    job = jobs.get("a")
    assert (job.state, job.earlier, job.notice, job.room, job.version) == (DONE, None, None, 0, 4)
    jobs.note_run(2.0, 3.0)
    assert jobs.past_runs() == [(2.0, 3.0)]
    jobs.close()
