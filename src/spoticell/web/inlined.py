"""The page's own scripts and styles as one text each, so that a file can hold them and needs no server.

Modules of the page import each other by name alone; each becomes a function's result here, those first that others use.
Of two that need each other, one gets the other's functions when it calls them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

_PART = re.compile(r"<!--(\w+)-->(.*?)<!--/\1-->", re.DOTALL)
_IMPORT = re.compile(r'^import\s+(?:\*\s+as\s+(\w+)|\{([^}]*)\})\s+from\s+"\./([\w-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+((?:async\s+)?function|const|class)\s+([\w$]+)", re.MULTILINE)
_FUNCTION = re.compile(
    r"^export\s+(?:(?:async\s+)?function\s+([\w$]+)|const\s+([\w$]+)\s*=\s*(?:async\s+)?(?:\([^()]*\)|\w+)\s*=>)",
    re.MULTILINE,
)
NOT_HELD = "notHeld"
_ELSE = re.compile(r"^(?:import|export)\b.*|\bimport\(.*", re.MULTILINE)


def static_text(name: str) -> str:
    """Give a file of the page."""
    return files("spoticell").joinpath("web", "static", *name.split("/")).read_text(encoding="utf-8")


def parts_of_page() -> dict[str, str]:
    """Give the parts of the page that a shared file has too, by the names that comments give them in ``index.html``."""
    return dict(_PART.findall(static_text("index.html")))


def styles(names: Sequence[str]) -> str:
    """Give style sheets of the page as one."""
    return "".join(static_text(f"css/{name}.css") for name in names)


def scripts(names: Sequence[str]) -> str:
    """Give scripts of the page that are no modules as one."""
    return "".join(static_text(f"js/{name}.js") for name in names)


def module(entry: str, *, instead: Mapping[str, str] | None = None) -> str:
    r"""Give a module of the page and all that it imports as one script.

    Parameters
    ----------
    entry
        Name of the module, without ``.js``.
    instead
        Modules that others take the place of. What such a stand-in lacks is its `NOT_HELD`, which it must export.

    Raises
    ------
    ValueError
        If a module imports or exports in a way that can't be put into one script, or modules need more of each other
        than functions.

    Examples
    --------
    >>> module("words").startswith('"use strict";\nconst words$ = (() => {')
    True
    """
    done: dict[str, str] = {}
    _add(entry, instead or {}, done, ())
    return '"use strict";\n' + "".join(done.values())


def needed(*entries: str) -> list[str]:
    """Name these modules of the page and all that they import before they run, each once.

    Examples
    --------
    >>> needed("keep")
    ['keep', 'dom']
    """
    found = list(entries)
    for name in found:
        others = [other for *_, other in _IMPORT.findall(static_text(f"js/{name}.js"))]
        found += [other for other in dict.fromkeys(others) if other not in found]
    return found


def filled(template: str, fields: Mapping[str, str]) -> str:
    """Put texts into the fields of a template.

    Examples
    --------
    >>> filled("[[name]] of [[place]]", {"name": "A", "place": "[[name]]"})
    'A of [[name]]'
    """
    return re.sub(r"\[\[(\w+)\]\]", lambda found: fields[found[1]], template)


def hash_of(text: str) -> str:
    """Give the source by which a policy allows an inline script or style.

    Examples
    --------
    >>> hash_of("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _add(name: str, instead: Mapping[str, str], done: dict[str, str], above: tuple[str, ...]) -> None:
    name = instead.get(name, name)
    if name in done or name in above:
        return
    text = static_text(f"js/{name}.js")
    imported: list[str] = []
    for whole, some, other in _IMPORT.findall(text):
        _add(other, instead, done, (*above, name))
        if other in (*above, name):
            imported.append(_later(name, other, whole or some))
        else:
            taken = whole or "{ " + some.strip().rstrip(",").replace(" as ", ": ") + " }"
            imported.append(f"const {taken} = {_called(instead.get(other, other))};\n")
    exported = _exports(text)
    given = [*exported, *(f"{lacked}: {NOT_HELD}" for lacked in _lacked(name, instead, exported))]
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub("", text))
    if odd := _ELSE.search(body):
        raise ValueError(f"{name}.js has a line that can't be put into one script: {odd[0]}")
    end = f"return {{ {', '.join(given)} }};\n" if given else ""
    done[name] = f"const {_called(name)} = (() => {{\n{''.join(imported)}{body}{end}}})();\n"


def _later(name: str, other: str, imported: str) -> str:
    """Give the functions that a module imports from one that isn't there yet."""
    functions = _FUNCTION.findall(static_text(f"js/{other}.js"))
    taken = [part.strip() for part in imported.split(",") if part.strip()]
    if not set(taken) <= {first or second for first, second in functions}:
        raise ValueError(
            f"{other} and {name} import each other, and {name} takes more than functions: {', '.join(taken)}"
        )
    return "".join(f"const {one} = (...all) => {_called(other)}.{one}(...all);\n" for one in taken)


def _exports(text: str) -> list[str]:
    return [name for _, name in _EXPORT.findall(text)]


def _lacked(name: str, instead: Mapping[str, str], exported: Sequence[str]) -> list[str]:
    """Name what the modules give that a module stands in for, and it doesn't."""
    others = [other for other, own in instead.items() if own == name]
    return [given for other in others for given in _exports(static_text(f"js/{other}.js")) if given not in exported]


def _called(name: str) -> str:
    return f"{name}$"
