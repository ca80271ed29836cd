"""The workers: threads that take jobs from the table, have a process do each, and write down how it went.

One thread looks at uploads and others name cells, so that a visitor learns at once what was found while a long job
runs.  A process that crashes, hangs or grows is a failed job with a sentence, and nothing more.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from spoticell.annotation.options import Options
from spoticell.web.child import LONGEST_MESSAGE, context, run
from spoticell.web.jobs import CANCELLED, CHECKING, DONE, FAILED, READY, RUNNING, Job, Jobs, now
from spoticell.web.settings import Settings
from spoticell.web.task import CHECK, RESULTS, RUN, SCRATCH, WORK, Task

log = logging.getLogger("spoticell.web")

PATIENCE = 1.0
"""Seconds between two looks at the table when nobody says that there is work."""

_FOUND = frozenset({"findings", "lines"})
_ENDS = {
    signal.SIGKILL: "The system ended the work, most likely because memory ran out. Try a smaller file.",
    signal.SIGXCPU: "This took more processor time than the server allows. Use the command line instead.",
}
CRASHED = "The reader crashed on this file, which is most likely damaged. Write it again, or in another format."
TOO_LONG = "This took longer than the server allows ({seconds:,.0f} seconds). Use the command line instead."


class Workers:
    """The threads of a server.

    Parameters
    ----------
    settings
        How many, and what each upload may ask for.
    jobs
        The table of jobs.
    offered
        For each name of a model the options that its runs begin with; the first is meant where none is chosen.
    """

    def __init__(self, settings: Settings, jobs: Jobs, offered: Mapping[str, Options]) -> None:
        self.settings, self.jobs, self.offered = settings, jobs, offered
        self._context = context()
        self._wake = threading.Condition()
        self._calls = 0
        self._ending = threading.Event()
        self._processes: dict[str, BaseProcess] = {}
        self._over: dict[str, threading.Event] = {}
        """For each job that a thread has taken, what it sets when it is through with it."""
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(jobs.take_check, self._check), daemon=True)]
        self._threads += [
            threading.Thread(target=self._work, args=(jobs.take_run, self._run), daemon=True)
            for _ in range(settings.workers)
        ]

    def start(self) -> None:
        """Take up work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all processes; their jobs stay as they are, for the next start to take up again."""
        self._ending.set()
        self.wake()
        with self._lock:
            processes = list(self._processes.values())
        for process in processes:
            process.kill()
        for thread in self._threads:
            thread.join(timeout=10)

    def wake(self) -> None:
        """Say that there is work."""
        with self._wake:
            self._calls += 1
            self._wake.notify_all()

    def end(self, id: str) -> None:
        """End the process of a job, if one runs, and wait until its thread is through with it.

        The job's state says so already: a thread that has taken it but started nothing yet ends by itself.
        """
        with self._lock:
            process, over = self._processes.get(id), self._over.get(id)
        if process is not None:
            process.kill()
        if over is not None:
            over.wait(timeout=30)

    def _work(self, take: Callable[[], Job | None], do: Callable[[Job], None]) -> None:
        while not self._ending.is_set():
            calls = self._calls
            with self._lock:
                job = take()
                if job is not None:
                    over = self._over[job.id] = threading.Event()
            if job is None:
                with self._wake:
                    if self._calls == calls:
                        self._wake.wait(PATIENCE)
                continue
            try:
                self._do(job, do)
            finally:
                with self._lock:
                    del self._over[job.id]
                over.set()

    def _do(self, job: Job, do: Callable[[Job], None]) -> None:
        try:
            do(job)
        except Exception:
            if self.jobs.get(job.id) is None:
                return  # deleted while it ran: its folder is gone
            log.exception("job %s: the server itself failed", job.id[:8])
            self.jobs.update(job.id, state=FAILED, error="The server failed on this job. Try again.")

    def _check(self, job: Job) -> None:
        outcome = self._have_done(job, self._task(job, CHECK), self.settings.limits.check_seconds)
        self._settle(job, outcome, while_in=CHECKING, then={"state": READY, "stage": "ready", "progress": 1.0})

    def _run(self, job: Job) -> None:
        folder = self.settings.jobs_dir / job.id
        shutil.rmtree(folder / WORK, ignore_errors=True)
        outcome = self._have_done(job, self._task(job, RUN), self.settings.limits.run_seconds)
        if "done" in outcome:
            shutil.rmtree(folder / RESULTS, ignore_errors=True)
            (folder / WORK).rename(folder / RESULTS)
        expires = now() + 3600 * self.settings.keep_hours
        then = {"state": DONE, "stage": "done", "progress": 1.0, "expires": expires, "error": None}
        self._settle(job, outcome, while_in=RUNNING, then=then)

    def _task(self, job: Job, kind: str) -> Task:
        asked = dict(job.settings or {})
        model = asked.pop("model", next(iter(self.offered)))
        return Task(
            kind=kind,
            folder=self.settings.jobs_dir / job.id,
            file=job.file,
            name=job.name,
            options=replace(self.offered[model], **asked),
            limits=self.settings.limits,
        )

    def _settle(self, job: Job, outcome: dict[str, Any], *, while_in: str, then: dict[str, Any]) -> None:
        """Write down how a job went, unless it was cancelled, deleted or interrupted meanwhile."""
        folder = self.settings.jobs_dir / job.id
        for passing in (WORK, SCRATCH):
            shutil.rmtree(folder / passing, ignore_errors=True)
        if self._ending.is_set() and "done" not in outcome:
            return
        disk = _bytes_of(folder)
        if "done" in outcome:
            found = {name: value for name, value in outcome["done"].items() if name in _FOUND}
            if "threshold" in outcome["done"]:
                found["settings"] = (job.settings or {}) | {"threshold": outcome["done"]["threshold"]}
            self.jobs.update(job.id, only_if=[while_in], disk=disk, attempts=0, **found, **then)
        else:
            self.jobs.update(job.id, only_if=[while_in], disk=disk, state=FAILED, error=outcome["failed"])
        seconds = f"{outcome['seconds']:.1f} s"
        log.info("job %s: %s, %s", job.id[:8], "done" if "done" in outcome else outcome.get("where", "failed"), seconds)

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
        if (current := self.jobs.get(job.id)) is None or current.state == CANCELLED:
            return {"failed": "cancelled"}
        while True:
            rest = deadline - time.monotonic()
            if rest <= 0:
                return {"failed": TOO_LONG.format(seconds=seconds), "where": "too long"}
            if connection not in wait([connection, process.sentinel], timeout=rest):
                if process.exitcode is None and process.is_alive():
                    continue
                return _ended(process.exitcode)
            try:
                message = dict(json.loads(connection.recv_bytes(LONGEST_MESSAGE)))
                if "done" in message or "failed" in message:
                    return message
                news = {"stage": str(message["stage"]), "progress": float(message["progress"])}
            except (EOFError, OSError, ValueError, TypeError, KeyError):
                process.join(timeout=5)
                return _ended(process.exitcode)
            self.jobs.update(job.id, only_if=[CHECKING, RUNNING], **news)


def _ended(code: int | None) -> dict[str, Any]:
    sentence = CRASHED
    if code is not None and code < 0:
        sentence = _ENDS.get(signal.Signals(-code), CRASHED)
    return {"failed": sentence, "where": f"the process ended with {code}"}


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
