"""The latest look for damaged pages in the footage index, kept in a small file beside it.

Not in the index, which may be the damaged one, and whose rows nobody can trust then. The console reads it
at every page; it counts until the next look, which every start of the recorder takes.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

LOOK_SUFFIX: Final = ".look"


@dataclass(frozen=True, slots=True)
class IndexLook:
    """What was found. `damage`: what SQLite said, empty when sound; `since_us`: when that was first found."""

    damage: str
    since_us: int


def look_path(footage_db: Path) -> Path:
    """Where the look at this index is kept."""
    return footage_db.with_name(footage_db.name + LOOK_SUFFIX)


def read_look(footage_db: Path) -> IndexLook | None:
    """The latest look; None before the first one, or when its file says nothing that was written here."""
    try:
        found = json.loads(look_path(footage_db).read_bytes())
        return IndexLook(str(found["damage"]), int(found["since_us"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_look(footage_db: Path, damage: str, now_us: int) -> None:
    """Keep what was found, whole or not at all. Damage found again lasts since it was first found."""
    before = read_look(footage_db)
    is_same = before is not None and bool(before.damage) == bool(damage)
    look = IndexLook(damage, before.since_us if before is not None and is_same else now_us)
    path = look_path(footage_db)
    draft = path.with_name(path.name + ".draft")
    with draft.open("wb") as opened:
        opened.write(json.dumps(asdict(look)).encode())
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(path)
