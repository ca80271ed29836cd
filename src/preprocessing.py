"""First of the three original commands: labelled data sets become a folder to train on.

    python src/preprocessing.py --output_dir data/processed [--datasets FILE ...]

Without ``--datasets`` the seven data sets that Spoticell began with are fetched (17 GB).
The work is done by ``spoticell.corpus.folder``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spoticell.cli.console import guarded, prepare, say
from spoticell.cli.tables import columns
from spoticell.progress import shown

Files = Annotated[list[Path] | None, typer.Option("--datasets", metavar="FILE ...", help="Labelled local files.")]
More = Annotated[list[Path] | None, typer.Argument(hidden=True)]


@guarded
def main(
    *,
    output_dir: Annotated[Path, typer.Option("--output_dir", help="Folder for the prepared data sets.")],
    datasets: Files = None,
    more: More = None,
    download_dir: Annotated[Path, typer.Option("--download_dir", help="Folder for what is fetched.")] = Path(
        "data/raw"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace prepared data sets that are there.")] = False,
) -> None:
    """Bring labelled data sets to one form, to train on."""
    from spoticell.corpus.folder import prepare as prepare_datasets  # noqa: PLC0415
    from spoticell.corpus.original import fetch_originals  # noqa: PLC0415 - help appears at once

    files = [*(datasets or []), *(more or [])]
    if not files:
        with shown(wanted=True, title="fetching") as on_progress:
            files = fetch_originals(download_dir, on_progress=on_progress)
    with shown(wanted=True, title="preparing") as on_progress:
        prepared = prepare_datasets(files, output_dir, overwrite=overwrite, on_progress=on_progress)
    rows = [("cells", "kept", "types", "data set")]
    rows += [(f"{one.cells:,}", f"{one.kept:,}", f"{len(one.types):,}", one.name) for one in prepared]
    for line in columns(rows, right=frozenset(range(3))):
        say(line)
    say(f"Written: {output_dir}")


if __name__ == "__main__":
    prepare()
    typer.run(main)
