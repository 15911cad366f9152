"""Reading a file of settings that comes with the program: one model, every fault named with its key."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def read_toml(model: type[Model], path: Path, what: str, refusal: type[Exception]) -> Model:
    """The file as this model has it. Raises `refusal` naming `what` it is, the path and every fault."""
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise refusal(f"{what} {path}: {len(faults)} fault(s)\n" + "\n".join(faults)) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise refusal(f"{what} {path}: cannot be read: {error}") from error
