"""Build the packaged gene vocabulary and alias table from GENCODE and HGNC.

    build_gene_table.py GENES_CSV ALIASES_TSV OUTPUT_FOLDER

GENES_CSV has no header and the columns Ensembl id, symbol, version, length, biotype, in genomic order.
ALIASES_TSV has a header and the columns name, approved symbol, chromosome.
Written are `genes.tsv.gz` (id, symbol, chromosome) and `aliases.tsv.gz` (name, ids joined by commas), the
same bytes each time.  A name that leads to several genes keeps all of their ids: it is ambiguous; one without
any belongs to a gene outside the vocabulary though it looks like a repeat of one inside.
`later_symbols.tsv`, beside this script, holds symbols that changed after the HGNC table was made.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

BIOTYPES = {"protein_coding"} | {f"{locus}_{part}_gene" for locus in ("IG", "TR") for part in "VDJC"}
CHROMOSOMES = {*map(str, range(1, 23)), "X", "Y"}
MONTH_FAMILIES = {"MARCH": "MARCHF", "SEPT": "SEPTIN", "DEC": "DELEC"}
"""Families that were renamed because spreadsheets took them for dates: the old official name beats an alias."""
REPEAT = re.compile(r"[-.]\d{1,3}$")


class Gene(NamedTuple):
    """A row of GENCODE."""

    gene_id: str
    symbol: str
    biotype: str


class Alias(NamedTuple):
    """A row of the HGNC table."""

    name: str
    approved: str
    chromosome: str


def read_genes(path: Path) -> list[Gene]:
    """Read GENCODE's genes in file order."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return [Gene(row[0], row[1], row[4]) for row in csv.reader(lines)]


def read_aliases(path: Path) -> list[Alias]:
    """Read the HGNC table."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        next(lines)
        return [Alias(*line.rstrip("\n").split("\t")) for line in lines]


def chromosomes(genes: list[Gene], aliases: list[Alias]) -> list[str]:
    """Give the chromosome of each gene: by symbol, else that of both neighbours, else ''."""
    by_symbol = {alias.approved: chromosome_name(alias.chromosome) for alias in aliases}
    found, seen = [], set()
    for gene in genes:
        chromosome = by_symbol.get(gene.symbol, "")
        # the second copy of a pseudoautosomal gene is the one on Y
        found.append("Y" if chromosome == "X" and gene.symbol in seen else chromosome)
        seen.add(gene.symbol)
    after, following = list(found), ""
    for i in reversed(range(len(found))):
        after[i] = following
        following = found[i] or following
    filled, before = [], ""
    for chromosome, next_known in zip(found, after, strict=True):
        filled.append(chromosome or (before if before == next_known else ""))
        before = chromosome or before
    return filled


def chromosome_name(text: str) -> str:
    """Shorten HGNC's words for a chromosome; '' for a scaffold or none."""
    word = text.split(" ", maxsplit=1)[0]
    return "MT" if word == "mitochondria" else word if word in CHROMOSOMES else ""


def symbol_owners(genes: list[Gene]) -> dict[str, str]:
    """Give each symbol to one gene: of several, the one with the oldest id, which older annotations know."""
    owners: dict[str, str] = {}
    for gene in genes:
        owners[gene.symbol] = min(gene.gene_id, owners.get(gene.symbol, gene.gene_id))
    return owners


def alias_ids(genes: list[Gene], vocabulary: list[Gene], aliases: list[Alias]) -> dict[str, set[str]]:
    """Collect, for each name that is no current symbol, the vocabulary genes that it may mean."""
    owners = symbol_owners(vocabulary)
    names_of = defaultdict(set)
    for alias in aliases:
        names_of[alias.approved].add(alias.name)
    current = {gene.symbol for gene in genes}
    later = later_symbols()
    targets = {a: later.get(a) or successor(a, names, owners) for a, names in names_of.items()}
    taken = current | {approved for approved, symbol in targets.items() if symbol in ("", approved)}
    found: dict[str, set[str]] = defaultdict(set)
    for approved, names in names_of.items():
        if symbol := targets[approved]:
            for name in (names | {approved}) - taken:
                found[name].add(owners[symbol])
    for name, gene_id in official_months(current, owners).items():
        found[name] = {gene_id} if gene_id else set()
    for gene in vocabulary:
        if gene.symbol.upper() not in current:
            found[gene.symbol.upper()] = {owners[gene.symbol]}
    for name in list(found):
        if name.upper() not in current:
            found[name.upper()] |= found[name]
    strangers = {name: set() for name in taken - owners.keys() if REPEAT.sub("", name) in owners}
    return found | strangers | retired_ids(genes, vocabulary)


def successor(approved: str, names: set[str], owners: dict[str, str]) -> str:
    """Give the GENCODE symbol of an HGNC gene; GENCODE may have made one of its aliases the symbol since."""
    if approved in owners:
        return approved
    later = sorted(name for name in names if name in owners)
    return later[0] if len(later) == 1 else ""


def later_symbols() -> dict[str, str]:
    """Read which symbols changed after the HGNC table was made, old to new."""
    lines = Path(__file__).with_name("later_symbols.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split("\t") for line in lines)


def official_months(symbols: set[str], owners: dict[str, str]) -> dict[str, str]:
    """Map SEPT2, MARCH1... and the dates made of them to the genes that had these names officially ('': outside)."""
    found = {}
    for symbol in symbols:
        for old, new in MONTH_FAMILIES.items():
            if number := re.fullmatch(rf"{new}(\d+)", symbol):
                found[old + number[1]] = owners.get(symbol, "")
                # 1-MAR and 2-MAR may have been MARC1 and MARC2 just as well
                if old != "MARCH" or f"MTARC{number[1]}" not in symbols:
                    found[f"{number[1]}-{old[:3]}"] = owners.get(symbol, "")
    return found


def retired_ids(genes: list[Gene], vocabulary: list[Gene]) -> dict[str, set[str]]:
    """Map ids under which older annotations held a gene whose protein-coding id is new."""
    owners, known = symbol_owners(vocabulary), {gene.gene_id for gene in vocabulary}
    return {
        gene.gene_id: {owners[gene.symbol]}
        for gene in genes
        if gene.gene_id not in known and gene.symbol in owners and gene.gene_id < owners[gene.symbol]
    }


def write_table(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Write tab-separated rows, gzipped without a time stamp."""
    text = "".join("\t".join(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def main() -> None:
    """Build both tables."""
    genes_path, aliases_path, folder = map(Path, sys.argv[1:])
    genes, aliases = read_genes(genes_path), read_aliases(aliases_path)
    placed = dict(zip((gene.gene_id for gene in genes), chromosomes(genes, aliases), strict=True))
    vocabulary = [gene for gene in genes if gene.biotype in BIOTYPES]
    write_table(folder / "genes.tsv.gz", [(gene.gene_id, gene.symbol, placed[gene.gene_id]) for gene in vocabulary])
    names = alias_ids(genes, vocabulary, aliases)
    write_table(folder / "aliases.tsv.gz", [(name, ",".join(sorted(names[name]))) for name in sorted(names)])
    print(
        f"{len(vocabulary)} genes, {len(names)} further names, {sum(len(ids) > 1 for ids in names.values())} ambiguous"
    )


if __name__ == "__main__":
    main()
