"""The page as a folder of static files: with no server behind it, a worker of the browser names the cells.

    index.html, css/, js/, icon.svg    the page of ``spoticell serve``; ``js/reach.js`` leads to the worker instead
    engine/                            the engine and HDF5's code
    data/                              the tables of this package and the model, gzipped
    demo/                              the demo cells
    manifest.json                      versions, and size and sha256 of every file
    sw.js                              keeps it all for use without a network
    README.txt                         how to host it

All addresses are relative, so that the folder works below any address of any host.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from spoticell.biology.definitions import definition
from spoticell.biology.tissues import tissue_names
from spoticell.errors import ConfigError, OutputError
from spoticell.io.demo import DEMO, DEMO_WORDS
from spoticell.io.passing import passing_place
from spoticell.io.write import put_in_place, writing
from spoticell.model.bundle import CODE, DEFAULT, Bundle, load_bundle
from spoticell.model.first_layer import part_graph
from spoticell.model.manifest import GENES, MANIFEST, MODEL
from spoticell.model.runtime import OUTPUTS
from spoticell.progress import Progress
from spoticell.version import __version__
from spoticell.web.inlined import filled, needed, static_text
from spoticell.web.shared_template import map_hashes, map_page, shared_template

FORMAT = 1
"""Version of the folder's layout; the page refuses another."""
LIST = "manifest.json"
KIND = "spoticell page"
TABLES = ("cell_states.tsv", "common_forms.tsv", "short_names.tsv", "tissue_types.tsv", "tissues.tsv", "type_names.tsv")
PACKED_TABLES = ("aliases.tsv.gz", "cell_ontology.json.gz", "genes.tsv.gz")
"""Tables that are packed in the package already."""
STATIC = files("spoticell").joinpath("web", "static")
ALONE = ("folder", "jobs", "rates", "reach", "tasks")
"""Modules of the page that only the folder has."""
NOT_ALONE = frozenset({"heldlevels", "reach", "shared", "shared_data"})
"""Modules of the page that the folder does without."""
READ_ME = """This folder is Spoticell's page. It needs no server of its own: any web server that gives out files will
do, below any address. Nothing that a visitor opens leaves the visitor's browser.

Try it here:

    python -m http.server --directory .

and open http://localhost:8000. Opened as a file, without a server, browsers don't run it.

To host it, copy the whole folder. Replace all of it when a new version comes; the browsers that know it
fetch that at their next visit. By https, or on localhost, it also works without a network after the first
visit, and every file is compared with its sha256 in manifest.json.

Headers that are good to add, if you can:

    X-Content-Type-Options: nosniff
    Referrer-Policy: no-referrer
    Content-Security-Policy: frame-ancestors 'none'

Spoticell {version}, model {model}. MIT licence; the demo cells are BSD-3-Clause (see the package),
names and definitions of types those of the Cell Ontology, CC BY 4.0.
"""

UNSERVED = """<section class="view narrow" id="unserved" aria-labelledby="unserved-title">
  <h1 id="unserved-title">This page needs a web server</h1>
  <p class="lead">It was opened as a file, and browsers don’t run such a page from a disk. Any web server that gives
    out files will do, also one on this computer. With Python, in the folder of this page:</p>
  <pre tabindex="0"><code>python -m http.server</code></pre>
  <p class="lead">Then open <code>http://localhost:8000</code>. Your files stay on this computer.</p>
</section>

"""
WORDS = (
    (">Delete the file</button>", ">Forget the file</button>"),
    ('id="delete">Delete</button>', 'id="delete">Forget</button>'),
    (">Delete this file?</h2>", ">Forget this file?</h2>"),
    (
        "The file and its results are deleted at once, and the link stops working. This can’t be undone.",
        "The page forgets what it read and worked out; what you saved stays yours. The file itself stays where it is.",
    ),
    ('id="sure-delete">Delete</button>', 'id="sure-delete">Forget</button>'),
)
"""Words of the page that are true of a server alone, and those that are true of this page."""


