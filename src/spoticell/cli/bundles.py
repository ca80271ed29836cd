"""The commands about trained models: ``spoticell bundles``."""

from __future__ import annotations

from typing import Annotated

import typer

from spoticell.cli.arguments import AsJson
from spoticell.cli.console import guarded, say, show_json
from spoticell.cli.tables import card, listing

bundles_app = typer.Typer(add_completion=False, rich_markup_mode=None)


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
        say("spoticell: no model is installed; give the folder of one wherever a name is asked for")
        return
    typer.echo("\n".join(listing(manifests)))


@bundles_app.command("info")
@guarded
def info(
    bundle: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="A model's name, or the folder that holds it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what a model is, knows and was trained on.

    Example: spoticell bundles info human-v1
    """
    from spoticell.model.bundle import load_bundle

    loaded = load_bundle(bundle)
    if as_json:
        show_json(loaded.manifest.model_dump(mode="json") | {"path": str(loaded.path), "sha256": loaded.sha256})
        return
    typer.echo("\n".join(card(loaded.manifest, loaded.path, loaded.sha256)))
