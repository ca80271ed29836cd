"""How commands speak: one line for an error, a bar for what takes long, tables for people, JSON for programs.

Messages go to stderr, results that a program may read to stdout.  Exit codes: 0 done, 1 an error that
the message explains, 2 a command that was put wrongly, 130 interrupted, 129, 131 and 143 told to end by a signal.
"""

from __future__ import annotations

import functools
import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, ParamSpec

import typer

from spoticell.cli.ending import end_cleanly
from spoticell.cli.words import escaped, one_line
from spoticell.errors import SpoticellError, SpoticellWarning

Arguments = ParamSpec("Arguments")

log = logging.getLogger("spoticell")

DEBUG = "SPOTICELL_DEBUG"
"""Environment variable that lets tracebacks through, for those who look for a fault in Spoticell."""


def prepare() -> None:
    """Make the process fit for a command: no foreign warnings, clean ends, any encoding."""
    _open_standard_streams()
    log.addHandler(_Lines())
    end_cleanly()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def listen(*, quiet: bool, details: bool = False, as_json: bool = False) -> None:
    """Settle which remarks are shown: notes, with ``details`` what is being done too, with ``quiet`` none.

    With ``as_json`` a program reads, and isn't told how often a server was asked.
    """
    log.setLevel(logging.ERROR if quiet else logging.INFO if details else logging.WARNING)
    log.getChild("download").setLevel(logging.ERROR if as_json else logging.NOTSET)


def guarded(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Make a command end with one line on stderr and an exit code, whatever happens."""

    @functools.wraps(command)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            with _notes():
                command(*args, **kwargs)
            if sys.stdout is not None:
                sys.stdout.flush()
        except KeyboardInterrupt as stop:
            left = getattr(stop, "__notes__", ["nothing half-done is left behind"])
            say(one_line(f"spoticell: interrupted; {left[0]}"))
            raise typer.Exit(130) from None
        except BrokenPipeError:
            _drop_stdout()
        except Exception as error:
            if DEBUG in os.environ or isinstance(error, typer.Exit | typer.BadParameter):
                raise
            fail(sentence_of(error))

    return run


def fail(sentence: str) -> NoReturn:
    """Say why on one line of stderr, and exit with 1."""
    say(f"spoticell: {one_line(sentence)}")
    raise typer.Exit(1)


def say(text: str = "") -> None:
    """Write a line to stderr; where nobody can read it, the work goes on all the same."""
    with suppress(OSError):
        typer.echo(text, err=True)


def show_json(value: Any) -> None:  # noqa: ANN401 - anything that JSON can hold
    """Write one JSON document to stdout; numbers that aren't there are null, since JSON has no word for them."""
    typer.echo(escaped(json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False)))


@contextmanager
def telling() -> Iterator[list[str]]:
    """Hold notes back meanwhile, and then show those that aren't put into the list: the outcome tells these."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as notes:
        yield told
    for one in notes:
        if str(one.message) not in told:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


@contextmanager
def hearing() -> Iterator[list[str]]:
    """Give the notes that are made meanwhile, for JSON; they are shown too, unless the user wants quiet."""
    heard: list[str] = []
    shown = warnings.showwarning

    def hear(message: Warning | str, category: type[Warning], *where: Any, **how: Any) -> None:  # noqa: ANN401
        if issubclass(category, SpoticellWarning):
            heard.append(str(message))
        shown(message, category, *where, **how)

    warnings.showwarning = hear
    try:
        yield heard
    finally:
        warnings.showwarning = shown


@contextmanager
def _notes() -> Iterator[None]:
    """Show each note of the library once, on a line of its own; foreign warnings are for developers."""
    with warnings.catch_warnings():
        if DEBUG not in os.environ:
            warnings.simplefilter("ignore")
        warnings.simplefilter("always", SpoticellWarning)
        foreign = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **how: Any) -> None:  # noqa: ANN401
            if not issubclass(category, SpoticellWarning):
                foreign(message, category, *where, **how)
            elif log.isEnabledFor(logging.WARNING):
                say(f"note: {one_line(str(message))}")

        warnings.showwarning = show
        yield


class _Lines(logging.Handler):
    """Shows the library's remarks on stderr, above a bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"spoticell: {record.getMessage()}")


def sentence_of(error: Exception) -> str:
    """Say what went wrong, in words for the person who ran the command."""
    if isinstance(error, SpoticellError):
        return " ".join([str(error), *(f"({note})" for note in getattr(error, "__notes__", []))])
    if isinstance(error, MemoryError):
        return "memory ran out. Close other programs, or use a machine with more memory."
    if isinstance(error, OSError):
        return f"the system refuses: {error}."
    return (
        f"an error that Spoticell should have explained ({type(error).__name__}: {error}). "
        f"Please report it with the traceback that {DEBUG}=1 shows."
    )


def _drop_stdout() -> None:
    """Keep the interpreter from complaining, when it ends, that nobody reads its output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_standard_streams() -> None:
    """Lead streams that are closed to nowhere: the next file opened would get their place, and what is said to it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the system gives the lowest number that is free
            stream = open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Give a value as JSON knows it: NumPy's arrays and numbers as Python's, NaN and infinities as None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
