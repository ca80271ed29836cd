"""What of an HDF5 file leads out of it, and how it is left out.

A stranger's file may name other files: by external links, by arrays whose numbers are stored elsewhere, by arrays put
together from others.  Whoever opens a copy of it would read, on the own machine, what the stranger named.
Looking at a link here never follows it: even to ask whether its target exists would open the other file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spoticell.io.storage.tree import DAMAGE, reading, text

MOST_LINKS = 16
"""Soft links that lead to a member one after the other."""
NAMED, LONGEST = 3, 80
"""Places that a sentence names, the others are counted; and how long a name may be there."""
_TABLES = frozenset({"obs", "var", "raw/var"})
"""Tables that can do without a column."""
_HOLDERS = frozenset({"", "dict", "anndata", "raw"})
"""Kinds of groups that can do without a member; the parts of other kinds are of no use alone."""


def link_of(group: h5py.Group, name: str) -> Any | None:  # noqa: ANN401 - h5py's links share no type
    """Give the link of a group's member, unfollowed; None where there is none.

    Links of kinds that h5py doesn't know count as external.

    Examples
    --------
    >>> with h5py.File("links.h5", "w", driver="core", backing_store=False) as file:
    ...     file["away"] = h5py.ExternalLink("other.h5", "/X")
    ...     link_of(file, "away").filename, link_of(file, "nothing")
    ('other.h5', None)
    """
    links, code = group.id.links, name.encode("utf-8", "surrogateescape")
    if not links.exists(code):
        return None
    kind = links.get_info(code).type
    if kind == h5py.h5l.TYPE_HARD:
        return h5py.HardLink()
    if kind == h5py.h5l.TYPE_SOFT:
        return h5py.SoftLink(links.get_val(code).decode("utf-8", "surrogateescape"))
    if kind == h5py.h5l.TYPE_EXTERNAL:
        return h5py.ExternalLink(*(part.decode("utf-8", "surrogateescape") for part in links.get_val(code)))
    return h5py.ExternalLink("unknown", "/")


def leading_out(path: Path) -> list[str]:
    """Give the places in an AnnData file that lead out of it, each the smallest that can be left out; sorted.

    These are external links, soft links that end nowhere or pass through one of these, arrays stored elsewhere or put
    together from others, and arrays of references.  A part of a column or of a sparse matrix stands for the whole.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    """
    with reading(path.name, "its groups"), h5py.File(path, "r") as file:
        return sorted(_leading_out(file))


def leave_out(file: h5py.File, places: Sequence[str]) -> None:
    """Remove what `leading_out` found from a copy of the file, and its columns from the lists of the tables."""
    for place in places:
        parent, _, name = place.rpartition("/")
        group = file[parent or "/"]
        del group[name]
        if "column-order" in group.attrs:
            kept = [column for column in text(np.atleast_1d(group.attrs["column-order"])).tolist() if column != name]
            group.attrs.create("column-order", np.array(kept, dtype=object), dtype=h5py.string_dtype())


def left_out(places: Sequence[str]) -> str:
    """Say to the owner of a file what of it is left out.

    Examples
    --------
    >>> left_out(["uns/a"])
    "'uns/a' leads out of the file, so it is left out of the annotated file."
    >>> left_out(["obs/a", "obs/b", "obs/c", "obs/d"])
    "'obs/a', 'obs/b', 'obs/c' and 1 more lead out of the file, so they are left out of the annotated file."
    """
    names, n_more = [f"'{place[:LONGEST]}'" for place in places[:NAMED]], len(places) - NAMED
    listed = f"{', '.join(names)} and {n_more} more" if n_more > 0 else ", ".join(names)
    words = "leads out of the file, so it is" if len(places) == 1 else "lead out of the file, so they are"
    return f"{listed} {words} left out of the annotated file."


def _leading_out(file: h5py.File) -> Iterator[str]:
    root = file["/"]
    waiting, seen = [("", root)], {_address(root)}
    while waiting:
        place, group = waiting.pop()
        for name in group:
            member = f"{place}/{name}".lstrip("/")
            target = _target(file, group, name)
            if not isinstance(target, h5py.Group):
                leads_out = _is_foreign(file, target)
            elif _holds_members(target, member):
                leads_out = False
                if (address := _address(target)) not in seen:
                    seen.add(address)
                    waiting.append((member, target))
            else:
                leads_out = _has_foreign_part(file, target)
            if leads_out:
                yield member


def _target(file: h5py.File, group: h5py.Group, name: str) -> Any | None:  # noqa: ANN401 - h5py shares no type
    """Give what a group's member is, None where its link leads out of the file, or nowhere."""
    here, parts, n_links = group, [name], 0
    while parts:
        part = parts.pop(0)
        link = link_of(here, part) if isinstance(here, h5py.Group) else None
        if isinstance(link, h5py.HardLink):
            try:
                here = here[part]
            except DAMAGE:
                return None
            continue
        if not isinstance(link, h5py.SoftLink) or n_links == MOST_LINKS:
            return None
        n_links += 1
        here = file["/"] if link.path.startswith("/") else here
        parts = [step for step in link.path.split("/") if step not in {"", "."}] + parts
    return here


def _is_foreign(file: h5py.File, node: Any | None) -> bool:  # noqa: ANN401
    """Whether a node that is no group is missing, or its numbers aren't in the file."""
    if not isinstance(node, h5py.Dataset):
        return node is None
    try:
        if node.external or node.is_virtual or _has_references(node.dtype):
            return True
        # files older than AnnData 0.7 name the categories of a column so
        reference = node.attrs.get("categories")
        if not isinstance(reference, h5py.Reference):
            return False
        categories = file[reference]
        return categories.name is None or bool(categories.external) or categories.is_virtual
    except DAMAGE:
        return True


def _has_references(dtype: np.dtype[Any]) -> bool:
    inner = [h5py.check_vlen_dtype(dtype), dtype.subdtype and dtype.subdtype[0]]
    inner += [field[0] for field in (dtype.fields or {}).values()]
    return h5py.check_ref_dtype(dtype) is not None or any(_has_references(np.dtype(one)) for one in inner if one)


def _holds_members(group: h5py.Group, place: str) -> bool:
    """Whether a group can do without one of its members."""
    try:
        kind = group.attrs.get("encoding-type", "")
        is_old_matrix = "h5sparse_format" in group.attrs
    except DAMAGE:
        return False
    kind = kind.decode("utf-8", "replace") if isinstance(kind, bytes) else str(kind)
    return (kind in _HOLDERS and not is_old_matrix) or (kind == "dataframe" and place in _TABLES)


def _has_foreign_part(file: h5py.File, group: h5py.Group) -> bool:
    waiting, seen = [group], {_address(group)}
    while waiting:
        here = waiting.pop()
        for name in here:
            target = _target(file, here, name)
            if not isinstance(target, h5py.Group):
                if _is_foreign(file, target):
                    return True
            elif (address := _address(target)) not in seen:
                seen.add(address)
                waiting.append(target)
    return False


def _address(group: h5py.Group) -> int:
    return int(h5py.h5o.get_info(group.id).addr)
