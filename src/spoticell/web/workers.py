"""The workers: threads that take jobs from the table, have a process do each, and write down how it went.

Some threads look at uploads and others name cells, so that a visitor learns at once what was found while a long job
runs.  A process that crashes, hangs or grows is a failed job with a sentence, and nothing more.  A disk that is full
ends no thread: what can't be written down is tried again until there is room.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from spoticell.annotation.options import Options
from spoticell.web import earlier
from spoticell.web.child import LONGEST_MESSAGE, context, run, where
from spoticell.web.disk import FULL, bytes_of, is_full
from spoticell.web.jobs import CHECKING, DONE, READY, RUNNING, Job, Jobs, now
from spoticell.web.marked import options_of
from spoticell.web.quota import STOPPED, Quota
from spoticell.web.settings import Settings
from spoticell.web.steady import PAUSE, Steady
from spoticell.web.task import CHECK, RUN, SCRATCH, WORK, Task
from spoticell.web.visitors import Visitors

log = logging.getLogger("spoticell.web")

PATIENCE = 1.0
"""Seconds between two looks at the table when nobody says that there is work."""
LOOK = 0.1
"""Seconds between two looks at what a task has written."""

_FOUND = frozenset({"findings", "lines"})
_ENDS = {
    signal.SIGKILL: "The system ended the work, most likely because memory ran out. Try a smaller file.",
    signal.SIGXCPU: "This took more processor time than the server allows. Use the command line instead.",
}
CRASHED = "The reader crashed on this file, which is most likely damaged. Write it again, or in another format."
TOO_LONG = "This took longer than the server allows ({seconds:,.0f} seconds). Use the command line instead."


@dataclass
class _Held:
    """A job that a thread has taken."""

    ended: threading.Event = field(default_factory=threading.Event)
    """Set when nobody wants the work any more."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the thread is through with it."""


