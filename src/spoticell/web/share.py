"""One HTML file of what a reader looks at: map, types, scores, some columns and genes, that opens anywhere.

All words and numbers lie in it gzipped in base64, so no text of an upload can become a part of the page. Names of cells
and counts of other genes don't go in.

    uint32       length of the words
    words        JSON: what the page says, and where each array lies: {name: [kind, first byte, values]}
    arrays       little-endian, each begins at a multiple of 8
"""

from __future__ import annotations

import base64
import gzip
import html
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.version import __version__
from spoticell.web import columns, sink
from spoticell.web.curated import Curated
from spoticell.web.inlined import filled
from spoticell.web.jobs import Job, of_a_result
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results
from spoticell.web.selection import unpacked_bits
from spoticell.web.share_schemas import ShareOrder, ShareSelection
from spoticell.web.shared_template import map_page, shared_template

STEPS = 65534
"""Steps of a place on the map, far below a pixel; one more stands for no place."""
NAMELESS = "its name is not in this file"


def shared_page(results: Results, job: Job, order: ShareOrder) -> bytes:
    """Give the file.

    Parameters
    ----------
    results
        The job's.
    job
        The job.
    order
        What the page shows, and what goes in.
    """
    arrays = _cells(results, order)
    words = _words(results, job, order)
    words["columns"] = _columns(results, order, arrays)
    words["genes"] = _genes(results, order, arrays)
    words["given"] = _given(results, arrays)
    if isinstance(order, ShareSelection) and order.cells is not None:
        chosen_n = unpacked_bits(order.cells, results.n_cells)
        arrays["chosen"] = chosen_n.astype(np.uint8)
        words["chosen"] = order.name
    data = base64.b64encode(gzip.compress(_packed(words | {"frame": map_page()}, arrays), mtime=0)).decode()
    return filled(shared_template(), {"title": html.escape(f"{job.name} · Spoticell"), "data": data}).encode()


def _cells(results: Results, order: ShareOrder) -> dict[str, NDArray[Any]]:
    n = results.n_cells
    shown = gzip.decompress((results.folder / sink.MAP).read_bytes())
    floats = np.frombuffer(shown, dtype="<f4", count=3 * n, offset=4).reshape(3, n)
    places_2n = floats[:2] if order.map is None else _map_of_file(results, order.map)
    arrays: dict[str, NDArray[Any]] = {axis: _steps(place_n) for axis, place_n in zip("xy", places_2n, strict=True)}
    arrays |= {"score": floats[2], "type": results.types().astype("<u2")}
    groups = results.folder / sink.GROUPS
    if groups.exists():
        arrays["group"] = np.frombuffer(gzip.decompress(groups.read_bytes()), dtype="<u2")
    return arrays


def _steps(place_n: NDArray[np.float32]) -> NDArray[np.uint16]:
    known_n = np.isfinite(place_n)
    step_n = np.round(np.clip(np.where(known_n, place_n, 0), 0, 1) * STEPS)
    return np.where(known_n, step_n, STEPS + 1).astype("<u2")


def _map_of_file(results: Results, place: int) -> NDArray[np.float32]:
    path = results.folder / columns.MAPS / columns.packed_name(place)
    if not path.exists():
        raise Refusal(422, "There is no such map.")
    return np.frombuffer(gzip.decompress(path.read_bytes()), dtype="<f4").reshape(2, -1)


def _words(results: Results, job: Job, order: ShareOrder) -> dict[str, Any]:
    settings = (of_a_result(job) or {}).get("settings") or {}
    settings = {name: value for name, value in settings.items() if value is not None}
    return {
        "made": datetime.now(UTC).date().isoformat(),
        "version": __version__,
        "steps": STEPS,
        "job": {"name": job.name, "settings": settings, "warnings": (job.findings or {}).get("notes", [])},
        "view": order.view,
        # names of samples and conditions are those of columns, which may not be asked for
        "summary": json.loads((results.folder / sink.SUMMARY).read_text(encoding="utf-8"))
        | {"samples": None, "differences": None},
        "map": None if order.map is None else columns.listed(results.folder)["maps"][order.map]["name"],
        "cell": None if order.cell is None else _cell(results, order.cell),
        "chosen": None,
    }


def _cell(results: Results, n: int) -> dict[str, Any]:
    if n >= results.n_cells:
        raise Refusal(422, f"There is no such cell. Give a position from 0 to {results.n_cells - 1:,}.")
    picture = base64.b64encode(results.picture(n)).decode()
    return results.cell(n) | {"name": NAMELESS, "picture": f"data:image/png;base64,{picture}"}


def _columns(results: Results, order: ShareOrder, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Put the values of the columns with the arrays, and give the list of columns as the page gets it."""
    path = results.folder / columns.LIST
    all_columns = columns.listed(results.folder)["columns"] if path.exists() else []
    kept: list[dict[str, Any]] = []
    for place in dict.fromkeys(order.column):
        if place >= len(all_columns):
            raise Refusal(422, "There is no such column.")
        packed = (results.folder / columns.COLUMNS / columns.packed_name(place)).read_bytes()
        dtype = "<u2" if all_columns[place]["kind"] == columns.CATEGORY else "<f4"
        arrays[f"column {len(kept)}"] = np.frombuffer(gzip.decompress(packed), dtype=dtype)
        kept.append(all_columns[place])
    return {"columns": kept, "left_out": [], "maps": []}


def _genes(results: Results, order: ShareOrder, arrays: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    found = [g for g in dict.fromkeys(results.gene(symbol) for symbol in order.gene) if g is not None]
    told: list[dict[str, Any]] = []
    for g in found:
        arrays[f"gene {len(told)}"], most = results.gene_levels(g)
        told.append({"symbol": results.bundle.vocabulary.symbols[g], "max": most})
    return told


def _given(results: Results, arrays: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    curated = Curated(results.folder, results.n_cells)
    names: list[dict[str, Any]] = curated.told()["names"]
    if names:
        arrays["given"] = curated.shown().astype("<u2")
    return names


def _packed(words: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    start, places = 0, {}
    for name, array in arrays.items():
        places[name] = [array.dtype.str.lstrip("<|"), start, len(array)]
        start += -(-array.nbytes // 8) * 8
    head = json.dumps(words | {"arrays": places}, ensure_ascii=False).encode()
    head += b" " * (-(4 + len(head)) % 8)
    parts = [len(head).to_bytes(4, "little"), head]
    parts += [array.tobytes() + b"\0" * (-array.nbytes % 8) for array in arrays.values()]
    return b"".join(parts)
