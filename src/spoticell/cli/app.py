"""The ``spoticell`` command: thin doors to the functions of ``spoticell.api``.

Nothing heavy is imported before a command runs, so that help appears at once.
"""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from spoticell.cli.annotate import annotate, check, evaluate
from spoticell.cli.console import guarded
from spoticell.cli.console import prepare as prepare_console
from spoticell.cli.doctor import doctor
from spoticell.cli.explain import explain
from spoticell.cli.index import index_app, search
from spoticell.cli.models import models_app
from spoticell.cli.page import page
from spoticell.cli.prepare import prepare
from spoticell.cli.serve import serve
from spoticell.cli.train import train
from spoticell.io.heap import one_heap
from spoticell.version import __version__

DAY = (
    "check", "annotate", "evaluate", "explain", "search", "index", "serve", "page", "prepare",
    "train", "models", "doctor",
)  # fmt: skip
"""The commands in the order of a user's day."""


class _Commands(TyperGroup):
    """Lists commands and groups of commands in one order."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(DAY)


app = typer.Typer(
    cls=_Commands,
    name="spoticell",
    help="Name human cells from single-cell RNA counts, offline, on an ordinary computer.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (check, annotate, evaluate, explain, search, serve, page, prepare, train, doctor):
    app.command()(command)
app.add_typer(index_app, name="index")
app.add_typer(models_app, name="models")
app.add_typer(models_app, name="bundles", hidden=True)  # how it was called before


def main() -> None:
    """Run the command line."""
    # a run makes many lasting objects and few circles: looking for these took a twentieth of the time
    gc.set_threshold(100_000, 50, 100)
    one_heap()
    prepare_console()
    try:
        # help and version are shown outside of any command
        guarded(app)()
    except typer.Exit as end:
        sys.exit(end.exit_code)
    finally:
        # the process ends, and need not look for circles among all that it holds: that took a third of a second
        gc.freeze()


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
