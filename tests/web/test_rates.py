"""How long a run will take, and takes still."""

from __future__ import annotations

import pytest
from tests.web.conftest import checked, run, serving

from spoticell.web.jobs import DONE, FAILED, MOST_RUNS, READY, RUNNING, Job, Jobs
from spoticell.web.rates import expected, guess, seconds_left, times


def job(**changes):
    return Job("a" * 32, "n", "f", 9, 0, 0, **{"findings": {"cells": 1000, "values": 10}, "state": READY} | changes)


def test_more_cells_more_values_and_a_longer_look_take_longer():
    least = guess(job())
    assert guess(job(findings={"cells": 9000, "values": 10})) > least
    assert guess(job(findings={"cells": 1000, "values": 10**8})) > least
    assert guess(job(looked=30.0)) == pytest.approx(least + 28)
    assert guess(job(looked=1.0)) == least


def test_the_runs_that_are_most_like_it_say_how_long_it_takes():
    small, large = [(2.0, 2.0)] * 8, [(100.0, 300.0)] * 8
    assert expected(100.0, small + large) == pytest.approx(300, rel=0.15)
    assert expected(2.0, small + large) == pytest.approx(2)


def test_one_run_of_another_size_says_little():
    assert expected(100.0, [(2.0, 20.0)]) < 102


def test_of_runs_alike_the_last_ones_count():
    assert expected(10.0, [(10.0, 40.0)] * 8 + [(10.0, 10.0)] * 50) == pytest.approx(40, rel=0.15)


@pytest.mark.parametrize("since", [0.0, 5.0, 20.0, 200.0])
@pytest.mark.parametrize("progress", [0.0, 0.3, 0.95, 1.0])
def test_there_is_always_something_left(since, progress):
    assert seconds_left(20, since, progress) >= 1


def test_a_run_that_takes_longer_than_expected_isnt_almost_done():
    assert seconds_left(20, 60, 0) == 30


def test_times_are_told_where_they_are_known():
    assert times(job(findings=None), [], 0) == {"seconds": None, "seconds_left": None}
    assert times(job(state=FAILED), [], 0)["seconds"] is None
    ready, done = times(job(), [], 0), times(job(state=DONE), [], 0)
    assert ready == done
    assert ready["seconds_left"] is None
    running = times(job(state=RUNNING, started=100.0), [(1.0, 100.0)], 101.0)
    assert 0 < running["seconds_left"] < running["seconds"]


def test_a_server_learns_from_its_runs(settings, tiny_file):
    with serving(settings) as client:
        first = checked(client, tiny_file)
        assert first["seconds"] > 0
        run(client, first)
    jobs = Jobs(settings.database)
    [(told, seconds)] = jobs.past_runs()
    assert told == jobs.get(first["id"]).guess
    assert seconds > 0
    jobs.note_run(told, 1000 * told)
    jobs.close()
    with serving(settings) as client:
        assert client.get(first["links"]["self"]).json()["seconds"] > first["seconds"]


def test_so_many_runs_are_remembered_and_no_more(tmp_path):
    jobs = Jobs(tmp_path / "jobs.sqlite")
    for number in range(MOST_RUNS + 5):
        jobs.note_run(1.0, float(number))
    assert len(jobs.past_runs()) == MOST_RUNS
    assert jobs.past_runs()[0] == (1.0, MOST_RUNS + 4.0)
    jobs.close()
