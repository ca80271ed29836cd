"""What repeats a run, to copy: a command line, and lines of Python.

Names in it come from files and from strangers.  Whatever they hold, what is pasted into a shell runs `spoticell` with
these names, and nothing else.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from spoticell.io.address import Place


def shell_command(
    cells: Place | str, output: Place | str, report: Place | str | None, options: Mapping[str, Any]
) -> str:
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
    >>> shell_command("-x.h5ad", "x.csv", None, {"groups": "-a"})
    'spoticell annotate ./-x.h5ad -o x.csv --groups=-a'
    """
    words = ["spoticell", "annotate", _quoted(_path(cells)), "-o", _quoted(_path(output))]
    if report is not None:
        words += ["--report", _quoted(_path(report))]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, tuple) else (value,):
            # a value that begins with a dash would be taken for an option
            joint = "=" if str(one).startswith("-") else " "
            words.append(option if one is True else f"{option}{joint}{_quoted(str(one))}")
    return " ".join(words)


def python_call(
    cells: Place | str | None, output: Place | str | None, report: Place | str | None, options: Mapping[str, Any]
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


def _path(path: Place | str) -> str:
    """Give a path that no program takes for an option, and no shell for the place of a command."""
    text = str(path)
    return f"./{text}" if text.startswith(("-", "=")) else text


def _quoted(word: str) -> str:
    r"""Give a word as shells read it.

    Control characters would act on a terminal as they are pasted, so they are written out as bash, zsh and ksh read it.

    Examples
    --------
    >>> _quoted("a"), _quoted("$(id)"), _quoted("two\nlines'")
    ('a', "'$(id)'", "$'two\\nlines\\''")
    """
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_written_out, word)) + "'"


def _written_out(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
    return named.get(character) or "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "replace"))


def _literal(value: Any) -> str:  # noqa: ANN401 - whatever an option can be
    if isinstance(value, tuple):
        return repr(list(value))
    return repr(value) if isinstance(value, float | int) else repr(str(value))
