"""What a statement may say and a ledger may hold although few do: good bags, and incomplete ones.

Every maker changes a bag that its caller then signs. UNUSUAL has the verdict with each.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from evidence.bag_verifier import INCOMPLETE, PROVED
from exam.clock import SECOND_US
from tests.evidence.bags import CAMERA, CAMERA_2, FIRST_US, Archive, wish
from tests.evidence.relogged_bags import Leaves, relog
from tests.evidence.spoiled_bags import Said, redeliver, rewrite, segment_names

Make = Callable[[Archive, Path], object]
GAP: Final = "camera-1/gap-13"
GAP_END_US: Final = FIRST_US + 18 * SECOND_US
# The first and last letters of each length and row of UTF-8.
EDGES: Final = "".join(
    chr(each)
    for each in (
        *(0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFFFF),
        *(0x10000, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF),
    )
)


def incomplete(bag: Path) -> None:
    rewrite(bag / "bag-info.txt", "Kaochang-Complete: yes", "Kaochang-Complete: no")


def edit_leaf(archive: Archive, bag: Path, place: str, *edits: tuple[str, str]) -> None:
    """The ledger made anew with other words in one entry."""

    def change(leaves: Leaves) -> None:
        at, entry = leaves[place]
        for old, new in edits:
            assert old in entry.decode(), (place, old)
            entry = entry.replace(old.encode(), new.encode(), 1)
        leaves[place] = (at, entry)

    relog(archive, bag, change)


def move_folder(bag: Path, old: str, new: str) -> None:
    for below in ("data", "proof"):
        (bag / below / old).rename(bag / below / new)

    def told(said: Said) -> None:
        for camera in said["cameras"]:
            camera["folder"] = new if camera["folder"] == old else camera["folder"]

    redeliver(bag, told)


def export_instead(archive: Archive, bag: Path, from_us: int, until_us: int, cameras: Sequence[str]) -> None:
    """Another stretch of the same archive in the place of the bag."""
    made = archive.export(wish(archive, from_us, until_us, cameras=cameras))[0].path
    shutil.rmtree(bag)
    shutil.move(made, bag)


def gap_that_goes_on(archive: Archive, bag: Path, made_at_us: int = GAP_END_US) -> None:
    """It reaches to the moment at which the bag was made."""
    edit_leaf(archive, bag, GAP, ("gap_end", "gap_open"), (f'"ended_at_us":{GAP_END_US},', ""))
    redeliver(bag, lambda said: said["cameras"][0]["gaps"][0].update(until_us=None))
    redeliver(bag, lambda said: said.update(made_at_us=made_at_us))


def gap_with_an_end_of_null(archive: Archive, bag: Path) -> None:
    gap_that_goes_on(archive, bag)
    edit_leaf(archive, bag, GAP, ('"cause":"stalled",', '"cause":"stalled","ended_at_us":null,'))


def much_in_words(_archive: Archive, bag: Path) -> None:
    """Copies, files set aside, sounds, signs that JSON writes in its own way; an older bag knew no sounds."""
    names = [f"data/derived/camera-{number}/play.mp4" for number in (1, 2)]
    for name in names:
        (bag / name).parent.mkdir(parents=True)
        (bag / name).write_bytes(b"a copy")

    def told(said: Said) -> None:
        said["derived"] = [{"file": name, "how": 'quick "remux"\\'} for name in names]
        said["cameras"][0].update(label=f'{EDGES}"\\\b\f\n\r\t\0\x1f\x7f/', quarantined=["a", "b,"])
        first_file, second, *_ = said["cameras"][0]["segments"]
        first_file.update(sound="derived", sound_codec="pcm")
        del second["sound"], second["sound_codec"]
        said.update(order=(1 << 53) - 1, whole_until_us=(1 << 53) - 1, part=0)
        said["asked_by"]["second_person"] = ""

    redeliver(bag, told)
    spaces = "Kaochang-Note: \x01\n\u3000Kaochang-Complete: no\n\u212aaochang-Complete: no\nKaochang-Complete"
    rewrite(bag / "bag-info.txt", "Kaochang-Complete", spaces)


def much_in_a_leaf(archive: Archive, bag: Path) -> None:
    place = f"camera-1/{segment_names(bag)[0]}"
    odd = '"camera_offset_us":-1,"camera_o":0'
    edit_leaf(archive, bag, place, ('"origin":"live"', '"origin":"考\\"\\\\\\n\\u001f\x7f, \\"kind\\":{}"'))
    edit_leaf(archive, bag, place, ('"path":"footage/', '"path":"a b\\"考/'), ("offset_us", "offset_x"))
    latest = (1 << 53) - 1
    edit_leaf(archive, bag, GAP, ('"recorded_at_us":1795309300000000', f'"recorded_at_us":{latest}'))
    last = f"camera-2/{segment_names(bag, 2)[-1]}"
    edit_leaf(archive, bag, last, (f'"ended_at_us":{FIRST_US + 32 * SECOND_US}', f'"ended_at_us":{latest}'))
    edit_leaf(archive, bag, GAP, ('"camera_uuid"', ",".join(sorted(odd.split(","))) + ',"camera_uuid"'))


def gap_of_another_name(bag: Path, new: str) -> None:
    for end in ("entry", "tlog-proof"):
        (bag / f"proof/{GAP}.{end}").rename(bag / f"proof/camera-1/{new}.{end}")
    redeliver(bag, lambda said: said["cameras"][0]["gaps"][0].update(proof=new))


def other_folders(_archive: Archive, bag: Path) -> None:
    """In the order of numbers and of letters they differ; a gap's number is any."""
    gap_of_another_name(bag, "gap-9876543210")
    move_folder(bag, "camera-1", "camera-10")
    move_folder(bag, "camera-2", "camera-09")


