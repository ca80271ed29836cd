"""Packed files and archives, unpacked so that one from a stranger can't do harm.

Only what can be cells is taken: one file, or the files of one folder around a ``matrix.mtx``, under their bare names.
Links, paths that lead out, too many members and too much contents are refused before or while anything is written.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from spoticell.errors import FileFormatError
from spoticell.io.storage.tree import DAMAGE
from spoticell.io.write import writing

Readable = io.BufferedIOBase | IO[bytes]

ZIP = b"PK\x03\x04"
MOST_MEMBERS = 1000
MOST_RATIO = 500
"""How many times its packed size a file may be; counts stay far below."""
ALWAYS = 1 << 20
"""Bytes that anything may unpack to."""
COPIED = 1 << 20
"""Bytes that are unpacked at a time."""

_OPENERS: dict[bytes, type[gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zX": lzma.LZMAFile,
}
_ENDINGS = (".gz", ".bz2", ".xz")
PACKED = tuple(_OPENERS)
"""First bytes of files that are packed, each as a whole."""

_DAMAGE = (*DAMAGE, lzma.LZMAError, tarfile.TarError)
_MATRIX = (".mtx", ".mtx.gz")
_HDF5 = (".h5ad", ".h5", ".hdf5", ".loom")
_TABLES = (".csv", ".tsv", ".txt", ".tab", ".csv.gz", ".tsv.gz", ".txt.gz", ".tab.gz")
_BESIDE = re.compile(r"\.|(?:readme|licen[cs]e|manifest|filelist|checksums?|md5|sha256)(?:sums?)?\b", re.IGNORECASE)
"""How names of files begin that lie beside cells in an archive."""
_ZARR = frozenset({".zgroup", ".zattrs", "zarr.json", ".zmetadata"})


def unpacked_head(path: Path, size: int = 512) -> bytes:
    """First bytes of what a file is packed around, or its own if it isn't packed.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    with _reading(path), _opened(path) as file:
        return file.read(size)


def is_tar(head: bytes) -> bool:
    """Whether the first bytes are those of a tar archive."""
    return head[257:262] == b"ustar"


def unpack(path: Path, folder: Path, *, most_bytes: int | None = None) -> Path:
    """Unpack the cells of a packed file or an archive.

    Parameters
    ----------
    path
        The file: packed with gzip, bzip2 or xz, a zip archive, or a tar archive packed or not.
    folder
        An empty folder to unpack into.
    most_bytes
        Most that it may unpack to; only what counts can't be packed to if not given.

    Returns
    -------
    What is to be opened: the file, or the folder of several.

    Raises
    ------
    FileFormatError
        If it is damaged, breaks a limit, or it isn't clear what in it are the cells.
    OutputError
        If the disk is full.
    """
    room = _Room(path.name, max(ALWAYS, MOST_RATIO * path.stat().st_size), most_bytes)
    with writing(folder), _reading(path):
        if _first_bytes(path) == ZIP:
            _unpack_zip(path, folder, room)
        elif is_tar(unpacked_head(path)):
            _unpack_tar(path, folder, room)
        else:
            with _opened(path) as file:
                _copy(file, folder / _bare_name(path), room)
    return inside(folder)


def inside(folder: Path) -> Path:
    """Give what `unpack` put into a folder: its only file, or the folder itself."""
    files = list(folder.iterdir())
    return files[0] if len(files) == 1 else folder


@dataclass
class _Room:
    """How much a file may still unpack to."""

    name: str
    most: int
    asked: int | None
    used: int = 0

    def take(self, n_bytes: int) -> None:
        """Note that so many bytes come out of the file."""
        self.used += n_bytes
        if self.asked is not None and self.used > self.asked:
            raise FileFormatError(
                f"{self.name} unpacks to more than {self.asked / 1e9:.1f} GB, the most that is taken here. "
                "Use the command line for larger files: it has no limit."
            )
        if self.used > self.most:
            raise FileFormatError(
                f"{self.name} unpacks to over {MOST_RATIO} times its size, which files of counts don't. If you trust "
                "it, unpack it yourself and give what is inside."
            )


@dataclass(frozen=True)
class _Member:
    """A file in an archive."""

    name: str
    is_link: bool

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name)


class _Counted(io.RawIOBase):
    """A stream that counts what is read against a limit."""

    def __init__(self, file: Readable, room: _Room) -> None:
        super().__init__()
        self._file, self._room = file, room

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size if size >= 0 else COPIED)
        self._room.take(len(piece))
        return piece


