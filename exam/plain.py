"""Values of the rules as plain dictionaries and lists, and back: for roster packages and other programs.

Follows the types of the dataclasses, so a value that was written is read back equal. Reading trusts
nothing: what has another shape is a PlainError that names the place, never a half-built value.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Value = TypeVar("Value")


class PlainError(Exception):
    """The plain form does not describe such a value; the message names the place."""


def to_plain(value: Any) -> Any:
    """The value of dictionaries, lists, texts, numbers and null: ready for JSON. Sets are sorted."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(part) for key, part in value.items()}
    if isinstance(value, tuple | frozenset):
        parts = [to_plain(part) for part in value]
        return sorted(parts) if isinstance(value, frozenset) else parts
    return _plain_one(value)


def _plain_one(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def from_plain(kind: type[Value], plain: Any) -> Value:
    """The value of that type again. Raises PlainError."""
    return cast(Value, _read(kind, plain, kind.__name__))


def _read(kind: Any, plain: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _read_optional(kind, plain, where)
    if origin in {tuple, frozenset}:
        return origin(_read_many(get_args(kind)[0], plain, where))
    if origin is not None:
        return _read_mapping(get_args(kind), plain, where)
    if is_dataclass(kind):
        return _read_dataclass(cast(type[Any], kind), plain, where)
    return _read_one(kind, plain, where)


def _read_optional(kind: Any, plain: Any, where: str) -> Any:
    if plain is None:
        return None
    (inner,) = (part for part in get_args(kind) if part is not type(None))
    return _read(inner, plain, where)


def _read_many(kind: Any, plain: Any, where: str) -> list[Any]:
    if not isinstance(plain, list):
        raise PlainError(f"{where}: a list is wanted")
    return [_read(kind, part, f"{where}[{number}]") for number, part in enumerate(plain)]


def _read_mapping(kinds: tuple[Any, ...], plain: Any, where: str) -> dict[Any, Any]:
    if not isinstance(plain, dict):
        raise PlainError(f"{where}: a dictionary is wanted")
    return {
        _read(kinds[0], key, where): _read(kinds[1], part, f"{where}.{key}") for key, part in plain.items()
    }


def _read_dataclass(kind: type[Any], plain: Any, where: str) -> Any:
    if not isinstance(plain, dict):
        raise PlainError(f"{where}: a dictionary is wanted")
    known = {one.name: one for one in fields(kind)}
    if unknown := sorted(set(plain) - set(known)):
        raise PlainError(f"{where}: nobody knows {', '.join(unknown)}")
    owed = [
        name
        for name, one in known.items()
        if name not in plain and one.default is MISSING and one.default_factory is MISSING
    ]
    if owed:
        raise PlainError(f"{where}: {', '.join(owed)} is missing")
    hints = get_type_hints(kind)
    return kind(**{name: _read(hints[name], part, f"{where}.{name}") for name, part in plain.items()})


def _read_one(kind: Any, plain: Any, where: str) -> Any:
    if issubclass(kind, StrEnum | date):
        try:
            return kind(plain) if issubclass(kind, StrEnum) else date.fromisoformat(plain)
        except (ValueError, TypeError) as error:
            raise PlainError(f"{where}: {plain!r} is no {kind.__name__}") from error
    # True is an int to Python, and to nobody else.
    if not isinstance(plain, kind) or (isinstance(plain, bool) and kind is not bool):
        raise PlainError(f"{where}: {kind.__name__} is wanted")
    return plain
