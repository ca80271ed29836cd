import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.io.in_order import ahead, both, in_order


@given(st.lists(st.integers() | st.none(), max_size=40), st.integers(1, 4))
def test_results_come_in_the_order_of_the_things(things, threads):
    assert list(in_order(lambda thing: (thing, 1), things, threads=threads)) == [(thing, 1) for thing in things]


def test_things_that_were_begun_first_may_end_last():
    first_may_end = threading.Event()

    def work(thing):
        if thing == 0:
            assert first_may_end.wait(30)
        else:
            first_may_end.set()
        return thing

    assert list(in_order(work, range(4), threads=2)) == [0, 1, 2, 3]


def test_few_more_things_are_held_than_there_are_threads():
    taken = []
    things = (taken.append(thing) or thing for thing in range(100))
    for given_out, _ in enumerate(in_order(lambda thing: thing, things, threads=2), 1):
        assert len(taken) <= given_out + 6


def test_what_the_work_raises_comes_where_its_result_would_have_come():
    results = in_order(lambda thing: 6 // thing, (3, 0, 2), threads=2)
    assert next(results) == 2
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_the_source_of_things_raises_is_raised(threads):
    def things():
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(in_order(lambda thing: thing, things(), threads=threads))


def test_who_stops_listening_leaves_no_thread_and_no_thing_open():
    closed, before = [], threading.active_count()

    def things():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    results = in_order(lambda thing: thing, things(), threads=2)
    assert next(results) == 0
    results.close()
    assert closed
    assert threading.active_count() == before


def test_the_next_thing_is_made_while_one_is_worked_on():
    second_made = threading.Event()

    def things():
        yield 1
        second_made.set()
        yield 2

    for thing in ahead(things()):
        if thing == 1:
            assert second_made.wait(30)
            time.sleep(0)


def test_an_error_of_the_work_leaves_no_thread_even_while_it_is_kept():
    before, kept = threading.active_count(), []
    try:
        list(in_order(lambda thing: 6 // thing, (3, 0, 2, 1, 1, 1, 1), threads=2))
    except ZeroDivisionError as error:
        kept.append(error)
    assert kept
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_of_two_things_done_at_once_each_gives_its_own_or_raises(threads):
    assert both(lambda: 1, lambda: "a", threads=threads) == (1, "a")
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1, lambda: 1 // 0, threads=threads)
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1 // 0, lambda: 1, threads=threads)


def test_two_things_run_beside_each_other_if_there_are_threads_for_it():
    meeting = threading.Barrier(2, timeout=30)
    assert sorted(both(meeting.wait, meeting.wait, threads=2)) == [0, 1]
