"""From labelled files to an index of reference cells: building it, adding to it, joining several.

What is taken from the files is in ``references``, what an index is in ``index``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from spoticell.errors import FileFormatError, SearchError
from spoticell.index import OpenIndex, append, create_index, merge_into, open_index, set_background
from spoticell.index.background import background_of
from spoticell.index.references import Fingerprinter, Intake, Reader
from spoticell.model.bundle import DEFAULT, Bundle, load_bundle
from spoticell.progress import Progress

Paths = Sequence[Path | str] | Path | str


def build_index(
    references: Paths,
    output: Path | str,
    *,
    bundle: Bundle | Path | str = DEFAULT,
    facts: Mapping[str, str] | None = None,
    unlabelled: bool = False,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> Intake:
    """Make an index of labelled cells.

    Parameters
    ----------
    references
        Files of cells in any format that is read, with Cell Ontology terms or names in a column
        ``cell_type_ontology_term_id`` or ``cell_type``; the columns in `COLUMN_OF` are taken in too.
    output
        Folder of the index; must not be there yet.  If its name ends in ``.lance``, or it is an address such as
        ``s3://bucket/blood.lance``, the index is a Lance database.
    bundle
        The name of a packaged bundle, a bundle's folder, or a loaded bundle.
    facts
        What holds for all cells of which the files don't say it: ``{"study": "Kang 2018", "tissue": "blood"}``.
    unlabelled
        Whether to take in cells without a label too.
    threads
        How many threads to use; all cores that the process may use if not given.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SpoticellError
        If a file can't be used, no cell is left, or the index can't be written; nothing is left behind then.

    Examples
    --------
    >>> build_index("cells.h5ad", "blood-index", facts={"study": "mine"})  # doctest: +SKIP
    """
    loaded = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    reader = Reader(
        _paths(references), Fingerprinter(loaded, threads), facts or {}, unlabelled=unlabelled, on_progress=on_progress
    )
    create_index(output, loaded, reader.blocks())
    _measure_background(output)
    return reader.intake


def add_to_index(
    index: Path | str,
    references: Paths,
    *,
    bundle: Bundle | Path | str | None = None,
    facts: Mapping[str, str] | None = None,
    unlabelled: bool = False,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> Intake:
    """Add labelled cells to an index, which stays as it is until all of them are in.

    Parameters
    ----------
    index
        Its folder or address.
    bundle
        The one that the index was built with; needed only if that isn't a packaged one.
    references, facts, unlabelled, threads, on_progress
        As in `build_index`.

    Raises
    ------
    SpoticellError
        If a file can't be used, no cell is left, or the index can't be written; the index is then as it was.

    Examples
    --------
    >>> add_to_index("blood-index", "more.h5ad", facts={"study": "theirs"})  # doctest: +SKIP
    """
    loaded = bundle_of(open_index(index), bundle)
    reader = Reader(
        _paths(references), Fingerprinter(loaded, threads), facts or {}, unlabelled=unlabelled, on_progress=on_progress
    )
    append(index, loaded, reader.blocks())
    _measure_background(index)
    return reader.intake


def merge_indexes(indexes: Sequence[Path | str], output: Path | str, *, on_progress: Progress | None = None) -> None:
    """Join indexes into a new one of a single segment; a single index is put in order so.

    Parameters
    ----------
    indexes
        Folders or addresses of indexes of the same bundle.
    output
        Where the new index shall be, as in `build_index`.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SearchError
        If they are of different bundles, or a file isn't what was written.
    """
    merge_into(output, [open_index(index) for index in indexes], on_progress=on_progress)
    _measure_background(output)


def bundle_of(index: OpenIndex, bundle: Bundle | Path | str | None) -> Bundle:
    """Give the bundle of an index: the packaged one of its name unless another is named."""
    manifest = index.manifest
    loaded = bundle if isinstance(bundle, Bundle) else load_bundle(manifest.bundle if bundle is None else bundle)
    if loaded.sha256 != manifest.bundle_sha256:
        raise SearchError(
            f"the index {index.folder} holds fingerprints of the bundle {manifest.bundle} "
            f"({manifest.bundle_sha256[:8]}), not of {loaded.path} ({loaded.sha256[:8]}); they can't be compared. "
            "Give that bundle with --bundle, or build the index again."
        )
    return loaded


def _paths(references: Paths) -> list[Path]:
    paths = [Path(path) for path in ([references] if isinstance(references, Path | str) else references)]
    if not paths:
        raise SearchError("no file of reference cells was given.")
    for path in paths:
        if not path.exists():
            raise FileFormatError(f"{path}: there is no such file or folder.")
    return paths


def _measure_background(place: Path | str) -> None:
    """Measure which similarities come by chance among all cells that the index now has."""
    index = open_index(place)
    background = background_of(index.blocks, index.groups, index.group_n)
    set_background(place, background.model_dump(mode="json"), segments=index.manifest.segments)
