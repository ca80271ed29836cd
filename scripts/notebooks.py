"""Runs the lessons anew and keeps their outputs, so that what they show is what the code does.

    notebooks.py [NOTEBOOK...]

Without names all of ``docs/notebooks`` are run, one after the other, in a kernel of their own each.  They find the real
cells of some lessons in the folder that ``SPOTICELL_DATA`` names.  Needs the dependency group ``notebooks``.  Look at
them before they are kept.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
SHARP = "figure.dpi: 120\n"
"""Pictures are drawn for screens of today."""
COLOURS = 200
"""Of a picture; plots have few."""
LONGEST = 900
"""Seconds that a cell may take; what takes longer hangs."""


def main() -> None:
    """Run the notebooks that are named, or all."""
    import nbformat  # noqa: PLC0415 - tests that ask for the hash do without

    asked = [Path(name).resolve() for name in sys.argv[1:]] or sorted(FOLDER.glob("*.ipynb"))
    for path in asked:
        book = nbformat.read(path, as_version=4)
        run(book)
        nbformat.write(book, path)
        print(f"{path.name}: {path.stat().st_size / 1000:,.0f} kB")


def run(book: NotebookNode) -> None:
    """Run a notebook in an empty folder, and leave nothing of this machine in it."""
    from nbclient import NotebookClient  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "matplotlibrc").write_text(SHARP, encoding="utf-8")
        os.environ["MATPLOTLIBRC"] = folder
        client = NotebookClient(book, timeout=LONGEST, kernel_name="python3", resources={"metadata": {"path": folder}})
        client.execute()
    for cell in book.cells:
        cell.metadata.pop("execution", None)  # when it was run
        for output in cell.get("outputs", ()):
            picture = output.get("data", {}).get("image/png")
            if picture:
                output.data = {"image/png": small(picture)}
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "run": {"code_sha256": code_sha256(book)},
    }


def code_sha256(book: Mapping[str, Any]) -> str:
    """Give a hash of the code, by which a test sees that the outputs are of this code."""
    code = "\0".join(cell["source"] for cell in book["cells"] if cell["cell_type"] == "code")
    return hashlib.sha256(code.encode()).hexdigest()


def small(picture: str) -> str:
    """Give a PNG with few colours, in base64."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    few.save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


if __name__ == "__main__":
    main()
