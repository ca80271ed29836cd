"""Waiting for a library that hears no signals."""

import signal
import subprocess
import sys
import threading

import pytest

from spoticell.model.patience import within


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_work_without_end_is_asked_to_stop_and_given_up():
    stopped = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, stopped.wait, stop=stopped.set)
    assert stopped.is_set()


def test_a_signal_ends_the_waiting():
    program = """
import signal, sys, threading
from spoticell.model.patience import within
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
stopped = threading.Event()
def work():
    print("begun", flush=True)
    stopped.wait()
within(600, work, stop=stopped.set)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    child.send_signal(signal.SIGTERM)
    assert child.wait() == 7
    child.stdout.close()
