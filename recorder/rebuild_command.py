"""`run.py rebuild`: a footage index that is lost or damaged is made anew from the footage itself."""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from config.settings import Settings
from evidence.database import DatabaseError
from evidence.lost_index import (
    IndexPlace,
    Rebuilding,
    build_new,
    exchange,
    exclusive,
    lost_index,
    trouble_with,
)
from evidence.rebuild import FoundVolume, RebuildError, Rebuilt, find_volume
from exam.clock import Clock, SystemClock, site_time

# Files that a reading process takes at a time.
CHUNK: Final = 50
_HELP: Final = """Make footage.db anew from the files on all footage volumes, after it was lost or \
damaged. Stop the recorder first. The damaged files are moved aside, never deleted. Causes of gaps are not \
in the files and are lost; footage, times and digests are not."""


def main(
    words: Sequence[str], settings_at: Callable[[Path | None], Settings], clock: Clock | None = None
) -> int:
    """Rebuild the index of the site in the settings. 0 when it is in place."""
    parser = argparse.ArgumentParser(prog="run.py rebuild", description=_HELP)
    parser.add_argument(
        "--settings", type=Path, help="settings file (default: kaochang.toml, if there is one)"
    )
    parser.add_argument(
        "--hash", action="store_true", help="read every file, instead of trusting the days' lists of digests"
    )
    parser.add_argument("--anyway", action="store_true", help="also when nothing is wrong with the index")
    arguments = parser.parse_args(words)
    settings = settings_at(arguments.settings)
    place = IndexPlace(settings.data_folder, settings.keys_folder)
    now_us = (clock or SystemClock()).wall_us()
    try:
        reason = trouble_with(place)
        if not reason and not arguments.anyway:
            _say("footage.db is sound and agrees with its checkpoints: nothing to rebuild.")
            return 0
        _say(f"footage.db: {reason or 'rebuilt although nothing is wrong'}")
        volumes = _volumes(settings)
        aside = place.folder / f"footage-lost-{site_time(now_us):%Y%m%d-%H%M%S}"
        with exclusive(place), ProcessPoolExecutor(mp_context=get_context("fork")) as workers:
            each = partial(workers.map, chunksize=CHUNK)
            rebuilding = Rebuilding(now_us, aside, arguments.hash, each)
            found = _rebuild(place, reason or "asked for", volumes, rebuilding)
    except (DatabaseError, RebuildError, OSError) as error:
        _say(f"rebuild: {error}")
        return 1
    _report(found, aside)
    return 0


def _volumes(settings: Settings) -> list[FoundVolume]:
    """All footage folders; a reserve that is not there is named: most sites never used it."""
    volumes = [find_volume(path) for path in settings.footage_volumes]
    reserve = settings.recorder.reserve_volume
    if reserve is not None:
        try:
            volumes.append(find_volume(reserve))
        except RebuildError as error:
            _say(f"{error}; what lies there is indexed when the recorder sees it again")
    return volumes


def _rebuild(
    place: IndexPlace, reason: str, volumes: Sequence[FoundVolume], rebuilding: Rebuilding
) -> Rebuilt:
    aside = rebuilding.aside
    new = IndexPlace(aside / "new", aside / "new" / "keys")
    new.keys.mkdir(parents=True, mode=0o700)
    found = Rebuilt()
    for found in build_new(new, lost_index(place, reason), volumes, rebuilding):
        _say(f"{found.segments} segments indexed")
    exchange(place, new, aside)
    return found


def _report(found: Rebuilt, aside: Path) -> None:
    _say(f"Rebuilt: {found.segments} segments, {found.hashed} of them read whole, {found.gaps} gaps.")
    if found.absent:
        _say(f"{found.absent} files stand in a day's list and are not there: disposed of, or lost.")
    for path, words in found.left:
        _say(f"left for the next start of the recorder: {path}: {words}")
    _say(f"The lost index, its checkpoints and its key lie in {aside}: keep them.")
    _say("The new ledger begins with a leaf that names the last checkpoint of the lost one.")


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
