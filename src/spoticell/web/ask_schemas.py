"""The shapes of what the API says of a type by sample, of genes by condition, of labels, and of unsure cells."""

from __future__ import annotations

from spoticell.web.schemas import Shape, Share, Term


class SampleShare(Shape):
    """A type in one sample."""

    name: str
    cells: int
    """Cells of the sample that are of the type."""
    total: int
    """All cells of the sample."""
    share: Share
    low: Share
    """The Wilson interval of the share, at 95 %."""
    high: Share


class SampleShares(Shape):
    """A type, or several together, in each sample."""

    samples: list[SampleShare]
    """In the order of the column's values."""
    without: int
    """Cells of which no sample is told."""


class GeneBySplit(Shape):
    """A gene in each type and value."""

    symbol: str
    id: str
    share: list[list[Share]]
    """Of each type and value the share of cells that have it."""
    mean: list[list[float]]
    """The mean of its log-normalised counts."""


class Split(Shape):
    """Genes by type and by the values of a column."""

    types: list[int]
    """Numbers of the types in the summary, commonest first."""
    values: list[str]
    """In the order of the column."""
    cells: list[list[int]]
    """Cells of each type and value."""
    types_left_out: int
    values_left_out: int
    """Only the commonest are told."""
    genes: list[GeneBySplit]
    unknown: list[str]
    """What was asked for and isn't measured, or may be several genes."""


class UnreadLabel(Shape):
    """A label that isn't understood as a type."""

    label: str
    cells: int
    values: list[int]
    """Its places among the values of the column."""
    ambiguous: bool
    """Whether it may mean each of the names that are near; else they are only spelled like it."""
    near: list[str]


class Agreement(Shape):
    """Cells by what their answers are worth, going by the labels and the ontology."""

    right: int
    """The label, or a subtype of it."""
    coarser: int
    """A type above it."""
    wrong: int
    unanswered: int


class OtherAnswer(Term):
    """A type that cells of a label are called, and that the label is not of."""

    cells: int


class OtherwiseNamed(Shape):
    """A label whose cells are called another type, at least some."""

    value: int
    """Its place among the values of the column."""
    label: str
    meant: Term
    """The type that it is understood as."""
    cells: int
    other: int
    """Those that are called another type."""
    answers: list[OtherAnswer]
    """Commonest first."""


class Labelled(Shape):
    """What a column of labels means, and how the answers agree with it."""

    labelled: int
    understood: int
    """Cells whose label is understood as a type."""
    unlabelled: int
    enough: Share
    """Share of the labelled cells from which on agreement is told."""
    not_understood: list[UnreadLabel]
    """Commonest first."""
    more: int
    """Further labels that aren't understood."""
    agreement: Agreement | None
    """Null where too few labels are understood."""
    otherwise: list[OtherwiseNamed]
    """Labels whose cells are called another type, those with most such cells first."""


class Reason(Shape):
    """Why answers aren't sure."""

    reason: str
    code: int
    """What its cells have in the bytes of all cells."""
    cells: int


class UnsureCell(Shape):
    """A cell whose answer isn't sure."""

    position: int
    name: str
    term: str
    short: str
    """Short name of the answer."""
    score: Share
    second: str | None
    """Short name of the other type, where the cell is between two."""
    alone: str | None = None
    """Short name of what the cell would be called without its neighbours, where that is something else."""
    n_counts: float
    reason: str


class Unsure(Shape):
    """Cells whose answers aren't sure."""

    reasons: list[Reason]
    """In the order in which they are looked for; of all cells, or of those of the type that was asked for."""
    cells: int
    """How many there are of the reason that was asked for."""
    start: int
    rows: list[UnsureCell]
    """Some of them: reason by reason, the lowest score first."""