class Workers:
    """The threads of a server.

    Parameters
    ----------
    settings
        How many, and what each upload may ask for.
    jobs
        The table of jobs.
    quota
        The room on disk that they share.
    offered
        For each name of a model the options that its runs begin with; the first is meant where none is chosen.
    visitors
        Who brought what.
    """

    def __init__(
        self, settings: Settings, jobs: Jobs, quota: Quota, offered: Mapping[str, Options], visitors: Visitors
    ) -> None:
        self.settings, self.jobs, self.quota, self.offered, self.visitors = settings, jobs, quota, offered, visitors
        self._context = context()
        self._wake = threading.Condition()
        self._calls = 0
        self._ending = threading.Event()
        self._processes: dict[str, BaseProcess] = {}
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        """Held while it is settled whether new results are kept."""
        checks = partial(self._work, self._take_check, self._check)
        runs = partial(self._work, jobs.take_run, self._run)
        self.threads = [Steady(f"reader {n + 1}", checks, ending=self._ending) for n in range(settings.limits.readers)]
        self.threads += [Steady(f"worker {n + 1}", runs, ending=self._ending) for n in range(settings.workers)]

    def start(self) -> None:
        """Take up work."""
        for thread in self.threads:
            thread.revive()

    def revive(self) -> None:
        """Start the threads anew that died, and put the jobs that they had back into the queue."""
        if not [thread.name for thread in self.threads if thread.revive()]:
            return
        log.error("a thread of the workers had died; it was started anew")
        with self._lock:
            self.jobs.restore(at_work=frozenset(self._held))

    def stop(self) -> None:
        """End all processes; their jobs stay as they are, for the next start to take up again."""
        self._ending.set()
        self.wake()
        with self._lock:
            processes = list(self._processes.values())
        for process in processes:
            process.kill()
        for thread in self.threads:
            thread.join(timeout=10)

    def wake(self) -> None:
        """Say that there is work."""
        with self._wake:
            self._calls += 1
            self._wake.notify_all()

    def end(self, id: str) -> None:
        """End the process of a job, if one runs, and wait until its thread is through with it."""
        with self._lock:
            process, held = self._processes.get(id), self._held.get(id)
        if held is not None:
            held.ended.set()
        if process is not None:
            process.kill()
        if held is not None:
            held.over.wait(timeout=30)

    def cancel(self, job: Job) -> None:
        """End the work on a job because someone asked for it; one at rest stays as it is."""
        with self._changing:
            is_over = self.jobs.cancel(job)
        if is_over:
            self.end(job.id)

    def _work(self, take: Callable[[], Job | None], do: Callable[[Job], None]) -> None:
        """Do the next job, or wait a while for one."""
        calls = self._calls
        with self._lock:
            job = take()
            if job is not None:
                held = self._held[job.id] = _Held()
        if job is None:
            with self._wake:
                if self._calls == calls:
                    self._wake.wait(PATIENCE)
            return
        try:
            self._do(job, do)
        finally:
            self.quota.forget(job.id)
            with self._lock:
                if self._held.get(job.id) is held:
                    del self._held[job.id]
            held.over.set()

    def _do(self, job: Job, do: Callable[[Job], None]) -> None:
        try:
            do(job)
        except Exception as error:  # noqa: BLE001 - whatever it is, others wait for this thread
            if self.jobs.get(job.id) is None:
                return  # deleted while it ran: its folder is gone
            log.error("job %s: the server itself failed: %s", job.id[:8], where(error))
            sentence = FULL if is_full(error) else "The server failed on this job. Try again."
            self._write_down(job, lambda: self.jobs.fail(job, sentence))

    def _write_down(self, job: Job, write: Callable[[], bool]) -> bool:
        """Write into the table, as soon as there is room for it; say whether the job was as it should be."""
        held, told = self._held[job.id], False
        while True:
            try:
                return write()
            except sqlite3.OperationalError as error:
                if not told:
                    log.error("job %s: the table can't be written: %s", job.id[:8], where(error))
                told = True
            if self._ending.is_set() or held.ended.wait(PAUSE):
                return False

    def _take_check(self) -> Job | None:
        job = self.jobs.take_check(self.visitors.choose)
        if job is not None:
            self.visitors.begun(job.id)
        return job

    def _check(self, job: Job) -> None:
        task = self._task(job, CHECK)
        task = replace(task, limits=task.limits.of_a_check())
        try:
            outcome = self._have_done(job, task, task.limits.check_seconds)
        finally:
            self.visitors.ended(job.id)
            self.wake()  # the next of this visitor may be begun
        self._settle(job, outcome, while_in=CHECKING, then={"state": READY, "stage": "ready", "progress": 1.0})

    def _run(self, job: Job) -> None:
        folder = self.settings.jobs_dir / job.id
        shutil.rmtree(folder / WORK, ignore_errors=True)
        with self._changing:
            earlier.bring_back(folder)
        outcome = self._have_done(job, self._task(job, RUN), self.settings.limits.run_seconds)
        expires = now() + 3600 * self.settings.keep_hours
        then = {"state": DONE, "stage": "done", "progress": 1.0, "expires": expires, "error": None}
        self._settle(job, outcome, while_in=RUNNING, then=then | {"earlier": None, "notice": None})
        if "done" in outcome and job.guess:
            with suppress(sqlite3.Error):  # the next guess is worse, no more
                self.jobs.note_run(job.guess, outcome["seconds"])

    def _task(self, job: Job, kind: str) -> Task:
        asked = job.settings or {}
        offered = self.offered[asked.get("model", next(iter(self.offered)))]
        folder = self.settings.jobs_dir / job.id
        # no file may be longer than the room that all of them have
        room = max(self.quota.left(), 1)
        limits = replace(self.settings.limits, written_bytes=min(self.settings.limits.written_bytes, room))
        return Task(
            kind=kind,
            folder=folder,
            file=job.file,
            name=job.name,
            options=options_of(offered, asked, folder, markers=self.settings.markers),
            limits=limits,
        )

    def _settle(self, job: Job, outcome: dict[str, Any], *, while_in: str, then: dict[str, Any]) -> None:
        """Write down how a job went, unless it was cancelled, deleted or interrupted meanwhile."""
        folder = self.settings.jobs_dir / job.id
        if "done" not in outcome:
            for passing in (WORK, SCRATCH):
                shutil.rmtree(folder / passing, ignore_errors=True)
            if self._ending.is_set():
                return
            disk = bytes_of(folder)
            self._write_down(job, lambda: self.jobs.fail(job, outcome["failed"], disk=disk))
        else:
            shutil.rmtree(folder / SCRATCH, ignore_errors=True)
            found = {name: value for name, value in outcome["done"].items() if name in _FOUND}
            if while_in == CHECKING:
                found["looked"] = outcome["seconds"]
            if "threshold" in outcome["done"]:
                found["settings"] = (job.settings or {}) | {"threshold": outcome["done"]["threshold"]}
            if not self._write_down(job, lambda: self._keep(job, while_in, then | found)):
                shutil.rmtree(folder / WORK, ignore_errors=True)
        seconds = f"{outcome['seconds']:.1f} s"
        log.info("job %s: %s, %s", job.id[:8], "done" if "done" in outcome else outcome.get("where", "failed"), seconds)

    def _keep(self, job: Job, while_in: str, changes: dict[str, Any]) -> bool:
        """Write down that a job went well; what was made takes the place of earlier results if it did."""
        folder = self.settings.jobs_dir / job.id
        is_kept = False
        with self._changing:
            if (folder / WORK).is_dir():
                earlier.put(folder)
            try:
                disk = bytes_of(folder) - bytes_of(folder / earlier.EARLIER)
                is_kept = self.jobs.update(job.id, only_if=[while_in], attempts=0, disk=disk, room=0, **changes)
            finally:
                if is_kept:
                    earlier.keep(folder)
                elif while_in == RUNNING:
                    earlier.take_back(folder)
        return is_kept

    def _have_done(self, job: Job, task: Task, most_seconds: float) -> dict[str, Any]:
        """Have a process do a task, and give its last word."""
        start = time.monotonic()
        ours, theirs = self._context.Pipe(duplex=True)
        process = self._context.Process(target=run, args=(theirs, task), daemon=True)  # type: ignore[attr-defined]
        with self._lock:
            process.start()
            self._processes[job.id] = process
        theirs.close()
        try:
            outcome = self._listen(job, process, ours, most_seconds)
        finally:
            process.kill()
            process.join()
            ours.close()
            with self._lock:
                del self._processes[job.id]
        return outcome | {"seconds": time.monotonic() - start}

    def _listen(self, job: Job, process: BaseProcess, connection: Connection, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        # a job that was cancelled between its taking and the start of its process has nobody to end it but us
        if (
            self._held[job.id].ended.is_set()
            or (current := self.jobs.get(job.id)) is None
            or (current.state not in {CHECKING, RUNNING})
        ):
            return {"failed": "cancelled"}
        looked = 0.0
        while True:
            rest = deadline - time.monotonic()
            if rest <= 0:
                return {"failed": TOO_LONG.format(seconds=seconds), "where": "too long"}
            if time.monotonic() - looked >= LOOK:
                looked = time.monotonic()
                if not self.quota.measure(job.id):
                    return {"failed": STOPPED, "where": "no room"}
            if connection not in wait([connection, process.sentinel], timeout=min(rest, LOOK)):
                if process.exitcode is None and process.is_alive():
                    continue
                # it may have said its last word after the wait was over
                if not connection.poll():
                    return _ended(process.exitcode)
            try:
                message = dict(json.loads(connection.recv_bytes(LONGEST_MESSAGE)))
                if "done" in message or "failed" in message:
                    return message
                news = {"stage": str(message["stage"]), "progress": float(message["progress"])}
            except (EOFError, OSError, ValueError, TypeError, KeyError):
                process.join(timeout=5)
                return _ended(process.exitcode)
            with suppress(sqlite3.OperationalError):  # at a full disk the work goes on unseen
                self.jobs.update(job.id, only_if=[CHECKING, RUNNING], **news)


def _ended(code: int | None) -> dict[str, Any]:
    sentence = CRASHED
    if code is not None and code < 0:
        sentence = _ENDS.get(signal.Signals(-code), CRASHED)
    return {"failed": sentence, "where": f"the process ended with {code}"}
