"""The commands about indexes: ``spoticell index ...`` and ``spoticell search``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spoticell.cli.arguments import (
    AsJson,
    Cells,
    GeneColumn,
    LabelColumn,
    Layer,
    Meanings,
    Model,
    ModelOfIndex,
    Partial,
    Quiet,
    Threads,
)
from spoticell.cli.console import guarded, hearing, listen, say, show_json
from spoticell.cli.tables import columns

if TYPE_CHECKING:
    from spoticell.index import OpenIndex
    from spoticell.index.references import Intake

index_app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Make and tend indexes of reference cells. Example: spoticell index build cells.h5ad -o blood-index",
)

References = Annotated[
    list[Path], typer.Argument(metavar="REF...", help="Labelled cells: h5ad, 10x, mtx, csv or tsv, loom, zarr.")
]
IndexPlace = Annotated[str, typer.Argument(metavar="INDEX", help="Folder or address of an index.")]
NewIndex = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="INDEX", help="Folder of the new index; NAME.lance or s3://... for a Lance database."
    ),
]
Unlabelled = Annotated[bool, typer.Option("--unlabelled", help="Take in cells without a label too.")]
Fact = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="What the files don't say: study, url, dataset, donor, tissue, disease, assay.",
    ),
]
Study = Annotated[str | None, typer.Option("--study", metavar="NAME", help="Short for --set study=NAME.")]


@index_app.command()
@guarded
def build(
    references: References,
    *,
    output: NewIndex,
    model: Model = "human-v1",
    study: Study = None,
    fact: Fact = None,
    unlabelled: Unlabelled = False,
    label_column: LabelColumn = None,
    meanings: Meanings = None,
    partial: Partial = False,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make an index of labelled cells.

    Example: spoticell index build pbmc.h5ad -o blood-index --study "Kang 2018" --set tissue=blood
    """
    from spoticell import api

    listen(quiet=quiet)
    with hearing() as notes:
        intake = api.build_index(
            references,
            output,
            model=model,
            study=study,
            facts=_facts(fact),
            unlabelled=unlabelled,
            label_column=label_column,
            meanings=meanings,
            partial=partial,
            layer=layer,
            gene_column=gene_column,
            threads=threads,
            on_progress=not quiet,
        )
    _tell(intake, output, notes, as_json=as_json, quiet=quiet)


