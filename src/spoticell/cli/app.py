"""The ``spoticell`` command: thin doors to the functions that do the work.

Nothing heavy is imported before a command runs, so that help appears at once.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spoticell.biology.tissues import tissue_names
from spoticell.cli.console import guarded, listen, prepare, progress, say, show_json
from spoticell.cli.index import index_app, search
from spoticell.cli.prepare import prepare as prepare_corpus
from spoticell.cli.tables import card, composition, listing, matched, scores, share
from spoticell.errors import ConfigError
from spoticell.extras import missing
from spoticell.version import __version__

if TYPE_CHECKING:
    from spoticell.annotation.result import Annotation

app = typer.Typer(
    name="spoticell",
    help="Name human cells from single-cell RNA counts, offline, on an ordinary computer.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
bundles_app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(bundles_app, name="bundles")
app.add_typer(index_app, name="index")
app.command()(search)
app.command("prepare")(prepare_corpus)

Cells = Annotated[Path, typer.Argument(metavar="IN", help="h5ad, 10x .h5 or folder, mtx, csv or tsv, loom, zarr.")]
BundleName = Annotated[str, typer.Option("--bundle", "-b", metavar="NAME|FOLDER", help="The trained model to use.")]
Types = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="TYPE", help="Type that an answer may be, with its subtypes; repeatable."),
]
NoTypes = Annotated[
    list[str] | None,
    typer.Option("--deny", metavar="TYPE", help="Type that an answer can't be, with its subtypes; repeatable."),
]
TissueName = Annotated[
    str | None,
    typer.Option("--tissue", metavar="NAME", help=f"Rule out types of other tissues: {', '.join(tissue_names())}."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON to stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]


def main() -> None:
    """Run the command line."""
    prepare()
    app()


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"spoticell {__version__}")
        raise typer.Exit


@app.callback()
def spoticell(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Name human cells from single-cell RNA counts, offline, on an ordinary computer."""


