"""What ``index.json`` says of an index: which bundle its fingerprints are of, and which files hold them.

The folder is an index by this file alone: it is replaced in one step, and whatever lies beside it without
being named in it doesn't belong to the index.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from spoticell.errors import SearchError
from spoticell.io.sealed import FileRecord, Sha256, check_plain, first_fault, format_of
from spoticell.io.write import write_json

INDEX = "index.json"

MAJOR, MINOR = 1, 0
"""The format that this release writes; it reads every ``MAJOR.x`` up to ``MINOR``."""
PACKAGED = Path(str(resources.files("spoticell"))) / "data" / "references"
"""Folder of the indexes that travel with the package, each called by its bundle's name."""
MANIFEST_LIMIT = 50_000_000
"""Longest ``index.json`` that is opened, in bytes."""

Words = Annotated[str, Field(max_length=1000)]


def _plain(files: dict[str, FileRecord]) -> dict[str, FileRecord]:
    check_plain(files, manifest=INDEX)
    return files


Files = Annotated[dict[str, FileRecord], AfterValidator(_plain)]


def _different(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    if len({segment.name for segment in segments}) < len(segments):
        raise ValueError("the same cells are named twice")
    return segments


class Segment(BaseModel):
    """Some cells of the index, in a folder that never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    """Its folder: the beginning of a sha256 over ``files``, so that the same cells have the same name."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    n_cells: Annotated[int, Field(gt=0)]
    files: Files


class IndexManifest(BaseModel):
    """The contents of ``index.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}$")] = f"{MAJOR}.{MINOR}"
    spoticell_version: Words
    bundle: Words
    """Name of the bundle that all fingerprints are of."""
    bundle_sha256: Sha256
    fingerprint_size: Annotated[int, Field(gt=0, le=100_000)]
    code_bits: Annotated[int, Field(gt=0, le=65_536, multiple_of=8)]
    files: Files = {}
    """Files beside the segments, which all of them share."""
    segments: Annotated[tuple[Segment, ...], AfterValidator(_different)] = ()
    background: dict[str, Any] | None = None
    """Statistics of similarities that come by chance, if they were measured for exactly these segments."""

    @property
    def n_cells(self) -> int:
        """Cells of all segments."""
        return sum(segment.n_cells for segment in self.segments)


Manifest = TypeVar("Manifest", bound=IndexManifest)


def packaged_indexes() -> list[str]:
    """Names of the indexes that travel with the package."""
    return sorted(path.parent.name for path in PACKAGED.glob(f"*/{INDEX}"))


def is_lance(place: Path | str) -> bool:
    """Whether an index is a Lance database, which is told by what it is called.

    Examples
    --------
    >>> [is_lance(place) for place in ("blood-index", "blood.lance", "s3://bucket/blood")]
    [False, True, True]
    """
    return "://" in str(place) or Path(place).suffix == ".lance"


def find_index(index: Path | str) -> Path:
    """Give the folder of an index: a packaged one that is called so, or else the folder itself.

    Examples
    --------
    >>> find_index("my-index").name
    'my-index'
    """
    return PACKAGED / index if str(index) in packaged_indexes() else Path(index)


def read_manifest(folder: Path) -> IndexManifest:
    """Read ``index.json`` of a folder.

    Raises
    ------
    SearchError
        If the folder is no index, or is one of a later format.

    Examples
    --------
    >>> read_manifest(Path("nowhere"))
    Traceback (most recent call last):
    spoticell.errors.SearchError: nowhere is not an index: there is no such folder...
    """
    path = folder / INDEX
    if not folder.is_dir():
        absent = (
            f"there is no such folder, nor a packaged index of that name (there are: {', '.join(packaged_indexes())})"
        )
        what = "it is a file" if folder.exists() else absent
        raise SearchError(f"{folder} is not an index: {what}. Make one with: spoticell index build")
    if not path.is_file():
        raise SearchError(f"{folder} is not an index: it holds no {INDEX}. Make one with: spoticell index build")
    if path.stat().st_size > MANIFEST_LIMIT:
        raise SearchError(f"{path} is longer than {MANIFEST_LIMIT:,} bytes, so it is not an index's.")
    return parse_manifest(path.read_bytes(), IndexManifest, where=path)


def parse_manifest(contents: bytes, kind: type[Manifest], *, where: Path | str) -> Manifest:
    """Read a manifest; ``where`` is how messages call it."""
    try:
        fields = from_json(contents, allow_inf_nan=False)
    except ValueError as error:
        raise SearchError(f"{where} is not JSON ({error}); build the index again.") from None
    _check_version(fields, where)
    try:
        manifest = kind.model_validate(fields)
    except ValidationError as error:
        raise SearchError(f"{where} is damaged: {first_fault(error)}. Build the index again.") from None
    if not manifest.segments:
        raise SearchError(f"{where} is damaged: it names no cells. Build the index again.")
    return manifest


def write_manifest(folder: Path, manifest: IndexManifest) -> None:
    """Make ``manifest`` that of the index, in one step."""
    write_json(folder / INDEX, manifest.model_dump(mode="json"))


def _check_version(fields: Any, where: Path | str) -> None:  # noqa: ANN401 - anything that JSON can hold
    version = format_of(fields)
    if version is None:
        raise SearchError(f"{where} is not that of an index: it states no format_version.")
    if version > (MAJOR, MINOR) or version[0] != MAJOR:
        raise SearchError(
            f"{where} has format {fields['format_version']}, and this Spoticell reads {MAJOR}.{MINOR}; "
            "use a later release."
        )
