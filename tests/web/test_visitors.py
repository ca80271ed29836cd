"""No visitor holds up the others."""

import select
import socket
import time

import pytest
from tests.web.conftest import checked, send, settled
from tests.web.test_jobs import misbehave
from tests.web.test_uploads import part

from spoticell.web import upload, visitors, workers
from spoticell.web.refusal import Refusal
from spoticell.web.settings import Limits
from spoticell.web.visitors import Visitors

FORM = b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"


@pytest.fixture
def somebody(monkeypatch):
    """Lets tests say who they are."""

    def become(name):
        monkeypatch.setattr("spoticell.web.routes.visitor_of", lambda request: name)

    return become


def test_each_visitor_has_a_turn_whoever_came_first():
    crowd = Visitors(uploads=1, readers=3)
    for job in ("a1", "a2", "a3", "b1"):
        crowd.brought(job, job[0])
    assert crowd.choose(["a1", "a2", "a3", "b1"]) == "a1"
    crowd.begun("a1")
    assert crowd.choose(["a2", "a3", "b1"]) == "b1"
    crowd.begun("b1")
    assert crowd.choose(["a2", "a3"]) == "a2"
    crowd.begun("a2")
    assert crowd.choose(["a3"]) is None, "the last thread is for others"
    assert crowd.choose(["a3", "c1"]) == "c1"
    crowd.ended("a2")
    assert crowd.choose(["a3"]) == "a3"


def test_a_single_thread_serves_everyone():
    crowd = Visitors(uploads=1, readers=1)
    assert crowd.choose(["unknown"]) == "unknown"


def test_visitors_are_not_remembered_for_ever(monkeypatch):
    monkeypatch.setattr(visitors, "REMEMBERED", 2)
    crowd = Visitors(uploads=1, readers=2)
    for job in ("1", "2", "3"):
        crowd.brought(job, "a")
    crowd.begun("3")
    assert crowd.choose(["2", "1"]) == "1", "who brought the first is forgotten"


def test_a_visitor_may_send_so_many_files_at_a_time():
    crowd = Visitors(uploads=2, readers=1)
    with crowd.sending("a"), crowd.sending("a"), crowd.sending("b"):
        with pytest.raises(Refusal, match="sending 2 files already") as refusal, crowd.sending("a"):
            pass
        assert refusal.value.status_code == 429
    with crowd.sending("a"):
        pass


def test_a_file_that_takes_for_ever_holds_up_its_own_visitor_alone(opened, tiny_file, somebody, monkeypatch):
    client = opened()
    with monkeypatch.context() as slow:
        slow.setattr(workers, "run", misbehave)
        somebody("hostile")
        hung = [send(client, tiny_file, "hang.h5ad").json() for _ in range(3)]
        while client.get(hung[0]["links"]["self"]).json()["stage"] == "waiting":
            time.sleep(0.02)
    somebody("other")
    assert checked(client, tiny_file)["state"] == "ready"
    assert client.get(hung[0]["links"]["self"]).json()["state"] == "checking"
    assert client.get(hung[1]["links"]["self"]).json()["stage"] == "waiting"
    for job in hung[:2]:
        client.post(f"/api/jobs/{job['id']}/cancel")
    assert settled(client, hung[2])["state"] == "ready", "the next of that visitor has its turn"


def test_a_check_may_take_less_processor_time_than_a_run(opened, tiny_file, monkeypatch):
    monkeypatch.setattr(workers, "run", misbehave)
    job = checked(opened(limits={"check_cpu_seconds": 1}), tiny_file, "spin.h5ad")
    assert (job["state"], "processor time" in job["error"]) == ("failed", True)
    assert Limits(cpu_seconds=5).of_a_check().cpu_seconds == 5
    assert Limits().of_a_check().cpu_seconds < Limits().check_seconds < Limits().cpu_seconds


def begun(client):
    """Begin an upload and leave it open."""
    line = socket.create_connection((client.base_url.host, client.base_url.port))
    line.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n" + FORM + part("file"))
    return line


def test_open_uploads_of_one_visitor_leave_places_for_others(opened, tiny_file, somebody, settings):
    client = opened(limits={"uploads_each": 2})
    somebody("slow")
    with begun(client), begun(client):
        while len(list(settings.jobs_dir.iterdir())) < 2:
            time.sleep(0.02)
        reply = send(client, tiny_file)
        assert (reply.status_code, "already" in reply.json()["error"]) == (429, True)
        assert int(reply.headers["retry-after"]) > 0
        somebody("other")
        assert send(client, tiny_file).status_code == 201


@pytest.fixture
def pace(monkeypatch):
    """Sends so many bytes a second, told every five seconds."""
    clock = iter(range(0, 10_000, 5))
    monkeypatch.setattr(upload.time, "monotonic", lambda: next(clock))
    pace = upload._Pace()
    return lambda rate, seconds: [pace.keep(5 * rate) for _ in range(seconds // 5)]


def test_a_slow_line_is_waited_for(pace):
    pace(50_000, 3600)


def test_an_upload_that_drips_is_given_up_after_a_window(pace):
    pace(2000, 55)
    with pytest.raises(Refusal, match=r"came too slowly: 2\.0 kB a second") as refusal:
        pace(2000, 10)
    assert refusal.value.status_code == 408


def test_an_upload_that_began_well_must_go_on_so(pace):
    pace(5_000_000, 60)
    with pytest.raises(Refusal, match="came too slowly"):
        pace(100, 65)


@pytest.mark.slow
def test_who_sends_too_slowly_is_told_so(opened, settings, monkeypatch):
    monkeypatch.setattr(upload, "WINDOW", 0.1)
    monkeypatch.setattr(upload, "LEAST_RATE", 1e9)
    client = opened()
    with begun(client) as line:
        # on a busy machine the server may begin to listen only after the first of them
        while not select.select([line], [], [], 0.2)[0]:
            line.sendall(b"x")
        reply = b"".join(iter(lambda: line.recv(2000), b""))
    assert reply.startswith(b"HTTP/1.1 408")
    assert b"came too slowly" in reply
    assert list(settings.jobs_dir.iterdir()) == []
