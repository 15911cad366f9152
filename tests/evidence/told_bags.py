"""What a site could tell although its own leaves say otherwise, or in no form that a bag has: all refused.

Neighbours of what is unusual and good. The caller signs the bag.
"""

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from evidence.merkle import hash_leaf, hash_node
from exam.clock import SECOND_US
from tests.evidence.bags import CAMERA_2, FIRST_US, Archive
from tests.evidence.forged_bags import checkpoint_text, sign_checkpoint
from tests.evidence.relogged_bags import Leaves, relog
from tests.evidence.spoiled_bags import Said, first, redeliver, segment_names
from tests.evidence.unusual_bags import (
    GAP,
    GAP_END_US,
    Make,
    between_runs,
    edit_leaf,
    gap_of_another_name,
    gap_that_goes_on,
    holes_in_two_cameras,
    incomplete,
    leave_out,
    nothing_at_all,
    one_file,
    seam,
)

LISTS: Final = ("gaps", "quarantined", "segments", "unaccounted")


def absent_called_damaged(_archive: Archive, bag: Path) -> None:
    (bag / "data/camera-1" / segment_names(bag)[0]).unlink()
    redeliver(bag, lambda said: said["cameras"][0]["segments"][0].update(state="damaged"))
    incomplete(bag)


def damaged_called_missing(_archive: Archive, bag: Path) -> None:
    (bag / "data/camera-1" / segment_names(bag)[0]).write_bytes(b"torn")
    redeliver(bag, lambda said: said["cameras"][0]["segments"][0].update(state="missing"))
    incomplete(bag)


def gap_called_a_missing_file(_archive: Archive, bag: Path) -> None:
    def told(said: Said) -> None:
        camera = said["cameras"][0]
        (gap,) = camera["gaps"]
        camera["gaps"] = []
        camera["segments"].append({**camera["segments"][0], "file": gap["proof"], "state": "missing"})

    redeliver(bag, told)
    incomplete(bag)


def file_called_a_gap(_archive: Archive, bag: Path) -> None:
    name = segment_names(bag)[1]
    leaf = json.loads((bag / f"proof/camera-1/{name}.entry").read_bytes())["body"]
    (bag / "data/camera-1" / name).unlink()

    def told(said: Said) -> None:
        camera = said["cameras"][0]
        del camera["segments"][1]
        times = {"from_us": leaf["started_at_us"], "until_us": leaf["ended_at_us"]}
        camera["gaps"].append({"cause": leaf["sha256"], "proof": name, "words": "", **times})

    redeliver(bag, told)


def two_in_one_folder(_archive: Archive, bag: Path) -> None:
    """The second camera has nothing, and no hole, because the first one's files lie where its own should."""
    for below in ("data", "proof"):
        shutil.rmtree(bag / below / "camera-2")
    empty: dict[str, Any] = {"folder": "camera-1", **{key: [] for key in LISTS}}
    redeliver(bag, lambda said: said["cameras"][1].update(empty))


def camera_in_a_strange_folder(_archive: Archive, bag: Path) -> None:
    def told(said: Said) -> None:
        whole = {"from_us": said["from_us"], "until_us": said["until_us"], "kinds": [], "words": ""}
        empty: dict[str, Any] = {key: [] for key in LISTS}
        said["cameras"].append({**said["cameras"][1], **empty, "folder": "camera-x", "unaccounted": [whole]})

    redeliver(bag, told)
    incomplete(bag)


def copy_beside_the_copies(_archive: Archive, bag: Path) -> None:
    (bag / "data/other").mkdir()
    (bag / "data/other/play.mp4").write_bytes(b"a copy")
    redeliver(bag, lambda said: said["derived"].append({"file": "data/other/play.mp4", "how": ""}))


def file_of_another_name(archive: Archive, bag: Path, rename: Callable[[str], str]) -> None:
    """In the ledger too."""
    name = segment_names(bag)[0]
    edit_leaf(archive, bag, f"camera-1/{name}", (name, rename(name)))
    for path in sorted(bag.glob(f"*/camera-1/{name}*")):
        path.rename(path.with_name(path.name.replace(name, rename(name))))
    redeliver(bag, lambda said: said["cameras"][0]["segments"][0].update(file=rename(name)))


def camera_of_another_form(archive: Archive, bag: Path) -> None:
    def change(leaves: Leaves) -> None:
        for place, (at, entry) in list(leaves.items()):
            leaves[place] = (
                at,
                entry.replace(b'"camera_uuid":"%s"' % CAMERA_2.encode(), b'"camera_uuid":"Yard"'),
            )

    relog(archive, bag, change)
    redeliver(bag, lambda said: said["cameras"][1].update(uuid="Yard"))


def cause_of_another_form(archive: Archive, bag: Path) -> None:
    edit_leaf(archive, bag, GAP, ("stalled", "Stalled"))
    redeliver(bag, lambda said: said["cameras"][0]["gaps"][0].update(cause="Stalled"))


def request_backwards(_archive: Archive, bag: Path) -> None:
    redeliver(bag, lambda said: said.update(from_us=said["until_us"], until_us=said["from_us"]))


