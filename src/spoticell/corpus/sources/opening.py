"""From the sources that a recipe names to those that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spoticell.corpus.recipe.parts import AnySource, CensusSource, FileSource, SomaSource, UrlSource
from spoticell.corpus.recipe.recipe import Recipe
from spoticell.corpus.sources.cellfile import FileCells
from spoticell.corpus.sources.census import CensusCells, is_release
from spoticell.corpus.sources.fetched import FetchedCells
from spoticell.corpus.sources.soma import ExperimentCells
from spoticell.corpus.sources.source import CorpusSource
from spoticell.errors import ConfigError


def open_sources(recipe: Recipe, *, downloads: Path, stand_in: str | None = None) -> list[CorpusSource]:
    """Give the sources of a recipe in its order, each file of a pattern as one of them.

    Parameters
    ----------
    recipe
        Which sources.
    downloads
        Folder for what is fetched.
    stand_in
        A folder or an address that has what the recipe's hosts have: files under their names, and the Census in a
        folder ``census``, or as the folder itself.

    Raises
    ------
    ConfigError
        If no file is where the recipe says, or two sources have the same name.
    """
    sources = [one for asked in recipe.sources for one in _open(asked, recipe, downloads, stand_in)]
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"Two sources of the recipe {recipe.name} are called {twice!r}. Give one of them a 'name' of its own."
        )
    return sources


def _open(asked: AnySource, recipe: Recipe, downloads: Path, stand_in: str | None) -> Iterator[CorpusSource]:
    match asked:
        case FileSource():
            yield from _files(asked, recipe)
        case UrlSource():
            yield _fetched(asked, downloads, stand_in)
        case SomaSource():
            yield ExperimentCells(asked, _address(asked.soma, recipe), name=asked.title)
        case CensusSource():
            copy = _copy(stand_in) or (_address(asked.uri, recipe) if asked.uri else None)
            earlier = tuple(one if is_release(one) else _address(one, recipe) for one in asked.earlier)
            yield CensusCells(asked, name=asked.title, copy=copy, earlier=earlier)


def _files(asked: FileSource, recipe: Recipe) -> Iterator[FileCells]:
    path = recipe.path(asked.file)
    if path.exists():
        yield FileCells(path, asked, name=asked.name or _stem(path))
        return
    pattern = str(path.relative_to(path.anchor))
    found = sorted(one for one in Path(path.anchor).glob(pattern) if not one.name.startswith("."))
    if not found:
        raise ConfigError(f"The recipe {recipe.name} names {asked.file!r}, but there is no such file: {path}.")
    for one in found:
        yield FileCells(one, asked, name=f"{asked.name}-{_stem(one)}" if asked.name else _stem(one))


def _fetched(asked: UrlSource, downloads: Path, stand_in: str | None) -> FetchedCells:
    if stand_in is None:
        return FetchedCells(downloads, asked, name=asked.title)
    if "://" in stand_in:
        return FetchedCells(downloads, asked, name=asked.title, url=f"{stand_in.rstrip('/')}/{asked.file_name}")
    if not (Path(stand_in) / asked.file_name).is_file():
        raise ConfigError(f"{stand_in} has no file {asked.file_name}, which stands in for {asked.url}.")
    return FetchedCells(Path(stand_in), asked, name=asked.title)


def _address(text: str, recipe: Recipe) -> str:
    """Give an address as it is, and a folder from the recipe's own on."""
    return text if "://" in text else str(recipe.path(text))


def _copy(stand_in: str | None) -> str | None:
    """Give where a copy of the Census is."""
    if stand_in is None or "://" in stand_in or not (Path(stand_in) / "census").is_dir():
        return stand_in
    return str(Path(stand_in) / "census")


def _stem(path: Path) -> str:
    """Give the name of a file without what says its kind.

    Examples
    --------
    >>> _stem(Path("cells/blood.csv.gz")), _stem(Path("blood.h5ad"))
    ('blood', 'blood')
    """
    return Path(path.stem).stem if path.suffix == ".gz" else path.stem
