"""Reports of real signals that came to a rehearsal: kept in a file until the site's own records take them in.

A player that was out of contact since an exam delivers what it still has to whoever answers, and forgets it
when it is taken. A rehearsal knows nothing of that exam, and must not be where the report ends.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from evidence.announcements import PlayedReport


def set_aside(path: Path, reports: Iterable[PlayedReport]) -> None:
    """Add them to the file. Durable on return; raises OSError, and then the player still has them."""
    lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in reports)
    with path.open("a", encoding="utf-8") as kept:
        kept.write(lines)
        kept.flush()
        os.fsync(kept.fileno())


def reports_set_aside(path: Path) -> list[PlayedReport]:
    """What the file holds. A line torn by a crash was never answered for, and comes again from its player."""
    if not path.exists():
        return []
    return [found for line in path.read_text(encoding="utf-8").splitlines() if (found := _read(line))]


def _read(line: str) -> PlayedReport | None:
    try:
        return PlayedReport(**json.loads(line))
    except (ValueError, TypeError):
        return None