def path_above_the_root(archive: Archive, bag: Path, *, longer: bool) -> None:
    """A proof of the only leaf that is too long for its tree, or a tree that is too large for its proof."""
    one_file(archive, bag)
    proof, entry = first(bag, "proof/*/*.tlog-proof"), first(bag, "proof/*/*.entry")
    origin, *_, end = checkpoint_text(bag)
    leaf, sibling = hash_leaf(entry.read_bytes()), bytes(32)
    root = hash_node(leaf, sibling) if longer else leaf
    if longer:
        line = base64.b64encode(sibling)
        proof.write_bytes(proof.read_bytes().replace(b"index 0\n", b"index 0\n%s\n" % line))
    size = "1" if longer else "2"
    sign_checkpoint(archive, bag, "\n".join([origin, size, base64.b64encode(root).decode(), end]))


def root_of_nothing(archive: Archive, bag: Path, length: int) -> None:
    """Of another length; no leaf would show it."""
    nothing_at_all(archive, bag)
    origin, size, *_ = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, size, base64.b64encode(bytes(length)).decode(), ""]))


def index_behind_the_only_leaf(archive: Archive, bag: Path) -> None:
    one_file(archive, bag)
    (place,) = bag.glob("proof/*/*.entry")
    origin, size, *_ = checkpoint_text(bag)
    entry = place.read_bytes().replace(b'"index":0', b'"index":1')
    place.write_bytes(entry)
    proof = place.with_suffix(".tlog-proof")
    proof.write_bytes(proof.read_bytes().replace(b"index 0\n", b"index 1\n"))
    root = base64.b64encode(hash_leaf(entry)).decode()
    sign_checkpoint(archive, bag, "\n".join([origin, size, root, ""]))


def short_digest_of_a_missing_file(archive: Archive, bag: Path) -> None:
    name = segment_names(bag)[0]
    (bag / "data/camera-1" / name).unlink()
    edit_leaf(archive, bag, f"camera-1/{name}", (',"sha256":"6', ',"sha256":"'))
    redeliver(bag, lambda said: said["cameras"][0]["segments"][0].update(state="missing"))
    incomplete(bag)


def gap_that_goes_on_and_has_an_end(archive: Archive, bag: Path) -> None:
    gap_that_goes_on(archive, bag)
    ended = f'"cause":"stalled","ended_at_us":{GAP_END_US},'
    edit_leaf(archive, bag, GAP, ('"cause":"stalled",', ended))


def earlier_gap(_archive: Archive, bag: Path) -> None:
    def told(said: Said) -> None:
        said["cameras"][0]["gaps"][0]["from_us"] -= 1

    redeliver(bag, told)


def large_list(_archive: Archive, bag: Path) -> None:
    """By one byte too large for a verifier, and too large for every test."""
    os.truncate(bag / "电子数据清单.pdf", 1 << 26)


def short_file_left_out(archive: Archive, bag: Path) -> None:
    """A third of a second is missing, and with it a whole file of the run."""
    first_file = segment_names(bag)[0]
    start_us = FIRST_US + 8 * SECOND_US
    ended, late = FIRST_US + 4 * SECOND_US, start_us - SECOND_US // 3
    edit_leaf(archive, bag, f"camera-1/{first_file}", (f'"ended_at_us":{ended}', f'"ended_at_us":{late}'))
    leave_out(bag, 0, 1)


def holes_in_another_order(archive: Archive, bag: Path) -> None:
    holes_in_two_cameras(archive, bag)
    redeliver(bag, lambda said: said["cameras"][1]["unaccounted"].reverse())


NAMES: Final[dict[str, Callable[[str], str]]] = {
    "no number": lambda name: name.replace("_000000_", "_0a_"),
    "no digits": lambda name: name.replace("_000000_", "__"),
    "a camera in capitals": lambda name: name.replace("c1_", "C1_", 1),
    "a short camera": lambda name: name[1:],
    "a run in capitals": lambda name: name.replace("a1_", "A1_", 1),
    "a long run": lambda name: name.replace("a1_", "a11_", 1),
    "no start": lambda name: name.replace("000.mp4", "00x.mp4"),
    "another kind": lambda name: name.replace(".mp4", ".mp5"),
    "more behind": lambda name: name.replace(".mp4", "_1.mp4"),
}
TOLD: Final[dict[str, Make]] = {
    **{
        each.__name__.replace("_", " "): each
        for each in (
            *(absent_called_damaged, damaged_called_missing, gap_called_a_missing_file, file_called_a_gap),
            *(two_in_one_folder, camera_in_a_strange_folder, copy_beside_the_copies, camera_of_another_form),
            *(cause_of_another_form, request_backwards, holes_in_another_order, index_behind_the_only_leaf),
            *(short_digest_of_a_missing_file, gap_that_goes_on_and_has_an_end, earlier_gap),
            short_file_left_out,
        )
    },
    "a short root of nothing": lambda archive, bag: root_of_nothing(archive, bag, 3),
    "a long root of nothing": lambda archive, bag: root_of_nothing(archive, bag, 33),
    "a gap that goes on too short": lambda archive, bag: gap_that_goes_on(archive, bag, GAP_END_US - 1),
    "a gap named at length": lambda _archive, bag: gap_of_another_name(bag, "gap-13a"),
    "a gap named otherwise": lambda _archive, bag: gap_of_another_name(bag, "a-gap-13"),
    "a seam of more in a run": lambda archive, bag: seam(archive, bag, 500_001),
    "a seam of more between runs": lambda archive, bag: between_runs(archive, bag, 500_001),
    "a path above the root": lambda archive, bag: path_above_the_root(archive, bag, longer=True),
    "a path below the root": lambda archive, bag: path_above_the_root(archive, bag, longer=False),
    **{
        f"a file named with {how}": lambda archive, bag, rename=rename: file_of_another_name(
            archive, bag, rename
        )
        for how, rename in NAMES.items()
    },
}
