"""Completes lists of digests from the index: for footage recorded before these lists were kept.

Only lines of rows whose name has none are added; a line that contradicts its row is left to the check.
"""

from collections.abc import Iterator
from pathlib import Path

from evidence.day_manifest import add_digests, names_in
from evidence.fixity import has_mark
from evidence.ingest import Store
from evidence.naming import FOOTAGE_FOLDER


def complete_lists(store: Store) -> Iterator[tuple[Path, int]]:
    """Go through all day folders that can be reached; yields each with how many lines it got, often none.

    Raises OSError when a disk does not let us; what was added until then stays.
    """
    with store.database.read() as connection:
        volumes = connection.execute("select id, uuid, path from volume order by id").fetchall()
    for volume in volumes:
        path = Path(volume["path"])
        days = sorted((path / FOOTAGE_FOLDER).iterdir()) if has_mark(path, volume["uuid"]) else []
        for folder in days:
            if folder.is_dir():
                yield folder, _complete(store, volume["id"], folder)


def _complete(store: Store, volume_id: int, folder: Path) -> int:
    below = f"{FOOTAGE_FOLDER}/{folder.name}"
    with store.database.read() as connection:
        rows = connection.execute(
            "select path, sha256 from segment where volume_id = ? and path > ? and path < ? order by path",
            (volume_id, f"{below}/", f"{below}0"),  # 0 comes right after the slash
        ).fetchall()
    there = names_in(folder)  # after the rows: a file has its line before its row
    digests = {Path(row["path"]).name: row["sha256"] for row in rows}
    missing = {name: sha256 for name, sha256 in digests.items() if name not in there}
    if missing and add_digests(folder, missing):
        store.disk.sync_folder(folder)
    return len(missing)
