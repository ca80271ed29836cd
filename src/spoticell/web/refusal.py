"""What a refused request gets: a status, one sentence, and perhaps when to try again."""

from __future__ import annotations

from starlette.exceptions import HTTPException


class Refusal(HTTPException):
    """A request that is refused, and why.

    Parameters
    ----------
    status
        The HTTP status, 4xx.
    sentence
        For the visitor.
    retry_after
        Seconds after which the same request may succeed.
    """

    def __init__(self, status: int, sentence: str, *, retry_after: int | None = None) -> None:
        headers = None if retry_after is None else {"Retry-After": str(retry_after)}
        super().__init__(status, sentence, headers)
