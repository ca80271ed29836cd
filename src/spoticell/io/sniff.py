"""What a file is, told from its first bytes, and what to do with the kinds that aren't read.

Nothing is opened by its extension alone, and nothing that could run code is opened at all.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from spoticell.errors import FileFormatError
from spoticell.io import unpack
from spoticell.io.storage.tree import DAMAGE

HDF5, MTX, TABLE, ZARR_ZIP, PACKED = "HDF5", "Matrix Market", "table", "zipped zarr", "packed"

_GZIP = unpack.PACKED[0]
"""Text that is packed so is read as it is."""
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_EXPORT = "Save the counts as .h5ad, or as a 10x folder (matrix.mtx, features.tsv, barcodes.tsv), and give that."
_R_EXPORT = (
    "In R, save the counts with `anndataR::write_h5ad(object, file)` or "
    "`DropletUtils::write10xCounts(folder, counts)`, and give that."
)
_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"RDX2\n", "an R workspace", _R_EXPORT),
    (b"RDX3\n", "an R workspace", _R_EXPORT),
    (b"X\n\x00\x00", "an R object (RDS)", _R_EXPORT),
    (b"A\n2\n", "an R object (RDS)", _R_EXPORT),
    (b"A\n3\n", "an R object (RDS)", _R_EXPORT),
    (b"\x93NUMPY", "a NumPy array", f"It has no names of genes and cells. {_EXPORT}"),
    (b"\x80", "a Python pickle", f"Pickles can run code and are never opened. {_EXPORT}"),
    (b"\x89PNG", "a PNG picture", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG picture", _EXPORT),
    (b"%PDF", "a PDF document", _EXPORT),
    (b"PAR1", "a Parquet file", _EXPORT),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as .csv and give that."),
    (b"SQLite format 3", "an SQLite database", _EXPORT),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", "Unpack it first: `unzstd FILE`."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it first, and give the file or folder inside."),
    *((head, "packed twice", "Unpack it first, and give the file inside.") for head in (*unpack.PACKED, unpack.ZIP)),
)
_NOT_TEXT_NAMES = {".h5ad", ".h5", ".hdf5", ".loom", ".h5seurat", ".h5mu"}
_PICKLE_NAMES = {".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".npz"}


def sniff(path: Path) -> str:
    """Kind of a file: ``HDF5``, ``Matrix Market``, ``table``, ``zipped zarr``, or ``packed`` around one of these.

    Raises
    ------
    FileFormatError
        If it is empty or of a kind that isn't read; the message says what to do instead.
    """
    head = _head(path)
    if not head:
        raise FileFormatError(f"{path.name} is empty{_instead_of_hdf5(path)}. Copy or download it again.")
    if unpack.is_tar(head):
        return PACKED
    if head.startswith(_HDF5_SIGNATURE) or _signature_later(path):
        return HDF5
    if head.startswith(unpack.ZIP):
        return _zip_kind(path)
    inside = unpack.unpacked_head(path) if head.startswith(unpack.PACKED) else head
    if inside is not head and (inside.startswith(_HDF5_SIGNATURE) or unpack.is_tar(inside)):
        return PACKED
    _refuse(path, inside)
    kind = MTX if inside.lstrip().lower().startswith(b"%%matrixmarket") else TABLE
    if inside is head or head.startswith(_GZIP):
        return kind
    if kind == MTX:
        raise FileFormatError(f"{path.name} is a packed Matrix Market file. Unpack it beside its files of names first.")
    return PACKED


def sniff_hdf5(names: list[str], *, name: str) -> None:
    """Refuse HDF5 files that are known but not read, told by the names at their top.

    Raises
    ------
    FileFormatError
        For Seurat, MuData and molecule files, and for whatever has no table about cells.
    """
    found = set(names)
    if "assays" in found and {"cell.names", "meta.data"} & found:
        raise FileFormatError(f"{name} is an h5Seurat file. {_R_EXPORT}")
    if "mod" in found:
        raise FileFormatError(f"{name} is a MuData file: save one modality with `mdata.mod['rna'].write_h5ad(file)`.")
    if {"barcode_idx", "molecule_info"} & found:
        raise FileFormatError(f"{name} lists molecules: give filtered_feature_bc_matrix.h5 of the same run.")
    if "obs" not in found:
        listed = ", ".join(names[:6]) or "nothing"
        raise FileFormatError(f"{name} is an HDF5 file, but no h5ad, 10x or loom file: it holds {listed}. {_EXPORT}")


def sniff_folder(path: Path) -> None:
    """Refuse folders that are known but not read.

    Raises
    ------
    FileFormatError
        For TileDB-SOMA experiments and folders that can't be listed.
    """
    try:
        names = {entry.name for entry in path.iterdir()}
    except PermissionError as error:
        raise FileFormatError(f"{path.name} may not be read: you lack the permission.") from error
    if names & {"__group", "__tiledb_group.tdb"}:
        raise FileFormatError(
            f"{path.name} is a TileDB-SOMA experiment: save it with `tiledbsoma.io.to_h5ad(experiment, file, ...)`."
        )


def looks(head: bytes) -> str:
    """First bytes for a person: words where they are text, numbers where not.

    Examples
    --------
    >>> looks(b"cell,CD3E")
    "'cell,CD3E'"
    >>> looks(bytes([137, 80, 78, 71]))
    '89 50 4e 47'
    """
    start = head[:16]
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start):
        return repr(start.decode("ascii"))
    return start[:8].hex(" ")


def _refuse(path: Path, inside: bytes) -> None:
    for signature, kind, advice in _REFUSED:
        if inside.startswith(signature):
            not_hdf5 = f", not an HDF5 file: its first bytes are {looks(inside)}" if _wants_hdf5(path) else ""
            raise FileFormatError(f"{path.name} is {kind}{not_hdf5}. {advice}")
    if _wants_hdf5(path):
        raise FileFormatError(
            f"{path.name} is not an HDF5 file, though its name says so: its first bytes are {looks(inside)}. "
            "Copy or download it again, or give it the right name."
        )
    if path.suffix.lower() in _PICKLE_NAMES:
        raise FileFormatError(f"{path.name} may be a pickle, which can run code and is never opened. {_EXPORT}")
    if b"\x00" in inside and not inside.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileFormatError(
            f"{path.name} is of a kind that isn't known: its first bytes are {looks(inside)}. {_EXPORT}"
        )


def _wants_hdf5(path: Path) -> bool:
    return path.suffix.lower() in _NOT_TEXT_NAMES


def _instead_of_hdf5(path: Path) -> str:
    return ", not an HDF5 file" if _wants_hdf5(path) else ""


def _head(path: Path) -> bytes:
    if not path.is_file():
        raise FileFormatError(f"{path.name} is neither a file nor a folder. {_EXPORT}")
    try:
        with path.open("rb") as file:
            return file.read(512)
    except PermissionError as error:
        raise FileFormatError(f"{path.name} may not be read: you lack the permission.") from error
    except OSError as error:
        raise FileFormatError(f"{path.name} can't be read: {error.strerror}.") from error


def _signature_later(path: Path) -> bool:
    """Whether HDF5 starts behind a user block, at 512, 1024, 2048... bytes."""
    size, place = path.stat().st_size, 512
    with path.open("rb") as file:
        while place < min(size, 1 << 20):
            file.seek(place)
            if file.read(8) == _HDF5_SIGNATURE:
                return True
            place *= 2
    return False


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGE as error:
        raise FileFormatError(f"{path.name} is a damaged zip file ({error}). Copy or download it again.") from error
    last = {name.rsplit("/", 1)[-1] for name in names}
    if last & {".zgroup", "zarr.json", ".zmetadata"}:
        return ZARR_ZIP
    if "data.pkl" in last:
        raise FileFormatError(f"{path.name} is a PyTorch file. It can run code and is never opened. {_EXPORT}")
    if "[Content_Types].xml" in names:
        raise FileFormatError(f"{path.name} is an Excel workbook. Save the sheet as .csv and give that.")
    if any(name.endswith(".npy") for name in names):
        raise FileFormatError(f"{path.name} is a NumPy archive without names of genes and cells. {_EXPORT}")
    return PACKED
