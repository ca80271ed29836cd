"""The commands about naming cells: ``spoticell check``, ``annotate`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spoticell.cli.arguments import (
    Allow,
    AsJson,
    By,
    Cells,
    Cellxgene,
    CompositionTable,
    Condition,
    Dask,
    Deny,
    Device,
    DifferencesTable,
    EachCellAlone,
    EveryCells,
    GeneColumn,
    Groups,
    GroupsOutput,
    Index,
    KeyAdded,
    Layer,
    Markers,
    Meanings,
    Model,
    Output,
    Overwrite,
    Partial,
    Quiet,
    Report,
    SampleName,
    Threads,
    Threshold,
    Tissue,
)
from spoticell.cli.console import guarded, listen, say, show_json, telling
from spoticell.cli.samples import SampleTables, sample_lines
from spoticell.cli.several import annotate_files, options_of, over_all, places_of
from spoticell.cli.tables import composition as composition_lines
from spoticell.cli.tables import gene_names, grouped, matched, scores, share
from spoticell.errors import ConfigError
from spoticell.io.address import Place, place

if TYPE_CHECKING:
    from spoticell.annotation.result import Annotation

ASKED = frozenset(
    (
        "model",
        "index",
        "threshold",
        "allow",
        "deny",
        "tissue",
        "layer",
        "gene_column",
        "key_added",
        "by",
        "condition",
        "threads",
        "each_cell_alone",
        "overwrite",
        "groups",
        "markers",
        "cellxgene",
        "device",
        "dask",
    )
)
"""Options of ``annotate`` that `spoticell.annotate` takes under the same names, for one file or several."""


@guarded
def check(
    cells: Cells,
    *,
    model: Model = "human-v1",
    layer: Layer = None,
    gene_column: GeneColumn = None,
    genes: Annotated[
        bool, typer.Option("--genes", help="Also list the gene names that are unmatched, ambiguous or repaired.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show which matrix and genes of a file would be used.

    Example: spoticell check cells.h5ad --genes
    """
    from spoticell import api

    listen(quiet=quiet)
    with telling() as told:
        findings = api.check(cells, model=model, layer=layer, gene_column=gene_column, on_progress=not quiet)
        told.extend(findings.warnings)
    odd = findings.genes
    if as_json:
        show_json(findings.to_dict() | ({"genes": odd.to_dict(orient="records")} if genes else {}))
        return
    typer.echo("\n".join(findings.describe()))
    if genes:
        typer.echo("\n".join(["", *gene_names(odd)]))


@guarded
def annotate(
    cells: EveryCells,
    *,
    output: Output,
    report: Report = None,
    model: Model = "human-v1",
    threshold: Threshold = None,
    allow: Allow = None,
    deny: Deny = None,
    tissue: Tissue = None,
    index: Index = None,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    key_added: KeyAdded = "spoticell",
    by: By = None,
    condition: Condition = None,
    composition: CompositionTable = None,
    sample: SampleName = None,
    differences: DifferencesTable = None,
    threads: Threads = None,
    each_cell_alone: EachCellAlone = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    groups: Groups = None,
    markers: Markers = None,
    groups_output: GroupsOutput = None,
    cellxgene: Cellxgene = False,
    device: Device = "cpu",
    dask: Dask = None,
) -> None:
    """Name the cells of a file, or of several.

    Example: spoticell annotate cells.h5ad -o named.h5ad --report named.html

    Example: spoticell annotate blood.h5ad lung.h5 -o named --report named

    Example: spoticell annotate cells.h5ad -o named.h5ad --groups leiden --groups-output groups.csv
    """
    asked: dict[str, Any] = {name: value for name, value in locals().items() if name in ASKED}
    asked |= {"allow": allow or (), "deny": deny or ()}
    listen(quiet=quiet)
    files, answers, page = [place(one) for one in cells], place(output), _place(report)
    tables = SampleTables(_place(composition), _place(differences), _place(groups_output), overwrite=overwrite)
    if len(files) > 1:
        if groups_output is not None:
            raise ConfigError("groups-output is for one file; of several, each output holds the table of its groups.")
        if sample is not None:
            raise ConfigError("sample is for one file; several are named after their files.")
        places = places_of(files, answers, page)
        annotate_files(places, over_all(tables, answers), asked, as_json=as_json, quiet=quiet)
        return
    annotation = _annotate_one(files[0], answers, page, tables, asked, sample=sample, quiet=quiet)
    _tell(annotation, answers, page, tables, as_json=as_json, quiet=quiet)


