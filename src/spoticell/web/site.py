"""What can be done with jobs: begin one, run it, cancel it, delete it; and what is told of it.

The rules that don't depend on HTTP, but for the refusals.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import check_groups
from spoticell.biology.markers import Markers
from spoticell.errors import ConfigError
from spoticell.io.marker_table import read_markers
from spoticell.model.bundle import Bundle
from spoticell.web import earlier, sink
from spoticell.web.child import where
from spoticell.web.choices import check_columns
from spoticell.web.job_schemas import RunOrder
from spoticell.web.jobs import (
    CANCELLED,
    CHECKING,
    DONE,
    QUEUED,
    RUNNING,
    WAITING,
    Job,
    Jobs,
    new_id,
    now,
    of_a_result,
)
from spoticell.web.marked import options_of
from spoticell.web.neighbours import Neighbours
from spoticell.web.own_markers import GONE as GONE_TABLE
from spoticell.web.own_markers import keep_markers, markers_path, own_markers
from spoticell.web.quota import Quota, room_of
from spoticell.web.rates import guess, times
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results
from spoticell.web.settings import Settings
from spoticell.web.steady import Steady
from spoticell.web.tables import tables_of
from spoticell.web.task import INPUT, RESULTS, loaded
from spoticell.web.threshold import show_at
from spoticell.web.tissue import show_for
from spoticell.web.upload import Upload
from spoticell.web.visitors import Visitors
from spoticell.web.workers import Workers

log = logging.getLogger("spoticell.web")

GONE = "There is no such job. It was deleted, or its time was up."
SWEEP = 60.0
"""Seconds between two looks for jobs whose time is up."""
WATCH = 5.0
"""Seconds between two looks whether all threads are alive."""
MOST_TABLES = 8
"""Visitors' tables of markers that are kept in memory."""
RETRY = 20
"""Seconds after which a visitor who was sent away because too many wait may try again."""


