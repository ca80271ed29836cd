"""A trained model and all that travels with it: a folder, checked before anything in it is used.

    bundle.json          what it is, what it was trained on, sha256 of every other file
    model.onnx           aligned counts and measured genes in; fingerprint, node probabilities and familiarity out
    genes.tsv            gene_id, symbol, pixel: the genes in the network's order, their place on the grid
    weights.safetensors  for going on training (optional)
    code.npy             the planes of the binary code, (b, d), chosen for its fingerprints (optional)
    examples.safetensors fingerprints of some training cells of each label, for teaching it more (optional)
    MODEL_CARD.md        for people (optional)

Sizes are looked at before contents, and nothing here is ever unpickled.  The fields of
``bundle.json`` are in ``manifest``, running the network is in ``runtime``.  Axes: ``g`` the
bundle's genes, ``m`` ontology nodes, ``d`` fingerprint, ``b`` bits of the code.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.genes import Vocabulary, load_vocabulary
from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.errors import BundleError
from spoticell.io.sealed import Seal, record_of
from spoticell.io.write import write_json
from spoticell.model.catalogue import check_revision, check_single, split_name
from spoticell.model.manifest import GENES, MAJOR, MANIFEST, MINOR, Manifest, check_manifest, read_manifest
from spoticell.model.pulled import find_pulled, pulled_models
from spoticell.version import __version__

DEFAULT = "human-v1"
"""The bundle that is meant where none is named; it travels with the package, as others may."""

PACKAGED = Path(str(resources.files("spoticell"))) / "data"
"""Folder of the bundles that travel with the package."""

COLUMNS = ["gene_id", "symbol", "pixel"]

CODE = "code.npy"
CODE_BITS = 128
"""Bits of the code of a bundle that brings none."""
CODE_LIMIT = 1024
"""Most bits that a bundle's code may have."""

SEAL = Seal(
    BundleError,
    missing="the bundle {folder} lacks its file {name}; fetch or export it again.",
    resized=(
        "{name} of the bundle {folder} is {found:,} bytes long, not {stated:,}: it was cut short or changed. "
        "Fetch or export the bundle again."
    ),
    changed=(
        "{name} of the bundle {folder} is not the file that the manifest names (its sha256 differs). "
        "Fetch or export the bundle again."
    ),
)