def write_page(folder: Path, model: Path | str, *, on_progress: Progress | None = None) -> dict[str, Any]:
    """Write the folder, whole or not at all; an earlier page in its place goes.

    Parameters
    ----------
    folder
        Where; a folder that is there must be empty or such a page.
    model
        The name of a packaged or pulled model, or a bundle's folder.
    on_progress
        Called with the files written and all that there are.

    Returns
    -------
    ``folder``, ``version``, ``model``, the number of ``files``, their ``bytes``, and ``bytes_to_name``, those that a
    browser loads before it names the first cell.

    Raises
    ------
    ConfigError
        If the browser can't run the model.
    OutputError
        If something else is in the folder, or it can't be written.
    """
    _check_place(folder)
    bundle = load_bundle(model)
    _check_model(bundle)
    contents = dict(_page_files()) | dict(_engine_files()) | dict(_data_files(bundle))
    contents[f"demo/{DEMO.name}"] = DEMO.read_bytes()
    listed = _listed(contents, bundle)
    manifest = json.dumps(listed, indent=1, ensure_ascii=False).encode()
    version = _sha256(manifest)
    kept = ["./", LIST, *sorted(set(contents) - {"index.html"})]
    contents |= {
        LIST: manifest,
        "sw.js": filled(static_text("alone/sw.js"), {"version": version, "files": json.dumps(kept)}).encode(),
        "README.txt": READ_ME.format(version=__version__, model=bundle.name).encode(),
    }
    with writing(folder), passing_place(folder.resolve()) as made:
        for done, (name, content) in enumerate(sorted(contents.items())):
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if on_progress is not None:
                on_progress(done + 1, len(contents))
        put_in_place(made, folder.resolve())
    return {
        "folder": str(folder),
        "version": __version__,
        "model": bundle.name,
        "files": len(contents),
        "bytes": sum(map(len, contents.values())),
        "bytes_to_name": sum(len(content) for name, content in contents.items() if not name.startswith("demo/")),
    }


def _check_place(folder: Path) -> None:
    if not folder.resolve().parent.is_dir():
        raise OutputError(f"{folder} can't be written: its folder does not exist. Make it first.")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file; the page is a folder. Give another path.")
    if any(folder.iterdir()) and not _is_page(folder):
        raise OutputError(f"{folder} holds other files, which would be gone. Give a folder that is new or empty.")


def _is_page(folder: Path) -> bool:
    """Say whether a folder is a page that was written here."""
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(listed, dict) and listed.get("kind") == KIND


def _check_model(bundle: Bundle) -> None:
    parted = part_graph(bundle.read(MODEL), n_genes=bundle.manifest.n_genes, outputs=OUTPUTS, reach=None)
    if parted is None or parted.windows is not None:
        what = "scales counts in another way than" if parted is None else "looks at the picture of each cell, which"
        raise ConfigError(
            f"the model {bundle.name} {what} the page alone can't compute. "
            f"Give {DEFAULT}, or use spoticell serve, which runs every model."
        )


def _page_files() -> Iterator[tuple[str, bytes]]:
    """Give the page itself, with relative addresses and a policy of its own."""
    yield "index.html", _index().encode()
    yield "icon.svg", STATIC.joinpath("icon.svg").read_bytes()
    for sheet in STATIC.joinpath("css").iterdir():
        yield f"css/{sheet.name}", sheet.read_bytes()
    for script in STATIC.joinpath("js").iterdir():
        if script.name.removesuffix(".js") not in NOT_ALONE:
            yield f"js/{script.name}", script.read_bytes()
    for name in ALONE:
        yield f"js/{name}.js", static_text(f"alone/{name}.js").encode()


