"""What repeats a run, to copy: a command line, and lines of Python."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def shell_command(cells: Path | str, output: Path | str, report: Path | str | None, options: Mapping[str, Any]) -> str:
    """Give the command line of a run.

    Parameters
    ----------
    cells, output, report
        The paths.
    options
        What else is asked for, by the names that Python has for it.

    Examples
    --------
    >>> shell_command("my cells.h5ad", "named.csv", None, {"threshold": 0.6, "allow": ("T cell", "B cell")})
    "spoticell annotate 'my cells.h5ad' -o named.csv --threshold 0.6 --allow 'T cell' --allow 'B cell'"
    """
    words = ["spoticell", "annotate", str(cells), "-o", str(output)]
    if report is not None:
        words += ["--report", str(report)]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, tuple) else (value,):
            words += [option] if one is True else [option, str(one)]
    return shlex.join(words)


def python_call(
    cells: Path | str | None, output: Path | str | None, report: Path | str | None, options: Mapping[str, Any]
) -> str:
    """Give the lines of Python of a run; ``cells`` is None for an AnnData object.  See `shell_command`.

    Examples
    --------
    >>> print(python_call("cells.h5ad", "named.csv", None, {"allow": ("T cell",)}), end="")
    import spoticell
    <BLANKLINE>
    spoticell.annotate('cells.h5ad', 'named.csv', allow=['T cell'])
    """
    named = ({} if report is None else {"report": report}) | dict(options)
    words = ["adata" if cells is None else repr(str(cells))]
    words += [] if output is None else [repr(str(output))]
    words += [f"{name}={_literal(value)}" for name, value in named.items()]
    return f"import spoticell\n\nspoticell.annotate({', '.join(words)})\n"


def _literal(value: Any) -> str:  # noqa: ANN401 - whatever an option can be
    if isinstance(value, tuple):
        return repr(list(value))
    return repr(value) if isinstance(value, float | int) else repr(str(value))
