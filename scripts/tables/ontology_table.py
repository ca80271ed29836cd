"""Build the packaged tables of the Cell Ontology from the file that cellxgene-ontology-guide ships (CC BY 4.0).

    ontology_table.py CL-ontology-VERSION.json.zst OUTPUT_FOLDER

Written are, the same bytes each time, `cell_ontology.json.gz`: the version, `terms` (id: name, direct parents,
synonyms) without the obsolete ones, and `replaced` (obsolete id or name: the term to use instead); and
`definitions.json.gz`: the definition of each term that has one, apart since only readers need it.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

import zstandard


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Read the terms, obsolete ones among them."""
    with path.open("rb") as packed:
        return json.loads(zstandard.ZstdDecompressor().stream_reader(packed).read())


def parents(term: str, raw: dict[str, dict[str, Any]]) -> list[str]:
    """Give the terms right above; an ancestor that no parent leads to counts as a parent."""
    above = raw[term]["ancestors"]
    direct = {ancestor for ancestor, steps in above.items() if steps == 1}
    reached = direct | {further for ancestor in direct for further in raw[ancestor]["ancestors"]}
    return sorted(direct | (above.keys() - reached))


def replacements(raw: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Map ids and names of obsolete terms to their successors."""
    found = {}
    for term, entry in raw.items():
        successor = entry.get("replaced_by", "")
        if entry["deprecated"] and successor in raw and not raw[successor]["deprecated"]:
            found[term] = successor
            found[entry["label"].removeprefix("obsolete ").lower()] = successor
    found.pop("", None)
    return found


def main() -> None:
    """Build the table."""
    source, folder = map(Path, sys.argv[1:])
    raw = read(source)
    version = re.search(r"v(\d{4}-\d{2}-\d{2})", source.name)
    terms = {
        term: [raw[term]["label"], parents(term, raw), sorted(raw[term].get("synonyms", []))]
        for term in sorted(raw)
        if not raw[term]["deprecated"]
    }
    table = {"version": version[1] if version else "", "terms": terms, "replaced": replacements(raw)}
    definitions = {term: " ".join(raw[term]["description"].split()) for term in terms if raw[term].get("description")}
    for name, content in (("cell_ontology", table), ("definitions", definitions)):
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{len(terms)} terms, {len(table['replaced'])} replaced names and ids, {len(definitions)} definitions")


if __name__ == "__main__":
    main()
