"""A process that shuts itself in: from then on it reaches few files, and no other process, whatever it is made to do.

This is Landlock, which Linux has in a form that serves here since 5.19; it needs no rights and can't be undone.  Where
the kernel lacks it, nothing happens.  The numbers are those of ``linux/landlock.h``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
OLDEST = 2
"""Version from which on a file may be moved from folder to folder within what is allowed."""
_ASK_VERSION, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38
_RUN, _READ_FILE, _READ_FOLDER = 1, 1 << 2, 1 << 3
_OF_FILES = _RUN | (1 << 1) | _READ_FILE | (1 << 14)
"""Run, write, read and cut: what can be done with a file itself."""
_ALL_OF_VERSION = {2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""What can be done with files and folders, from so new a version on."""
_TCP, _SCOPES = 0b11, 0b11
"""Binding and connecting; sockets by name and signals."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Give the kernel's version of Landlock, 0 where there is none that can be used."""
    if sys.platform != "linux":
        return 0
    found = _call(CREATE_RULESET, None, 0, _ASK_VERSION)
    return found if found >= OLDEST else 0


def shut_in(*, lists: Iterable[Path], reads: Iterable[Path], writes: Iterable[Path]) -> bool:
    """Let this thread, and all that it starts from now on, reach nothing but some files and folders.

    Open files stay open.  Connections over TCP and signals to other processes end too, where the kernel can do that.

    Parameters
    ----------
    lists
        Folders below which it may be seen what is there.
    reads
        Files and folders that may be read, and programs there run; those that aren't there don't matter.
    writes
        Folders in which everything may be done but to run programs, and files.

    Returns
    -------
    Whether it was done.
    """
    found = version()
    if not found:
        return False
    every = next(rights for since, rights in sorted(_ALL_OF_VERSION.items(), reverse=True) if since <= found)
    attributes = _Ruleset(every, _TCP if found >= 4 else 0, _SCOPES if found >= 6 else 0)
    size = 24 if found >= 6 else 16 if found >= 4 else 8
    ruleset = _call(CREATE_RULESET, ctypes.byref(attributes), size, 0)
    if ruleset < 0:
        return False
    try:
        for path in lists:
            _allow(ruleset, path, _READ_FOLDER)
        for path in reads:
            _allow(ruleset, path, _RUN | _READ_FILE | _READ_FOLDER)
        for path in writes:
            _allow(ruleset, path, every & ~_RUN)
        ctypes.CDLL(None).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        return _call(RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    with suppress(OSError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = _Rule(rights if path.is_dir() else rights & _OF_FILES, handle)
            _call(ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(handle)


def _call(number: int, *values: object) -> int:
    numbers = (ctypes.c_long(value) if isinstance(value, int) else value for value in values)
    return int(ctypes.CDLL(None).syscall(ctypes.c_long(number), *numbers))
