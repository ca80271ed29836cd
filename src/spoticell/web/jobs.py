"""Jobs and the table that remembers them: SQLite, so that they outlive the server.

    checking -> ready -> queued -> running -> done
    and from each of these: failed, cancelled

A job that is done and is run again remembers its result until the new one is whole.  If there is none, it is done
again, with the settings of the result that it has.

All writes go through one connection behind a lock; each is short.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Sequence
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

_JSON = frozenset({"findings", "lines", "settings", "earlier"})
_OF_A_RESULT = ("findings", "lines", "settings")
"""What a job says of the run that its result is of."""
MOST_RUNS = 200
"""How many past runs are remembered."""


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
    started: float = 0.0
    """When the run was begun."""
    room: int = 0
    """Bytes that its folder may come to hold until its run has ended."""
    looked: float = 0.0
    """Seconds that the check took."""
    guess: float = 0.0
    """Seconds that its run takes on a machine like that of the developers."""
    earlier: dict[str, Any] | None = None
    """What it said of its result before it was run again; None unless a new run waits or is at work."""
    notice: str | None = None
    """What became of a new run that didn't replace the result."""


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
            self._connection.execute("CREATE TABLE IF NOT EXISTS runs (ended REAL, guess REAL, seconds REAL)")
            self._widen()
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

    def take_check(self, choose: Callable[[Sequence[str]], str | None]) -> Job | None:
        """Give the upload to be looked at next, and mark it as being read; ``choose`` is given all, oldest first."""
        command = "SELECT id FROM jobs WHERE state = ? AND stage = ? ORDER BY created, id"
        waiting = [row[0] for row in self._run(command, [CHECKING, WAITING])]
        if not waiting or (id := choose(waiting)) is None:
            return None
        return self._take("id = ? AND state = ? AND stage = ?", [id, CHECKING, WAITING], order="created", stage=READING)

    def take_run(self) -> Job | None:
        """Give the job at the head of the queue, and mark it as running."""
        begun = {"state": RUNNING, "stage": "starting", "progress": 0.0, "started": now()}
        return self._take("state = ?", [QUEUED], order="queued", **begun)

    def restore(self, *, at_work: Collection[str] = ()) -> None:
        """Put back into the queue what was under way when the server, or a thread of it, went down.

        Parameters
        ----------
        at_work
            Jobs that are under way still.
        """
        worn = "The server went down several times while this ran; the job may be too large for it."
        command = "SELECT * FROM jobs WHERE state = ? OR (state = ? AND stage = ?)"
        for job in map(_job, self._run(command, [RUNNING, CHECKING, READING])):
            if job.id in at_work:
                continue
            if job.attempts >= MOST_ATTEMPTS:
                self.fail(job, worn)
            else:
                state = QUEUED if job.state == RUNNING else CHECKING
                self.update(job.id, only_if=[job.state], state=state, stage=WAITING, progress=0.0)

    def fail(self, job: Job, sentence: str, **changes: Any) -> bool:  # noqa: ANN401
        """Note that the work on a job has failed, if it is worked on; say whether it was.

        A job with an earlier result is done again.
        """
        if job.earlier is None:
            ends = {"state": FAILED, "error": sentence}
        else:
            ends = _back(job) | {"notice": f"The new run failed: {sentence} This is the earlier result."}
        return self.update(job.id, only_if=[CHECKING, RUNNING], room=0, **ends, **changes)

    def cancel(self, job: Job) -> bool:
        """Note that the work on a job is over because someone asked for it, if it was worked on or waited.

        A job with an earlier result is done again.
        """
        if job.earlier is None:
            ends: dict[str, Any] = {"state": CANCELLED, "stage": "cancelled"}
        else:
            ends = _back(job) | {"notice": "The new run was cancelled; this is the earlier result."}
        return self.update(job.id, only_if=[CHECKING, QUEUED, RUNNING], room=0, **ends)

    def position(self, job: Job) -> int | None:
        """Give a queued job's place in the queue, from 1."""
        if job.state != QUEUED:
            return None
        command = "SELECT COUNT(*) FROM jobs WHERE state = ? AND (queued, id) < (?, ?)"
        return 1 + int(self._run(command, [QUEUED, job.queued, job.id])[0][0])

    def busy(self) -> int:
        """Count the jobs that wait or run."""
        return int(self._run("SELECT COUNT(*) FROM jobs WHERE state IN (?, ?, ?)", [CHECKING, QUEUED, RUNNING])[0][0])

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Give for each job the bytes of its folder, and those that it may come to hold."""
        return {row["id"]: (row["disk"], row["room"]) for row in self._run("SELECT id, disk, room FROM jobs", [])}

    def waiting_since(self) -> float | None:
        """Give the time since which the oldest job waits to be looked at or run; None if none waits."""
        command = (
            "SELECT MIN(CASE state WHEN ? THEN queued ELSE created END) FROM jobs WHERE stage = ? AND state IN (?, ?)"
        )
        since = self._run(command, [QUEUED, WAITING, QUEUED, CHECKING])[0][0]
        return None if since is None else float(since)

    def note_run(self, guess: float, seconds: float) -> None:
        """Remember how long a run took, against what was guessed."""
        self._run("INSERT INTO runs VALUES (?, ?, ?)", [now(), guess, seconds])
        kept = "SELECT ended FROM runs ORDER BY ended DESC LIMIT ?"
        self._run(f"DELETE FROM runs WHERE ended NOT IN ({kept})", [MOST_RUNS])

    def past_runs(self) -> list[tuple[float, float]]:
        """Give for each run that is remembered what was guessed and the seconds that it took, the last one first."""
        rows = self._run("SELECT guess, seconds FROM runs ORDER BY ended DESC", [])
        return [(row["guess"], row["seconds"]) for row in rows]

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

    def _widen(self) -> None:
        """Give a table of an older server the columns that it lacks."""
        there = {row["name"] for row in self._connection.execute("PRAGMA table_info(jobs)")}
        fresh = _stored(asdict(Job("", "", "", 0, 0.0, 0.0)))
        for name, value in fresh.items():
            if name not in there:
                self._connection.execute(f"ALTER TABLE jobs ADD COLUMN {name} DEFAULT {_literal(value)}")

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


def _back(job: Job) -> dict[str, Any]:
    """Give what makes a job that is run again say what it said of its result."""
    earlier = {name: (job.earlier or {}).get(name) for name in _OF_A_RESULT}
    return {"state": DONE, "stage": "done", "progress": 1.0, "error": None, "earlier": None, **earlier}


def of_a_result(job: Job) -> dict[str, Any] | None:
    """Give what a job says of the result that it has, or None if it has none."""
    return {name: getattr(job, name) for name in _OF_A_RESULT} if job.state == DONE else job.earlier


def _literal(value: str | float | None) -> str:
    """Write one of our own values for a command of SQL."""
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value)
