"""JSON bodies as machines and pages send them: strict, complete, and never repeated.

An unknown key, a text for a number or a number that is too long is refused whole; nothing of it appears in
an answer or a log, because a body may hold a document number.
"""

from typing import Any, Final, TypeVar

from flask import abort, request
from pydantic import BaseModel, ConfigDict, ValidationError

LARGEST_BODY_BYTES: Final = 32 * 1024

_Read = TypeVar("_Read", bound=BaseModel)


class Body(BaseModel):
    """Strict and complete."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def read_body(kind: type[_Read]) -> _Read:
    """The JSON body of the request. Anything else is a 400, too much of it a 413, without a word of it."""
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        abort(413)
    try:
        return kind.model_validate_json(request.get_data(cache=False))
    except ValidationError:
        abort(400)


def refused(error: str, advice: str, code: int = 400, **more: Any) -> tuple[dict[str, Any], int]:
    """An answer that says what to do."""
    return {"error": error, "advice": advice, **more}, code