def _annotate_one(
    cells: Place,
    answers: Place,
    page: Place | None,
    tables: SampleTables,
    asked: dict[str, Any],
    *,
    sample: str | None,
    quiet: bool,
) -> Annotation:
    """Name the cells of one file, and write all that is asked for; its report says the whole command."""
    from spoticell import api

    others = (("the cells", cells), ("the answers", answers), ("known markers", asked["markers"]))
    tables.check(others, condition=asked["condition"], groups=asked["groups"], sample=sample)
    annotation = api.annotate_as(
        cells,
        options_of(asked),
        answers,
        page,
        asked["dask"],
        overwrite=asked["overwrite"],
        on_progress=not quiet,
        also=tables.given | ({} if sample is None else {"sample": sample}),
    )
    by_sample = annotation.by_sample
    if sample is not None:
        by_sample = by_sample.of_file(sample, alone=asked["by"] is None)
    tables.write(by_sample, annotation.differences, annotation.groups)
    return annotation


@guarded
def evaluate(
    annotated: Annotated[str, typer.Argument(metavar="ANNOTATED", help="What annotate wrote: .h5ad or .csv.")],
    *,
    label_column: Annotated[
        str | None,
        typer.Option("--label-column", "--truth-key", metavar="NAME", help="Column of labels [looked for]."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", metavar="FILE", help="Where that column is, if not in ANNOTATED; joined by cell name."),
    ] = None,
    meanings: Meanings = None,
    partial: Partial = False,
    tissue: Annotated[
        str | None,
        typer.Option("--tissue", metavar="NAME", help="Where the cells are from: counts types of other tissues."),
    ] = None,
    key_added: Annotated[
        str, typer.Option("--key-added", metavar="WORD", help="First word of the columns of answers.")
    ] = "spoticell",
    as_json: AsJson = False,
) -> None:
    """Compare answers with labels.

    Example: spoticell evaluate named.h5ad --label-column author_cell_type --meanings my-labels.csv
    """
    from spoticell import api

    listen(quiet=False)
    with telling() as told:
        found = api.evaluate(
            annotated,
            label_column=label_column,
            truth=truth,
            meanings=meanings,
            key_added=key_added,
            partial=partial,
            tissue=tissue,
        )
        told.extend(found.notes)
    figures = found.to_dict()
    if as_json:
        show_json(figures)
        return
    typer.echo("\n".join([*scores(figures), *(f"note: {sentence}" for sentence in found.notes)]))


def _place(given: str | None) -> Place | None:
    return None if given is None else place(given)


def _tell(
    annotation: Annotation, output: Place, report: Place | None, tables: SampleTables, *, as_json: bool, quiet: bool
) -> None:
    """Say what was found, what the cells are, and where the answers lie."""
    from spoticell.annotation.outputs import summary_record

    if not quiet:
        lines = [*annotation.findings.lines(), "", *composition_lines(annotation), ""]
        if annotation.matches is not None:
            lines += [*matched(annotation, annotation.matches), ""]
        if annotation.samples is not None:
            lines += [*sample_lines(annotation.by_sample, annotation.differences), ""]
        if annotation.groups is not None:
            lines += [*grouped(annotation.groups), ""]
        if annotation.allowed is not None:
            lines.append(f"Answers were kept to {annotation.allowed.describe()}.")
        if annotation.tissues is not None:
            lines.append(f"{annotation.tissues.describe()} Say otherwise with --tissue.")
        lines += [f"note: {caution.text}" for caution in annotation.cautions]
        named, cells = int((annotation.answer_n >= 0).sum()), len(annotation.answer_n)
        written = ", ".join(str(path) for path in (output, report, *tables.paths) if path is not None)
        lines.append(
            f"{named:,} of {cells:,} cells named ({share(named, cells)}) by {annotation.bundle.name}, "
            f"threshold {annotation.threshold:.2f}. Written: {written}"
        )
        say("\n".join(lines))
    if as_json:
        places = {"output": str(output), "report": None if report is None else str(report)}
        show_json(summary_record(annotation) | places)
