"""Signals wait while what is half done is being removed, or a library works that can't bear them."""

import signal
import threading

from spoticell.io.signals import undisturbed


def test_what_took_signals_before_takes_them_after(monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    with undisturbed():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_threads_that_hear_no_signals_write_too():
    done = []

    def work():
        with undisturbed():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
