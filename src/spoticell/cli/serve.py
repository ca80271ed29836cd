"""The command that serves the web page: ``spoticell serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spoticell.cli.console import guarded, listen
from spoticell.extras import needed


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
    keep: Annotated[
        float, typer.Option("--keep", min=0.01, metavar="HOURS", help="Delete uploads and results after so many hours.")
    ] = 24,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="SPOTICELL_TOKEN", show_envvar=True, help="Password of the page."),
    ] = None,
    no_token: Annotated[bool, typer.Option("--no-token", help="Serve without a password.")] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="NAME", help="Another name of this server; repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", "--bundle", "-b", metavar="NAME|FOLDER", help="Models to offer; repeatable."),
    ] = None,
    index: Annotated[
        Path | None, typer.Option("--index", "-i", metavar="INDEX", help="Reference cells to compare with.")
    ] = None,
    markers: Annotated[Path | None, typer.Option("--markers", metavar="TABLE", help="Known markers of types.")] = None,
    max_file: Annotated[float, typer.Option("--max-file", min=0.001, metavar="GIB", help="Largest upload.")] = 2,
    max_cells: Annotated[int, typer.Option("--max-cells", min=1, help="Most cells in an upload.")] = 1_000_000,
    memory: Annotated[float, typer.Option("--memory", min=1, metavar="GIB", help="Most memory of a worker.")] = 8,
    disk: Annotated[float, typer.Option("--disk", min=0.1, metavar="GIB", help="Room for uploads and results.")] = 50,
) -> None:
    """Serve the page that names cells, and its JSON API.

    Example: spoticell serve
    """
    for library in ("fastapi", "uvicorn"):
        needed(library, extra="web", doing="the page")
    from spoticell.web import serve as server

    settings = server.settings_of(
        host=host,
        data_dir=data_dir,
        workers=workers,
        keep=keep,
        token=token,
        no_token=no_token,
        allow_host=allow_host or (),
        bundles=model or (),
        index=index,
        markers=markers,
        max_file=max_file,
        max_cells=max_cells,
        memory=memory,
        disk=disk,
    )
    listen(quiet=False, details=True)
    server.serve(settings, host=host, port=port, browser=not no_browser)
