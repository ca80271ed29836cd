"""The commands about naming cells: ``spoticell check``, ``annotate`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spoticell.cli.arguments import (
    Allow,
    AsJson,
    Cells,
    Deny,
    GeneColumn,
    KeyAdded,
    Layer,
    Meanings,
    Model,
    Partial,
    Quiet,
    Threads,
    Tissue,
)
from spoticell.cli.console import guarded, listen, say, show_json, telling
from spoticell.cli.tables import composition, gene_names, matched, scores, share

if TYPE_CHECKING:
    from spoticell.annotation.result import Annotation


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
    cells: Cells,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where to write: .h5ad or .csv.")],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="PAGE", help="Also write an HTML report here.")
    ] = None,
    model: Model = "human-v1",
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", "-t", min=0, max=1, help="Lowest probability at which a type is named [the model's, 0.5]."
        ),
    ] = None,
    allow: Allow = None,
    deny: Deny = None,
    tissue: Tissue = None,
    index: Annotated[
        str | None, typer.Option("--index", "-i", metavar="INDEX", help="Reference cells to match the cells with.")
    ] = None,
    layer: Layer = None,
    gene_column: GeneColumn = None,
    key_added: KeyAdded = "spoticell",
    threads: Threads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT and PAGE if they are there.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Name the cells of a file.

    Example: spoticell annotate cells.h5ad -o named.h5ad --report named.html

    Example: spoticell annotate cells.h5ad -o named.h5ad --tissue lung --deny "natural killer cell"
    """
    from spoticell import api

    listen(quiet=quiet)
    annotation = api.annotate(
        cells,
        output,
        model=model,
        index=index,
        threshold=threshold,
        allow=allow or (),
        deny=deny or (),
        tissue=tissue,
        layer=layer,
        gene_column=gene_column,
        key_added=key_added,
        report=report,
        overwrite=overwrite,
        threads=threads,
        on_progress=not quiet,
    )
    _tell(annotation, output, report, as_json=as_json, quiet=quiet)


@guarded
def evaluate(
    annotated: Annotated[Path, typer.Argument(metavar="ANNOTATED", help="What annotate wrote: .h5ad or .csv.")],
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


def _tell(annotation: Annotation, output: Path, report: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Say what was found, what the cells are, and where the answers lie."""
    from spoticell.annotation.outputs import summary_record

    if not quiet:
        lines = [*annotation.findings.lines(), "", *composition(annotation), ""]
        if annotation.matches is not None:
            lines += [*matched(annotation, annotation.matches), ""]
        if annotation.allowed is not None:
            lines.append(f"Answers were kept to {annotation.allowed.describe()}.")
        if annotation.tissues is not None:
            lines.append(f"{annotation.tissues.describe()} Say otherwise with --tissue.")
        named, cells = int((annotation.answer_n >= 0).sum()), len(annotation.answer_n)
        written = ", ".join(str(path) for path in (output, report) if path is not None)
        lines.append(
            f"{named:,} of {cells:,} cells named ({share(named, cells)}) by {annotation.bundle.name}, "
            f"threshold {annotation.threshold:.2f}. Written: {written}"
        )
        say("\n".join(lines))
    if as_json:
        places = {"output": str(output), "report": None if report is None else str(report)}
        show_json(summary_record(annotation) | places)
