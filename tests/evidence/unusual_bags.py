"""What a statement may say and a ledger may hold although few do, and what is almost the same and not good.

Every maker changes a bag that its caller then signs. UNUSUAL has the verdict with each; TOLD are all refused.
"""

import base64
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from evidence.bag_verifier import INCOMPLETE, PROVED
from evidence.merkle import hash_leaf, hash_node
from exam.clock import SECOND_US
from tests.evidence.bags import CAMERA, CAMERA_2, FIRST_US, Archive, wish
from tests.evidence.forged_bags import checkpoint_text, sign_checkpoint
from tests.evidence.relogged_bags import Leaves, relog
from tests.evidence.spoiled_bags import Said, first, redeliver, rewrite, segment_names

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
LISTS: Final = ("gaps", "quarantined", "segments", "unaccounted")


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


# Good, or incomplete.


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
    spaces = "\u3000Kaochang-Complete: no\n\u212aaochang-Complete: no\nKaochang-Complete"
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
        lambda archive, bag: another_tree(archive, bag, 1221, 64, [1220, 1219]),
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


# Refused.


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


def gap_of_another_name(bag: Path, new: str) -> None:
    for end in ("entry", "tlog-proof"):
        (bag / f"proof/{GAP}.{end}").rename(bag / f"proof/camera-1/{new}.{end}")
    redeliver(bag, lambda said: said["cameras"][0]["gaps"][0].update(proof=new))


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


def short_root_of_nothing(archive: Archive, bag: Path) -> None:
    """No leaf would show it."""
    nothing_at_all(archive, bag)
    origin, size, *_ = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, size, "AAAA", ""]))


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
            *(cause_of_another_form, request_backwards, short_root_of_nothing, holes_in_another_order),
            short_file_left_out,
        )
    },
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
