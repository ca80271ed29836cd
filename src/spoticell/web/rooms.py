"""Which files a worker may reach: those of Python and of Spoticell, the model, the index, and its job's own folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.resources import files
from multiprocessing import parent_process
from pathlib import Path

from spoticell.web.landlock import shut_in
from spoticell.web.task import Task

SYSTEM = (
    "/usr", "/bin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/etc/ld.so.cache", "/etc/localtime",
    "/proc/self", "/proc/sys", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system", "/sys/fs/cgroup",
    "/dev/zero", "/dev/urandom", "/dev/random",
)  # fmt: skip
"""What libraries read of the system, and run: they count the processor's cores by ``lscpu``.  Of ``/proc`` it is the
process's own folder: the others' show the server's token."""


def keep_to_job(task: Task) -> bool:
    """Let this process reach nothing but what its task needs; say whether the system could do that."""
    if parent_process() is None:  # the server itself, which needs more
        return False
    return shut_in(lists=[Path("/proc")], reads=_needed(task), writes=[task.folder, Path(os.devnull)])


def _needed(task: Task) -> Iterator[Path]:
    yield from map(Path, SYSTEM)
    yield from map(Path, {sys.prefix, sys.base_prefix, sys.exec_prefix, str(files("spoticell"))})
    # a server that is started in the folder above its data has that in its path, and with it all jobs
    folder = task.folder.resolve()
    yield from (Path(place) for place in sys.path if place and not folder.is_relative_to(Path(place).resolve()))
    if task.options.markers is not None:
        yield Path(task.options.markers).resolve()
    for place in (task.options.model, task.options.index):
        if isinstance(place, str | Path) and Path(place).is_dir():
            yield Path(place)
            yield from (inner.resolve() for inner in Path(place).rglob("*") if inner.is_symlink())
