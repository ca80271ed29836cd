"""Jobs and the table that remembers them: SQLite, so that they outlive the server.

    checking -> ready -> queued -> running -> done
    and from each of these: failed, cancelled

All writes go through one connection behind a lock; each is short.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from spoticell.errors import ConfigError

CHECKING, READY, QUEUED, RUNNING = "checking", "ready", "queued", "running"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
AT_REST = frozenset({READY, DONE, FAILED, CANCELLED})
"""States in which nothing happens until someone asks."""
WAITING, READING = "waiting", "reading"
"""Stages of a job that is checked."""
MOST_ATTEMPTS = 3
"""How often a job is begun again because the server went down while it ran."""

_JSON = frozenset({"findings", "lines", "settings"})


@dataclass(frozen=True)
class Job:
    """One upload and what becomes of it."""

    id: str
    """32 hex digits, drawn at random: whoever knows them may see the job."""
    name: str
    """What the visitor calls the file; never part of a path."""
    file: str
    """What it is called in the job's folder."""
    bytes: int
    created: float
    expires: float
    """When it may be deleted, in seconds since 1970 like all times here."""
    state: str = CHECKING
    stage: str = WAITING
    progress: float = 0.0
    error: str | None = None
    findings: dict[str, Any] | None = None
    lines: list[str] = field(default_factory=list)
    settings: dict[str, Any] | None = None
    """What is asked of the run: `Options` in plain values, the model by its name; None until someone asks."""
    queued: float = 0.0
    attempts: int = 0
    disk: int = 0
    """Bytes of its folder."""
    version: int = 0
    """Counts changes."""


def new_id() -> str:
    """Draw the 128 bits that name a job."""
    return secrets.token_hex(16)


class Jobs:
    """All jobs; safe to use from several threads, and by one server at a time.

    Raises
    ------
    ConfigError
        If another server has them, or the table is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=1)
        self._connection.row_factory = sqlite3.Row
        columns = ", ".join(item.name + (" PRIMARY KEY" if item.name == "id" else "") for item in fields(Job))
        try:
            # two servers on one table would both take the same jobs
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS jobs ({columns})")
        except sqlite3.Error as error:
            self._connection.close()
            raise ConfigError(_no_table(path.parent, error)) from error

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def add(self, job: Job) -> None:
        """Remember a new job."""
        values = _stored(asdict(job))
        marks = ", ".join("?" for _ in values)
        self._run(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({marks})", list(values.values()))

    def get(self, id: str) -> Job | None:
        """Give a job, or None where there is none of that id."""
        rows = self._run("SELECT * FROM jobs WHERE id = ?", [id])
        return _job(rows[0]) if rows else None

    def update(self, id: str, *, only_if: Sequence[str] = (), **changes: Any) -> bool:  # noqa: ANN401
        """Change a job, if it is there and in one of some states; say whether it was."""
        values = _stored(changes)
        sets = ", ".join(f"{name} = ?" for name in values)
        where = f" AND state IN ({', '.join('?' for _ in only_if)})" if only_if else ""
        command = f"UPDATE jobs SET {sets}, version = version + 1 WHERE id = ?{where} RETURNING id"
        return bool(self._run(command, [*values.values(), id, *only_if]))

    def take_check(self) -> Job | None:
        """Give the upload that has waited longest to be looked at, and mark it as being read."""
        return self._take("state = ? AND stage = ?", [CHECKING, WAITING], order="created", stage=READING)

    def take_run(self) -> Job | None:
        """Give the job at the head of the queue, and mark it as running."""
        return self._take("state = ?", [QUEUED], order="queued", state=RUNNING, stage="starting", progress=0.0)

    def restore(self) -> None:
        """Put back into the queue what was under way when the server went down."""
        worn = "The server went down several times while this ran; the job may be too large for it."
        self._run(
            "UPDATE jobs SET state = ?, error = ?, version = version + 1 "
            "WHERE (state = ? OR (state = ? AND stage = ?)) AND attempts >= ?",
            [FAILED, worn, RUNNING, CHECKING, READING, MOST_ATTEMPTS],
        )
        again = "progress = 0, version = version + 1"
        self._run(f"UPDATE jobs SET state = ?, stage = ?, {again} WHERE state = ?", [QUEUED, WAITING, RUNNING])
        self._run(f"UPDATE jobs SET stage = ?, {again} WHERE state = ?", [WAITING, CHECKING])

    def position(self, job: Job) -> int | None:
        """Give a queued job's place in the queue, from 1."""
        if job.state != QUEUED:
            return None
        command = "SELECT COUNT(*) FROM jobs WHERE state = ? AND (queued, id) < (?, ?)"
        return 1 + int(self._run(command, [QUEUED, job.queued, job.id])[0][0])

    def busy(self) -> int:
        """Count the jobs that wait or run."""
        return int(self._run("SELECT COUNT(*) FROM jobs WHERE state IN (?, ?, ?)", [CHECKING, QUEUED, RUNNING])[0][0])

    def disk(self) -> int:
        """Add up the bytes of all jobs."""
        return int(self._run("SELECT COALESCE(SUM(disk), 0) FROM jobs", [])[0][0])

    def ids(self) -> set[str]:
        """Give the ids of all jobs."""
        return {row[0] for row in self._run("SELECT id FROM jobs", [])}

    def expired(self, now: float) -> list[str]:
        """Give the ids of the jobs whose time is up and that nothing works on."""
        rest = sorted(AT_REST)
        marks = ", ".join("?" for _ in rest)
        command = f"SELECT id FROM jobs WHERE expires < ? AND state IN ({marks})"
        return [row[0] for row in self._run(command, [now, *rest])]

    def remove(self, id: str) -> None:
        """Forget a job."""
        self._run("DELETE FROM jobs WHERE id = ?", [id])

    def _take(self, where: str, values: list[Any], *, order: str, **changes: Any) -> Job | None:  # noqa: ANN401
        sets = ", ".join(f"{name} = ?" for name in changes)
        rows = self._run(
            f"UPDATE jobs SET {sets}, attempts = attempts + 1, version = version + 1 "
            f"WHERE id = (SELECT id FROM jobs WHERE {where} ORDER BY {order}, id LIMIT 1) RETURNING *",
            [*changes.values(), *values],
        )
        return _job(rows[0]) if rows else None

    def _run(self, command: str, values: Sequence[Any]) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(command, values).fetchall()


def _no_table(folder: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"another server uses the folder {folder}; give this one a --data-dir of its own."
    return f"the table of jobs in {folder} can't be used ({error}); move it away, or give another --data-dir."


def now() -> float:
    """Give the time in seconds since 1970."""
    return time.time()


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if name in _JSON else value for name, value in values.items()}


def _job(row: sqlite3.Row) -> Job:
    return Job(**{name: json.loads(row[name]) if name in _JSON else row[name] for name in row.keys()})  # noqa: SIM118
