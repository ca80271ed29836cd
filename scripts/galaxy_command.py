"""Give the command of a Galaxy tool, filled in for a file of cells: galaxy_command.py TOOL CELLS.

Run with the Python of planemo, which brings Cheetah and Galaxy's reader of tools.
"""

import sys
from pathlib import Path

from Cheetah.Template import Template
from galaxy.util import xml_macros


class Cells(str):
    """A file of cells, as Galaxy hands it to a tool."""

    element_identifier = "it's blood"


def main() -> None:
    """Print the command with two options chosen."""
    tool, cells = sys.argv[1:]
    command = xml_macros.load(tool).find("command").text
    chosen = {
        "threshold": "0.4",
        "tissue": "",
        "by": "",
        "groups": "",
        "matches": "",
        "each_cell_alone": "--each-cell-alone",
    }
    values = chosen | {
        "cells": Cells(Path(cells).resolve()),
        "allow": [{"type": "T cell"}],
        "deny": [],
        "summary": "summary.json",
    }
    print(" ".join(str(Template(command, searchList=[values])).split()))


if __name__ == "__main__":
    main()
