"""Third of the three original commands: name the cells of a file with a trained model.

    python src/predict.py --model_path models/spoticell_test/best_model_f1 --data_path data/test_data.h5ad

The same as ``spoticell annotate``; the model is a bundle's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spoticell.cli.annotate import annotate
from spoticell.cli.console import prepare


def main(
    *,
    model_path: Annotated[Path, typer.Option("--model_path", help="Folder of a trained model.")],
    data_path: Annotated[
        Path, typer.Option("--data_path", help="h5ad, 10x .h5 or folder, mtx, csv or tsv, loom, zarr.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", help="Where to write: .h5ad or .csv [DATA_PATH with _predicted.h5ad].")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Also write an HTML report here.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Name the cells of a file with a trained model."""
    output = output or data_path.with_name(f"{data_path.stem}_predicted.h5ad")
    annotate([data_path], output=output, model=str(model_path), report=report, overwrite=overwrite)


if __name__ == "__main__":
    prepare()
    typer.run(main)