def _unpack_zip(path: Path, folder: Path, room: _Room) -> None:
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.header_offset < 0 for info in infos):
            raise zipfile.BadZipFile("Bad offset for central directory")
        members = [_Member(info.filename, stat.S_ISLNK(info.external_attr >> 16)) for info in infos]
        chosen = _choose(members, path.name)
        for info in infos:
            if info.filename not in chosen:
                continue
            if info.flag_bits & 1:
                raise FileFormatError(f"{path.name} is locked with a password. Zip the files without one.")
            with archive.open(info) as file:
                _copy(file, folder / chosen[info.filename], room)


def _unpack_tar(path: Path, folder: Path, room: _Room) -> None:
    # once through for the names, once for the files: a stream can't go back
    with _tar(path, _Room(room.name, room.most, room.asked)) as archive:
        members = []
        for info in archive:
            if not info.isdir():
                members.append(_Member(info.name, not info.isreg()))
            _check_number(len(members), path.name)
    chosen = _choose(members, path.name)
    with _tar(path, _Room(room.name, room.most, room.asked)) as archive:
        for info in archive:
            file = archive.extractfile(info) if info.name in chosen and info.isreg() else None
            if file is not None:
                _copy(file, folder / chosen[info.name], room)


@contextmanager
def _tar(path: Path, room: _Room) -> Iterator[tarfile.TarFile]:
    with _opened(path) as file, tarfile.open(fileobj=_Counted(file, room), mode="r|") as archive:
        yield archive


def _choose(members: list[_Member], archive: str) -> Mapping[str, str]:
    """Give the name on disk of each member that is taken: one file, or those beside one matrix."""
    _check_number(len(members), archive)
    if any(member.path.name in _ZARR for member in members):
        raise FileFormatError(f"{archive} holds a zarr store. Unpack it first, and give the folder inside.")
    files = [m for m in members if not _BESIDE.match(m.path.name) and "__MACOSX" not in m.path.parts]
    matrices = _ending(files, _MATRIX)
    likely = [*matrices, *_ending(files, _HDF5)] or _ending(files, _TABLES)
    if len(likely) != 1:
        names = ", ".join(member.path.name for member in (likely or files)[:5]) or "nothing"
        found = f"{len(likely)} files that may hold cells" if likely else "no file of cells"
        raise FileFormatError(
            f"{archive} is an archive with {found} ({names}). Unpack it first, and give the file or folder inside."
        )
    beside = [file for file in files if file.path.parent == likely[0].path.parent] if matrices else likely
    for member in beside:
        _check(member, archive)
    if len({member.path.name.lower() for member in beside}) < len(beside):
        raise FileFormatError(f"{archive} holds two files of one name. Pack the files again.")
    return {member.name: member.path.name for member in beside}


def _ending(members: list[_Member], endings: tuple[str, ...]) -> list[_Member]:
    return [member for member in members if member.name.lower().endswith(endings)]


def _check_number(n_members: int, archive: str) -> None:
    if n_members > MOST_MEMBERS:
        raise FileFormatError(f"{archive} holds more than {MOST_MEMBERS:,} files. Pack the one with the cells alone.")


def _check(member: _Member, archive: str) -> None:
    place = member.path
    if place.is_absolute() or ".." in place.parts or "\\" in member.name or ":" in member.name:
        raise FileFormatError(f"{archive} holds a file whose path leads out of the archive. Pack the files again.")
    if member.is_link:
        raise FileFormatError(f"{archive} holds a link, {place.name}. Pack the files themselves.")


def _copy(file: Readable, path: Path, room: _Room) -> None:
    with path.open("xb") as target:
        while piece := file.read(COPIED):
            room.take(len(piece))
            target.write(piece)


def _bare_name(path: Path) -> str:
    """Name of a packed file without the ending that says how."""
    return path.stem if path.suffix.lower() in _ENDINGS else path.name


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(ZIP))


def _opened(path: Path) -> io.BufferedIOBase:
    head = _first_bytes(path)
    opener = next((opener for signature, opener in _OPENERS.items() if head.startswith(signature)), None)
    return path.open("rb") if opener is None else opener(path)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what a damaged file makes the libraries raise into a :class:`FileFormatError`; the disk's errors pass."""
    try:
        yield
    except FileFormatError:
        raise
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        what = " ".join(str(error).split())[:200] or type(error).__name__
        raise FileFormatError(
            f"{path.name} is a damaged {_kind(path)} file ({what}). Copy or download it again."
        ) from error


def _kind(path: Path) -> str:
    kinds = dict(zip(_OPENERS, ("gzip", "bzip2", "xz"), strict=True)) | {ZIP: "zip"}
    return next((kind for signature, kind in kinds.items() if _first_bytes(path).startswith(signature)), "tar")