@app.command()
@guarded
def annotate(
    cells: Cells,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where to write: .h5ad or .csv.")],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="PAGE", help="Write a page about it too: .html.")
    ] = None,
    bundle: BundleName = "human-v1",
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", "-t", min=0, max=1, help="Smallest chance of an answer's term [the bundle's]."),
    ] = None,
    allow: Types = None,
    deny: NoTypes = None,
    tissue: TissueName = None,
    index: Annotated[
        str | None, typer.Option("--index", "-i", metavar="INDEX", help="Reference cells to match the cells with.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads to use [all cores].")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT and PAGE if they are there.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Name the cells of a file.

    Example: spoticell annotate cells.h5ad -o named.h5ad --report named.html

    Example: spoticell annotate cells.h5ad -o named.h5ad --tissue lung --deny "natural killer cell"
    """
    from spoticell.annotation.outputs import summary_record
    from spoticell.api import annotate_file

    listen(quiet=quiet)
    with progress("annotating", quiet=quiet) as on_progress:
        annotation = annotate_file(
            cells,
            output,
            bundle=bundle,
            report=report,
            threshold=threshold,
            allow=allow or (),
            deny=deny or (),
            tissue=tissue,
            index=index,
            threads=threads,
            overwrite=overwrite,
            on_progress=on_progress,
        )
    if not quiet:
        _tell(annotation, [str(path) for path in (output, report) if path is not None])
    if as_json:
        show_json(
            summary_record(annotation) | {"output": str(output), "report": None if report is None else str(report)}
        )


@app.command()
@guarded
def check(
    cells: Cells,
    *,
    bundle: BundleName = "human-v1",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what would be used of a file, and run nothing.

    Example: spoticell check cells.h5ad
    """
    from spoticell.api import check as check_file

    listen(quiet=quiet)
    with progress("reading", quiet=quiet) as on_progress:
        findings = check_file(cells, bundle=bundle, on_progress=on_progress)
    if as_json:
        show_json(findings.to_dict())
    else:
        typer.echo("\n".join(findings.describe()))


@app.command()
@guarded
def evaluate(
    annotated: Annotated[Path, typer.Argument(metavar="ANNOTATED", help="What annotate wrote: .h5ad or .csv.")],
    *,
    truth_key: Annotated[
        str, typer.Option("--truth-key", metavar="KEY", help="Column of labels: Cell Ontology ids or names.")
    ],
    truth: Annotated[
        Path | None,
        typer.Option("--truth", metavar="FILE", help="Where that column is, if not in ANNOTATED; joined by cell name."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare answers with labels.

    Example: spoticell evaluate named.h5ad --truth-key cell_type_ontology_term_id
    """
    from spoticell.annotation.evaluation import evaluate_file

    figures = evaluate_file(annotated, truth_key=truth_key, truth=truth)
    if as_json:
        show_json(figures)
        return
    typer.echo("\n".join(scores(figures)))


@bundles_app.callback(invoke_without_command=True)
@guarded
def bundles(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the trained models that are installed, or show one.

    Example: spoticell bundles info human-v1
    """
    if context.invoked_subcommand is not None:
        return
    from spoticell.model.bundle import load_bundle, packaged_bundles

    manifests = [load_bundle(name).manifest for name in packaged_bundles()]
    if as_json:
        show_json([{key: getattr(m, key) for key in ("name", "date", "licence", "description")} for m in manifests])
        return
    if not manifests:
        say("spoticell: no bundle is installed; give a bundle's folder wherever a name is asked for")
        return
    typer.echo("\n".join(listing(manifests)))


@bundles_app.command("info")
@guarded
def info(
    bundle: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="A bundle's name or folder.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what a bundle is, knows and was trained on.

    Example: spoticell bundles info human-v1
    """
    from spoticell.model.bundle import load_bundle

    loaded = load_bundle(bundle)
    if as_json:
        show_json(loaded.manifest.model_dump(mode="json") | {"path": str(loaded.path), "sha256": loaded.sha256})
        return
    typer.echo("\n".join(card(loaded.manifest, loaded.path, loaded.sha256)))


@app.command()
@guarded
def train(
    *,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", "--data_dir", metavar="D", help="A store, or a folder of labelled h5ad files.")
    ],
    output_dir: Annotated[
        Path, typer.Option("--output-dir", "--output_dir", metavar="O", help="Folder for all that comes out.")
    ],
    config: Annotated[
        str, typer.Option("--config", "-c", metavar="NAME|FILE", help="default, original, or a YAML file.")
    ] = "default",
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Passes over the cells [the config's].")] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=2, help="Cells in a step [the config's].")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", min=1e-9, help="Largest step size [the config's].")
    ] = None,
    random_state: Annotated[int, typer.Option("--random-state", min=0, help="Seed of all that is random.")] = 0,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="The store's split to go by [its only one].")
    ] = None,
    finetune: Annotated[
        str | None,
        typer.Option("--finetune", metavar="NAME|FOLDER", help="Teach a trained model the types of these cells."),
    ] = None,
    panels_dir: Annotated[
        Path | None, typer.Option("--panels-dir", metavar="P", help="Folder of real gene panels, one gene a line.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in O.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a bundle of your own on labelled cells, or teach one more types.

    Example: spoticell train --data-dir data/processed --output-dir models/mine

    Example: spoticell train --finetune human-v1 --data-dir my-cells --output-dir models/mine
    """
    if find_spec("torch") is None:
        raise ConfigError(missing("PyTorch", extra="train", doing="training"))
    if finetune and resume:
        raise ConfigError("teaching a trained model takes a minute or two and isn't resumed; leave out --resume.")
    from spoticell.training.config import load_config

    settings = load_config(config).changed(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    asked: dict[str, Any] = {"random_state": random_state, "split": split, "panels_dir": panels_dir}
    # of the processes that torchrun starts only the first one speaks
    quiet = quiet or os.environ.get("RANK", "0") != "0"
    listen(quiet=quiet, details=True)
    with progress("training", quiet=quiet, unit="cells") as on_progress:
        if finetune:
            from spoticell.training.finetune import finetune as teach

            folder = teach(finetune, data_dir, output_dir, settings, on_progress=on_progress, **asked)
        else:
            from spoticell.training.train import train as fit

            folder = fit(data_dir, output_dir, settings, resume=resume, on_progress=on_progress, **asked)
    if not quiet:
        say(f"Trained: {folder}. Use it with: spoticell annotate IN -o OUT --bundle {folder}")


@app.command()
@guarded
def serve(
    *,
    host: Annotated[str, typer.Option("--host", metavar="H", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=1, max=65535, metavar="P", help="Port to listen at.")] = 8050,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open the page.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="D", help="Folder for uploads and results [the user's own].")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Files to run at a time.")] = 1,
    keep: Annotated[float, typer.Option("--keep", min=0.01, metavar="HOURS", help="Delete results after.")] = 24,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="SPOTICELL_TOKEN", show_envvar=True, help="What visitors must know."),
    ] = None,
    no_token: Annotated[bool, typer.Option("--no-token", help="Let everyone in who can reach H.")] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="NAME", help="Another name of this server; repeatable.")
    ] = None,
    bundle: Annotated[
        list[str] | None, typer.Option("--bundle", "-b", metavar="NAME|FOLDER", help="Models to offer; repeatable.")
    ] = None,
    index: Annotated[
        Path | None, typer.Option("--index", "-i", metavar="INDEX", help="Reference cells to compare with.")
    ] = None,
    max_file: Annotated[float, typer.Option("--max-file", min=0.001, metavar="GIB", help="Largest upload.")] = 2,
    max_cells: Annotated[int, typer.Option("--max-cells", min=1, help="Most cells in an upload.")] = 1_000_000,
    memory: Annotated[float, typer.Option("--memory", min=1, metavar="GIB", help="Most memory of a worker.")] = 8,
    disk: Annotated[float, typer.Option("--disk", min=0.1, metavar="GIB", help="Room for uploads and results.")] = 50,
) -> None:
    """Serve the page that names cells, and its JSON API.

    Example: spoticell serve
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise ConfigError(missing("FastAPI", extra="web", doing="the page"))
    from spoticell.web.serve import serve as run
    from spoticell.web.serve import settings_of

    settings = settings_of(
        host=host,
        data_dir=data_dir,
        workers=workers,
        keep=keep,
        token=token,
        no_token=no_token,
        allow_host=allow_host or (),
        bundles=bundle or (),
        index=index,
        max_file=max_file,
        max_cells=max_cells,
        memory=memory,
        disk=disk,
    )
    listen(quiet=False, details=True)
    run(settings, host=host, port=port, browser=not no_browser)


def _tell(annotation: Annotation, written: list[str]) -> None:
    """Say what was found, what the cells are, and where the answers lie."""
    for line in annotation.findings.describe():
        say(line)
    say()
    for line in composition(annotation):
        say(line)
    say()
    if annotation.matches is not None:
        for line in matched(annotation, annotation.matches):
            say(line)
        say()
    if annotation.allowed is not None:
        say(f"Answers were kept to {annotation.allowed.describe()}.")
    named, cells = int((annotation.answer_n >= 0).sum()), len(annotation.answer_n)
    say(
        f"{named:,} of {cells:,} cells named ({share(named, cells)}) by {annotation.bundle.name}, "
        f"threshold {annotation.threshold:.2f}. Written: {', '.join(written)}"
    )
