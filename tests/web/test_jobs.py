"""What becomes of jobs when things go wrong: crashes, limits, restarts, crowds."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import active_children

import numpy as np
import pytest
from tests.web.conftest import checked, done, run, send, serving, settled

from spoticell.annotation.options import Options
from spoticell.errors import ConfigError
from spoticell.web import child, workers
from spoticell.web.jobs import CHECKING, DONE, FAILED, MOST_ATTEMPTS, QUEUED, READY, RUNNING, WAITING, Job, Jobs, new_id
from spoticell.web.site import Site
from spoticell.web.task import CHECK, Task


def misbehave(connection, task):
    """Stand in for the work on an upload: do what its name says."""
    child.confine(task.limits)
    if "crash" in task.name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in task.name:
        time.sleep(600)
    if "killed" in task.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "spin" in task.name:
        while True:
            pass
    if "memory" in task.name:
        try:
            np.ones(task.limits.memory, dtype=np.uint8)
        except MemoryError:
            connection.send_bytes(b'{"failed": "memory"}')
    if "disk" in task.name:
        try:
            with (task.folder / "large").open("wb") as file:
                file.write(bytes(task.limits.written_bytes + 1))
        except OSError as error:
            connection.send_bytes(f'{{"failed": "errno {error.errno}"}}'.encode())
    if "nonsense" in task.name:
        connection.send_bytes(b"\x80\x04 no json")
    if "bomb" in task.name:
        connection.send_bytes(bytes(child.LONGEST_MESSAGE + 1))


@pytest.fixture
def bad_client(opened, monkeypatch):
    monkeypatch.setattr(workers, "run", misbehave)
    limits = {"memory": 3 << 30, "written_bytes": 1_000_000, "cpu_seconds": 60}
    return lambda **changes: opened(limits=limits | changes)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("crash.h5ad", {}, "reader crashed"),
        ("killed.h5ad", {}, "memory ran out"),
        ("hang.h5ad", {"check_seconds": 0.5}, "longer than the server allows"),
        ("spin.h5ad", {"cpu_seconds": 1}, "processor time"),
        ("memory.h5ad", {}, "memory"),
        ("disk.h5ad", {}, "errno 27"),
        ("nonsense.h5ad", {}, "reader crashed"),
        ("bomb.h5ad", {}, "reader crashed"),
    ],
)
@pytest.mark.rows(61)
def test_a_process_that_goes_wrong_is_a_failed_job_and_no_more(bad_client, tiny_file, name, changes, words):
    client = bad_client(**changes)
    job = checked(client, tiny_file, name)
    assert job["state"] == "failed"
    assert words in job["error"]
    assert client.get("/api/info").status_code == 200


def test_an_error_of_ours_is_told_without_its_words(tmp_path, monkeypatch):
    class Line:
        sent: list[bytes] = []  # noqa: RUF012

        def send_bytes(self, message):
            self.sent.append(message)

        def recv_bytes(self):
            threading.Event().wait(5)

    def fail(task, tell):
        raise ValueError("barcode AAACCTG of patient 7")

    monkeypatch.setattr(child, "perform", fail)
    monkeypatch.setattr(child, "confine", lambda limits: None)
    child.run(Line(), Task(CHECK, tmp_path, "f", "n", Options(), None))
    assert b"ValueError at test_jobs.py" in Line.sent[0]
    assert b"patient" not in Line.sent[0]


@pytest.mark.rows(61)
def test_a_running_job_can_be_cancelled_and_run_again(opened, tiny_file, monkeypatch):
    client = opened()
    job = checked(client, tiny_file)
    with monkeypatch.context() as slow:
        slow.setattr(workers, "run", misbehave)
        hung = send(client, tiny_file, "hang.h5ad").json()
        while not (working := active_children()):
            time.sleep(0.02)
        assert client.post(f"/api/jobs/{hung['id']}/cancel").json()["state"] == "cancelled"
        assert not any(process.is_alive() for process in working), "the answer comes when the work has ended"
        assert settled(client, hung)["state"] == "cancelled"
    assert client.post(f"/api/jobs/{hung['id']}/run").status_code == 409
    assert client.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "ready"
    assert run(client, job)["state"] == "done"


def test_a_job_can_be_deleted_while_it_is_worked_on(bad_client, tiny_file, settings):
    client = bad_client()
    job = send(client, tiny_file, "hang.h5ad").json()
    while client.get(f"/api/jobs/{job['id']}").json()["stage"] == "waiting":
        time.sleep(0.02)
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert not (settings.jobs_dir / job["id"]).exists()
    time.sleep(0.2)
    assert client.get(f"/api/jobs/{job['id']}").status_code == 404


def test_jobs_wait_in_line_and_say_where(bad_client, tiny_file, settings):
    client = bad_client()
    jobs = Jobs(settings.data_dir / "other.sqlite")
    ids = [new_id() for _ in range(3)]
    for place, ident in enumerate(ids):
        jobs.add(Job(ident, "a", "b", 1, 0, 1, state=QUEUED, queued=place))
    assert [jobs.position(jobs.get(ident)) for ident in ids] == [1, 2, 3]
    assert jobs.take_run().id == ids[0]
    assert [jobs.position(jobs.get(ident)) for ident in ids] == [None, 1, 2]
    jobs.close()
    assert client.get("/api/info").status_code == 200


@pytest.mark.rows(61)
def test_when_too_many_wait_the_next_is_told_when_to_come_again(bad_client, tiny_file, settings):
    client = bad_client(waiting=3)
    replies = [send(client, tiny_file, "hang.h5ad") for _ in range(5)]
    assert [reply.status_code for reply in replies] == [201, 201, 201, 429, 429]
    assert int(replies[-1].headers["retry-after"]) > 0
    assert len(list(settings.jobs_dir.iterdir())) == 3
    client.delete(replies[0].json()["links"]["self"])
    assert send(client, tiny_file, "hang.h5ad").status_code == 201


def test_when_the_disk_budget_is_used_up_the_next_is_told_when_to_come_again(opened, tiny_file):
    client = opened(limits={"disk_bytes": 5 * len(tiny_file)})
    assert send(client, tiny_file).status_code == 201
    refused = send(client, tiny_file)
    assert refused.status_code == 507
    assert "no room" in refused.json()["error"]
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.slow
def test_of_twenty_uploads_at_once_none_is_lost(shared, tiny_file):
    with ThreadPoolExecutor(20) as visitors:
        jobs = list(visitors.map(lambda n: done(shared, tiny_file, f"{n}.h5ad"), range(20)))
    assert len({job["id"] for job in jobs}) == 20
    assert {job["state"] for job in jobs} == {"done"}


@pytest.mark.rows(61)
def test_jobs_survive_a_restart(settings, tiny_file):
    with serving(settings) as client:
        finished, waiting = done(client, tiny_file), checked(client, tiny_file)
    jobs = Jobs(settings.database)
    jobs.update(waiting["id"], state=RUNNING, settings={"model": "tiny", "threshold": None}, stage="naming cells")
    jobs.close()
    with serving(settings) as client:
        assert client.get(finished["links"]["summary"]).status_code == 200
        assert settled(client, client.get(waiting["links"]["self"]).json())["state"] == "done"


def test_a_server_that_ends_leaves_running_jobs_for_the_next(settings, tiny_file, monkeypatch):
    with monkeypatch.context() as slow:
        slow.setattr(workers, "run", misbehave)
        with serving(settings) as client:
            job = send(client, tiny_file, "hang.h5ad").json()
            while client.get(job["links"]["self"]).json()["stage"] == "waiting":
                time.sleep(0.02)
    with serving(settings) as client:
        assert settled(client, job)["state"] == "ready"


def test_a_job_that_takes_the_server_down_again_and_again_is_given_up(tmp_path):
    jobs = Jobs(tmp_path / "jobs.sqlite")
    jobs.add(Job("a", "n", "f", 1, 0, 1, state=QUEUED))
    for _ in range(MOST_ATTEMPTS):
        assert jobs.take_run().id == "a"
        jobs.restore()
    assert jobs.get("a").state == FAILED
    assert jobs.take_run() is None
    jobs.close()


def test_two_servers_do_not_share_a_folder(settings):
    site = Site(settings)
    with pytest.raises(ConfigError, match="another server"):
        Site(settings)
    site.jobs.close()


def test_results_are_deleted_when_their_time_is_up(settings, tiny_file):
    with serving(replace(settings, keep_hours=1e-6)) as client:
        job = checked(client, tiny_file)
        (settings.jobs_dir / "left over").mkdir()
    with serving(settings) as client:
        assert client.get(job["links"]["self"]).status_code == 404
    assert list(settings.jobs_dir.iterdir()) == []


def test_what_is_worked_on_is_not_swept_away(tmp_path):
    jobs = Jobs(tmp_path / "jobs.sqlite")
    for state in (CHECKING, READY, QUEUED, RUNNING, DONE, FAILED):
        jobs.add(Job(state, "n", "f", 1, 0, expires=100, state=state))
    assert set(jobs.expired(101)) == {READY, DONE, FAILED}
    assert jobs.expired(99) == []
    assert jobs.get(CHECKING).stage == WAITING
    jobs.close()


def test_the_folders_are_for_the_owners_eyes(opened, settings, tiny_file):
    job = checked(opened(), tiny_file)
    for folder in (settings.data_dir, settings.jobs_dir, settings.jobs_dir / job["id"] / "input"):
        assert folder.stat().st_mode & 0o077 == 0, folder


def linger(connection):
    threading.Thread(target=child._end_with_server, args=(connection,), daemon=True).start()
    time.sleep(600)


def test_a_process_ends_when_its_server_is_gone():
    ours, theirs = child.context().Pipe()
    process = child.context().Process(target=linger, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    ours.close()
    process.join()
    assert process.exitcode == 1


def test_a_job_can_be_ordered_and_cancelled_in_quick_turns(opened, tiny_file):
    client = opened(workers=3)
    job = checked(client, tiny_file)
    for _ in range(8):
        assert client.post(f"/api/jobs/{job['id']}/run").status_code == 202
        assert client.post(f"/api/jobs/{job['id']}/cancel").json()["state"] in {"cancelled", "done"}
    assert run(client, job, threshold=0.7)["state"] == "done"
    assert client.get(f"/api/jobs/{job['id']}/summary").json()["threshold"] == 0.7
