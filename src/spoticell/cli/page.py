"""The command that writes the page as a folder of static files: ``spoticell page``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spoticell.cli.arguments import AsJson, Model, Quiet
from spoticell.cli.console import guarded, listen, say, show_json


@guarded
def page(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write: new, empty or an earlier page.")
    ],
    model: Model = "human-v1",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the page as a folder of static files: it names cells in the browser alone, with no server behind it.

    Example: spoticell page -o page
    """
    from spoticell.progress import shown
    from spoticell.web.static_page import write_page

    listen(quiet=quiet, as_json=as_json)
    with shown(not quiet, "writing the page") as step:
        made = write_page(output, model, on_progress=step)
    if as_json:
        show_json(made)
    elif not quiet:
        say(
            f"{made['folder']} holds the page with the model {made['model']}: {made['bytes'] / 1e6:.1f} MB in "
            f"{made['files']} files. Try it: python -m http.server --directory {made['folder']}"
        )
