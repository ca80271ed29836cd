"""The process that works on one upload: it limits itself, works, and says in JSON how it went.

A process is made for each task and ends with it, so limits hold for the task alone and whatever a crafted file does
to the HDF5 library ends there too.  Where the system can, processes are split off a warm one that has loaded
everything (``multiprocessing``'s fork server), which takes milliseconds.  The server believes nothing that comes
back but JSON of bounded length.
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import sys
import threading
import time
import traceback
import warnings
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any

from spoticell.errors import OutputError, SpoticellError, SpoticellWarning
from spoticell.io.heap import one_heap
from spoticell.web.disk import FULL, is_full
from spoticell.web.rooms import keep_to_job
from spoticell.web.settings import Limits
from spoticell.web.task import Task, in_visitors_words, perform

try:
    import resource
except ImportError:  # Windows has no such limits; time is limited from outside everywhere
    resource = None  # type: ignore[assignment]

LONGEST_MESSAGE = 1 << 22
"""Bytes of a message that the server takes."""
PAUSE = 0.1
"""Seconds between two words on the progress."""

TOO_LARGE = "This file needs more memory than the server allows. Use the command line, or ask for a higher limit."
TOO_LONG_FILE = "The results would be larger than the server allows. Use the command line, or ask for a higher limit."
OURS = "Something went wrong inside Spoticell ({kind}). Please report it, with a small file that shows it."


def context() -> BaseContext:
    """Give the way to make processes: from a warm one on Linux, from scratch elsewhere, where forks aren't safe."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    warm = multiprocessing.get_context("forkserver")
    warm.set_forkserver_preload(["spoticell.web.warm"])
    return warm


def run(connection: Connection, task: Task) -> None:
    """Do a task in this process and send what came of it: ``done`` with values, or ``failed`` with a sentence."""
    one_heap()
    confine(task.limits)
    keep_to_job(task)  # before there is a second thread, which would stay free
    # the page shows them among the findings; here they would be written into the server's log, names of files and all
    warnings.simplefilter("ignore", SpoticellWarning)
    threading.Thread(target=_end_with_server, args=(connection,), daemon=True).start()
    teller = _Teller(connection)
    try:
        _send(connection, {"done": perform(task, teller.tell)})
    except SpoticellError as error:
        # what to do about a full disk is nothing that a visitor could do
        said = FULL if isinstance(error, OutputError) and " is full" in str(error) else str(error)
        words = " ".join(" ".join([said, *getattr(error, "__notes__", [])]).split())
        _send(connection, {"failed": in_visitors_words(words, task)})
    except MemoryError:
        _send(connection, {"failed": TOO_LARGE})
    except Exception as error:  # noqa: BLE001 - whatever a file brings about ends here
        _send(connection, {"failed": _explain(error), "where": where(error)})


def confine(limits: Limits) -> None:
    """Limit this process's memory, processor time and the files it writes, where the system can."""
    os.umask(0o077)
    if resource is None:
        return
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.written_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


class _Teller:
    """Passes the progress on, but not every step of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._stage, self._last = connection, "", 0.0

    def tell(self, stage: str, share: float) -> None:
        if stage == self._stage and time.monotonic() - self._last < PAUSE:
            return
        self._stage, self._last = stage, time.monotonic()
        _send(self._connection, {"stage": stage, "progress": min(max(share, 0.0), 1.0)})


def _send(connection: Connection, message: dict[str, Any]) -> None:
    try:
        connection.send_bytes(json.dumps(message).encode())
    except OSError:
        os._exit(1)  # the server has gone: nobody waits for the rest


def _end_with_server(connection: Connection) -> None:
    """End this process when the server does, however that ends."""
    try:
        connection.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def _explain(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EFBIG:
        return TOO_LONG_FILE
    if is_full(error):
        return FULL
    if number == errno.ENOMEM or "Cannot allocate memory" in str(error):
        return TOO_LARGE
    return OURS.format(kind=type(error).__name__)


def where(error: Exception) -> str:
    """Say for the log where an error arose, without its words, which may name cells."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = (f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames)  # noqa: PTH119
    return f"{type(error).__name__} at {' < '.join(reversed(list(places)))}"
