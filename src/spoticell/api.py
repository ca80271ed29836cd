"""The public face: one function for each thing that people do.  The command line and the web page call it too.

Names are loaded from the rooms below when a function needs them, so that ``spoticell check`` loads no network and
help loads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spoticell.annotation.cluster.crew import Crew, crew_of
from spoticell.annotation.evaluation import evaluate
from spoticell.annotation.explaining import explain
from spoticell.annotation.options import NOTHING, Model, Options
from spoticell.annotation.outputs import check_answers
from spoticell.annotation.pipeline import annotate_source, look_at
from spoticell.annotation.result import Annotation
from spoticell.annotation.sinks import AnnDataSink, CsvSink, H5adSink, Sink
from spoticell.errors import ConfigError, note
from spoticell.extras import needed
from spoticell.index.build import build_index
from spoticell.index.search import search
from spoticell.io import Cells, open_source
from spoticell.io.address import Place, place, place_in
from spoticell.io.findings import Findings
from spoticell.io.write import check_written
from spoticell.keys import KEY_ADDED
from spoticell.model.bundle import DEFAULT
from spoticell.progress import Progress, shown, stretch

if TYPE_CHECKING:
    from spoticell.corpus.plan import Plan
    from spoticell.index import OpenIndex
    from spoticell.io.meanings import Meanings
    from spoticell.training.config import ConfigName, TrainConfig

__all__ = [
    "annotate",
    "annotate_source",
    "build_index",
    "check",
    "evaluate",
    "explain",
    "finetune",
    "look_at",
    "prepare",
    "search",
    "train",
]

ANSWERED = 90
"""Percent of the time after which cells are answered and a report is drawn."""


def check(
    cells: Cells,
    *,
    model: Model = DEFAULT,
    layer: str | None = None,
    gene_column: str | None = None,
    on_progress: Progress | bool = True,
) -> Findings:
    """Find out which matrix and genes would be used of some cells; nothing is run on them.

    Parameters
    ----------
    cells
        The path or address of a file or folder, or an AnnData object.
    model
        Whose genes to look for: the name of a packaged model, a bundle's folder, or a loaded bundle.
    layer
        The one matrix to look at: a layer's name, ``"X"`` or ``"raw"``; the best is found if not given.
    gene_column
        The one column that names the genes, ``"index"`` for their index; the best is found if not given.
    on_progress
        Whether to show a bar, or what to call with the steps done and the steps there are.

    Returns
    -------
    Findings.  ``.describe()`` gives them in lines, ``.genes`` lists unmatched, ambiguous and repaired names.

    Raises
    ------
    SpoticellError
        If the cells can't be used; the message says why.

    Examples
    --------
    >>> import spoticell
    >>> from importlib.resources import files
    >>> cells = files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> spoticell.check(cells).describe()[0]
    'pbmc68k_reduced.h5ad (h5ad): 700 cells, 765 genes'
    """
    with shown(on_progress, "reading") as step, open_source(cells, bar=on_progress is True) as source:
        return look_at(source, Options(model, layer=layer, gene_column=gene_column), on_progress=step)


def annotate(
    cells: Cells,
    output: Place | str | None = None,
    *,
    model: Model = DEFAULT,
    index: OpenIndex | Path | str | None = None,
    threshold: float | None = None,
    allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    tissue: str | None = None,
    layer: str | None = None,
    gene_column: str | None = None,
    key_added: str = KEY_ADDED,
    by: str | None = None,
    condition: str | None = None,
    report: Place | str | None = None,
    copy: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    each_cell_alone: bool = False,
    on_progress: Progress | bool = True,
    groups: str | None = None,
    markers: Path | str | None = None,
    cellxgene: bool = False,
    device: str = "cpu",
    dask: Crew | str | None = None,
) -> Annotation:
    """Name the type of each cell.

    Parameters
    ----------
    cells, copy
        Path or address of a file or folder, or an AnnData object: it gets the answers, or its copy, ``result.adata``.
    output, report, overwrite
        Where answers (``.h5ad``, ``.csv``) and an HTML report go, and whether files that are there may be replaced.
    model, index, threshold, allow, deny, tissue
        Model and index of reference cells (name, folder or open); lowest probability, types and tissue of answers.
    by, condition, groups, markers, each_cell_alone, cellxgene
        Columns of sample, condition; groups, a column or ``"auto"``; marker table; no neighbours; column of CELLxGENE.
    layer, gene_column, key_added, threads, device, dask, on_progress
        Matrix; column of genes; first word of keys; threads; ``"cpu"`` or ``"cuda"``; cluster; a bar, or a function.

    Returns
    -------
    Annotation: ``.summary()``, ``.composition()``, ``.obs``, ``.write()``.  `spoticell.keys` says what is written.

    Raises
    ------
    SpoticellError
        If the cells can't be used or the results can't be written; nothing is changed or left behind then.

    Examples
    --------
    >>> import spoticell
    >>> spoticell.annotate(spoticell.demo_cells(), tissue="blood").summary().loc[0, "cell_type"]
    'CD1c-positive myeloid dendritic cell'
    """
    asked = (model, index, threshold, allow, deny, tissue, layer, gene_column, key_added, threads)
    options = Options(*asked, each_cell_alone, by, condition, groups, markers, cellxgene, device)
    return annotate_as(cells, options, output, report, dask, copy=copy, overwrite=overwrite, on_progress=on_progress)


def annotate_as(
    cells: Cells,
    options: Options,
    answers: Place | str | None,
    page: Place | str | None,
    dask: Crew | str | None,
    *,
    copy: bool = False,
    overwrite: bool,
    on_progress: Progress | bool,
    also: Mapping[str, Any] = NOTHING,
) -> Annotation:
    """Name the type of each cell, see `annotate`; ``also`` is what else the command in the report is to hold."""
    output, report, path = *(None if given is None else place(given) for given in (answers, page)), place_in(cells)
    if path is not None and copy:
        raise ConfigError("copy is for AnnData objects; the file that is read is never changed: give output.")
    if path is None and dask is not None:
        raise ConfigError(
            "the workers of a cluster read files, and an AnnData object is in this process: write a file."
        )
    if options.cellxgene and output is not None and output.suffix == ".csv":
        raise ConfigError("the column for CELLxGENE is one of h5ad files; give an output that ends in .h5ad.")
    if output is not None:
        check_answers(output, path_in=path, overwrite=overwrite)
    if report is not None:
        check_written(report, kinds=(".html", ".htm"), what="a report is written as .html", overwrite=overwrite)
    with (
        shown(on_progress, "naming cells") as step,
        open_source(cells, bar=on_progress is True) as source,
        crew_of(dask, threads=options.threads) as crew,
    ):
        away = None if crew is None or path is None else crew.take(path, options)
        sinks = _sinks(path, output, report, options, overwrite=overwrite, also={"copy": True} if copy else also)
        target = AnnDataSink(cells, copy=copy) if path is None else None
        answered = stretch(step, start=0, stop=100 if report is None else ANSWERED)
        every = sinks if target is None else [target, *sinks]
        annotation = annotate_source(source, options, every, on_progress=answered, away=away)
        stretch(step, start=ANSWERED, stop=100)(1, 1)
    for sentence in annotation.differences.notes if annotation.differences is not None else ():
        note(sentence)
    return replace(annotation, path=path, adata=None if target is None else target.adata)


def prepare(
    recipe: Path | str,
    output: Path | str | None = None,
    *,
    dry_run: bool = False,
    downloads: Path | str | None = None,
    copy_of: Path | str | None = None,
    label_column: str | None = None,
    meanings: Meanings | None = None,
    on_progress: Progress | bool = True,
) -> dict[str, Any] | Plan:
    """Make a store of labelled cells to train on.

    What was stopped goes on where it was when the same call is made again.

    Parameters
    ----------
    recipe, output
        The name of a packaged recipe, or a YAML file; the folder of the store.
    dry_run
        Whether only to tell cells, types, size and time; nothing is written or fetched then.
    downloads, copy_of
        Folder for what is fetched, ``downloads`` beside the store if not given; a copy of what the recipe's hosts have.
    label_column, meanings
        As for `evaluate`; what the recipe says of a source goes before them.
    on_progress
        Whether to show a bar, or what to call with the steps done and the steps there are.

    Returns
    -------
    What ``summary.json`` in the store says; of a dry run a `Plan`.

    Raises
    ------
    SpoticellError
        If a source can't be read, no cell is left, or the store can't be written.

    Examples
    --------
    >>> import spoticell
    >>> spoticell.prepare("spoticell68", dry_run=True).cells > 1_000_000
    True
    """
    from spoticell.corpus.build import build_store
    from spoticell.corpus.plan import plan
    from spoticell.corpus.recipe.recipe import load_recipe
    from spoticell.corpus.sources.opening import open_sources

    if output is None and not dry_run:
        raise ConfigError("no folder for the store was given; give output, or dry_run=True to be told about it.")
    store = Path("store" if output is None else output)
    asked = load_recipe(recipe).with_labels(label_column, meanings)
    folder = store.parent / "downloads" if downloads is None else Path(downloads)
    sources = open_sources(asked, downloads=folder, stand_in=None if copy_of is None else str(copy_of))
    with shown(on_progress, "looking" if dry_run else "preparing") as step:
        made = (
            plan(asked, sources, on_progress=step) if dry_run else build_store(asked, sources, store, on_progress=step)
        )
    _tell(made)
    return made


def train(
    data: Path | str,
    output: Path | str,
    *,
    config: TrainConfig | ConfigName | Sequence[ConfigName] = "default",
    split: str | None = None,
    panels: Path | None = None,
    resume: bool = False,
    random_state: int = 0,
    on_progress: Progress | bool = True,
) -> Path:
    """Train a model on labelled cells.

    Parameters
    ----------
    data
        A store that `prepare` made, or a folder of labelled h5ad files.
    output
        Folder for all that comes out.
    config
        The name of a packaged config, a YAML file, or settings: ``{"epochs": 3}``. Of several, in a list, the later
        ones win, group by group.
    split, panels
        The store's split to go by, its only one if not given; a folder of real gene panels, files of one gene a line.
    resume
        Whether to go on from the last checkpoint in ``output``.
    random_state
        Seed: same cells, config and seed, same model.
    on_progress
        Whether to show a bar, or what to call with the cells seen and all that will be.

    Returns
    -------
    Folder of the model's bundle.

    Raises
    ------
    SpoticellError
        If there is nothing to train on, PyTorch isn't installed, or the output folder holds another training.

    Examples
    --------
    >>> import spoticell
    >>> model = spoticell.train("corpora/mini", "models/mine")  # doctest: +SKIP
    >>> spoticell.annotate("cells.h5ad", "named.h5ad", model=model)  # doctest: +SKIP
    """
    needed("torch", extra="train", doing="training")
    from spoticell.training.train import train as train_network

    with shown(on_progress, "training", unit="cells") as step:
        return train_network(
            data,
            output,
            config,
            random_state=random_state,
            split=split,
            panels_dir=panels,
            resume=resume,
            on_progress=step,
        )


def finetune(
    model: Path | str,
    data: Path | str,
    output: Path | str,
    *,
    config: TrainConfig | ConfigName | Sequence[ConfigName] = "default",
    split: str | None = None,
    panels: Path | None = None,
    random_state: int = 0,
    on_progress: Progress | bool = True,
) -> Path:
    """Teach a trained model more types.

    Parameters
    ----------
    model
        The name of a packaged model, or a bundle's folder; it stays as it is.
    data, output, config, split, panels, random_state, on_progress
        As for `train`; of the config only how cells are drawn, held out and made incomplete.

    Returns
    -------
    Folder of the new model's bundle.

    Raises
    ------
    SpoticellError
        As for `train`, or if the model brings no weights or no examples of what it knows.

    Examples
    --------
    >>> import spoticell
    >>> ours = spoticell.finetune("human-v1", "my-cells", "models/ours")  # doctest: +SKIP
    """
    needed("torch", extra="train", doing="training")
    from spoticell.training.finetune import finetune as teach

    with shown(on_progress, "training", unit="cells") as step:
        return teach(
            model, data, output, config, random_state=random_state, split=split, panels_dir=panels, on_progress=step
        )


def _tell(made: dict[str, Any] | Plan) -> None:
    from spoticell.corpus.summary import remarks

    for remark in remarks(made) if isinstance(made, dict) else made.remarks():
        note(remark)


def _sinks(
    path: Place | None,
    output: Place | None,
    report: Place | None,
    options: Options,
    *,
    overwrite: bool,
    also: Mapping[str, Any],
) -> list[Sink]:
    sinks: list[Sink] = []
    path_in = path if isinstance(path, Path) else None
    if output is not None and output.suffix == ".h5ad":
        sinks.append(H5adSink(output, path_in=path_in, key_added=options.key_added, overwrite=overwrite))
    elif output is not None:
        sinks.append(CsvSink(output, overwrite=overwrite))
    if report is not None:
        from spoticell.report.sink import ReportSink

        sinks.append(ReportSink(report, cells=path, output=output, overwrite=overwrite, also=also))
    return sinks
