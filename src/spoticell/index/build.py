"""From labelled files to an index of reference cells: building it, adding to it, joining several.

What is taken from the files is in ``references``, what an index is in ``index``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from spoticell.biology.labels import Labelling
from spoticell.errors import FileFormatError, SearchError
from spoticell.index import OpenIndex, ReferenceCells, append, create_index, merge_into, open_index, set_background
from spoticell.index.background import background_of
from spoticell.index.references import Fingerprinter, Intake, Reader
from spoticell.io import Cells
from spoticell.io.address import place_in
from spoticell.io.meanings import Meanings, read_meanings
from spoticell.model.bundle import DEFAULT, Bundle, load_bundle
from spoticell.progress import Progress, shown

References: TypeAlias = "Sequence[Cells] | Cells"
"""Labelled cells: files or AnnData objects."""


def build_index(
    references: References,
    output: Path | str,
    *,
    model: Bundle | Path | str = DEFAULT,
    study: str | None = None,
    facts: Mapping[str, str] | None = None,
    unlabelled: bool = False,
    label_column: str | None = None,
    meanings: Meanings | None = None,
    partial: bool = False,
    layer: str | None = None,
    gene_column: str | None = None,
    threads: int | None = None,
    on_progress: Progress | bool = True,
) -> Intake:
    """Make an index of labelled cells.

    Parameters
    ----------
    references
        Labelled cells: files in any format that is read, or AnnData objects; what `COLUMN_OF` names is taken in too.
    output
        Folder of the index; must not be there yet.  If its name ends in ``.lance``, or it is an address such as
        ``s3://bucket/blood.lance``, the index is a Lance database.
    model
        The name of a packaged model, a bundle's folder, or a loaded bundle.
    study, facts
        What holds for all cells of which the files don't say it: ``{"tissue": "blood", "assay": "10x 3' v3"}``.
    unlabelled, partial
        Whether to take in cells without a label too; or to go on without them where they are more than half.
    label_column, meanings
        The column of labels, looked for if not given; what labels mean that aren't understood, as in `evaluate`.
    layer, gene_column, threads, on_progress
        As for `spoticell.annotate`.

    Returns
    -------
    How many cells were taken in and left out, and the labels that aren't understood.

    Raises
    ------
    SpoticellError
        If a file can't be used, no cell is left, or the index can't be written; nothing is left behind then.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell, tempfile
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = anndata.read_h5ad(cells)
    >>> adata.obs["cell_type"] = adata.obs["bulk_labels"].map({"CD19+ B": "B cell", "CD56+ NK": "natural killer cell"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spoticell.build_index(adata, f"{folder}/mine", study="Mine 2026").cells
    126
    """
    loaded = model if isinstance(model, Bundle) else load_bundle(model)
    fingerprinter = Fingerprinter(loaded, threads, layer=layer, gene_column=gene_column)
    labelling = Labelling(label_column, read_meanings(meanings), partial)
    read = functools.partial(Reader, facts=_facts(study, facts), unlabelled=unlabelled, labelling=labelling)
    return _take_in(create_index, output, references, fingerprinter, read, on_progress=on_progress)


def add_to_index(
    index: Path | str,
    references: References,
    *,
    model: Bundle | Path | str | None = None,
    study: str | None = None,
    facts: Mapping[str, str] | None = None,
    unlabelled: bool = False,
    label_column: str | None = None,
    meanings: Meanings | None = None,
    partial: bool = False,
    layer: str | None = None,
    gene_column: str | None = None,
    threads: int | None = None,
    on_progress: Progress | bool = True,
) -> Intake:
    """Add labelled cells to an index, which stays as it is until all of them are in.

    Parameters
    ----------
    index
        Its folder or address.
    model
        The one that the index was built with; needed only if that isn't a packaged one.
    references, study, facts, unlabelled, label_column, meanings, partial, layer, gene_column, threads, on_progress
        As in `build_index`.

    Returns
    -------
    As `build_index`.

    Raises
    ------
    SpoticellError
        If a file can't be used, no cell is left, or the index can't be written; the index is then as it was.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell, tempfile
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = anndata.read_h5ad(cells)
    >>> adata.obs["cell_type"] = adata.obs["bulk_labels"].map({"CD19+ B": "B cell", "CD56+ NK": "natural killer cell"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = spoticell.build_index(adata, f"{folder}/mine", study="Mine 2026")
    ...     _ = spoticell.add_to_index(f"{folder}/mine", adata, study="Theirs 2026")
    ...     spoticell.open_index(f"{folder}/mine").n_cells
    252
    """
    loaded = bundle_of(open_index(index), model)
    fingerprinter = Fingerprinter(loaded, threads, layer=layer, gene_column=gene_column)
    labelling = Labelling(label_column, read_meanings(meanings), partial)
    read = functools.partial(Reader, facts=_facts(study, facts), unlabelled=unlabelled, labelling=labelling)
    return _take_in(append, index, references, fingerprinter, read, on_progress=on_progress)


def merge_indexes(indexes: Sequence[Path | str], output: Path | str, *, on_progress: Progress | bool = True) -> None:
    """Join indexes into a new one of a single segment; a single index is put in order so.

    Parameters
    ----------
    indexes
        Folders or addresses of indexes of the same bundle.
    output
        Where the new index shall be, as in `build_index`.
    on_progress
        Whether to show a bar, or what to call with the steps done and the steps there are.

    Raises
    ------
    SearchError
        If they are of different models, or a file isn't what was written.

    Examples
    --------
    >>> import spoticell, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spoticell.merge_indexes(["human-v1"], f"{folder}/tidy")
    ...     spoticell.open_index(f"{folder}/tidy").n_cells
    29177
    """
    with shown(on_progress, "merging") as step:
        merge_into(output, [open_index(index) for index in indexes], on_progress=step)
        _measure_background(output)


def bundle_of(index: OpenIndex, model: Bundle | Path | str | None) -> Bundle:
    """Give the bundle of an index's model: the packaged one of its name unless another is named."""
    manifest = index.manifest
    loaded = model if isinstance(model, Bundle) else load_bundle(manifest.bundle if model is None else model)
    if loaded.sha256 != manifest.bundle_sha256:
        raise SearchError(
            f"the index {index.folder} holds fingerprints of the model {manifest.bundle} "
            f"({manifest.bundle_sha256[:8]}), not of {loaded.path} ({loaded.sha256[:8]}); they can't be compared. "
            "Give that model with --model, or build the index again."
        )
    return loaded


def _take_in(
    put: Callable[[Path | str, Bundle, Iterator[ReferenceCells]], None],
    place: Path | str,
    references: References,
    fingerprinter: Fingerprinter,
    read: Callable[..., Reader],
    *,
    on_progress: Progress | bool,
) -> Intake:
    """Read references into a new or a grown index, and measure what comes by chance in it."""
    with shown(on_progress, "indexing") as step:
        reader = read(_listed(references), fingerprinter, on_progress=step)
        put(place, fingerprinter.bundle, reader.blocks())
        _measure_background(place)
    return reader.intake


def _listed(references: References) -> list[Cells]:
    """Take one for a list of one, and refuse files that aren't there before any work."""
    listed = list(references) if isinstance(references, list | tuple) else [references]
    if not listed:
        raise SearchError("no file of reference cells was given.")
    for cells in listed:
        path = place_in(cells)
        if isinstance(path, Path) and not path.exists():
            raise FileFormatError(f"{cells}: there is no such file or folder.")
    return listed


def _facts(study: str | None, facts: Mapping[str, str] | None) -> dict[str, str]:
    return ({} if study is None else {"study": study}) | dict(facts or {})


def _measure_background(place: Path | str) -> None:
    """Measure which similarities come by chance among all cells that the index now has."""
    index = open_index(place)
    background = background_of(index.blocks, index.groups, index.group_n)
    set_background(place, background.model_dump(mode="json"), segments=index.manifest.segments)
