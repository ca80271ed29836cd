"""The command that says why: ``spoticell explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spoticell.cli.arguments import (
    Allow,
    AsJson,
    Cells,
    Deny,
    EachCellAlone,
    GeneColumn,
    Layer,
    Model,
    Quiet,
    Threads,
    Threshold,
    Tissue,
)
from spoticell.cli.console import guarded, hearing, listen, say, show_json

if TYPE_CHECKING:
    from spoticell.annotation.explanation import Explanation

Table = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="TABLE", help="Where to write the table: .csv [printed].")
]
CellNames = Annotated[list[str] | None, typer.Option("--cells", metavar="NAME", help="Explain this cell; repeatable.")]
Groups = Annotated[
    str | None, typer.Option("--groups", metavar="COLUMN|auto", help="Explain groups: of a column, or found [auto].")
]
CellType = Annotated[
    str | None, typer.Option("--type", metavar="NAME", help="Explain this type, whatever the answer is.")
]
Genes = Annotated[int, typer.Option("--genes", min=1, help="Genes for and against each answer.")]
Markers = Annotated[
    Path | None,
    typer.Option(
        "--markers", metavar="TABLE", help="Known markers of types, csv or tsv: says which genes are among them."
    ),
]
Picture = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Also draw it, on the grid: .png, .pdf or .svg.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace TABLE and FILE if they are there.")]
OUR_OWN = frozenset({"cells", "output", "picture", "overwrite", "as_json", "quiet"})
"""What `spoticell.explain` isn't given by its name."""


@guarded
def explain(
    cells: Cells,
    *,
    output: Table = None,
    cell_names: CellNames = None,
    groups: Groups = None,
    cell_type: CellType = None,
    genes: Genes = 10,
    markers: Markers = None,
    picture: Picture = None,
    model: Model = "human-v1",
    threshold: Threshold = None,
    allow: Allow = None,
    deny: Deny = None,
    tissue: Tissue = None,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    threads: Threads = None,
    each_cell_alone: EachCellAlone = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Tell which genes speak for the answers and which against: of types, groups or cells.

    Example: spoticell explain cells.h5ad -o why.csv --picture why.png

    Example: spoticell explain cells.h5ad --type "natural killer cell" --cells AAACATACAACCAC-1
    """
    asked: dict[str, Any] = {name: value for name, value in locals().items() if name not in OUR_OWN}
    asked |= {name: asked[name] or () for name in ("cell_names", "allow", "deny")}
    from spoticell import api
    from spoticell.io.address import place
    from spoticell.io.write import check_apart

    listen(quiet=quiet)
    check_apart([("the table", output)], [("the cells", place(cells))])
    _check(output, picture, overwrite=overwrite)
    with hearing() as notes:
        found = api.explain(cells, on_progress=not quiet, **asked)
    if output is not None:
        found.write(output, overwrite=overwrite)
    if picture is not None:
        _draw(found, picture, overwrite=overwrite)
    if not quiet:
        _tell(found, output, picture)
    if as_json:
        places = {"output": output, "picture": picture}
        show_json(found.record() | {"notes": notes} | {name: place and str(place) for name, place in places.items()})
    elif output is None:
        typer.echo(found.table.to_csv(index=False, lineterminator="\n"), nl=False)


def _check(output: Path | None, picture: Path | None, *, overwrite: bool) -> None:
    """Refuse before any work what couldn't be written."""
    from spoticell.io.write import check_written

    if output is not None:
        check_written(output, kinds=(".csv",), what="a table is written as .csv", overwrite=overwrite)
    if picture is not None:
        kinds = (".png", ".pdf", ".svg")
        check_written(picture, kinds=kinds, what="a picture is drawn as .png, .pdf or .svg", overwrite=overwrite)


def _draw(found: Explanation, path: Path, *, overwrite: bool) -> None:
    from spoticell.io.write import atomic
    from spoticell.report.reasons import reasons

    figure = reasons(found)
    with atomic(path, overwrite=overwrite) as passing:
        figure.savefig(passing, format=path.suffix[1:], dpi=150)


def _tell(found: Explanation, *places: Path | None) -> None:
    changed = sum(one.changed for one in found.explained)
    asked = sum(one.asked for one in found.explained)
    if changed:
        say(f"{changed:,} of {asked:,} cells asked would be called otherwise alone: their neighbours spoke too.")
    written = ", ".join(str(place) for place in places if place is not None)
    say(f"Worked out by {found.method}, each cell alone.{f' Written: {written}' if written else ''}")
