"""Killing a command at random moments and taking the room from it, and looking at what is left each time."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from spoticell.errors import OutputError
from spoticell.io.passing import PASSING, held

LONGEST = 600
"""Seconds after which a command counts as hanging."""
TIDY = (signal.SIGTERM, signal.SIGHUP)
"""Signals that let a process tidy up."""
EVERY = 5
"""One kill of so many is by one of them."""
THREADS = {"OMP_NUM_THREADS": "1"}
"""All runs of a command have as many threads: weights that more of them have learned differ in the last digits."""


@dataclass(frozen=True)
class Victim:
    """A command, and how to tell whether its work is sound."""

    name: str
    command: list[str]
    folder: Path
    """``place`` in it has all that the command writes, ``temporary`` is its folder for temporary files."""
    begin: Callable[[], None]
    """Puts ``place`` into the state before the command."""
    done: Callable[[], bool]
    broken: Callable[[], str]
    """Says what is broken in ``place`` at any moment, '' if nothing is."""
    differs: Callable[[], str]
    """Says how ``place`` differs from what an undisturbed run leaves, '' if it doesn't."""
    needs: int
    """Bytes of the largest file that it writes."""

    def start(self, most_bytes: int | None = None) -> subprocess.Popen[str]:
        """Start the command in a session of its own."""

        def limited() -> None:
            if most_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        environment = os.environ | THREADS | {"TMPDIR": str(self.folder / "temporary")}
        return subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
            preexec_fn=limited,  # noqa: PLW1509 - one thread starts them all
        )

    def whole(self) -> float:
        """Run to the end, and give the seconds that it took."""
        start = time.perf_counter()
        process = self.start()
        _, said = process.communicate(timeout=LONGEST)
        if process.returncode:
            raise SystemExit(f"{self.name} failed: {said}")
        return time.perf_counter() - start

    def left(self) -> list[str]:
        """Name what lies about that is no result."""
        beside = [path for path in (self.folder / "place").rglob("*") if path.name.startswith(PASSING)]
        return [path.name for path in [*beside, *(self.folder / "temporary").iterdir()]]

    def sweep(self) -> None:
        """Remove what lies about, as the next run would."""
        for path in (self.folder / "temporary", *(self.folder / "place").rglob("*"), self.folder / "place"):
            if path.is_dir():
                with held(path, OutputError(f"{path} is being written to.")):  # a lock that was left goes too
                    pass


@dataclass
class Killing:
    """What came of killing a command."""

    name: str
    seconds: float
    kills: int = 0
    outright: int = 0
    ended: int = 0
    broken: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    left_in_the_end: list[str] = field(default_factory=list)
    differs: str = ""

    def notes(self) -> list[str]:
        """Tell what went wrong."""
        return [f"  {self.name}: {what}" for what in (*self.broken, *self.left, *self.left_in_the_end)]


def kill_often(victim: Victim, kills: int, rng: random.Random) -> Killing:
    """Kill a command at random moments and let it run to its end at last."""
    victim.begin()
    killing = Killing(victim.name, victim.whole())
    victim.begin()
    while killing.kills < kills:
        if victim.done():
            victim.begin()
        how = rng.choice(TIDY) if killing.kills % EVERY == EVERY - 1 else signal.SIGKILL
        if how != signal.SIGKILL:
            victim.sweep()
        process = victim.start()
        try:
            _, said = process.communicate(timeout=rng.uniform(0, killing.seconds))
            if process.returncode:
                raise SystemExit(f"{victim.name} failed by itself: {said}")
        except subprocess.TimeoutExpired:
            process.send_signal(how)
            process.communicate(timeout=LONGEST)
        if process.returncode == 0:
            killing.ended += 1
            killing.differs = killing.differs or victim.differs()
            continue
        killing.kills += 1
        killing.outright += how == signal.SIGKILL
        if what := victim.broken():
            killing.broken.append(f"broken by {how.name}: {what}")
        # a process that hasn't come to take signals yet ends by them, and has begun nothing
        if how != signal.SIGKILL and (left := victim.left()):
            killing.left.append(f"left by {how.name}, exit code {process.returncode}: {', '.join(left)}")
    if victim.done():
        victim.begin()
    victim.whole()
    killing.left_in_the_end = [f"left in the end: {name}" for name in victim.left()]
    killing.differs = killing.differs or victim.differs()
    return killing


@dataclass
class Filling:
    """What came of taking the room from a command."""

    name: str
    tries: int = 0
    told: int = 0
    broken: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Tell what went wrong."""
        return [f"  {self.name}, full disk: {what}" for what in (*self.broken, *self.left, *self.said)]


def fill(victim: Victim, tries: int, rng: random.Random) -> Filling:
    """Run a command whose files may not grow as large as they would, and on disks that are too small."""
    filling = Filling(victim.name)
    for _ in range(tries):
        victim.begin()
        victim.sweep()
        _run_out(victim, filling, most_bytes=rng.randrange(1000, max(victim.needs * 9 // 10, 2000)))
    for _ in range(tries):
        victim.begin()
        victim.sweep()
        taken = sum(path.stat().st_size for path in (victim.folder / "place").rglob("*") if path.is_file())
        with small_disk(victim.folder / "place", 2 * taken + rng.randrange(1 << 16, victim.needs)) as mounted:
            if mounted:
                victim.begin()
                _run_out(victim, filling)
    return filling


def _run_out(victim: Victim, filling: Filling, most_bytes: int | None = None) -> None:
    process = victim.start(most_bytes=most_bytes)
    _, said = process.communicate(timeout=LONGEST)
    if process.returncode == 0:  # there was room enough
        return
    filling.tries += 1
    lines = said.strip().splitlines()
    plain = process.returncode == 1 and len(lines) == 1 and lines[0].startswith("spoticell: ")
    if plain and "should have explained" not in said:
        filling.told += 1
    else:
        filling.said.append(f"exit code {process.returncode}, said {said.strip()[-300:]!r}")
    if what := victim.broken():
        filling.broken.append(what)
    filling.left += victim.left()


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[bool]:
    """Mount a disk of a size in memory over a folder; say whether this process may."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
