"""Every error Spoticell raises on purpose.

::

    SpoticellError
     |- FileFormatError    a file that can't be read as what it claims to be
     |- CountsError        a matrix from which counts can't be had
     |- GeneMatchError     gene names that aren't those of a human data set
     |- BundleError        a bundle that is broken, unsafe or of another version
     |- ConfigError        a setting that can't be
     |- SearchError        an index that can't be used, or a search in it that can't be done
     |- StoreError         a store of labelled cells that is unfinished, damaged or of other genes
     |- TrainingError      training data or a training state that can't be used
     |- OutputError        a result that can't be written
     |- DownloadError      a file that can't be fetched

Notes, which stop nothing, are warnings of the category `SpoticellWarning`.

Each message is one sentence or two for the person who ran the command: what was
found, what was needed, what to do.  The command line prints it and exits with 1.
"""

from __future__ import annotations

import inspect
import warnings


class SpoticellError(Exception):
    """Something the user can understand and mend; the message says how."""


class FileFormatError(SpoticellError, ValueError):
    """A file can't be read as what it claims to be."""


class CountsError(SpoticellError, ValueError):
    """Counts can't be had from a matrix."""


class GeneMatchError(SpoticellError, ValueError):
    """The gene names aren't those of a human data set, or too few are known."""


class BundleError(SpoticellError, ValueError):
    """A bundle is broken, unsafe or of a version that this release can't read."""


class ConfigError(SpoticellError, ValueError):
    """A setting has a value that can't be."""


class SearchError(SpoticellError, ValueError):
    """An index can't be used, or what is sought in it can't be."""


class StoreError(SpoticellError, ValueError):
    """A store of labelled cells is unfinished, damaged, or not of the genes that are asked for."""


class TrainingError(SpoticellError, ValueError):
    """Training data, or a training state, can't be used."""


class OutputError(SpoticellError, OSError):
    """A result can't be written."""


class DownloadError(SpoticellError, OSError):
    """A file can't be fetched from the network."""


class SpoticellWarning(UserWarning):
    """Something that the user should know and that stops nothing."""


def note(sentence: str) -> None:
    """Tell the user something that stops nothing, as a `SpoticellWarning` at the line of his that called Spoticell."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "spoticell":
        frame, level = frame.f_back, level + 1
    warnings.warn(sentence, SpoticellWarning, stacklevel=level + 1)
