"""The shapes of what the API takes and gives; its documentation is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Fault(BaseModel):
    """Why a request was not served."""

    error: str
    """One sentence for a person."""


class BundleInfo(BaseModel):
    """A trained model to choose."""

    name: str
    description: str
    n_labels: int
    threshold: Share


class LimitsInfo(BaseModel):
    """The most that one upload may be."""

    file_bytes: int
    cells: int


class Info(BaseModel):
    """What a visitor should know of the server."""

    version: str
    bundles: list[BundleInfo]
    limits: LimitsInfo
    tissues: list[str]
    """Tissues that a run can be told of."""
    keep_hours: float
    has_index: bool
    demo: str
    """What the demo cells are."""


class JobSettings(BaseModel):
    """With what a job is run."""

    bundle: str
    threshold: Share | None
    """None until it runs: the bundle's own."""
    tissue: str | None = None
    """Where the cells are from, by which types of other tissues are no answer; None where nobody has said."""


class JobInfo(BaseModel):
    """A job, and all that is known of it so far."""

    id: str
    name: str
    bytes: int
    state: Literal["checking", "ready", "queued", "running", "done", "failed", "cancelled"]
    stage: str
    progress: Share
    position: int | None
    """Place in the queue, from 1."""
    error: str | None
    findings: dict[str, Any] | None
    """As ``spoticell check --json`` prints them."""
    lines: list[str]
    """The same for a person."""
    warnings: list[str]
    created: str
    expires: str
    settings: JobSettings | None
    links: dict[str, str]


class RunOrder(BaseModel):
    """How to run a job."""

    model_config = ConfigDict(extra="forbid")

    bundle: str | None = Field(default=None, max_length=200)
    threshold: Share | None = None
    tissue: str | None = Field(default=None, max_length=100)


class Token(BaseModel):
    """The access token of a server that has one."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=1000)


class Term(BaseModel):
    """A term of the Cell Ontology."""

    term: str
    name: str


class TypeInfo(BaseModel):
    """A type that cells have."""

    index: int
    term: str
    name: str
    path: list[Term]
    cells: int
    mean_score: Share
    color: str


class Group(BaseModel):
    """Types that are one on a level of the ontology."""

    term: str
    name: str
    color: str
    cells: int
    mean_score: Share
    types: list[int]
    """Their numbers."""


class Level(BaseModel):
    """A level of the ontology to colour by."""

    name: Literal["broad", "middle", "fine"]
    groups: list[Group]
    group_of_type: list[int]
    """For each type the place of its group in ``groups``."""


class UnknownInfo(BaseModel):
    """Cells without a type."""

    cells: int
    reasons: dict[str, int]


class Summary(BaseModel):
    """The outcome in short."""

    cells: int
    named: int
    threshold: Share
    least_score: Share
    """Score that an answer has at least, where a cell has enough counts."""
    allowed: str | None
    """To which types answers were kept, in words; None where to none."""
    bundle: str
    score_mean: Share | None
    types: list[TypeInfo]
    levels: list[Level]
    unknown: UnknownInfo


class GeneInfo(BaseModel):
    """A gene of the upload."""

    symbol: str
    id: str
    cells: int
    """Cells with a count of it."""


class GeneList(BaseModel):
    """Genes that a text may mean."""

    genes: list[GeneInfo]


class Step(BaseModel):
    """A type on a cell's way along the ontology."""

    term: str
    name: str
    probability: Share
    role: Literal["above", "answer", "below"]


class Other(BaseModel):
    """Another type that a cell might be."""

    term: str
    name: str
    probability: Share


class OwnGene(BaseModel):
    """A gene that stands out in a cell."""

    symbol: str
    id: str
    pixel: tuple[int, int]
    """Row and column on the grid."""
    counts: float


class Neighbour(BaseModel):
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
    """How often a cell whose broad type the index lacks finds one as near; None if that wasn't measured."""


class Match(BaseModel):
    """What the 50 nearest reference cells say together."""

    text: str
    """In words."""
    term: str
    type: str
    """On what they agree, or ``unknown``."""
    votes: int
    """Those of this type or a subtype."""
    voters: int
    """Those that have a label."""
    studies: int
    """Studies that the former come from."""
    share: Share
    """Of the weight that the type has."""
    p_value: Share | None
    """Of the nearest."""
    novel: bool
    """Whether the nearest is farther than is usual for types that the index has."""
    agrees: Literal["agree", "compatible", "conflict", "unknown"]
    """Whether the cell's own type and theirs are one, one above the other, or neither."""


class CellInfo(BaseModel):
    """One cell."""

    position: int
    name: str
    term: str
    type: str
    score: Share
    n_counts: float
    n_genes: int
    path: list[Step]
    others: list[Other]
    genes: list[OwnGene]
    picture: str
    neighbours: list[Neighbour] | None
    """The 10 nearest reference cells, where the server has an index of the same model."""
    match: Match | None
    """What the nearest say; None where there are none."""


class Commands(BaseModel):
    """The same run elsewhere."""

    shell: str
    python: str