@index_app.command()
@guarded
def add(
    index: IndexPlace,
    references: References,
    *,
    model: ModelOfIndex = None,
    study: Study = None,
    fact: Fact = None,
    unlabelled: Unlabelled = False,
    label_column: LabelColumn = None,
    meanings: Meanings = None,
    partial: Partial = False,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Add labelled cells to an index.

    Example: spoticell index add blood-index more.h5ad --study "Hao 2021"
    """
    from spoticell.index.build import add_to_index

    listen(quiet=quiet)
    with hearing() as notes:
        intake = add_to_index(
            index,
            references,
            model=model,
            study=study,
            facts=_facts(fact),
            unlabelled=unlabelled,
            label_column=label_column,
            meanings=meanings,
            partial=partial,
            layer=layer,
            gene_column=gene_column,
            threads=threads,
            on_progress=not quiet,
        )
    _tell(intake, index, notes, as_json=as_json, quiet=quiet)


@index_app.command()
@guarded
def info(
    index: IndexPlace,
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare all that is stored with its sha256 too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an index holds.

    Example: spoticell index info blood-index --check
    """
    from spoticell.index import open_index

    opened = open_index(index)
    if check:
        opened.check()
    facts = _record(opened)
    if as_json:
        show_json(facts)
        return
    rows = [
        (name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
        for name, value in facts.items()
    ]
    typer.echo("\n".join(columns(rows)))


@index_app.command()
@guarded
def merge(
    indexes: Annotated[
        list[str], typer.Argument(metavar="INDEX...", help="Folders or addresses of indexes of one bundle.")
    ],
    *,
    output: NewIndex,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Join indexes into a new one; also puts one that grew by many additions in order.

    Example: spoticell index merge blood-index lung-index -o both
    """
    from spoticell.index import open_index
    from spoticell.index.build import merge_indexes

    listen(quiet=quiet)
    merge_indexes(indexes, output, on_progress=not quiet)
    facts = _record(open_index(output))
    if not quiet:
        say(f"{facts['cells']:,} cells merged. Written: {output}")
    if as_json:
        show_json(facts)


@guarded
def search(
    cells: Cells,
    *,
    index: Annotated[
        str, typer.Option("--index", "-i", metavar="INDEX", help="Folder or address of the index to search.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="HITS", help="Where to write: .csv.")],
    k: Annotated[int, typer.Option("-k", min=1, help="Hits for each cell.")] = 50,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", "-w", metavar="NAME=VALUE", help="Only references with (or, by !=, without) it; repeatable."
        ),
    ] = None,
    model: ModelOfIndex = None,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    threads: Threads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace HITS if it is there.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the reference cells that are most like the cells of a file.

    Example: spoticell search cells.h5ad --index blood-index -k 50 -o hits.csv --where "study!=Kang 2018"
    """
    from spoticell import api

    listen(quiet=quiet)
    with hearing() as notes:
        found = api.search(
            cells,
            index,
            output,
            k=k,
            where=where,
            model=model,
            layer=layer,
            gene_column=gene_column,
            overwrite=overwrite,
            threads=threads,
            on_progress=not quiet,
        )
    hits, none = int(found["hits"].sum()), int((found["hits"] == 0).sum())
    if not quiet:
        some = f"; {none:,} cells have none" if none else ""
        say(f"{hits:,} hits for {len(found) - none:,} cells{some}. Written: {output}")
    if as_json:
        record = {"cells": len(found), "hits": hits, "cells_without_hits": none, "notes": notes}
        show_json(record | {"output": str(output)})


def _facts(given: Sequence[str] | None) -> dict[str, str]:
    facts = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"{text!r} needs the form tissue=blood", param_hint="--set")
        facts[name.strip()] = value.strip()
    return facts


def _tell(intake: Intake, place: str, notes: list[str], *, as_json: bool, quiet: bool) -> None:
    from spoticell.index import open_index

    facts = _record(open_index(place))
    if not quiet:
        for line in _left_out(intake):
            say(line)
        say(f"{intake.cells:,} cells taken in; the index holds {facts['cells']:,}. Written: {place}")
    if as_json:
        taken = {"cells_added": intake.cells, "unlabelled": intake.unlabelled, "empty": intake.empty}
        show_json(taken | {"labels_not_understood": intake.unresolved, "notes": notes, "index": facts})


def _left_out(intake: Intake) -> list[str]:
    lines = []
    if intake.unlabelled:
        lines.append(f"cells without a label that is understood: {intake.unlabelled:,}")
    if intake.empty:
        lines.append(f"cells left out for want of counts in known genes: {intake.empty:,}")
    return lines


def _record(index: OpenIndex) -> dict[str, str | int]:
    groups, manifest = index.groups, index.manifest
    return {
        "cells": index.n_cells,
        "types": groups["term"].replace("", None).nunique(),
        "studies": groups["study"].replace("", None).nunique(),
        "datasets": groups["dataset"].nunique(),
        "donors": len(groups[["dataset", "donor"]][groups["donor"] != ""].drop_duplicates()),
        "bundle": manifest.bundle,
        "bundle_sha256": manifest.bundle_sha256,
        "fingerprint_size": manifest.fingerprint_size,
        "code_bits": manifest.code_bits,
        "segments": len(manifest.segments),
        "lists": index.n_lists,
        "bytes": index.n_bytes,
        "last_addition": max((segment.date for segment in manifest.segments), default=""),
        "format": manifest.format_version,
    }
