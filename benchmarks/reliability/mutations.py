"""Damage done to files and folders: bytes, lines, arrays, attributes and fields, each at random places.

Every mutation takes the bytes of a file, or an open HDF5 file, and a generator; nothing of it looks at what a reader
checks.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import json
import random
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

STRANGE = [
    -1,
    0,
    1,
    255,
    2**31 - 1,
    2**31,
    2**63 - 1,
    -(2**63),
    1e300,
    float("nan"),
    float("inf"),
    "",
    "\x00",
    "é" * 50,
]
SUFFIXES = [".h5ad", ".h5", ".loom", ".csv", ".tsv", ".txt", ".mtx", ".csv.gz", ".h5ad.gz", ".zarr.zip", ".npz", ""]

Bytes = Callable[[bytearray, random.Random], bytearray]


def flip(content: bytearray, rng: random.Random) -> bytearray:
    """Flip a few bits."""
    for _ in range(rng.randint(1, 8)):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return content


def overwrite(content: bytearray, rng: random.Random) -> bytearray:
    """Write noise, zeros or ones over a run."""
    start, length = rng.randrange(len(content)), rng.choice([1, 2, 4, 8, 64, 1000])
    fill = rng.choice([b"\x00" * length, b"\xff" * length, rng.randbytes(length)])
    content[start : start + length] = fill[: len(content) - start]
    return content


def cut(content: bytearray, rng: random.Random) -> bytearray:
    """Keep the beginning only."""
    return content[: rng.randrange(len(content))]


def move(content: bytearray, rng: random.Random) -> bytearray:
    """Put a run in another place, where it is a second time, or is missing from its own."""
    start, place, length = rng.randrange(len(content)), rng.randrange(len(content)), rng.choice([1, 16, 512])
    run = content[start : start + length]
    if rng.random() < 0.5:
        del content[start : start + length]
    content[place:place] = run
    return content


def reword(content: bytearray, rng: random.Random) -> bytearray:
    """Put something strange in the place of some word of a text, or take a line out or twice."""
    lines = content.split(b"\n")
    row = rng.randrange(len(lines))
    if rng.random() < 0.3:
        lines[row : row + 1] = lines[row : row + 1] * rng.choice([0, 2])
    else:
        words = re.split(rb"([,\t ;])", bytes(lines[row]))
        words[rng.randrange(0, len(words), 2)] = str(rng.choice(STRANGE)).encode()
        lines[row] = bytearray(b"".join(words))
    return bytearray(b"\n".join(lines))


def respecify(content: bytearray, rng: random.Random) -> bytearray:
    """Change a field of JSON, or take one out; any other text is reworded."""
    try:
        fields = json.loads(content)
    except ValueError:
        fields = None
    if not (isinstance(fields, dict | list) and fields):
        return reword(content, rng)
    holder: dict | list = fields
    while True:
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        if not (isinstance(holder[key], dict | list) and holder[key]) or rng.random() < 0.1:
            break
        holder = holder[key]
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = rng.choice([*STRANGE, None, [], {}, [[]], True])
    return bytearray(json.dumps(fields).encode())


OF_BYTES: list[Bytes] = [flip, flip, overwrite, cut, move]
OF_TEXT: list[Bytes] = [flip, overwrite, cut, move, reword, reword, respecify, respecify]
TEXTS = {".csv", ".tsv", ".txt", ".mtx", ".json", ".zattrs", ".zarray", ".zgroup"}


def damage_file(path: Path, rng: random.Random) -> str:
    """Change the bytes of a file, inside its packing as often as outside; give the name of what was done."""
    content = bytearray(path.read_bytes())
    packing = {".gz": gzip, ".bz2": bz2}.get(path.suffix)
    inside = packing if packing is not None and rng.random() < 0.5 else None
    if inside is not None:
        try:
            content = bytearray(inside.decompress(bytes(content)))
        except (OSError, EOFError, zlib.error):  # the packing is damaged already
            inside = None
    inner = path.with_suffix("").suffix if inside is not None else path.suffix
    change = rng.choice(OF_TEXT if inner in TEXTS or path.name in TEXTS else OF_BYTES)
    changed = bytes(change(content, rng) if content else content)
    path.write_bytes(inside.compress(changed) if inside is not None else changed)
    return change.__name__


def damage_nodes(path: Path, rng: random.Random) -> str:
    """Change what an HDF5 file holds so that the file itself stays sound."""
    changes = [drop, swap, stretch, strange_values, strange_attribute, another_kind, elsewhere]
    with h5py.File(path, "r+") as file:
        for _ in range(20):
            names: list[str] = []
            file.visit(names.append)
            change = rng.choice(changes)
            # what the library refuses to write, in whatever way it does, is tried elsewhere
            with contextlib.suppress(Exception):
                change(file, rng.choice(names), rng, names)
                return change.__name__
    return "nothing"


def drop(file: h5py.File, name: str, _: random.Random, __: list[str]) -> None:
    """Take out an array or a group."""
    del file[name]


def swap(file: h5py.File, name: str, rng: random.Random, names: list[str]) -> None:
    """Let two arrays or groups change places."""
    other = rng.choice(names)
    file.move(name, "aside")
    file.move(other, name)
    file.move("aside", other)


def _replace(file: h5py.File, name: str, values: object, **more: object) -> None:
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, data=values, **more)
    file[name].attrs.update(attributes)


def stretch(file: h5py.File, name: str, rng: random.Random, _: list[str]) -> None:
    """Make an array longer or shorter, or declare a huge one."""
    values = file[name][()]
    kind = rng.randrange(3)
    if kind == 0:
        _replace(file, name, values[: rng.randrange(len(values) + 1)])
    elif kind == 1:
        _replace(file, name, np.concatenate([values, values]))
    else:
        shape = tuple(rng.choice([size, 2**31, 2**40]) for size in values.shape)
        dtype = file[name].dtype
        del file[name]
        file.create_dataset(name, shape=shape, dtype=dtype, chunks=tuple(min(size, 64) for size in shape))


def strange_values(file: h5py.File, name: str, rng: random.Random, _: list[str]) -> None:
    """Put strange numbers or words into an array."""
    array = file[name]
    for _ in range(rng.randint(1, 4)):
        array[tuple(rng.randrange(size) for size in array.shape)] = rng.choice(STRANGE)


def strange_attribute(file: h5py.File, name: str, rng: random.Random, _: list[str]) -> None:
    """Change an attribute, take one out, or add one."""
    attributes = file[rng.choice([name, "/"])].attrs
    key = rng.choice([*attributes, "encoding-type", "shape"])
    if rng.random() < 0.3:
        del attributes[key]
    else:
        attributes[key] = rng.choice([*STRANGE, np.array([2**40, 2**40]), np.empty(0), "csr_matrix", "categorical"])


def another_kind(file: h5py.File, name: str, rng: random.Random, _: list[str]) -> None:
    """Store an array as numbers or words of another kind, or in another form."""
    values = file[name][()]
    kind = rng.choice(["f2", "u1", "i8", "f8", "c16", "S3", "?", "column", "words", "one"])
    if kind == "column":
        _replace(file, name, values[:, None])
    elif kind == "words":
        _replace(file, name, np.array([str(value) for value in values], dtype=object))
    elif kind == "one":
        _replace(file, name, values.flat[0])
    else:
        _replace(file, name, values.astype(kind))


def elsewhere(file: h5py.File, name: str, rng: random.Random, names: list[str]) -> None:
    """Put a link in the place of an array or a group."""
    del file[name]
    file[name] = rng.choice(
        [h5py.SoftLink("/" + rng.choice(names)), h5py.SoftLink("/" + name), h5py.ExternalLink("other.h5", "/X")]
    )


def damage(path: Path, rng: random.Random) -> tuple[Path, str]:
    """Damage a file, or one file of a folder, once to three times; now and then under a name of another format.

    Parameters
    ----------
    path
        What is changed in place.
    rng
        Decides where and how.

    Returns
    -------
    Where the damaged thing lies now, and what was done to it.
    """
    done = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        file = rng.choice(files)
        if len(files) > 1 and rng.random() < 0.05:
            file.unlink()
            done.append("take a file away")
        elif file.suffix in {".h5ad", ".h5", ".loom"} and not done and rng.random() < 0.6:
            done.append(damage_nodes(file, rng))
        else:
            before = hashlib.sha256(file.read_bytes()).hexdigest()
            done.append(damage_file(file, rng))
            if path.is_dir() and rng.random() < 0.8:
                seal_again(path, before, file.read_bytes())
    if path.is_file() and rng.random() < 0.03:
        path = path.rename(path.parent / f"cells{rng.choice(SUFFIXES)}")
        done.append("another suffix")
    return path, ", ".join(done)


def seal_again(folder: Path, before: str, content: bytes) -> None:
    """Put the new sha256 and size of a file into the manifest of its bundle or index, as a forger would."""
    for manifest in (folder / "bundle.json", folder / "index.json"):
        if manifest.is_file():
            record = f'"sha256": "{hashlib.sha256(content).hexdigest()}", "bytes": {len(content)}'
            old = rf'"sha256":\s*"{before}",\s*"bytes":\s*\d+'
            text = manifest.read_text(encoding="utf-8", errors="surrogateescape")
            manifest.write_text(re.sub(old, record, text), encoding="utf-8", errors="surrogateescape")
