"""The room on disk: held while files come in, are unpacked, are looked at and are run."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from tests.web.conftest import checked, done, run, send, settled

from spoticell.biology.genes import load_vocabulary
from spoticell.web import quota, workers
from spoticell.web.disk import bytes_of
from spoticell.web.jobs import Job, Jobs
from spoticell.web.quota import Quota, room_of, values_of
from spoticell.web.refusal import Refusal


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """Have a run's report and tables count for little, as the tests' cells are few."""
    monkeypatch.setattr(quota, "A_RUN", 200_000)


def scribble(connection, task):
    """Stand in for the work on an upload: write and write, file after file."""
    task.folder.joinpath("scratch").mkdir(exist_ok=True)
    number = 0
    while not threading.Event().wait(0.002):
        (task.folder / "scratch" / f"{number}").write_bytes(bytes(10_000))
        number += 1


def test_work_that_uses_up_the_room_is_ended_in_words(opened, settings, tiny_file, monkeypatch):
    monkeypatch.setattr(workers, "run", scribble)
    client = opened(limits={"disk_bytes": 3_000_000})
    most = 0
    job = send(client, tiny_file).json()
    while job["state"] == "checking":
        most = max(most, bytes_of(settings.jobs_dir))
        job = client.get(job["links"]["self"]).json()
    assert job["state"] == "failed"
    assert "room for files was used up" in job["error"]
    assert bytes_of(settings.jobs_dir) == len(tiny_file), "what it wrote is gone"
    assert most < 2 * 3_000_000


def test_a_run_for_which_there_is_no_room_is_refused_in_words(opened, tiny_file):
    client = opened(limits={"disk_bytes": 5 * len(tiny_file)})
    job = checked(client, tiny_file)
    reply = client.post(job["links"]["self"] + "/run")
    assert reply.status_code == 507
    assert "need about" in reply.json()["error"]
    assert client.get(job["links"]["self"]).json()["state"] == "ready"


def test_a_run_takes_less_room_than_was_guessed(opened, settings, tiny_file, tiny_bundle):
    client = opened()
    job = done(client, tiny_file)
    taken = bytes_of(settings.jobs_dir / job["id"])
    found = job["findings"]
    before = Job("a" * 32, "n", "f", len(tiny_file), 0, 0, findings=found, disk=len(tiny_file))
    quota.A_RUN, kept = 12_000_000, quota.A_RUN
    assert taken < room_of(before, tiny_bundle)
    quota.A_RUN = kept
    assert found["values"] > 0


def test_a_small_text_that_holds_much_is_stopped(opened, settings, tmp_path):
    rows = ["gene," + ",".join(f"c{cell}" for cell in range(900))]
    rows += [f"{gene}," + ",".join("1" * 900) for gene in load_vocabulary().symbols[:4000]]
    packed = gzip.compress("\n".join(rows).encode())
    assert len(packed) < 400_000
    client = opened(limits={"disk_bytes": 4_000_000})
    job = checked(client, packed, "small.csv.gz")
    assert job["state"] == "failed"
    assert "room for files" in job["error"] or "larger than the server allows" in job["error"], job["error"]
    assert bytes_of(settings.jobs_dir) < 1.05 * 4_000_000


def test_what_a_running_job_may_come_to_hold_is_kept_for_it(opened, settings, tmp_path):
    settings.prepare()
    jobs = Jobs(settings.database)
    room = Quota(settings, jobs)
    most = settings.limits.disk_bytes
    jobs.add(Job("a" * 32, "n", "f", 1, 0, 0, state="running", disk=10, room=most - 1000))
    with pytest.raises(Refusal) as refused:
        room.begin_upload("b" * 32, 300)
    assert refused.value.status_code == 507
    room.begin_upload("b" * 32, 200)
    with pytest.raises(Refusal):
        room.begin_run(Job("c" * 32, "n", "f", 1, 0, 0, disk=10), 1020)
    assert room.left() == most - 10
    jobs.close()


def test_an_upload_counts_with_what_has_arrived(settings, monkeypatch):
    settings.prepare()
    jobs = Jobs(settings.database)
    room = Quota(settings, jobs)
    monkeypatch.setattr(room, "_free", lambda: 1 << 50)
    most = settings.limits.disk_bytes
    room.begin_upload("a" * 32, most // 4)
    assert room.left() == most
    room.arrived("a" * 32, most)
    with pytest.raises(Refusal, match="507"):
        room.arrived("a" * 32, most + 1)
    room.forget("a" * 32)
    assert room.left() == most
    jobs.close()


def test_an_upload_without_a_length_is_ended_when_the_room_is_used_up(opened, settings):
    client = opened(limits={"disk_bytes": 300_000})
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'

    def body():
        yield head
        for _ in range(40):
            yield bytes(10_000)

    reply = client.post("/api/jobs", content=body(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert reply.status_code == 507
    assert list(settings.jobs_dir.iterdir()) == []


def test_values_are_guessed_where_an_older_server_has_looked():
    assert values_of(Job("a" * 32, "n", "f", 800, 0, 0, findings={"cells": 3})) == 100


def test_a_folder_that_goes_while_it_is_measured_counts_nothing(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_bytes(bytes(7))
    (tmp_path / "scratch").mkdir()
    scan = os.scandir

    def gone(place):
        if os.fspath(place).endswith("scratch"):
            Path(place).rmdir()
        return scan(place)

    monkeypatch.setattr(os, "scandir", gone)
    assert bytes_of(tmp_path) == 7
    assert not (tmp_path / "scratch").exists()


def test_files_that_go_while_a_folder_is_measured_count_nothing(tmp_path):
    (tmp_path / "there").write_bytes(bytes(7))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert bytes_of(tmp_path) == 7
    assert bytes_of(tmp_path / "nowhere") == 0


def test_two_jobs_that_run_one_after_the_other_fit_where_both_results_do(opened, tiny_file):
    client = opened(limits={"disk_bytes": 12_000_000})
    jobs = [checked(client, tiny_file) for _ in range(2)]
    assert [run(client, job)["state"] for job in jobs] == ["done", "done"]
    assert settled(client, jobs[0])["error"] is None
    assert np.isfinite(client.get("/api/health").json()["free_bytes"])
