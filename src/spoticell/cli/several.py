"""Naming the cells of several files in one go: each into a file of its own, and one table over all of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from spoticell.cli.console import DEBUG, say, sentence_of, show_json, telling
from spoticell.cli.samples import SampleTables, sample_lines
from spoticell.cli.tables import share
from spoticell.errors import ConfigError
from spoticell.io import address

if TYPE_CHECKING:
    from spoticell.annotation.composition import Composition
    from spoticell.annotation.options import Options
    from spoticell.annotation.result import Annotation

KINDS = frozenset(
    [
        ".h5ad",
        ".h5",
        ".hdf5",
        ".loom",
        ".zarr",
        ".mtx",
        ".csv",
        ".tsv",
        ".txt",
        ".gz",
        ".bz2",
        ".xz",
        ".zip",
        ".tar",
        ".tgz",
    ]
)
"""Endings that say what a file is, and are no part of its name."""

NO_OPTIONS = frozenset(["overwrite", "dask"])
"""What `spoticell.annotate` is asked for that isn't asked of the cells' names."""


@dataclass(frozen=True)
class Place:
    """A file of cells, and where what is said of it goes."""

    cells: address.Place
    name: str
    """Of the sample, and of all that is written of it."""
    output: address.Place
    report: address.Place | None


def places_of(files: Sequence[address.Place], folder: address.Place, reports: address.Place | None) -> list[Place]:
    """Settle where the answers and reports of some files go: into folders, under the names of the files.

    Raises
    ------
    ConfigError
        If a file is given twice, or a folder is a file or has the name of one.

    Examples
    --------
    >>> files = [Path("a/outs/cells.h5"), Path("b/outs/cells.h5"), Path("lung.h5ad")]
    >>> [place.output.name for place in places_of(files, Path("named"), None)]
    ['a-cells.h5ad', 'b-cells.h5ad', 'lung.h5ad']
    """
    for place in (folder, reports):
        is_file = isinstance(place, Path) and place.is_file()
        if place is not None and (is_file or place.suffix in {".h5ad", ".csv", ".html", ".htm"}):
            raise ConfigError(
                f"what is said of several files goes into a folder, and {place} is a file. Name a folder."
            )
    times = Counter(path.resolve() for path in files)
    repeated = [path for path, n in times.items() if n > 1]
    if repeated:
        raise ConfigError(f"{repeated[0]} is given {times[repeated[0]]} times. Give each file once.")
    return [
        Place(path, name, folder / f"{name}.h5ad", None if reports is None else reports / f"{name}.html")
        for path, name in zip(files, names_of(files), strict=True)
    ]


def names_of(files: Sequence[address.Place]) -> list[str]:
    """Give each file a name: its own, with that of the folder that tells it from others of this name."""
    names = [_stem(path) for path in files]
    times = Counter(name.casefold() for name in names)
    folders = [list(reversed(_folders(path))) for path in files]
    for clash in [name for name, count in times.items() if count > 1]:
        alike = [place for place, name in enumerate(names) if name.casefold() == clash]
        deepest = max(len(folders[place]) for place in alike)
        for level in range(deepest):
            found = [folders[place][level] if level < len(folders[place]) else "" for place in alike]
            if len({one.casefold() for one in found}) == len(alike):
                for place, one in zip(alike, found, strict=True):
                    names[place] = f"{one}-{names[place]}" if one else names[place]
                break
        else:
            for number, place in enumerate(alike, start=1):
                names[place] = f"{names[place]}-{number}"
    if len({name.casefold() for name in names}) < len(names):
        return [f"{name}-{number}" for number, name in enumerate(names, start=1)]
    return names


def over_all(tables: SampleTables, folder: address.Place) -> SampleTables:
    """Put the composition of all files among their answers, if it is to go nowhere else."""
    return tables if tables.composition is not None else replace(tables, composition=folder / "composition.csv")


def annotate_files(
    places: Sequence[Place], tables: SampleTables, asked: Mapping[str, Any], *, as_json: bool, quiet: bool
) -> None:
    """Name the cells of each file, whatever becomes of the others; then say what the samples are.

    Parameters
    ----------
    places
        The files, and where what is said of them goes.
    tables
        The csv files over all of them.
    asked
        What `spoticell.annotate` is given besides.
    as_json, quiet
        Whether to print the outcome for programs; whether to say nothing but errors.
    """
    from spoticell.annotation.composition import together
    from spoticell.annotation.differences import differences
    from spoticell.errors import note

    parts: list[Composition] = []
    told: list[dict[str, Any]] = []
    failed: list[str] = []
    with _with_workers(places, _settled(places, tables, asked)) as settled:
        for number, place in enumerate(places, start=1):
            if not quiet:
                say(f"{number} of {len(places)}: {place.cells}")
            try:
                annotation = _annotate(place, settled, title=f"{place.name} ({number} of {len(places)})", quiet=quiet)
            except Exception as error:
                if DEBUG in os.environ:
                    raise
                why = " ".join(sentence_of(error).split()).removeprefix(f"{place.cells.name}: ")
                failed.append(f"{place.cells}: {why}")
                told.append({"file": str(place.cells), "error": sentence_of(error)})
                continue
            parts.append(annotation.by_sample.of_file(place.name, alone=asked["by"] is None))
            told.append(_outcome(annotation, place, quiet=quiet))
    if parts:
        whole = together(parts)
        found = None if asked["condition"] is None else differences(whole)
        tables.write(whole, found)
        if not quiet:
            written = ", ".join(map(str, tables.paths))
            say("\n".join(["", *sample_lines(whole, found), "", f"All files together: {written}"]))
        for remark in () if found is None else found.notes:
            note(remark)
    if as_json:
        show_json(told)
    if failed:
        say(f"spoticell: {len(failed):,} of {len(places):,} files could not be used:")
        say("\n".join(failed))
        raise typer.Exit(1)


def _settled(places: Sequence[Place], tables: SampleTables, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse before any work what goes for every file, make the folders, and load the model and the index once."""
    from spoticell.annotation.outputs import check_answers
    from spoticell.io.write import check_written, writing

    overwrite = asked["overwrite"]
    options = options_of(asked)
    _ = options.allowed
    outputs = [path for place in places for path in (place.output, place.report)]
    for folder in {path.parent for path in outputs if isinstance(path, Path)}:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
    for place in places:
        check_answers(place.output, path_in=place.cells, overwrite=overwrite)
        if place.report is not None:
            check_written(place.report, kinds=(".html",), what="a report is written as .html", overwrite=overwrite)
    tables.check([("the cells", place.cells) for place in places], condition=options.condition)
    return dict(asked) | {"model": options.bundle, "index": options.opened}


