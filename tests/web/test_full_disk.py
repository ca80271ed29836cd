"""A disk that is full, for a while or for good: nothing dies of it, and it is said."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from dataclasses import replace

import pytest
from tests.web.conftest import checked, done, run, send, serving, settled, small

from spoticell.web import quota, site, steady
from spoticell.web.jobs import FAILED, QUEUED, Job, Jobs


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Have what waits for room ask often, and what watches look often."""
    monkeypatch.setattr(steady, "PAUSE", 0.02)
    monkeypatch.setattr("spoticell.web.workers.PAUSE", 0.02)
    monkeypatch.setattr(site, "WATCH", 0.02)
    monkeypatch.setattr(quota, "SPARE_DISK", 0)


class Disk:
    """The table's disk, which a test may fill: then nothing can be written into the table."""

    def __init__(self, monkeypatch):
        self.is_full = False
        self.refused = 0
        run = Jobs._run

        def run_or_refuse(jobs, command, values):
            if self.is_full and not command.startswith("SELECT"):
                self.refused += 1
                raise sqlite3.OperationalError("database or disk is full")
            return run(jobs, command, values)

        monkeypatch.setattr(Jobs, "_run", run_or_refuse)

    def wait_until_refused(self):
        before = self.refused
        while self.refused < before + 3:
            time.sleep(0.01)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def test_after_a_full_disk_jobs_are_worked_on_as_before(opened, tiny_file, disk, caplog):
    client = opened()
    first = done(client, tiny_file)
    disk.is_full = True
    disk.wait_until_refused()
    assert send(client, tiny_file).status_code == 507
    assert client.get(first["links"]["summary"]).status_code == 200
    disk.is_full = False
    assert done(client, tiny_file)["state"] == "done"
    said = [record.thread for record in caplog.records if "it goes on" in record.message]
    assert said
    assert len(said) == len(set(said)), "each thread says it once"


def test_a_request_that_meets_a_full_disk_is_answered_in_words(opened, tiny_file, disk):
    client = opened()
    job = checked(client, tiny_file)
    disk.is_full = True
    for reply in (client.post(job["links"]["self"] + "/run"), client.post("/api/jobs/demo")):
        assert reply.status_code == 507
        assert "full" in reply.json()["error"]
    disk.is_full = False
    assert run(client, job)["state"] == "done"


def test_a_job_whose_end_cant_be_written_ends_when_there_is_room(opened, tiny_file, disk, monkeypatch):
    client = opened()
    job = checked(client, tiny_file)
    write = Jobs.update

    def update(jobs, ident, **changes):
        if changes.get("state") == "done" and not disk.refused:
            disk.is_full = True
        return write(jobs, ident, **changes)

    monkeypatch.setattr(Jobs, "update", update)
    client.post(job["links"]["self"] + "/run")
    disk.wait_until_refused()
    assert client.get(job["links"]["self"]).json()["state"] == "running"
    disk.is_full = False
    job = settled(client, client.get(job["links"]["self"]).json())
    assert job["state"] == "done"
    assert client.get(job["links"]["summary"]).status_code == 200


def test_progress_that_cant_be_written_is_left_out(opened, tiny_file, disk, monkeypatch):
    client = opened()
    job = checked(client, tiny_file)
    write = Jobs.update

    def update(jobs, ident, **changes):
        if "progress" in changes and "state" not in changes:
            raise sqlite3.OperationalError("database or disk is full")
        return write(jobs, ident, **changes)

    monkeypatch.setattr(Jobs, "update", update)
    assert run(client, job)["state"] == "done"


def test_a_job_is_deleted_at_a_full_disk_and_stays_so(opened, settings, tiny_file, disk, monkeypatch):
    monkeypatch.setattr(site, "SWEEP", 0.02)
    client = opened()
    job = done(client, tiny_file)
    disk.is_full = True
    assert client.delete(job["links"]["self"]).status_code == 204
    assert not (settings.jobs_dir / job["id"]).exists()
    assert client.get(job["links"]["self"]).status_code == 404
    disk.wait_until_refused()
    disk.is_full = False
    assert done(client, tiny_file)["state"] == "done"
    while client.get("/api/health").json()["seconds_since_sweep"] > 1:
        time.sleep(0.02)


