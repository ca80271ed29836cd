"""Words of others, made fit for a terminal: names, licences and descriptions that come from files or servers."""

from __future__ import annotations

import json
import re
import unicodedata

MOST = 2_000
"""Characters of a message that are shown."""
REPLACED = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that can't be seen, and that could steer a terminal or turn the line around."""
# JSON escapes only what is below the space; these are the others that a terminal may obey or a reader can't see
_UNSEEN = re.compile(r"[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]")


def one_line(text: str, most: int = MOST) -> str:
    r"""Give words of others on one line, cut where they are too long.

    Parameters
    ----------
    text
        Words that come from a file or a server.
    most
        Characters that are shown.

    Examples
    --------
    >>> one_line("blood\ncells"), one_line("a very long licence", 11)
    ('blood cells', 'a very l...')
    """
    # what is long is cut before it is looked at, too
    line = " ".join(text[: 4 * most].split())
    line = "".join(REPLACED if unicodedata.category(sign).startswith("C") else sign for sign in line)
    return line if len(line) <= most else f"{line[: most - 3]}..."


def escaped(document: str) -> str:
    r"""Escape in a JSON document what a terminal may obey; a program reads the same as before.

    Examples
    --------
    >>> escaped('{"name": "a\u202eb"}')
    '{"name": "a\\u202eb"}'
    """
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], document)
