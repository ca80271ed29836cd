"""The command about corpora: ``spoticell prepare``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spoticell.cli.arguments import LabelColumn, Meanings
from spoticell.cli.console import guarded, hearing, listen, say, show_json
from spoticell.cli.tables import columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spoticell.corpus.plan import Plan
    from spoticell.corpus.recipe.recipe import Recipe


@guarded
def prepare(
    recipe: Annotated[str | None, typer.Argument(metavar="RECIPE", help="A recipe's name, or a YAML file.")] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="STORE", help="Folder of the store to make.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell cells, types, size and time, and write nothing.")
    ] = False,
    download_dir: Annotated[
        Path | None,
        typer.Option("--download-dir", metavar="D", help="Folder for what is fetched [downloads beside STORE]."),
    ] = None,
    stand_in: Annotated[
        str | None, typer.Option("--from", metavar="FOLDER|URL", help="A copy of what the recipe's hosts have.")
    ] = None,
    label_column: LabelColumn = None,
    meanings: Meanings = None,
    list_recipes: Annotated[bool, typer.Option("--list", help="List the recipes of the package.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON to stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Make a store of labelled cells to train on, from the sources that a recipe names.

    What was stopped goes on where it was when the same command is given again.

    Example: spoticell prepare mini -o corpora/mini
    """
    from spoticell.corpus.plan import Plan
    from spoticell.corpus.recipe.recipe import load_recipe, named_recipes

    if list_recipes:
        _list([load_recipe(name) for name in named_recipes()], as_json=as_json)
        return
    if recipe is None:
        raise typer.BadParameter("the name of a recipe, or a YAML file, is needed", param_hint="RECIPE")
    if output is None and not dry_run:
        raise typer.BadParameter("a folder for the store is needed", param_hint="--output")
    listen(quiet=quiet)
    from spoticell import api

    with hearing() as notes:
        made = api.prepare(
            recipe,
            output,
            dry_run=dry_run,
            downloads=download_dir,
            copy_of=stand_in,
            label_column=label_column,
            meanings=meanings,
            on_progress=not quiet,
        )
    if isinstance(made, Plan):
        _tell_plan(load_recipe(recipe), made, notes, as_json=as_json, quiet=quiet)
        return
    if not quiet:
        _tell(made, str(output))
    if as_json:
        show_json(made | {"notes": notes, "output": str(output)})


def _list(recipes: list[Recipe], *, as_json: bool) -> None:
    if as_json:
        show_json([one.model_dump(mode="json", include={"name", "description", "figures"}) for one in recipes])
        return
    rows = [("name", "cells", "types", "description")]
    for one in recipes:
        cells, types = (f"{one.figures.cells:,}", f"{one.figures.types:,}") if one.figures else ("", "")
        rows.append((one.name, cells, types, one.description))
    typer.echo("\n".join(columns(rows, right=frozenset({1, 2}))))


def _tell_plan(recipe: Recipe, planned: Plan, notes: list[str], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        totals = {"cells": planned.cells, "bytes": planned.bytes, "seconds": planned.seconds}
        show_json({"recipe": recipe.name} | totals | asdict(planned) | {"notes": notes})
        return
    rows = [("rows", "cells", "size", "time", "source")]
    for one in planned.sources:
        name = one.name if one.is_here else f"{one.name} (to be fetched; cells as the recipe states them)"
        rows.append((f"{one.rows:,}", f"{one.cells:,}", _size(one.bytes), _time(one.seconds), name))
    lines = columns(rows, right=frozenset(range(4)))
    lines += _left_out({one.name: one.left_out for one in planned.sources})
    at_most = "" if all(one.is_here for one in planned.sources) else "at most "
    lines.append(
        f"{recipe.name}: {at_most}{planned.cells:,} cells of {_types(recipe, planned)} types, about "
        f"{_size(planned.bytes)} and {_time(planned.seconds)} without fetching. Nothing was written."
    )
    typer.echo("\n".join(lines))


def _types(recipe: Recipe, planned: Plan) -> str:
    """Say how many types there are: as was seen, or, while no source is here, as the recipe states."""
    if recipe.figures is None or any(one.is_here for one in planned.sources):
        return f"{len(planned.types):,}"
    return f"{recipe.figures.types:,}"


def _tell(summary: Mapping[str, Any], output: str) -> None:
    rows = [("rows", "cells", "source")]
    rows += [(f"{one['rows']:,}", f"{one['cells']:,}", one["name"]) for one in summary["sources"]]
    lines = columns(rows, right=frozenset(range(2)))
    lines += _left_out({one["name"]: one["left_out"] for one in summary["sources"]})
    lines.append(
        f"{summary['cells']:,} cells of {len(summary['types']):,} types, {summary['datasets']:,} data sets and "
        f"{summary['donors']:,} known donors. Written: {output} ({_size(summary['bytes'])})"
    )
    for line in lines:
        say(line)


def _left_out(left_out_of: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Sum up over sources why cells are left out, commonest first."""
    total: dict[str, int] = {}
    for left_out in left_out_of.values():
        for reason, cells in left_out.items():
            total[reason] = total.get(reason, 0) + cells
    return [f"left out: {cells:,} {reason}" for reason, cells in sorted(total.items(), key=lambda one: -one[1])]


def _size(number: float) -> str:
    """Give a size in a unit that suits it.

    Examples
    --------
    >>> _size(15_988_178), _size(2.5e12)
    ('16 MB', '2.5 TB')
    """
    power = min((len(str(round(number))) - 1) // 3, 4)
    number /= 1000**power
    return f"{number:.{int(power and number < 10)}f} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"


def _time(seconds: float) -> str:
    """Give a time in a unit that suits it.

    Examples
    --------
    >>> _time(0.2), _time(200), _time(20_000)
    ('1 s', '3 min', '5.6 h')
    """
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