def options_of(asked: Mapping[str, Any]) -> Options:
    """Give what is asked of the cells' names as options."""
    from spoticell.annotation.options import Options

    return Options(**{name: value for name, value in asked.items() if name not in NO_OPTIONS})


@contextmanager
def _with_workers(places: Sequence[Place], asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Have the workers of a cluster, where one is asked for, begin with all files, and give what is asked of each."""
    if asked["dask"] is None:
        yield asked
        return
    from spoticell.annotation.cluster.crew import crew_of

    options = options_of(asked)
    with crew_of(asked["dask"], threads=options.threads) as crew:
        if crew is not None:
            crew.expect([place.cells for place in places], options)
        yield asked | {"dask": crew}


def _annotate(place: Place, asked: Mapping[str, Any], *, title: str, quiet: bool) -> Annotation:
    from spoticell import api
    from spoticell.progress import shown

    with telling() as told, shown(not quiet, title) as step:
        annotation = api.annotate(place.cells, place.output, report=place.report, on_progress=step or False, **asked)
        # a file alone often has one condition; what is said of all files together counts
        told.extend(() if annotation.differences is None else annotation.differences.notes)
    return annotation


def _outcome(annotation: Annotation, place: Place, *, quiet: bool) -> dict[str, Any]:
    """Say of one file how many cells are named, and give the whole outcome for JSON."""
    from spoticell.annotation.outputs import summary_record

    if not quiet:
        named, cells = int((annotation.answer_n >= 0).sum()), len(annotation.answer_n)
        written = ", ".join(str(path) for path in (place.output, place.report) if path is not None)
        say(f"  {named:,} of {cells:,} cells named ({share(named, cells)}). Written: {written}")
        for caution in annotation.cautions:
            say(f"  note: {caution.text}")
    report = None if place.report is None else str(place.report)
    return {"file": str(place.cells)} | summary_record(annotation) | {"output": str(place.output), "report": report}


def _folders(path: address.Place) -> tuple[str, ...]:
    """Name the folders in which a file lies, outermost first."""
    return path.folders if isinstance(path, address.Address) else path.resolve().parent.parts[1:]


def _stem(path: address.Place) -> str:
    """Give the name of a file or folder without what says its kind.

    Examples
    --------
    >>> _stem(Path("cells/blood.csv.gz")), _stem(Path("patient.1")), _stem(Path("blood/"))
    ('blood', 'patient.1', 'blood')
    """
    path = Path(path.resolve().name)
    while path.suffix.lower() in KINDS and path.stem:
        path = Path(path.stem)
    return path.name
