"""The commands about trained models: ``spoticell models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spoticell.cli.arguments import AsJson, Quiet
from spoticell.cli.console import guarded, listen, say, show_json
from spoticell.cli.tables import card, listing

if TYPE_CHECKING:
    from spoticell.model.catalogue import Offer

models_app = typer.Typer(add_completion=False, rich_markup_mode=None)

Source = Annotated[
    str | None,
    typer.Option("--from", metavar="CATALOGUE", help="Also list what is offered here: folder, https or hf:// address."),
]


@models_app.callback(invoke_without_command=True)
@guarded
def models(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the trained models that are at hand, show one, fetch one, or share one.

    Example: spoticell models info human-v1
    """
    if context.invoked_subcommand is None:
        _list(None, as_json=as_json)


@models_app.command("list")
@guarded
def list_models(*, source: Source = None, as_json: AsJson = False) -> None:
    """List the models at hand, and those that a catalogue offers.

    Example: spoticell models list --from https://example.org/models
    """
    _list(source, as_json=as_json)


@models_app.command("info")
@guarded
def info(
    model: Annotated[
        str, typer.Argument(metavar="NAME|FOLDER", help="A model's name, NAME@REVISION, or the folder that holds it.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what a model is, knows and was trained on.

    Example: spoticell models info human-v1
    """
    from spoticell.model.bundle import load_bundle
    from spoticell.model.catalogue import revision_of
    from spoticell.model.pulled import source_of

    listen(quiet=False, as_json=as_json)
    loaded = load_bundle(model)
    source, revision = source_of(loaded.path), revision_of(loaded.sha256)
    if as_json:
        more = {"path": str(loaded.path), "sha256": loaded.sha256, "revision": revision, "from": source}
        show_json(loaded.manifest.model_dump(mode="json") | more)
        return
    typer.echo("\n".join(card(loaded.manifest, loaded.path, loaded.sha256, source=source)))


@models_app.command("pull")
@guarded
def pull(
    model: Annotated[str, typer.Argument(metavar="NAME", help="The model's name, or NAME@REVISION.")],
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="CATALOGUE", help="Where it is offered: folder, https or hf:// address.")
    ],
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="REVISION", help="The revision to fetch [the newest].")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let NAME mean this revision from now on; replace a changed model.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fetch a model from a catalogue. After that it is known by its name, offline too.

    Example: spoticell models pull blood --from https://example.org/models
    """
    from spoticell.model.catalogue import offer_of
    from spoticell.model.manifest import MANIFEST
    from spoticell.model.pull import pull_model

    listen(quiet=quiet, as_json=as_json)
    bundle = pull_model(model, source, revision=revision, overwrite=overwrite, on_progress=not quiet)
    offer = offer_of(bundle.manifest, (bundle.path / MANIFEST).read_bytes())
    if as_json:
        show_json(_record(offer) | {"path": str(bundle.path)})
    elif not quiet:
        say(f"{_called(offer)} is at hand: {bundle.path}. Use it with --model {offer.name}@{offer.revision}")


@models_app.command("push")
@guarded
def push(
    model: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The folder that holds the model, or the name of one at hand.")
    ],
    place: Annotated[
        str, typer.Argument(metavar="CATALOGUE", help="A folder, made if need be, or hf://OWNER/NAME on the hub.")
    ],
    *,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What others call it; a model of your own needs one."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put a model into a catalogue, from where others can pull it.

    Example: spoticell models push models/mine/best_model_f1 /srv/www/models --name blood
    """
    from spoticell.model.push import push_model

    listen(quiet=quiet, as_json=as_json)
    offer, is_new = push_model(model, place, name=name)
    if as_json:
        show_json(_record(offer) | {"place": place, "new": is_new})
    elif not quiet:
        state = "is offered now" if is_new else "was offered already"
        say(f"{_called(offer)} {state} in {place}. Fetch it: spoticell models pull {offer.name} --from {place}")


def _list(source: str | None, *, as_json: bool) -> None:
    listen(quiet=False, as_json=as_json)
    rows = _at_hand()
    if source is not None:
        rows += _offered(source)
    if as_json:
        show_json([_record(offer) | {"where": where, "called": called} for offer, where, called in rows])
    elif rows:
        typer.echo("\n".join(listing(rows)))
    else:
        say("spoticell: no model is installed; give the folder of one wherever a name is asked for")


def _at_hand() -> list[tuple[Offer, str, str]]:
    """Give the models that are here, where each is from, and how each is called."""
    from spoticell.model import bundle
    from spoticell.model.pulled import pulled_models, stated

    rows = [(stated(bundle.PACKAGED / name), "shipped", name) for name in bundle.packaged_bundles()]
    for model in pulled_models():
        bare = model.is_meant and model.offer.name not in bundle.packaged_bundles()
        called = model.offer.name if bare else f"{model.offer.name}@{model.offer.revision}"
        rows.append((model.offer, f"pulled from {model.source}", called))
    return rows


def _offered(source: str) -> list[tuple[Offer, str, str]]:
    from spoticell.model.shelves import open_shelf

    shelf = open_shelf(source)
    catalogue = shelf.catalogue()
    newest = {offer.name: offer.sha256 for offer in catalogue.models}
    return [
        (
            offer,
            f"offered by {shelf.place}",
            offer.name if newest[offer.name] == offer.sha256 else f"{offer.name}@{offer.revision}",
        )
        for offer in catalogue.models
    ]


def _record(offer: Offer) -> dict[str, Any]:
    return offer.model_dump(mode="json", exclude={"folder"}) | {"revision": offer.revision}


def _called(offer: Offer) -> str:
    return f"{offer.name} ({offer.types:,} types, {offer.genes:,} genes, revision {offer.revision})"
