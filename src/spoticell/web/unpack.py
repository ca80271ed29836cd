"""Zipped 10x folders, unpacked so that an archive from a stranger can't do harm.

Only the three files of a 10x folder are taken, under names of our own choice of folder; links, folders that lead
out, too many members and too much contents are refused before or while anything is written.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from spoticell.errors import FileFormatError
from spoticell.io.storage.tree import DAMAGE
from spoticell.web.settings import Limits

MOST_MEMBERS = 1000
MOST_RATIO = 200
"""How many times its packed size a member may be; counts as text, gzipped, stay far below."""
COPIED = 1 << 20
"""Bytes that are unpacked at a time."""
ZIP = b"PK\x03\x04"
_KINDS = ("matrix.mtx", "features.tsv", "genes.tsv", "barcodes.tsv")
_ZARR = frozenset({".zgroup", "zarr.json", ".zmetadata"})


def unpacked(path: Path, limits: Limits) -> Path:
    """Give what is to be opened for an upload: the file itself, or the folder that a zip archive becomes.

    Parameters
    ----------
    path
        The upload; its archive is unpacked beside it, once.
    limits
        Says how much it may unpack to.

    Raises
    ------
    FileFormatError
        If an archive is damaged, holds no 10x folder, or breaks a limit.
    """
    with path.open("rb") as file:
        if file.read(4) != ZIP:
            return path
    folder = path.with_name(f"{path.stem}-unpacked")
    if folder.is_dir():
        return folder
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if _is_no_folder(members):
                return path
            chosen = _choose(members, path.name, limits)
            passing = folder.with_name(f"{folder.name}-passing")
            passing.mkdir(mode=0o700, exist_ok=True)
            for name, member in chosen.items():
                _copy(archive, member, passing / name, path.name, limits)
            passing.rename(folder)
    except DAMAGE as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{path.name} is a damaged zip file. Copy or zip it again.") from error
    return folder


def _is_no_folder(members: list[zipfile.ZipInfo]) -> bool:
    """Whether an archive is of a kind that the readers know or refuse by themselves: zarr, Excel, NumPy, PyTorch."""
    names = {PurePosixPath(member.filename).name for member in members[:MOST_MEMBERS]}
    return bool(names & (_ZARR | {"[Content_Types].xml", "data.pkl"})) or any(name.endswith(".npy") for name in names)


def _choose(members: list[zipfile.ZipInfo], archive: str, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """Give the files of the one 10x folder in an archive by their plain names."""
    if len(members) > MOST_MEMBERS:
        raise FileFormatError(f"{archive} holds {len(members):,} files; zip the 10x folder alone.")
    folders: dict[PurePosixPath, dict[str, zipfile.ZipInfo]] = {}
    for member in members:
        place = PurePosixPath(member.filename)
        name = place.name.lower()
        if member.is_dir() or "__MACOSX" in place.parts or not name.removesuffix(".gz").endswith(_KINDS):
            continue
        _check(member, archive)
        folders.setdefault(place.parent, {})[name.rsplit("/", 1)[-1]] = member
    whole = [files for files in folders.values() if any(".mtx" in name for name in files)]
    if len(whole) != 1:
        found = "no matrix.mtx" if not whole else f"{len(whole)} folders with a matrix.mtx"
        raise FileFormatError(
            f"{archive} is a zip archive with {found}. Zip one 10x folder (matrix.mtx, features.tsv, barcodes.tsv), "
            "or give an h5ad, 10x .h5, csv or tsv file as it is."
        )
    total = sum(member.file_size for member in whole[0].values())
    if total > limits.unpacked_bytes:
        raise FileFormatError(
            f"{archive} unpacks to {total / 1e9:.1f} GB; this server takes up to {limits.unpacked_bytes / 1e9:.1f} GB. "
            "Use the command line for larger files: it has no limit."
        )
    return whole[0]


def _check(member: zipfile.ZipInfo, archive: str) -> None:
    place = PurePosixPath(member.filename)
    if place.is_absolute() or ".." in place.parts or "\\" in member.filename or ":" in member.filename:
        raise FileFormatError(f"{archive} holds a file whose path leads out of the archive. Zip the folder again.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FileFormatError(f"{archive} holds a link. Zip the files themselves.")
    if member.flag_bits & 1:
        raise FileFormatError(f"{archive} is locked with a password. Zip the folder without one.")
    if member.file_size > MOST_RATIO * max(member.compress_size, 1 << 10):
        raise FileFormatError(f"{archive} unpacks to over {MOST_RATIO} times its size. Such archives are not opened.")


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, name: str, limits: Limits) -> None:
    """Unpack one file, and stop where it turns out larger than it says."""
    written = 0
    with archive.open(member) as source, path.open("wb") as target:
        while part := source.read(COPIED):
            written += len(part)
            if written > min(member.file_size, limits.unpacked_bytes):
                raise FileFormatError(f"{name} unpacks to more than it says. Such archives are not opened.")
            target.write(part)
