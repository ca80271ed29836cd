"""What a fault may depend on: versions, processor, memory, folders.  Nothing here says whose machine it is."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "numpy", "pandas", "scipy", "anndata", "h5py", "zarr", "numcodecs", "onnxruntime", "pydantic", "typer",
    "scikit-learn", "matplotlib",
)  # fmt: skip
"""Libraries that every install has and that answers, files and commands depend on."""
EXTRAS = {
    "train": ("torch", "tensorboard", "onnx", "onnxscript"),
    "search": ("faiss-cpu", "pyarrow"),
    "lance": ("lancedb", "faiss-cpu", "pyarrow"),
    "census": ("cellxgene-census", "tiledbsoma", "pyarrow"),
    "cluster": ("dask", "distributed", "cryptography"),
    "gpu": ("onnxruntime-gpu",),
    "hub": ("huggingface-hub",),
    "remote": ("fsspec", "s3fs", "gcsfs", "aiohttp"),
    "web": ("fastapi", "platformdirs", "starlette", "uvicorn", "python-multipart"),
}
"""What each extra brings."""
_OTHER_NAMES = {"onnxruntime": "onnxruntime-gpu"}
"""What may be there in place of a library, with the same modules."""
_MEMORY = Path("/proc/meminfo")
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_NO_LIMIT = 1 << 50


def versions(names: tuple[str, ...]) -> dict[str, str | None]:
    """Give the version of each library, None where it isn't installed.

    Examples
    --------
    >>> versions(("no-such-library",))
    {'no-such-library': None}
    """
    return {name: _version(name) for name in names}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return _version(_OTHER_NAMES[name]) if name in _OTHER_NAMES else None


def processor() -> str:
    """Give the name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return " ".join(value.split())
    return platform.processor() or platform.machine()


def memory() -> dict[str, int]:
    """Give the bytes of memory that there are and, where the system says so, those that are free and allowed."""
    found = {}
    if _MEMORY.is_file():
        fields = dict(line.split(":", 1) for line in _MEMORY.read_text(encoding="utf-8").splitlines() if ":" in line)
        for name, field in (("total", "MemTotal"), ("free", "MemAvailable")):
            if field in fields:
                found[name] = int(fields[field].split()[0]) << 10
    elif hasattr(os, "sysconf"):
        found["total"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _LIMITS:
        limit = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        if limit.isdigit() and int(limit) < _NO_LIMIT:
            found["allowed"] = int(limit)
    return found


def folder(path: Path) -> dict[str, str | int | bool]:
    """Say whether a folder can be written to, or made if it isn't there, and what is free on its disk."""
    there = path
    while not there.is_dir() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"spoticell")
            file.flush()
        writable = True
    except OSError:
        writable = False
    return {"path": without_home(path), "writable": writable, "free": shutil.disk_usage(there).free}


def without_home(path: Path) -> str:
    """Give a path with ``~`` in the place of the user's home.

    Examples
    --------
    >>> without_home(Path.home() / "cells")
    '~/cells'
    """
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) and path != home else str(path)