def parts_that_are_not_delivered(_archive: Archive, bag: Path) -> None:
    states = ("missing", "disposed", "damaged")
    for number, state in enumerate(states):
        name = segment_names(bag)[number]
        original = bag / "data/camera-1" / name
        original.write_bytes(b"torn") if state == "damaged" else original.unlink()
    redeliver(
        bag,
        lambda said: [
            said["cameras"][0]["segments"][at].update(state=state) for at, state in enumerate(states)
        ],
    )
    incomplete(bag)


def holes_in_two_cameras(archive: Archive, bag: Path) -> None:
    """Two in each, and the camera that comes first is the last by its folder's name."""
    other_folders(archive, bag)
    leave_out(bag, 0, 1)
    leave_out(bag, 1, 2)
    redeliver(bag, lambda said: said.update(until_us=FIRST_US + 60 * SECOND_US))
    tell_holes(bag, 0, [(4, 8), (34, 60)])
    tell_holes(bag, 1, [(8, 12), (32, 60)])
    incomplete(bag)


def leave_out(bag: Path, camera: int, number: int) -> None:
    """One file less, in the statement too."""
    said = json.loads((bag / "delivery.json").read_bytes())
    name = said["cameras"][camera]["segments"][number]["file"]
    for path in bag.glob(f"*/{said['cameras'][camera]['folder']}/{name}*"):
        path.unlink()
    redeliver(bag, lambda told: told["cameras"][camera]["segments"].pop(number))


def tell_holes(bag: Path, camera: int, seconds: Sequence[tuple[float, float]]) -> None:
    holes = [
        {
            "from_us": FIRST_US + int(begins * SECOND_US),
            "until_us": FIRST_US + int(ends * SECOND_US),
            "kinds": ["stalled", "unrecorded"],
            "words": "",
        }
        for begins, ends in seconds
    ]
    redeliver(bag, lambda said: said["cameras"][camera].update(unaccounted=holes))


