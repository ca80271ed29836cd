"""A recipe: which cells make up a corpus, where they come from, and what their labels mean.

A recipe is a YAML file of the user's, or a named one that travels with the package.  Nothing here opens a source.
"""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from spoticell.corpus.recipe.marked import MarkedError, MarkedYaml
from spoticell.corpus.recipe.parts import AnySource, Fact, Figures, Keep, Part
from spoticell.corpus.splits.make import SplitSpec
from spoticell.errors import ConfigError
from spoticell.io.meanings import Meanings, read_meanings


class Recipe(Part):
    """A corpus to be."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]
    description: str = ""
    sources: tuple[AnySource, ...]
    keep: Keep = Keep()
    splits: tuple[SplitSpec, ...] = ()
    figures: Figures | None = None
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.sources:
            raise ValueError("there is no source; at least one is needed")
        names = [split.name for split in self.splits]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two splits are called {twice[0]!r}")
        return self

    @property
    def folder(self) -> Path:
        """Where relative paths start: the recipe's own folder."""
        return self._folder

    def path(self, text: str) -> Path:
        """Give the path that a text in this recipe means.

        Raises
        ------
        ConfigError
            If it names an environment variable that isn't set.
        """
        return self._folder / _expanded(text, self.name)

    def with_labels(self, column: str | None, meanings: Meanings | None) -> Self:
        """Give the recipe with a column of labels, for sources that name none, and with what labels mean.

        What a source says itself goes before it.
        """
        label, labels = None if column is None else Fact(column=column), read_meanings(meanings)
        sources = tuple(
            one.model_copy(update={"label": one.label or label, "labels": labels | one.labels}) for one in self.sources
        )
        return self.model_copy(update={"sources": sources})

    def record(self) -> dict[str, Any]:
        """Give what decides the corpus, as plain values and as the user wrote it: no path is resolved."""
        return self.model_dump(mode="json", exclude={"description", "figures"}, exclude_none=True)


def load_recipe(name: Path | str) -> Recipe:
    """Give a named recipe, or read one from a YAML file.

    Parameters
    ----------
    name
        One of `named_recipes`, or the path of a YAML file.

    Raises
    ------
    ConfigError
        If there is no such recipe or file, or something in it can't be: the message names the line.

    Examples
    --------
    >>> load_recipe("spoticell68").figures.types
    68
    """
    shipped = files("spoticell").joinpath("data", "recipes")
    if str(name) in named_recipes():
        return _parse(shipped.joinpath(f"{name}.yaml").read_text(encoding="utf-8"), str(name), Path())
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"There is no recipe {str(name)!r}: neither a text file nor one of {', '.join(named_recipes())}."
        ) from None
    return _parse(text, path.name, path.parent)


def named_recipes() -> list[str]:
    """Names of the recipes that travel with the package."""
    folder = files("spoticell").joinpath("data", "recipes")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def _parse(text: str, where: str, folder: Path) -> Recipe:
    try:
        document = MarkedYaml(text)
    except MarkedError as error:
        raise _unusable(where, error.line, str(error)) from None
    if not isinstance(document.value, dict):
        raise _unusable(where, 1, "it has no 'name' and no 'sources'")
    try:
        recipe = Recipe.model_validate(document.value)
    except ValidationError as error:
        raise _first(error, document, where) from None
    object.__setattr__(recipe, "_folder", folder)
    return _with_mappings(recipe, document, where)


def _first(error: ValidationError, document: MarkedYaml, where: str) -> ConfigError:
    """Tell of the fault that stands first in the file, and how many others there are."""
    faults = [(document.line(fault["loc"]), fault) for fault in error.errors(include_url=False)]
    line, fault = min(faults, key=lambda one: one[0])
    field = ".".join(str(part) for part in document.known(fault["loc"]) if part != "[key]")
    problem = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        problem = "there is no such setting here"
    more = f" ({len(faults) - 1} more to mend)" if len(faults) > 1 else ""
    return _unusable(where, line, (f"{field}: " if field else "") + problem + more)


def _unusable(where: str, line: int, problem: str) -> ConfigError:
    return ConfigError(f"The recipe {where} can't be used, line {line}: {problem.rstrip('.')}.")


def _with_mappings(recipe: Recipe, document: MarkedYaml, where: str) -> Recipe:
    """Put what the labels files say into the recipe, so that it holds all that decides a corpus."""
    sources = []
    for position, source in enumerate(recipe.sources):
        labels = dict(source.labels)
        if source.labels_file is not None:
            try:
                labels = read_meanings(recipe.path(source.labels_file)) | labels
            except ConfigError as error:
                raise _unusable(where, document.line(["sources", position, "labels_file"]), str(error)) from None
        sources.append(source.model_copy(update={"labels": labels, "labels_file": None}))
    return recipe.model_copy(update={"sources": tuple(sources)})


def _expanded(text: str, recipe: str) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ConfigError(f"The recipe {recipe} needs the environment variable {found[1]}, for {text!r}. Set it.")
        return os.environ[found[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)
