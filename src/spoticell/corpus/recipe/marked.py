"""YAML whose values know the line they stand in, so that whatever is wrong with one can be shown there.

Every value is text, list or mapping: what is written is what is meant (``007`` stays ``007``, ``no`` stays ``no``, a
date stays as it stands), and whoever checks the values turns them into numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

Place = Sequence[str | int]
"""Keys and positions that lead from the top of a document to a value."""


class MarkedError(ValueError):
    """What is wrong with a text that should be YAML."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        """Counted from 1."""


class MarkedYaml:
    r"""A document and its lines.

    Parameters
    ----------
    text
        YAML without anchors.

    Raises
    ------
    MarkedError
        If it isn't YAML, has an alias or a key that isn't text, or names a key twice.

    Examples
    --------
    >>> document = MarkedYaml("name: mine\nsources:\n  - file: cells.h5ad\n")
    >>> document.value
    {'name': 'mine', 'sources': [{'file': 'cells.h5ad'}]}
    >>> document.line(["sources", 0, "file"]), document.line(["sources", 0, "donor"])
    (3, 3)
    """

    def __init__(self, text: str) -> None:
        try:
            self._top = yaml.compose(text, Loader=_NoAliases)
            self.value = None if self._top is None else _plain(self._top)
            """The document as text, lists and mappings; None for an empty one."""
        except RecursionError:
            raise MarkedError(1, "lists and mappings lie too deep in one another") from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = " ".join(filter(None, (error.context, error.problem)))
            raise MarkedError(1 if mark is None else mark.line + 1, words) from None
        except yaml.YAMLError as error:
            raise MarkedError(1, str(error)) from None

    def line(self, place: Place) -> int:
        """Give the line of a value, of its key where it is in a mapping; of what should hold it where it is missing."""
        return max((line for _, line in self._walk(place)), default=1)

    def known(self, place: Place) -> list[str | int]:
        """Give those parts of a place that lead somewhere, and the last, which may be what is missing."""
        found = [step for step, _ in self._walk(place)]
        return [*found, *(place[-1:] if list(place[-1:]) != found[-1:] else [])]

    def _walk(self, place: Place) -> Iterator[tuple[str | int, int]]:
        node = self._top
        for step in place:
            if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                yield step, node.start_mark.line + 1
            elif isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == step), None)
                if found is not None:
                    node = found[1]
                    yield step, found[0].start_mark.line + 1


class _NoAliases(yaml.BaseLoader):
    """Composes a document; an alias, which could make a small file a huge one, is refused."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="an alias (*) is not allowed here", problem_mark=mark)
        return super().compose_node(parent, index)


def _plain(node: yaml.Node) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    mapping = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise MarkedError(line, "a key must be a word")
        if key.value in mapping:
            raise MarkedError(line, f"{key.value!r} stands here a second time")
        mapping[key.value] = _plain(value)
    return mapping
