"""What the person who runs the server may set, and the folders that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from platformdirs import user_state_path

from spoticell.model.bundle import packaged_bundles

GIB = 1 << 30
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Limits:
    """How much one upload may ask of the machine, and how much all of them together."""

    file_bytes: int = 2 * GIB
    """Largest upload."""
    cells: int = 1_000_000
    """Most cells in an upload."""
    memory: int = 8 * GIB
    """Address space of a worker, in bytes."""
    cpu_seconds: int = 4 * 3600
    """Processor time of a worker, all its threads together."""
    readers: int = 2
    """Uploads that are looked at at a time: with two a file that takes long holds up no other visitor."""
    check_cpu_seconds: int = 180
    """The same of one that looks at an upload.  A file may be made so that looking at it takes hours, and one visitor's
    must not keep the threads from the others' for long.  An honest file of a million cells takes about 45 seconds."""
    check_seconds: int = 600
    """Longest that looking at an upload may take."""
    run_seconds: int = 4 * 3600
    """Longest that naming its cells may take."""
    written_bytes: int = 16 * GIB
    """Longest file that a worker may write."""
    unpacked_bytes: int = 8 * GIB
    """Most that a zip archive may unpack to."""
    waiting: int = 50
    """Most uploads that may wait or run at a time."""
    uploads_each: int = 25
    """Most files that one visitor may be sending at a time, so that slow ones don't take all places."""
    disk_bytes: int = 50 * GIB
    """Most that all uploads and results may take on disk."""

    def of_a_check(self) -> Limits:
        """Give the same for a worker that looks at an upload."""
        return replace(self, cpu_seconds=min(self.cpu_seconds, self.check_cpu_seconds))


@dataclass(frozen=True)
class Settings:
    """How a server is set up."""

    data_dir: Path
    keep_hours: float = 24
    workers: int = 1
    token: str | None = None
    """What a visitor must show; None lets everyone in who can reach the server."""
    hosts: tuple[str, ...] = LOOPBACK
    """Names under which the server may be addressed."""
    bundles: tuple[str, ...] = field(default_factory=lambda: tuple(packaged_bundles()))
    """Trained models to choose from, by name or folder; the first is meant where none is chosen."""
    index: Path | None = None
    """Folder of an index of reference cells to compare with; it is of one of the bundles."""
    markers: Path | None = None
    """Table of known markers of types; none if None."""
    limits: Limits = field(default_factory=Limits)

    @property
    def jobs_dir(self) -> Path:
        """Where each job has its folder."""
        return self.data_dir / "jobs"

    @property
    def database(self) -> Path:
        """Where the state of the jobs is kept."""
        return self.data_dir / "jobs.sqlite"

    def prepare(self) -> None:
        """Make the folders, for the owner's eyes only."""
        for folder in (self.data_dir, self.jobs_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def default_data_dir() -> Path:
    """Give the folder for uploads and results where none is named: the user's own for the state of programs."""
    return user_state_path("spoticell", appauthor=False) / "web"
