"""The shapes of what the API takes and gives; its documentation is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Share = Annotated[float, Field(ge=0, le=1)]
MOST_TYPES, LONGEST_TYPE = 50, 200
"""How many types a run may be told to allow, or to exclude, and characters in one."""
TypeName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TYPE)]
Types = Annotated[list[TypeName], Field(max_length=MOST_TYPES)]


class Shape(BaseModel):
    """What all shapes share: the words below a field describe it in the API's documentation."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Fault(Shape):
    """Why a request was refused."""

    error: str
    """One sentence for a person."""


class ModelInfo(Shape):
    """A model that can be chosen."""

    name: str
    description: str
    n_labels: int
    """How many types it knows."""
    threshold: Share
    """Lowest probability at which it names a type, unless a run says otherwise."""


class LimitsInfo(Shape):
    """The most that one upload may hold."""

    file_bytes: int
    cells: int


class Info(Shape):
    """What the server offers."""

    version: str
    models: list[ModelInfo]
    """The first is used where a run names none."""
    limits: LimitsInfo
    tissues: list[str]
    """Names that the tissue of a run may have."""
    keep_hours: float
    """How long uploads and results are kept."""
    has_index: bool
    """Whether cells are matched with reference cells."""
    demo: str
    """What the demo cells are."""


class JobSettings(Shape):
    """What was asked of a run."""

    model: str
    threshold: Share | None
    """Lowest probability at which a type is named; null until the run is done if none was given, then the model's."""
    allow: list[str] = []
    """Types that an answer may be, with their subtypes; any if there are none."""
    deny: list[str] = []
    """Types that an answer can't be, with their subtypes."""
    tissue: str | None = None
    """Where the cells are from; types of other tissues are no answer."""


class JobInfo(Shape):
    """A job, and all that is known of it so far."""

    id: str
    """The key to the job: whoever has it can see and delete the job."""
    name: str
    """Name of the file."""
    bytes: int
    state: Literal["checking", "ready", "queued", "running", "done", "failed", "cancelled"]
    stage: str
    """What is being done, in words."""
    progress: Share
    position: int | None
    """Place in the queue, from 1."""
    error: str | None
    """One sentence for a person, if the job failed."""
    findings: dict[str, Any] | None
    """What was found in the file, as ``spoticell check --json`` prints it."""
    lines: list[str]
    """The same in words."""
    warnings: list[str]
    """What the owner of the file should read."""
    created: str
    expires: str
    """When file and results are deleted."""
    settings: JobSettings | None
    """Null until the job is run."""
    links: dict[str, str]


class RunOrder(Shape):
    """How to name the cells; whatever is left out is as the model has it."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(default=None, max_length=200)
    """One of the server's models; the first if not given."""
    threshold: Share | None = None
    """Lowest probability at which a type is named; the model's if not given."""
    allow: Types = []
    """Types that an answer may be, with subtypes: Cell Ontology ids or names; any if not given."""
    deny: Types = []
    """Types that an answer can't be, with their subtypes."""
    tissue: str | None = Field(default=None, max_length=100)
    """Where the cells are from; types of other tissues are no answer then."""


class Token(Shape):
    """The access token of a server that has one."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=1000)


class Term(Shape):
    """A term of the Cell Ontology."""

    term: str
    name: str


class TypeInfo(Shape):
    """A type that some cells have."""

    index: int
    """Its number in the map."""
    term: str
    name: str
    path: list[Term]
    """From its broad type to the type itself."""
    cells: int
    mean_score: Share
    color: str


class Group(Shape):
    """Types that are one type on a level of the ontology."""

    term: str
    name: str
    color: str
    cells: int
    mean_score: Share
    types: list[int]
    """Their numbers."""


class Level(Shape):
    """A level of the ontology to colour by."""

    name: Literal["broad", "middle", "fine"]
    groups: list[Group]
    group_of_type: list[int]
    """For each type the place of its group in ``groups``."""


class UnknownInfo(Shape):
    """Cells without an answer."""

    cells: int
    reasons: dict[str, int]
    """How many cells are unknown for which reason."""


class Summary(Shape):
    """The result in short."""

    cells: int
    named: int
    """Cells that have an answer."""
    threshold: Share
    """Lowest probability at which a type was named."""
    least_score: Share
    """Lowest score that the answer of a cell with enough counts may have."""
    allowed: str | None
    """The allowed types, in words; null if any type was allowed."""
    tissues: str | None
    """The tissues that the cells show, in a sentence; null if the tissue was told."""
    model: str
    score_mean: Share | None
    """Null if no cell was named."""
    types: list[TypeInfo]
    """Commonest first."""
    levels: list[Level]
    unknown: UnknownInfo


class GeneInfo(Shape):
    """A gene that was measured."""

    symbol: str
    id: str
    cells: int
    """Cells with a count of it."""


class GeneList(Shape):
    """Genes that a text may mean."""

    genes: list[GeneInfo]


class Step(Shape):
    """A type on the answer's path through the ontology."""

    term: str
    name: str
    probability: Share
    role: Literal["above", "answer", "below"]


class Other(Shape):
    """Another type that the cell might be."""

    term: str
    name: str
    probability: Share
    role: Literal["second"] | None = None
    """``second`` for the one that the cell would be if it weren't its answer."""


class OwnGene(Shape):
    """A gene that stands out in the cell."""

    symbol: str
    id: str
    pixel: tuple[int, int]
    """Row and column on the grid."""
    counts: float


class Neighbour(Shape):
    """A reference cell; what isn't known of it is an empty text."""

    cell: str
    """Its name in its data set."""
    type: str
    term: str
    study: str
    dataset: str
    tissue: str
    disease: str
    assay: str
    donor: str
    similarity: Annotated[float, Field(ge=-1, le=1)]
    """Cosine of the two fingerprints."""
    p_value: Share | None
    """How often a cell whose broad type is not in the index matches this closely; null if that wasn't measured."""


class Match(Shape):
    """What the 50 nearest reference cells say together."""

    text: str
    """The same in words."""
    term: str
    type: str
    """The type that they agree on, or ``unknown``."""
    votes: int
    """Matches of this type or a subtype."""
    voters: int
    """Matches that have a label."""
    studies: int
    """Studies that the votes come from."""
    share: Share
    """Weighted share of the matches that support this type, after correction for chance."""
    p_value: Share | None
    """Of the nearest match."""
    novel: bool
    """Whether the cell is farther from all references than cells of known types are."""
    agrees: Literal["agree", "compatible", "conflict", "unknown"]
    """How this type and the answer go together: the same, one above the other, or neither."""


class CellInfo(Shape):
    """One cell."""

    position: int
    """Its place in the file, from 0."""
    name: str
    term: str
    """The answer, or ``unknown``."""
    type: str
    """The answer's name."""
    score: Share
    """Probability that the answer is right; 0 for unknown."""
    n_counts: float
    """Its counts in genes that the model knows."""
    n_genes: int
    """Genes with a count among them."""
    path: list[Step]
    others: list[Other]
    genes: list[OwnGene]
    picture: str
    """Where the picture of the cell is."""
    neighbours: list[Neighbour] | None
    """The 10 nearest reference cells; null if the server has no index of the model."""
    match: Match | None
    """What the nearest say; null where there are none."""


class Commands(Shape):
    """What repeats the run elsewhere."""

    shell: str
    """A command line."""
    python: str