@dataclass(frozen=True)
class Bundle:
    """A trained model, checked: what `load_bundle` gives.

    Examples
    --------
    >>> import spoticell
    >>> bundle = spoticell.load_bundle("human-v1")
    >>> bundle.name, len(bundle.manifest.labels), len(bundle.vocabulary)
    ('human-v1', 410, 20532)
    """

    path: Path
    manifest: Manifest = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    pixel_g: NDArray[np.intp] = field(repr=False)
    """Place of each gene on the grid: row times ``manifest.grid`` plus column."""
    sha256: str
    """Of ``bundle.json``, which holds the sha256 of all the rest: one number for the whole bundle."""

    @property
    def name(self) -> str:
        """What the bundle calls itself."""
        return self.manifest.name

    @property
    def nodes(self) -> tuple[str, ...]:
        """Ontology terms in the order of the probabilities, length ``m``."""
        return self.manifest.nodes

    def calibrated(
        self, probabilities_nm: NDArray[np.float32], counts_n: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """Give the calibrated probability that each node is right; as they are where nothing calibrates them.

        Parameters
        ----------
        probabilities_nm
            The network's, in [0, 1].
        counts_n
            Counts of each cell in the bundle's genes.
        """
        # of another release it isn't known which labels a node is the sum of
        weights = self.label_weights if self.is_of_this_ontology else None
        return self.manifest.calibrated(probabilities_nm, counts_n, weights)

    @property
    def is_of_this_ontology(self) -> bool:
        """Whether its terms stand where they stand in the packaged release of the Cell Ontology."""
        return self.manifest.ontology_version == load_ontology().version

    @cached_property
    def label_weights(self) -> LabelWeights:
        """The way from the probabilities of ``nodes`` to the weights of labels, and back."""
        return LabelWeights(self.manifest.labels, self.nodes, load_ontology())

    @cached_property
    def node_names(self) -> tuple[str, ...]:
        """Names of ``nodes``."""
        ontology = load_ontology()
        return tuple(ontology.name(term) for term in self.nodes)

    @cached_property
    def planes_bd(self) -> NDArray[np.float32]:
        """Planes through the origin, float32, whose sides are the bits of a fingerprint's binary code.

        A bit is set where ``planes_bd @ fingerprint_d`` is positive.  A bundle may bring planes of its own;
        else they are random, and two codes differ in a share of bits that is the angle between the fingerprints
        over pi: Charikar, Similarity estimation techniques from rounding algorithms (2002),
        https://doi.org/10.1145/509907.509965.
        """
        size = self.manifest.fingerprint_size
        if CODE not in self.manifest.files:
            return np.random.default_rng(0).normal(size=(CODE_BITS, size)).astype(np.float32)
        return _parse_planes(self.read(CODE), size, where=str(self.path / CODE))

    def read(self, name: str) -> bytes:
        """Give the contents of one of the bundle's files, checked once more against the manifest."""
        return SEAL.read(self.path / name, self.manifest.files[name])


def packaged_bundles() -> list[str]:
    """Names of the models that travel with the package.

    Examples
    --------
    >>> import spoticell
    >>> spoticell.packaged_bundles()[0]
    'human-v1'
    """
    return sorted(path.parent.name for path in PACKAGED.glob(f"*/{MANIFEST}"))


def load_bundle(bundle: Path | str = DEFAULT) -> Bundle:
    """Check a bundle and make it ready for use.

    Parameters
    ----------
    bundle
        The name of a packaged or pulled bundle, ``NAME`` or ``NAME@REVISION``, or a bundle's folder.

    Raises
    ------
    BundleError
        If it isn't a bundle, is of a later format, or a file in it isn't what the manifest says.

    Examples
    --------
    >>> load_bundle("no-such-bundle")
    Traceback (most recent call last):
    spoticell.errors.BundleError: there is no bundle 'no-such-bundle'...
    """
    folder = _find(bundle)
    manifest, raw = read_manifest(folder / MANIFEST)
    _check_nodes(manifest, folder)
    contents = {name: SEAL.read(folder / name, record) for name, record in manifest.files.items()}
    vocabulary, pixel_g = _read_genes(contents[GENES], manifest, where=str(folder / GENES))
    return Bundle(folder, manifest, vocabulary, pixel_g, hashlib.sha256(raw).hexdigest())


def write_genes(folder: Path, vocabulary: Vocabulary, *, pixel_g: NDArray[np.intp]) -> Path:
    """Write ``genes.tsv``: the genes in the network's order, with their pixels."""
    path = folder / GENES
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, dialect="excel-tab", lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(zip(vocabulary.ids, vocabulary.symbols, pixel_g.tolist(), strict=True))
    return path


def write_manifest(folder: Path, **fields: Any) -> Manifest:  # noqa: ANN401 - checked against Manifest
    """Write ``bundle.json`` over the files that lie in a folder, which makes it a bundle.

    Parameters
    ----------
    folder
        Holds ``model.onnx``, ``genes.tsv`` and whatever else is to travel along.
    fields
        The fields of `Manifest`, but those that follow from the folder: ``format_version``,
        ``spoticell_version``, ``n_genes``, ``gene_sha256`` and ``files``.

    Raises
    ------
    BundleError
        If a field is missing or has a value that can't be.
    """
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != MANIFEST]
    genes = folder / GENES
    if genes not in files:
        raise BundleError(f"{folder} has no {GENES}; write it before the manifest.")
    ids, _, _ = _parse_genes(genes.read_bytes(), str(genes))
    derived = {
        "format_version": f"{MAJOR}.{MINOR}",
        "spoticell_version": __version__,
        "n_genes": len(ids),
        "gene_sha256": _sha256("\n".join(ids).encode()),
        "files": {path.name: record_of(path).model_dump() for path in files},
    }
    manifest = check_manifest(derived | fields, where=str(folder / MANIFEST))
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
    return manifest


def _find(bundle: Path | str) -> Path:
    here = _find_named(str(bundle))
    if here is not None:
        return here
    folder = Path(bundle)
    try:
        is_file, is_folder = folder.is_file(), folder.is_dir()
    except OSError as error:  # a name too long for a file, or a folder that may not be looked into
        raise BundleError(f"the bundle {str(bundle)[:100]!r} can't be read: {error.strerror}.") from None
    if is_file:
        raise BundleError(
            f"{folder} is a file, not a Spoticell bundle; a bundle is a folder that holds {MANIFEST}. "
            "Pickles and training checkpoints are never read."
        )
    if not is_folder:
        names = [f"{model.offer.name}@{model.offer.revision}" for model in pulled_models()]
        known = ", ".join([*packaged_bundles(), *names]) or "none"
        raise BundleError(
            f"there is no bundle {str(bundle)[:100]!r}; known by name: {known}. Give one of "
            "these or a bundle's folder, or fetch others with spoticell models pull."
        )
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is not a Spoticell bundle: it holds no {MANIFEST}.")
    return folder