def seam(archive: Archive, bag: Path, late_us: int = 500_000, number: int = 1) -> None:
    """A file of the first camera begins so much later."""
    place = f"camera-1/{segment_names(bag)[number]}"
    start_us = FIRST_US + number * 4 * SECOND_US
    edit_leaf(archive, bag, place, (f'"started_at_us":{start_us}', f'"started_at_us":{start_us + late_us}'))


def another_tree(archive: Archive, bag: Path, size: int, step: int, last: Sequence[int] = ()) -> None:
    """The leaves stand `step` apart, and the first ones at these places instead."""

    def change(leaves: Leaves) -> None:
        for number, (place, (at, entry)) in enumerate(list(leaves.items())):
            there = last[number] if number < len(last) else at * step
            leaves[place] = (there, entry.replace(b'"index":%d,' % at, b'"index":%d,' % there))

    relog(archive, bag, change, size)


def one_file(archive: Archive, bag: Path) -> None:
    """The only leaf of its ledger."""
    export_instead(archive, bag, FIRST_US + SECOND_US, FIRST_US + 2 * SECOND_US, [CAMERA_2])
    another_tree(archive, bag, 1, 0)


def two_files(archive: Archive, bag: Path) -> None:
    export_instead(archive, bag, FIRST_US + SECOND_US, FIRST_US + 5 * SECOND_US, [CAMERA_2])
    another_tree(archive, bag, 2, 1)


def nothing_at_all(archive: Archive, bag: Path) -> None:
    export_instead(archive, bag, FIRST_US + 60 * SECOND_US, FIRST_US + 90 * SECOND_US, [CAMERA, CAMERA_2])


def only_a_gap(archive: Archive, bag: Path) -> None:
    export_instead(archive, bag, FIRST_US + 16_500_000, FIRST_US + 17_500_000, [CAMERA])


UNUSUAL: Final[dict[str, tuple[Make, int]]] = {
    "nothing changed": (lambda archive, bag: relog(archive, bag, lambda _leaves: None), PROVED),
    "a gap that goes on": (gap_that_goes_on, PROVED),
    "a gap with an end of null": (gap_with_an_end_of_null, PROVED),
    "much in words": (much_in_words, PROVED),
    "much in a leaf": (much_in_a_leaf, PROVED),
    "other folders": (other_folders, PROVED),
    "parts that are not delivered": (parts_that_are_not_delivered, INCOMPLETE),
    "holes in two cameras": (holes_in_two_cameras, INCOMPLETE),
    "a seam of half a second in a run": (seam, PROVED),
    "a seam of half a second between runs": (
        lambda archive, bag: between_runs(archive, bag, 500_000),
        PROVED,
    ),
    "a tree with the last leaf alone": (lambda archive, bag: another_tree(archive, bag, 33, 1, [32]), PROVED),
    "a tree with two edges": (
        lambda archive, bag: another_tree(archive, bag, 1201, 64, [1200, 1199]),
        PROVED,
    ),
    "one file": (one_file, PROVED),
    "two files": (two_files, PROVED),
    "nothing at all": (nothing_at_all, INCOMPLETE),
    "only a gap": (only_a_gap, PROVED),
}


def between_runs(archive: Archive, bag: Path, late_us: int) -> None:
    """Two files of different runs with a hole between them, and no gap."""
    export_instead(archive, bag, FIRST_US + 13 * SECOND_US, FIRST_US + 21 * SECOND_US, [CAMERA])
    earlier = GAP_END_US - late_us
    (name,) = [each for each in segment_names(bag) if "_000003_" in each]
    ended_us = FIRST_US + 16 * SECOND_US
    edit_leaf(archive, bag, f"camera-1/{name}", (f'"ended_at_us":{ended_us}', f'"ended_at_us":{earlier}'))
    for end in ("entry", "tlog-proof"):
        (bag / f"proof/{GAP}.{end}").unlink()
    redeliver(bag, lambda said: said["cameras"][0].update(gaps=[]))
