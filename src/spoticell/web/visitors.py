"""Who brought what, so that no visitor holds up the others.

A visitor is an address of the network: nobody says more than that, and nothing of it is written down.  Behind a proxy
that doesn't tell the addresses all visitors are one.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import Request

from spoticell.web.refusal import Refusal

NETWORK = 64
"""Leading bits of an IPv6 address that belong to one household or laboratory."""
REMEMBERED = 10_000
"""Jobs whose visitors are remembered at most."""
SOON = 20
"""Seconds after which a visitor who sends too many files may try again."""


class Visitors:
    """Counts what each visitor sends, and says whose upload is looked at next; safe to use from several threads.

    Parameters
    ----------
    uploads
        Most files that a visitor may be sending at a time.
    readers
        Threads that look at uploads.
    """

    def __init__(self, *, uploads: int, readers: int) -> None:
        self._uploads, self._most_read = uploads, max(1, readers - 1)
        self._lock = threading.Lock()
        self._sending: Counter[str] = Counter()
        self._of_job: dict[str, str] = {}
        self._reading: dict[str, str] = {}

    @contextmanager
    def sending(self, visitor: str) -> Iterator[None]:
        """Count an upload while it is received, or refuse it."""
        with self._lock:
            if self._sending[visitor] >= self._uploads:
                words = f"You are sending {self._uploads} files already. Send the others when one has arrived."
                raise Refusal(429, words, retry_after=SOON)
            self._sending[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._sending -= Counter([visitor])  # this forgets visitors with none

    def brought(self, id: str, visitor: str) -> None:
        """Remember for a while who brought a job."""
        with self._lock:
            self._of_job[id] = visitor
            while len(self._of_job) > REMEMBERED:
                del self._of_job[next(iter(self._of_job))]

    def choose(self, waiting: Sequence[str]) -> str | None:
        """Give the upload to look at next, of those that wait, oldest first; None if none may be begun now.

        It is one of a visitor with the fewest that are being looked at.  One thread is always left to the others, so
        that a file that takes very long holds up its own visitor alone.
        """
        with self._lock:
            held = Counter(self._reading.values())
            held_by_job = {id: held[self._of_job.get(id, "")] for id in waiting}
            free = [id for id in waiting if held_by_job[id] < self._most_read]
            return min(free, key=held_by_job.__getitem__, default=None)

    def begun(self, id: str) -> None:
        """Remember that an upload is being looked at."""
        with self._lock:
            self._reading[id] = self._of_job.get(id, "")

    def ended(self, id: str) -> None:
        """Remember that it no longer is."""
        with self._lock:
            self._reading.pop(id, None)
            self._of_job.pop(id, None)


def visitor_of(request: Request) -> str:
    """Give the visitor who sent a request, an empty text where that can't be told."""
    return network_of(request.client.host) if request.client is not None else ""


def network_of(host: str) -> str:
    """Give what stands for all addresses of one visitor: with IPv6 each machine has as many as it likes.

    Examples
    --------
    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2"), network_of("unix")
    ('192.0.2.7', '2001:db8::/64', 'unix')
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((address, NETWORK), strict=False))