def _find_named(text: str) -> Path | None:
    packaged, (name, revision) = _find_packaged(text), split_name(text)
    if packaged is not None and revision is None:
        return packaged
    pulled = find_pulled(text)
    if packaged is None or pulled is None:
        return packaged or pulled
    found = [record_of(folder / MANIFEST).sha256 for folder in (packaged, pulled)]
    check_single(name, str(revision), found, place="this machine")
    return packaged


def _find_packaged(text: str) -> Path | None:
    name, revision = split_name(text)
    if name not in packaged_bundles():
        return None
    folder = PACKAGED / name
    if revision is None:
        return folder
    check_revision(revision)
    return folder if record_of(folder / MANIFEST).sha256.startswith(revision) else None


def _check_nodes(manifest: Manifest, folder: Path) -> None:
    """Refuse nodes that this release's ontology lacks, or that aren't the labels and their ancestors."""
    ontology = load_ontology()
    strange = [term for term in manifest.nodes if term not in ontology]
    if strange:
        raise BundleError(
            f"the bundle {folder} names {len(strange)} terms that are not in Cell Ontology {ontology.version} or were "
            f"given up there (first {strange[0][:40]!r}); use the release of Spoticell that the bundle was made for."
        )
    if manifest.ontology_version != ontology.version:
        return  # the terms above a label may have changed since: the network's own nodes are the ones that count
    if set(reach_matrix(manifest.labels, ontology)[0]) != set(manifest.nodes):
        raise BundleError(f"in the bundle {folder} the nodes are not the labels and their ancestors; export it again.")


def _sha256(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


def _read_genes(contents: bytes, manifest: Manifest, *, where: str) -> tuple[Vocabulary, NDArray[np.intp]]:
    ids, symbols, pixels = _parse_genes(contents, where)
    if len(ids) != manifest.n_genes or _sha256("\n".join(ids).encode()) != manifest.gene_sha256:
        raise BundleError(f"{where} holds other genes than the manifest says; fetch or export the bundle again.")
    if len(set(ids)) < len(ids):
        raise BundleError(f"{where} names a gene more than once; export the bundle again.")
    if len(set(pixels)) < len(pixels):
        raise BundleError(f"{where} puts two genes on one pixel; export the bundle again.")
    if not 0 <= min(pixels) <= max(pixels) < manifest.grid**2:
        raise BundleError(f"{where} has pixels outside the {manifest.grid} by {manifest.grid} grid.")
    packaged = load_vocabulary()
    chromosome = dict(zip(packaged.ids, packaged.chromosomes, strict=True))
    vocabulary = Vocabulary(ids, symbols, tuple(chromosome.get(gene, "") for gene in ids))
    return vocabulary, np.array(pixels, dtype=np.intp)


def _parse_planes(contents: bytes, size: int, *, where: str) -> NDArray[np.float32]:
    try:
        planes_bd = np.load(io.BytesIO(contents), allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise BundleError(f"{where} is not an array ({error}); export the bundle again.") from None
    shape = planes_bd.shape
    if len(shape) != 2 or shape[1] != size or not 0 < shape[0] <= CODE_LIMIT or shape[0] % 8:
        raise BundleError(
            f"{where} has the shape {shape}; a code needs 8 to {CODE_LIMIT} planes, a multiple of 8, of {size} numbers."
        )
    if planes_bd.dtype.kind != "f" or not np.isfinite(planes_bd).all():
        raise BundleError(f"{where} holds {planes_bd.dtype} values; finite floats are needed.")
    planes: NDArray[np.float32] = planes_bd.astype(np.float32)
    return planes


def _parse_genes(contents: bytes, where: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    """Gene ids, symbols and pixels of a ``genes.tsv``."""
    try:
        header, *rows = csv.reader(io.StringIO(contents.decode("utf-8")), dialect="excel-tab")
        ids, symbols, pixels = zip(*rows, strict=True)
        numbers = tuple(map(int, pixels))
    except (ValueError, csv.Error) as error:
        raise BundleError(f"{where} is not a table of gene_id, symbol and pixel ({error}).") from None
    if header != COLUMNS:
        raise BundleError(f"{where} has the columns {header}; it needs {COLUMNS}.")
    return ids, symbols, numbers
