"""The shapes of what the API takes and gives; its documentation is made from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


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


class Token(Shape):
    """The access token of a server that has one."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=1000)


class Term(Shape):
    """A term of the Cell Ontology."""

    term: str
    name: str
    short: str = ""
    """The same in short, as papers have it."""


class TypeInfo(Shape):
    """A type that some cells have."""

    index: int
    """Its number in the map."""
    term: str
    name: str
    short: str = ""
    """The same in short, as papers have it."""
    also: list[str] = []
    """Other names by which people look for it."""
    path: list[Term]
    """From its broad type to the type itself."""
    cells: int
    median_score: Share
    color: str


class Group(Shape):
    """Types that are one type on a level of the ontology."""

    term: str
    name: str
    short: str = ""
    """The same in short, as papers have it."""
    color: str
    cells: int
    median_score: Share
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


class SeparatingGene(Shape):
    """A gene that sets a group of cells apart."""

    symbol: str
    auc: Share
    """How often a cell of the group has more of it than another cell."""
    known: bool
    """Whether it is a known marker of the group's type."""


class NearStudy(Shape):
    """A study that holds the nearest reference of some cells."""

    study: str
    cells: int


class NearTissue(Shape):
    """A tissue that holds the nearest reference of some cells."""

    tissue: str
    cells: int


class SecondChoice(Shape):
    """What a group would be otherwise; ``unknown`` where that is nothing."""

    term: str
    name: str
    short: str = ""
    """The same in short, as papers have it."""
    probability: Share


class NamedGroup(Shape):
    """A group of cells with its name."""

    name: str
    """What the group is called in the file, or its number."""
    cells: int
    term: str
    """Of its type, or ``unknown``."""
    type: str
    """The type's name."""
    short: str = ""
    """The same in short, as papers have it."""
    color: str
    share: Share
    """Share of its cells whose own answer is this type or a subtype."""
    score: Share
    """Mean probability of the type over its cells."""
    second: SecondChoice
    novel: bool | None
    """Whether it looks unlike all known types; null where the model can't tell."""
    genes: list[SeparatingGene]
    studies: list[NearStudy]
    tissues: list[NearTissue] = []
    agree: Share | None = None
    """Share of its cells whose reference cells say its type, or a coarser or finer one; null without an index."""


class Part(Shape):
    """The cells of one type in a sample."""

    name: str
    short: str = ""
    """The same in short, as papers have it."""
    cells: int
    color: str | None
    """Null for the rarer types together."""


class SampleBar(Shape):
    """What one sample holds."""

    name: str
    condition: str = ""
    """Empty where none is told."""
    cells: int
    parts: list[Part]
    """Of all samples the same, in the same order: rarer types together and ``unknown`` are the last."""


class SamplesInfo(Shape):
    """The samples that the cells are from."""

    by: str
    """The column that says it."""
    samples: int
    """How many there are."""
    bars: list[SampleBar]
    """The first of them."""


class TypeChange(Shape):
    """How the share of a type differs between two conditions; its subtypes are counted too."""

    term: str
    name: str
    short: str = ""
    """The same in short, as papers have it."""
    color: str
    cells: int
    """In all samples."""
    first: Share
    """Mean share over the samples of the first condition."""
    second: Share
    difference: float
    """Second less first."""
    low: float | None
    """Its interval, at 95 %; null where there is no test, as are the others below."""
    high: float | None
    p: Share | None
    q: Share | None
    """p, adjusted for the number of types."""


class DifferencesInfo(Shape):
    """How the types differ between two conditions, over all cells of the run, or of several files."""

    condition: str
    """The column that says it."""
    conditions: list[str]
    """The first and the second; others, where that isn't two, and then nothing is compared."""
    samples: list[int]
    """How many of each."""
    method: str | None
    """How it was tested; null if it was not."""
    changes: list[TypeChange]
    """Clearest first."""
    notes: list[str]
    """What to bear in mind, in sentences."""


class TissueShown(Shape):
    """The tissue that the cells were told to be from; null for what they show themselves."""

    shown: str | None
    saved: str | None
    """That of the files to keep."""


class CautionInfo(Shape):
    """Something to know before the answers are trusted."""

    kind: str
    """``panel``, ``program`` or ``strange``."""
    text: str


class Renaming(Shape):
    """Cells that had one answer and have another."""

    before: Term
    """``unknown`` where there was none."""
    now: Term
    cells: int


class Renamed(Shape):
    """What running the file again changed."""

    cells: int
    """Cells that have another answer than in the result before."""
    changes: list[Renaming]
    """The commonest."""


class Summary(Shape):
    """The result in short."""

    cells: int
    named: int
    """Cells that have an answer."""
    threshold: Share
    """Lowest probability at which a type was named."""
    saved_threshold: Share | None = None
    """The threshold of the files to keep; null if these results can't be shown at another one."""
    least_score: Share
    """Lowest score that the answer of a cell with enough counts may have."""
    allowed: str | None
    """The allowed types, in words; null if any type was allowed."""
    tissues: str | None
    """The tissues that the cells show, in a sentence; null if the tissue was told."""
    tissue: TissueShown | None = None
    """Null if these results can't be shown for another tissue."""
    cautions: list[CautionInfo] = []
    """What to know before the answers are trusted; none for a plain sample."""
    changed_by_neighbours: int | None = None
    """Cells that were named otherwise than each alone; null if all were named alone."""
    no_common_type: int | None = None
    """Cells whose reference cells agree on no type; null where there are none to compare with."""
    model: str
    score_median: Share | None
    """Null if no cell was named."""
    types: list[TypeInfo]
    """Commonest first."""
    levels: list[Level]
    unknown: UnknownInfo
    groups: list[NamedGroup] | None = None
    """The groups of cells; null if none were asked for."""
    samples: SamplesInfo | None = None
    """Null if no column was named that tells them."""
    differences: DifferencesInfo | None = None
    """Null if no column of conditions was named."""
    renamed: Renamed | None = None
    """What the run changed in the answers; null if there was no result before it."""


class GeneInfo(Shape):
    """A gene that was measured."""

    symbol: str
    id: str
    cells: int
    """Cells with a count of it."""


class FoundType(Shape):
    """A type that a text means, by any name that people use for it."""

    term: str
    name: str
    short: str
    """Its short name."""
    types: list[int]
    """The numbers of the types in the summary that are it or its subtypes."""
    cells: int
    """Their cells."""


class GeneList(Shape):
    """Genes and types that a text may mean."""

    genes: list[GeneInfo]
    types: list[FoundType]


class Commands(Shape):
    """What repeats the run elsewhere."""

    shell: str
    """A command line."""
    python: str
