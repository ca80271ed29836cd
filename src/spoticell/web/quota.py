"""The room on disk for all uploads and results: who may begin, and who has to end.

A job that waits or is worked on is counted with what it may come to hold, so that those that were let in can be
finished.  What is worked on is measured over and over, because a guess may be wrong and a file may mean harm.
"""

from __future__ import annotations

import math
import shutil
from typing import Any

from spoticell.model.bundle import Bundle
from spoticell.web.disk import bytes_of, said
from spoticell.web.jobs import Job, Jobs
from spoticell.web.refusal import Refusal
from spoticell.web.settings import Settings

RETRY = 300
"""Seconds after which a visitor for whom there is no room may try again."""
SPARE_DISK = 1 << 30
"""Bytes that are left free on the disk."""
GROWTH = 4
"""How many times the bytes of an upload its job takes at least, if it is run."""
NO_ROOM = "The server has no room for more files. Try again later, or delete files that you no longer need."
STOPPED = (
    "The server's room for files was used up while this was worked on, so it was stopped. Delete files that you no "
    "longer need, or try again later."
)
MARGIN = 1.15
A_RUN, A_CELL, A_VALUE, A_PACKED_VALUE = 12_000_000, 800, 6, 3
"""Bytes of the report and the tables of a run, of a cell besides its fingerprint, probabilities and weights, and of a
value above zero as the page reads it and as it is packed in a new h5ad file."""
BLOCK, A_POINTER = 1024, 8
"""Cells after which the page's counts have a place for each gene, and bytes of one."""


class Quota:
    """The room that the jobs share.

    Parameters
    ----------
    settings
        How much there is, and where.
    jobs
        Who has how much of it.
    """

    def __init__(self, settings: Settings, jobs: Jobs) -> None:
        self._settings, self._jobs = settings, jobs
        self._now: dict[str, int] = {}
        """Bytes of the folders that are being written to."""

    def begin_upload(self, id: str, n_bytes: int) -> None:
        """Let an upload come in that says how many bytes it has, or refuse.

        It is counted with what has arrived: who announces much and sends nothing takes nobody's place.
        """
        self._check(GROWTH * n_bytes)
        self._now[id] = 0

    def arrived(self, id: str, n_bytes: int) -> None:
        """Note how much of an upload is here; refuse the rest if there is no room."""
        self._now[id] = n_bytes
        if self.left() < 0:
            raise Refusal(507, NO_ROOM, retry_after=RETRY)

    def begin_run(self, job: Job, room: int) -> None:
        """Refuse a run if its job can't grow to so many bytes."""
        most = self._settings.limits.disk_bytes
        if room > most:
            raise Refusal(
                507,
                f"The results of this file need about {said(room)}, and this server has {said(most)} for all files. "
                "Use the command line instead: it has no limit.",
            )
        self._check(room - job.disk, without=job.id)

    def measure(self, id: str) -> bool:
        """Measure the folder of a job that is worked on; say whether all together are within the room."""
        self._now[id] = bytes_of(self._settings.jobs_dir / id)
        return self.left() >= 0 and self._free() > 0

    def forget(self, id: str) -> None:
        """Note that a folder is no longer written to."""
        self._now.pop(id, None)

    def left(self) -> int:
        """Give the bytes that are left of the room; less than zero if it is overdrawn."""
        sizes = {id: disk for id, (disk, _) in self._jobs.sizes().items()} | dict(self._now)
        return self._settings.limits.disk_bytes - sum(sizes.values())

    def free(self) -> int:
        """Give the bytes that another upload may take, of the room and of the disk."""
        return min(self._unpromised(), self._free() - SPARE_DISK)

    def _check(self, coming: int, *, without: str = "") -> None:
        if min(self._unpromised(without), self._free() - SPARE_DISK) < coming:
            raise Refusal(507, NO_ROOM, retry_after=RETRY)

    def _unpromised(self, without: str = "") -> int:
        """Give the bytes that are left when all that wait and run have grown as they may."""
        now = dict(self._now)
        promised = {id: max(disk, 0 if id == without else room) for id, (disk, room) in self._jobs.sizes().items()}
        grown = {id: max(size, promised.get(id, 0)) for id, size in now.items()}
        return self._settings.limits.disk_bytes - sum((promised | grown).values())

    def _free(self) -> int:
        return shutil.disk_usage(self._settings.jobs_dir).free


def room_of(job: Job, bundle: Bundle) -> int:
    """Guess how many bytes the folder of a job comes to hold while it is run.

    That is what is there, a copy of the upload with the answers in it, what the page asks for, and what the check
    had to spread out on disk to read the file.  A run of ``human-v1`` on 2,800 cells took 49 MB of 66.

    Parameters
    ----------
    job
        A job that was checked.
    bundle
        The model.
    """
    findings = job.findings or {}
    cells, values = int(findings.get("cells", 0)), values_of(job)
    wide = 8 * bundle.manifest.fingerprint_size + 6 * len(bundle.nodes) + 8 * len(bundle.manifest.labels)
    pointers = A_POINTER * (bundle.manifest.n_genes + 1) * math.ceil(cells / BLOCK)
    written = max(job.bytes, A_PACKED_VALUE * values) + cells * (wide + A_CELL) + A_VALUE * values + pointers
    return job.disk + round(MARGIN * (A_RUN + written + int(findings.get("scratch", 0))))


def values_of(job: Job) -> int:
    """Give how many values above zero a job's file has; guessed for one that an older server has looked at."""
    findings: dict[str, Any] = job.findings or {}
    return int(findings.get("values", job.bytes // 8))