def _index() -> str:
    text = static_text("index.html")
    icon = base64.b64encode(static_text("icon.svg").encode()).decode()
    for there, here in (
        # browsers ask for a page's icon again with each of its addresses
        ('"/static/icon.svg"', f'"data:image/svg+xml;base64,{icon}"'),
        ('"/static/', '"'),
        # an atlas needs the model's weights, which the folder doesn't hold
        ('    <a href="/atlas">Atlas</a>\n', ""),
        ('href="/"', 'href="./"'),
        ("loom, zarr, csv", "loom, csv"),
        ('<main id="main" tabindex="-1">\n', f'<main id="main" tabindex="-1">\n\n{UNSERVED}'),
        *WORDS,
    ):
        if there not in text:
            raise ValueError(f"index.html has no {there} any more")
        text = text.replace(there, here)
    modules = dict.fromkeys([*needed("main"), *ALONE])
    head = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_policy())}">\n'
    head += '<meta name="referrer" content="no-referrer">\n'
    links = "".join(f'<link rel="modulepreload" href="js/{name}.js">\n' for name in modules)
    return text.replace('<meta charset="utf-8">\n', f'<meta charset="utf-8">\n{head}').replace(
        "</head>", links + "</head>"
    )


def _policy() -> str:
    """Give the policy: nothing but this folder is asked, and of scripts within a page the map's alone are run."""
    script, style = map_hashes()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' {script}",
            f"style-src 'self' {style}",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            # a worker that is made of a blob has the page's own policy; one of an address would have none
            "worker-src 'self' blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _engine_files() -> Iterator[tuple[str, bytes]]:
    yield "engine/engine.js.gz", _packed(STATIC.joinpath("engine", "engine.js").read_bytes())
    yield "engine/LICENSES.txt", STATIC.joinpath("engine", "LICENSES.txt").read_bytes()
    yield "engine/hdf5.wasm.gz", STATIC.joinpath("engine", "hdf5.wasm.gz").read_bytes()


def _data_files(bundle: Bundle) -> Iterator[tuple[str, bytes]]:
    data = files("spoticell").joinpath("data")
    for name in PACKED_TABLES:
        yield f"data/{name}", data.joinpath(name).read_bytes()
    told = {term: definition(term) for term in bundle.nodes}
    yield "data/definitions.json.gz", _packed(json.dumps(told, ensure_ascii=False).encode())
    for name in TABLES:
        yield f"data/{name}.gz", _packed(data.joinpath(name).read_bytes())
    for name in (MANIFEST, GENES, MODEL, CODE):
        if name == MANIFEST:
            yield f"data/model/{name}.gz", _packed((bundle.path / MANIFEST).read_bytes())
        elif name in bundle.manifest.files:
            yield f"data/model/{name}.gz", _packed(bundle.read(name))
    yield "data/shared.html.gz", _packed(shared_template().encode())
    yield "data/map.html.gz", _packed(map_page().encode())


def _listed(contents: dict[str, bytes], bundle: Bundle) -> dict[str, Any]:
    """Give the manifest: what the page says before the engine is there, and what each file is."""
    manifest = bundle.manifest
    model = {
        "name": bundle.name,
        "description": manifest.description,
        "n_labels": len(manifest.labels),
        "threshold": manifest.threshold,
    }
    info = {
        "version": __version__,
        "models": [model],
        "limits": {"file_bytes": None, "cells": None},
        "tissues": tissue_names(),
        "keep_hours": None,
        "has_index": False,
        "demo": DEMO_WORDS,
    }
    tables = {name.removeprefix("data/").removesuffix(".gz"): name for name in contents if name.startswith("data/")}
    return {
        "kind": KIND,
        "format": FORMAT,
        "version": __version__,
        "model": {"name": bundle.name, "sha256": bundle.sha256},
        "info": info,
        "engine": "engine/engine.js.gz",
        "tables": tables | {"hdf5.wasm": "engine/hdf5.wasm.gz"},
        "demo": f"demo/{DEMO.name}",
        "files": {
            name: {"sha256": _sha256(content), "unpacked": _sha256(_unpacked(name, content)), "size": len(content)}
            for name, content in sorted(contents.items())
        },
    }


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _unpacked(name: str, content: bytes) -> bytes:
    return gzip.decompress(content) if name.endswith(".gz") else content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
