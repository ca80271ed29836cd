"""What a recipe is made of: sources of cells, what is wanted of them, and rules over all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from spoticell.biology.everyday import read_name
from spoticell.corpus.mapping import Mapped

KINDS = ("file", "url", "soma", "census")
"""The keys that say where a source is; each source has one of them."""

Word = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Words = Annotated[tuple[Word, ...], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]
"""One word or several."""


def _term(text: str) -> str:
    term = read_name(text)
    if term is None:
        raise ValueError(f"{text!r} is neither a term nor a name of the Cell Ontology")
    return term


Term = Annotated[Word, AfterValidator(_term)]
"""A type by id or name; kept as the id."""


class Part(BaseModel):
    """What all parts of a recipe share: nothing unknown is accepted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(Part):
    """Where a source says something of its cells: in a column, or once for all of them.

    In a recipe the name of a column may stand alone.

    Examples
    --------
    >>> Fact.model_validate("sample"), Fact.model_validate({"value": "blood"})
    (Fact(column='sample', value=None), Fact(column=None, value='blood'))
    """

    column: Word | None = None
    value: Word | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:  # noqa: ANN401
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("the name of a column is needed, or a value such as {value: blood}")
        return self


class Source(Part):
    """What can be said of every kind of source.

    A fact that isn't given is looked for in the column that the CELLxGENE schema has for it, and is ``unknown``
    where there is none.
    """

    name: Word | None = None
    """How the source is called in the store and in reports; made of its address if not given."""
    label: Fact | None = None
    """What each cell is; in ``cell_type_ontology_term_id`` or else ``cell_type`` if not given."""
    labels: dict[Word, Mapped] = {}
    """What labels of the source mean: a term or name of the Cell Ontology, or ``unknown``."""
    labels_file: Word | None = None
    """The same in a tsv or csv file, which lies beside the recipe; ``labels`` goes before it."""
    donor: Fact | None = None
    dataset: Fact | None = None
    """Which data set a cell is from; that of the source's own name if neither this nor the column is there."""
    assay: Fact | None = None
    tissue: Fact | None = None
    disease: Fact | None = None
    study: Word | None = None
    """Donors of one name are one person within a study; every data set is a study of its own if not given."""
    where: dict[Word, Words] = {}
    """Columns of the source's table, each with the values of the cells to keep."""
    where_not: dict[Word, Words] = {}
    """Columns of the source's table, each with the values of cells to leave out."""
    types: tuple[Term, ...] = ()
    """Types to keep, exactly these; all if none is given."""

    @property
    def title(self) -> str:
        """How the source is called."""
        return self.name or self._title()

    def _title(self) -> str:
        raise NotImplementedError


class FileSource(Source):
    """A file or folder of cells in any format that is read, or several by a pattern."""

    file: Word
    """Relative to the recipe; ``${NAME}`` is an environment variable, and ``*`` stands for anything in a name."""

    def _title(self) -> str:
        return Path(self.file).stem


class UrlSource(Source):
    """A file of cells on a server, which is fetched first."""

    url: Annotated[Word, Field(pattern=r"^https://[^/]+/.*[^/]$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """What the file must hash to."""
    cells: Count | None = None
    """Cells in it, as its publisher says: what a dry run tells before it is fetched."""

    @property
    def file_name(self) -> str:
        """Name of the file, as its address has it."""
        return Path(urlsplit(self.url).path).name

    def _title(self) -> str:
        return Path(self.file_name).stem


class SomaSource(Source):
    """A SOMA experiment."""

    soma: Word
    """Its folder, relative to the recipe, or its address."""
    value_filter: Word | None = None
    """Which cells to read, in the words of SOMA."""
    measurement: Word = "RNA"
    layer: Word = "raw"
    """Layer of ``X`` with counts."""

    def _title(self) -> str:
        return Path(self.soma.rstrip("/")).name


class CensusSource(Source):
    """Human cells of the CELLxGENE Census."""

    census: Word
    """Its version: the date of a release, ``stable`` or ``latest``."""
    uri: Word | None = None
    """Where it is, if not where its publisher keeps it."""
    value_filter: Word | None = None
    """Which cells to read, in the words of SOMA."""
    earlier: tuple[Word, ...] = ()
    """Earlier releases, or where copies of them are: a data set came out with the first that has it."""

    def _title(self) -> str:
        return f"census-{self.census}"


def _kind(given: Any) -> str | None:  # noqa: ANN401
    keys = given if isinstance(given, dict) else vars(given) if isinstance(given, Source) else ()
    return next((f"a {kind}" for kind in KINDS if kind in keys), None)


AnySource = Annotated[
    Annotated[FileSource, Tag("a file")]
    | Annotated[UrlSource, Tag("a url")]
    | Annotated[SomaSource, Tag("a soma")]
    | Annotated[CensusSource, Tag("a census")],
    Discriminator(_kind, custom_error_type="no_kind", custom_error_message=f"a source needs one of {', '.join(KINDS)}"),
]


class Keep(Part):
    """Which types to keep, judged over all sources once their filters have been applied."""

    cells_per_type: Count = 0
    """Fewest cells of a type."""
    donors_per_type: Count = 0
    """Fewest donors of a type; cells of unknown donors count for none."""
    terms_above: Count = 0
    """Fewest terms above a type in the Cell Ontology: leaves out what is too general."""


class Figures(Part):
    """What is known of a corpus without making it."""

    cells: Count
    types: Count
    note: str = ""
    """Where the figures are from."""
