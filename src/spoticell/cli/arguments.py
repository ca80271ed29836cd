"""Arguments and options that several commands take, with the words that help has for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spoticell.biology.tissues import tissue_names

Cells = Annotated[
    str,
    typer.Argument(metavar="CELLS", help="h5ad, 10x .h5 or folder, mtx, csv or tsv, loom, zarr: a path or an address."),
]
EveryCells = Annotated[
    list[str],
    typer.Argument(
        metavar="CELLS...", help="h5ad, 10x .h5 or folder, mtx, csv or tsv, loom, zarr: paths or addresses."
    ),
]
Output = Annotated[
    str,
    typer.Option("--output", "-o", metavar="OUT", help="Where to write: .h5ad or .csv; for several CELLS a folder."),
]
Report = Annotated[
    str | None,
    typer.Option("--report", metavar="PAGE", help="Also write an HTML report here; for several CELLS a folder."),
]
By = Annotated[
    str | None, typer.Option("--by", metavar="COLUMN", help="Column that says from which sample each cell is.")
]
Condition = Annotated[
    str | None,
    typer.Option("--condition", metavar="COLUMN", help="Column with two conditions: compares the samples of each."),
]
CompositionTable = Annotated[
    str | None,
    typer.Option("--composition", metavar="TABLE", help="Write the cells of each type by sample here: .csv."),
]
SampleName = Annotated[
    str | None,
    typer.Option("--sample", metavar="NAME", help="Name of the sample in that table [the file's]."),
]
DifferencesTable = Annotated[
    str | None,
    typer.Option("--differences", metavar="TABLE", help="Write how types differ between the conditions here: .csv."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold", "-t", min=0, max=1, help="Lowest probability at which a type is named [the model's, 0.3]."
    ),
]
Index = Annotated[
    str | None, typer.Option("--index", "-i", metavar="INDEX", help="Reference cells to match the cells with.")
]
EachCellAlone = Annotated[
    bool, typer.Option("--each-cell-alone", help="Name cells without a look at their neighbours in the sample.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace OUT, PAGE and TABLE if they are there.")]
Model = Annotated[
    str, typer.Option("--model", "-m", "--bundle", "-b", metavar="NAME|FOLDER", help="The trained model to use.")
]
ModelOfIndex = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", "--bundle", "-b", metavar="NAME|FOLDER", help="The index's model, if it isn't installed."
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="TYPE", help="Type that an answer may be, with its subtypes; repeatable."),
]
Deny = Annotated[
    list[str] | None,
    typer.Option("--deny", metavar="TYPE", help="Type that an answer can't be, with its subtypes; repeatable."),
]
Tissue = Annotated[
    str | None,
    typer.Option(
        "--tissue",
        metavar="NAME",
        help=f"Rule out types of other tissues than any (none ruled out), {', '.join(tissue_names())} "
        "[as the cells show].",
    ),
]
Layer = Annotated[
    str | None, typer.Option("--layer", metavar="NAME", help="Matrix to read: a layer's name, X or raw [the best].")
]
GeneColumn = Annotated[
    str | None, typer.Option("--gene-column", metavar="NAME", help="Column that names the genes [the best].")
]
KeyAdded = Annotated[
    str, typer.Option("--key-added", metavar="WORD", help="First word of all columns and keys that are written.")
]
LabelColumn = Annotated[
    str | None, typer.Option("--label-column", metavar="NAME", help="Column of labels [looked for].")
]
Meanings = Annotated[
    Path | None,
    typer.Option("--meanings", metavar="TABLE", help="What labels mean: csv or tsv of label and type, by id or name."),
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Go on though less than half of the labelled cells have a label understood.")
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads to use [all cores].")]
Device = Annotated[
    str, typer.Option("--device", metavar="cpu|cuda", help="What runs the network: cuda is a graphics card.")
]
Groups = Annotated[
    str | None,
    typer.Option("--groups", metavar="COLUMN|auto", help="Also name groups of cells: of a column, or found [auto]."),
]
Markers = Annotated[
    Path | None,
    typer.Option("--markers", metavar="TABLE", help="Known markers of types, csv or tsv: tells those of groups."),
]
Cellxgene = Annotated[
    bool,
    typer.Option("--cellxgene", help="Also write cell_type_ontology_term_id, as the CELLxGENE schema wants it."),
]
GroupsOutput = Annotated[
    str | None, typer.Option("--groups-output", metavar="TABLE", help="Also write the groups here: .csv.")
]
Dask = Annotated[
    str | None,
    typer.Option("--dask", metavar="local|ADDRESS", help="Have the workers of a Dask cluster read the cells."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON to stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
