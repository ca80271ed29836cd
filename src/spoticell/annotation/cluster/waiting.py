"""Waiting for what workers make, and for workers where there are none: until a stated time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from spoticell.errors import ConfigError, note

HEARD = 0.5
"""Seconds between two looks at what a worker says of its progress."""
LOOKED = 10.0
"""Seconds between two looks at whether there are workers."""
LONGEST = timedelta(hours=1)
"""How long a cluster may be without workers: a queue may take a while to start some."""


class Vigil:
    """Waits for the tasks of a cluster, and ends a wait that has no worker to wait for.

    Parameters
    ----------
    client
        Of Dask, connected.
    where
        How messages call the cluster.
    """

    def __init__(self, client: Any, where: str) -> None:  # noqa: ANN401 - Dask's Client
        self._client, self._where = client, where
        self._next = 0.0
        self._until: datetime | None = None

    def alone(self) -> None:
        """Say that there is no worker, and until when one is waited for.

        Raises
        ------
        ConfigError
            If that time is over.
        """
        now = datetime.now().astimezone()
        if self._until is None:
            self._until = now + LONGEST
            note(f"no worker has joined {self._where} yet; waiting for one until {self._until:%H:%M}.")
        elif now >= self._until:
            raise ConfigError(
                f"no worker has joined {self._where} until {self._until:%H:%M}. Start some with dask worker, and then "
                "run this again."
            )

    def wait(self, future: Any, on_look: Callable[[], None] | None = None) -> None:  # noqa: ANN401 - Dask's Future
        """Wait until a task is done, and look now and then at how far it is.

        Raises
        ------
        ConfigError
            If there has been no worker for too long.
        """
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        while not done.wait(HEARD):
            if on_look is not None:
                on_look()
            if time.monotonic() >= self._next:
                self._look()

    def _look(self) -> None:
        self._next = time.monotonic() + LOOKED
        try:
            workers = self._client.nthreads()
        except OSError:
            return  # without a scheduler the task itself is told to be lost
        if workers:
            self._until = None
        else:
            self.alone()


def last_said(client: Any, topic: str) -> tuple[int, int] | None:  # noqa: ANN401 - Dask's Client
    """Give how far a worker said last that it is; None where none said anything.

    It is asked for, since what is said before a subscription has arrived is never heard.
    """
    try:
        events = client.get_events(topic)
    except OSError:
        return None  # without a scheduler the task itself is told to be lost
    if not events:
        return None
    done, total = events[-1][1]
    return done, total