def test_the_sweeper_sweeps_on_after_a_full_disk(opened, settings, tiny_file, disk, monkeypatch):
    monkeypatch.setattr(site, "SWEEP", 0.02)
    client = opened()
    job = checked(client, tiny_file)
    disk.is_full = True
    monkeypatch.setattr(site, "now", lambda: time.time() + 1e9)
    while (settings.jobs_dir / job["id"]).exists():
        time.sleep(0.02)
    disk.is_full = False
    (settings.jobs_dir / "left over").mkdir()
    while (settings.jobs_dir / "left over").exists():
        time.sleep(0.02)
    assert client.get(job["links"]["self"]).status_code == 404


def test_a_job_of_which_the_folder_is_gone_is_forgotten(settings):
    jobs = Jobs(_prepared(settings))
    jobs.add(Job("a" * 32, "n", "f", 1, 0, 1e12, state=QUEUED))
    jobs.close()
    with serving(settings):
        pass
    jobs = Jobs(settings.database)
    assert jobs.ids() == set()
    jobs.close()


def _prepared(settings):
    settings.prepare()
    return settings.database


def test_an_error_of_another_kind_is_no_full_disk(opened, tiny_file, monkeypatch):
    client = opened()
    job = checked(client, tiny_file)

    def fail(*values):
        raise OSError(5, "the disk is broken")

    monkeypatch.setattr("spoticell.web.site.Site.cancel", fail)
    reply = client.post(job["links"]["self"] + "/cancel")
    assert (reply.status_code, "log" in reply.json()["error"]) == (500, True)


def test_what_the_system_ends_for_want_of_room_is_said_in_words_for_visitors(opened, tiny_file, monkeypatch):
    client = opened()

    def fail(*values, **named):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("spoticell.web.workers.Workers._have_done", fail)
    job = checked(client, tiny_file)
    assert (job["state"], "disk is full" in job["error"]) == (FAILED, True)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 MB of its own."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    """Use up the last byte of a disk."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65536)):
                pass
        except OSError:
            return


def test_on_a_disk_that_is_really_full_a_job_fails_in_words_and_later_ones_run(
    small_disk, tiny_bundle_folder, tiny_file
):
    settings = replace(small(small_disk, tiny_bundle_folder), keep_hours=24)
    with serving(settings) as client:
        first = checked(client, tiny_file)
        fill(small_disk)
        reply = send(client, tiny_file)
        assert reply.status_code == 507
        assert "Traceback" not in reply.text
        reply = client.post(first["links"]["self"] + "/run")
        if reply.status_code == 202:
            job = reply.json()
            while job["state"] == "running":
                time.sleep(0.05)
                job = client.get(first["links"]["self"]).json()
            assert job["state"] in {"queued", "failed"}
        else:
            assert reply.status_code == 507
        assert client.get("/api/health").status_code == 503
        assert client.delete(first["links"]["self"]).status_code == 204
        assert client.get(first["links"]["self"]).status_code == 404
        (small_disk / "filler").unlink()
        assert done(client, tiny_file)["state"] == "done"
        assert client.get("/api/health").status_code == 200
    assert shutil.disk_usage(small_disk).free > 0


def test_a_disk_that_fills_up_while_jobs_wait_loses_none(small_disk, tiny_bundle_folder, tiny_file):
    settings = small(small_disk, tiny_bundle_folder)
    with serving(settings) as client:
        jobs = [checked(client, tiny_file) for _ in range(3)]
        for job in jobs[:2]:
            assert client.post(job["links"]["self"] + "/run").status_code == 202
        fill(small_disk)
        time.sleep(0.5)
        (small_disk / "filler").unlink()
        ends = [settled(client, client.get(job["links"]["self"]).json()) for job in jobs[:2]]
        assert all(job["state"] == "done" or "full" in job["error"] or "room" in job["error"] for job in ends)
        assert run(client, jobs[2])["state"] == "done"