class Site:
    """A server's jobs and workers.

    Parameters
    ----------
    settings
        How it is set up.
    """

    def __init__(self, settings: Settings) -> None:
        settings.prepare()
        self.settings = settings
        bundles = [loaded(bundle) for bundle in settings.bundles]
        self.neighbours = None if settings.index is None else Neighbours(settings.index, bundles)
        self.offered = {loaded(bundle).name: self._offer(bundle) for bundle in settings.bundles}
        """For each name of a model the options that its runs begin with; the first is meant where none is chosen."""
        table = settings.markers
        self.markers = {} if table is None else {one.name: read_markers(table, one.vocabulary) for one in bundles}
        """Known markers of types, by the names of the models whose genes they are."""
        self.jobs = Jobs(settings.database)
        self.visitors = Visitors(uploads=settings.limits.uploads_each, readers=settings.limits.readers)
        self.quota = Quota(settings, self.jobs)
        self.workers = Workers(settings, self.jobs, self.quota, self.offered, self.visitors)
        self.ending = asyncio.Event()
        self._swept_out = threading.Event()
        self.sweeper = Steady("the sweeper", self._sweep_and_wait, ending=self._swept_out)
        self.swept = 0.0
        """When it was last looked for jobs whose time is up."""
        self._receiving: set[str] = set()
        self._moving = threading.Lock()
        self._tables: dict[tuple[Path, str], Markers] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take up work and sweep until the block ends."""
        self.jobs.restore()
        self.sweep()
        self._settle_results()
        self.workers.start()
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self.ending.set()
            self._swept_out.set()
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            await asyncio.to_thread(self.workers.stop)
            await asyncio.to_thread(self.sweeper.join, 10)
            self.jobs.close()

    def folder(self, id: str) -> Path:
        """Give the folder of a job."""
        return self.settings.jobs_dir / id

    def job(self, id: str) -> Job:
        """Give a job, or refuse."""
        job = self.jobs.get(id)
        # at a full disk a job may be gone while the table couldn't be told yet
        if job is None or not self.folder(id).is_dir():
            raise Refusal(404, GONE)
        return job

    @contextlib.contextmanager
    def begin(self, n_bytes: int) -> Any:  # noqa: ANN401
        """Give the id of a new job and make its folder; what is not added by the end of the block is removed."""
        if self.jobs.busy() + len(self._receiving) >= self.settings.limits.waiting:
            raise Refusal(429, "Too many files are being worked on. Try again in a moment.", retry_after=RETRY)
        id = new_id()
        self.quota.begin_upload(id, n_bytes)
        self._receiving.add(id)
        try:
            (self.folder(id) / INPUT).mkdir(mode=0o700, parents=True)
            yield id
        except BaseException:
            shutil.rmtree(self.folder(id), ignore_errors=True)
            raise
        finally:
            self._receiving.discard(id)
            self.quota.forget(id)

    def add(self, id: str, upload: Upload, visitor: str) -> Job:
        """Make a job of a visitor's upload."""
        created = now()
        expires = created + 3600 * self.settings.keep_hours
        job = Job(id, upload.name, upload.file, upload.bytes, created, expires, disk=upload.bytes)
        self.visitors.brought(id, visitor)
        self.jobs.add(job)
        self.workers.wake()
        return job

    def bundle(self, model: str) -> Bundle:
        """Give the bundle of a model that is offered."""
        return loaded(self.offered[model].model)

    def run(self, id: str, order: RunOrder) -> Job:
        """Put a job into the queue; a job that is there already with the same settings stays where it is."""
        job = self.job(id)
        settings = self._checked(order, job)
        if job.state in {QUEUED, RUNNING} and job.settings == settings:
            return job
        if job.state in {QUEUED, RUNNING, CHECKING}:
            raise Refusal(409, "The job is still being worked on. Wait, or cancel it first.")
        if job.findings is None:
            if job.state == CANCELLED:
                raise Refusal(409, "The check of the file was cancelled. Send the file again.")
            raise Refusal(409, "The file can't be used, so there is nothing to run.")
        if self.jobs.busy() >= self.settings.limits.waiting:
            raise Refusal(429, "Too many jobs are waiting. Try again in a moment.", retry_after=RETRY)
        room = room_of(job, self.bundle(settings["model"]))
        self.quota.begin_run(job, room)
        changes = {"state": QUEUED, "stage": WAITING, "progress": 0.0, "error": None, "queued": now(), "attempts": 0}
        changes |= {
            "settings": settings,
            "room": room,
            "guess": guess(job),
            "earlier": of_a_result(job),
            "notice": None,
        }
        if not self.jobs.update(id, only_if=[job.state], **changes):
            return self.run(id, order)
        self.workers.wake()
        return self.job(id)

    def cancel(self, id: str) -> Job:
        """End the work on a job; one at rest stays as it is."""
        self.workers.cancel(self.job(id))
        return self.job(id)

    def delete(self, id: str) -> None:
        """Remove a job's files and forget it, in this order: at a full disk the files make the room to forget."""
        self.job(id)
        with contextlib.suppress(sqlite3.OperationalError):
            self.jobs.update(id, only_if=[CHECKING, QUEUED, RUNNING], state=CANCELLED)
        self.workers.end(id)
        self._remove(id)

    def results(self, id: str) -> Path:
        """Give the folder of a job's results, or refuse while there are none."""
        if of_a_result(self.job(id)) is None:
            raise Refusal(409, "There are no results yet: the job is not done.")
        return self.folder(id) / RESULTS

    def cells(self, id: str) -> Results:
        """Give a job's results cell by cell and gene by gene, or refuse while there are none."""
        folder = self.results(id)
        settings = (of_a_result(self.job(id)) or {})["settings"] or {}
        model = settings.get("model", "")
        if model not in self.offered:
            raise Refusal(
                409, f"These cells were named by the model {model}, which this server no longer has. Run the job again."
            )
        neighbours = self.neighbours if self.offered[model].index else None
        own = settings.get("markers")
        markers = self.markers.get(model) if own is None else self._own(markers_path(own, self.folder(id)), model)
        return Results(folder, self.bundle(model), neighbours, markers)

    def show_at(self, id: str, threshold: float) -> dict[str, Any]:
        """Show a job's answers at another threshold, and give their summary."""
        self.cells(id)
        options = self._asked(id, threshold=threshold)
        with self._moving:
            return show_at(threshold, self.folder(id), options)

    def show_for(self, id: str, tissue: str | None) -> dict[str, Any]:
        """Show a job's answers for another tissue, and give their summary."""
        self.cells(id)
        with self._moving:
            before = json.loads((self.results(id) / sink.SUMMARY).read_text(encoding="utf-8"))
            try:
                asked = self._asked(id, tissue=tissue, threshold=before["threshold"])
                told = None if asked.allowed is None else asked.allowed.tissue
            except ConfigError as error:
                raise Refusal(422, str(error)) from None
            return show_for(told, self.folder(id), replace(asked, tissue=told))

    def keep_markers(self, id: str, contents: bytes, name: str) -> dict[str, Any]:
        """Keep a visitor's table of known markers with a job, and say what is understood of it."""
        job = self.job(id)
        runs = (job.settings, (of_a_result(job) or {}).get("settings"))
        in_use = {table["id"] for settings in runs if settings and (table := settings.get("markers"))}
        bundle = self.bundle(next(iter(self.offered)))
        return keep_markers(contents, name, bundle, self.folder(id), in_use=in_use)

    def _own(self, path: Path, model: str) -> Markers:
        """Give the markers of a visitor's table, which is read once for a while."""
        key = (path, model)
        if key not in self._tables:
            kept = list(self._tables.items())[1 - MOST_TABLES :]
            self._tables = dict(kept) | {key: own_markers(path, self.bundle(model))}
        return self._tables[key]

    def _asked(self, id: str, **changes: Any) -> Options:  # noqa: ANN401 - whatever a run may be told
        """Give the options of a job's run with some changes."""
        settings = (self.job(id).settings or {}) | changes
        # the bundle as it is loaded: reading it anew takes longer than many answers
        offered = replace(self.offered[settings["model"]], model=self.bundle(settings["model"]))
        return options_of(offered, settings, self.folder(id), markers=self.settings.markers)

    def sweep(self) -> None:
        """Delete the jobs whose time is up, and folders that belong to no job."""
        for id in self.jobs.expired(now()):
            log.info("job %s: its time is up", id[:8])
            self._remove(id)
        # in this order: an upload that arrives meanwhile is not in the list, one that became a job is in either set
        folders = {folder.name for folder in self.settings.jobs_dir.iterdir()}
        receiving = set(self._receiving)
        ids = self.jobs.ids()
        for name in folders - receiving - ids:
            shutil.rmtree(self.folder(name), ignore_errors=True)
        for id in ids:
            if not self.folder(id).exists():
                self.jobs.remove(id)
        self.swept = now()

    def _remove(self, id: str) -> None:
        shutil.rmtree(self.folder(id), ignore_errors=True)
        with contextlib.suppress(sqlite3.OperationalError):  # the sweeper forgets it when there is room
            self.jobs.remove(id)

    def _settle_results(self) -> None:
        """Keep the new results of jobs that are done, and bring back the earlier ones of others."""
        for id in self.jobs.ids():
            job = self.jobs.get(id)
            (earlier.keep if job is not None and job.state == DONE else earlier.bring_back)(self.folder(id))

    def _offer(self, place: str) -> Options:
        """Give the options of runs with a model: matched with the index, if that is of the model."""
        fits = self.neighbours is not None and self.neighbours.fit(loaded(place))
        threads = max(1, (os.cpu_count() or 1) // self.settings.workers)
        return Options(place, index=self.settings.index if fits else None, threads=threads)

    def _checked(self, order: RunOrder, job: Job) -> dict[str, Any]:
        """Give an order as it stands in the table: model and tissue by their own names; refuse one that can't be."""
        model = order.model or next(iter(self.offered))
        if model not in self.offered:
            raise Refusal(422, f"There is no model of that name. There are: {', '.join(self.offered)}.")
        asked = order.model_dump() | {"model": model}
        if order.markers is not None and not markers_path(asked["markers"], self.folder(job.id)).exists():
            raise Refusal(422, GONE_TABLE)
        try:
            settled = Options(**asked | {"model": self.bundle(model), "markers": None}).settled()
            if job.findings is not None:
                check_groups(settled, job.findings["cells"], name=job.name)
                check_columns(order, job.findings, name=job.name)
        except ConfigError as error:
            raise Refusal(422, str(error)) from None
        return asked | {"tissue": settled.tissue}

    def _sweep_and_wait(self) -> None:
        self.sweep()
        self._swept_out.wait(SWEEP)

    async def _watch(self) -> None:
        """Start threads anew that died."""
        while True:
            try:
                self.sweeper.revive()
                self.workers.revive()
            except Exception as error:  # noqa: BLE001 - what watches has nobody to watch it
                log.error("the watch over the threads: %s; it goes on", where(error))
            await asyncio.sleep(WATCH)


def told(job: Job, jobs: Jobs) -> dict[str, Any]:
    """Give what is told of a job."""
    here = f"/api/jobs/{job.id}"
    links = {"self": here, "page": f"/jobs/{job.id}", "events": f"{here}/events"}
    settings = (of_a_result(job) or {}).get("settings")
    if settings is not None:
        links |= {name: f"{here}/{name}" for name in ("summary", "map", "genes", "commands")}
        links |= {"groups": f"{here}/groups"} if settings.get("groups") else {}
        links |= {name: f"{here}/files/{name}" for name in (sink.H5AD, sink.CSV, sink.REPORT, *tables_of(settings))}
    return {
        "id": job.id,
        "name": job.name,
        "bytes": job.bytes,
        "state": job.state,
        "stage": job.stage,
        "progress": job.progress,
        "position": jobs.position(job),
        "error": job.error,
        "notice": job.notice,
        **times(job, jobs.past_runs(), now()),
        "findings": job.findings,
        "lines": job.lines,
        "warnings": (job.findings or {}).get("notes", []),
        "created": _iso(job.created),
        "expires": _iso(job.expires),
        "settings": job.settings,
        "links": links,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
