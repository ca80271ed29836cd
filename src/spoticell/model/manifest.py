"""What ``bundle.json`` says: the fields of a manifest, their bounds, and how text becomes one.

Files are read and compared with it in ``bundle``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import from_json

from spoticell.biology.label_weights import LabelWeights
from spoticell.errors import BundleError, note
from spoticell.io import sealed
from spoticell.io.sealed import Sha256, check_plain, first_fault, format_of
from spoticell.model.calibration import Calibration, Softening, Together, Trust

MANIFEST = "bundle.json"
MODEL = "model.onnx"
GENES = "genes.tsv"
PULLED, MEANT, LOCK = "pulled.json", "meant", "lock"
"""Files that lie beside those of a pulled model, see ``pulled``."""
BESIDE = (".json", ".part", ".part.tag")
"""How the names of files go on that lie beside one while it is fetched."""

MAJOR, MINOR = 1, 4
"""The format that this release writes; it reads every ``MAJOR.x``."""
MANIFEST_LIMIT = 5_000_000
"""Longest ``bundle.json`` that is opened, in bytes."""
FILE_LIMIT = 1_000_000_000
"""Largest file that a manifest may name, in bytes; far above what a bundle needs."""

Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=20_000)]
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
Name = Annotated[str, Field(pattern=f"^{NAME}$")]
UNNAMED = "custom"
"""What a trained model is called until somebody gives it a name."""


class Origin(BaseModel):
    """One data set, profile table or teacher that the model was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    accession: Text = ""
    licence: Text
    cells: Count
    url: Text = ""
    note: Text = ""


class FileRecord(sealed.FileRecord):
    """What a file of the bundle must be."""

    bytes: Annotated[int, Field(ge=0, le=FILE_LIMIT)]


class Manifest(BaseModel):
    """The contents of ``bundle.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}$")]
    name: Name
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    licence: Text
    description: Text
    spoticell_version: Text
    grid: Annotated[int, Field(gt=0, le=1000)]
    """Side of the gene grid in pixels."""
    fingerprint_size: Annotated[int, Field(gt=0, le=100_000)]
    gene_sha256: Sha256
    """Of the gene ids joined by newlines."""
    n_genes: Annotated[int, Field(gt=0, le=1_000_000)]
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    """Terms over which the network's softmax runs."""
    nodes: Annotated[tuple[str, ...], Field(min_length=1)]
    """Labels and all their ancestors, ancestors first: the order of the probabilities."""
    ontology_version: Text
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    threshold: Annotated[float, Field(ge=0, le=1)]
    """Lowest probability at which a term is answered, unless the user says otherwise."""
    calibration: Calibration | None = None
    """What calibrates the network's probabilities in bundles up to format 1.2."""
    softening: Softening | None = None
    """What calibrates the weights of the network's labels; None takes them as they are."""
    trust: Trust | None = None
    """Makes the score of an answer of its probability and the cell's familiarity; None takes the probability."""
    together: Together | None = None
    """The same for cells that are read together with their neighbours; None goes by what is for cells alone."""
    sources: tuple[Origin, ...]
    figures: dict[str, dict[str, float]]
    """Measured on each test set: ``{set: {figure: value}}``."""
    files: dict[str, FileRecord]

    def calibrated(
        self,
        probabilities_nm: NDArray[np.float32],
        counts_n: NDArray[np.floating[Any]],
        weights: LabelWeights | None,
    ) -> NDArray[np.float32]:
        """Give the calibrated probability that each node is right; as they are where nothing calibrates them.

        Parameters
        ----------
        probabilities_nm
            The network's, in [0, 1], of the nodes of ``weights``.
        counts_n
            Counts of each cell in the bundle's genes.
        weights
            The way to the weights of labels, and back; None where it isn't known, and these stay as they are.
        """
        if self.softening is not None and weights is not None:
            return weights.summed(self.softening.apply(weights.of(probabilities_nm), counts_n))
        return probabilities_nm if self.calibration is None else self.calibration.apply(probabilities_nm, counts_n)

    @field_validator("files")
    @classmethod
    def _names_are_plain(cls, files: dict[str, FileRecord]) -> dict[str, FileRecord]:
        check_plain(files, manifest=MANIFEST)
        _check_alone(files)
        missing = {MODEL, GENES} - files.keys()
        if missing:
            raise ValueError(f"{' and '.join(sorted(missing))} must be listed")
        return files

    @model_validator(mode="after")
    def _terms_and_genes_fit(self) -> Manifest:
        for what, terms in (("labels", self.labels), ("nodes", self.nodes)):
            if len(set(terms)) < len(terms):
                raise ValueError(f"the {what} repeat a term")
        strange = set(self.labels) - set(self.nodes)
        if strange:
            raise ValueError(f"label {min(strange)[:40]!r} is not among the nodes")
        if self.grid**2 < self.n_genes:
            raise ValueError(f"a {self.grid} by {self.grid} grid has no room for {self.n_genes} genes")
        return self


def read_manifest(path: Path) -> tuple[Manifest, bytes]:
    """Give what a ``bundle.json`` says, and its bytes.

    Raises
    ------
    BundleError
        If it is too long, or as for `parse_manifest`.
    """
    size = path.stat().st_size
    if size > MANIFEST_LIMIT:
        raise BundleError(f"{path} is {size:,} bytes long; {MANIFEST_LIMIT:,} is the most that is read.")
    raw = path.read_bytes()
    return parse_manifest(raw, where=str(path)), raw


def parse_manifest(raw: bytes, *, where: str) -> Manifest:
    """Make a manifest of the bytes of ``bundle.json``.

    Parameters
    ----------
    raw
        The file's contents.
    where
        How messages call the file.

    Raises
    ------
    BundleError
        If it isn't JSON, is of another major format, or a field is missing, unknown or out of bounds.
        The fields that a later minor format adds are passed over with a warning.
    """
    try:
        fields = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise BundleError(f"{where} is not JSON ({error}); fetch or export the bundle again.") from None
    if not isinstance(fields, dict):
        raise BundleError(f"{where} is not a Spoticell manifest: it holds no table of fields.")
    return check_manifest(_of_this_format(fields, where), where=where)


def check_manifest(fields: Mapping[str, Any], *, where: str) -> Manifest:
    """Make a manifest of its fields, or say in one sentence which of them is wrong."""
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        raise BundleError(f"{where} is not a sound manifest: {first_fault(error)}.") from None


def _check_alone(names: Collection[str]) -> None:
    """Refuse names of files that would lie on another one: on disks that take B for b too, and while it is fetched."""
    taken = {name.casefold() for name in (MANIFEST, PULLED, MEANT, LOCK)}
    all_names = {*taken, *(name.casefold() for name in names)}
    for name in names:
        plain = name.casefold()
        beside = any(plain.removesuffix(ending) in all_names - {plain} for ending in BESIDE)
        if plain in taken or beside:
            raise ValueError(f"{name!r} would lie on another file")
        taken.add(plain)


def _of_this_format(fields: dict[str, Any], where: str) -> dict[str, Any]:
    stated, version = str(fields.get("format_version", ""))[:20], format_of(fields)
    if version is None:
        raise BundleError(f"{where} is not a Spoticell manifest: its format_version is {stated!r}.")
    if version[0] != MAJOR:
        raise BundleError(
            f"{where} has format {stated}, and this Spoticell reads {MAJOR}.x; "
            "use the release of Spoticell that the bundle was made for."
        )
    if version <= (MAJOR, MINOR):
        return fields
    note(f"{where} has the later format {stated}; what is new in it is passed over.")
    return {name: value for name, value in fields.items() if name in Manifest.model_fields}
