"""What an attacker can make of a bag, without the site's key: no verifier may accept it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evidence.bag_verifier import SIGNATURE
from evidence.delivery import canonical_json

Said = dict[str, Any]


def first(bag: Path, pattern: str) -> Path:
    return sorted(bag.glob(pattern))[0]


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def redeliver(bag: Path, change: Callable[[Said], None]) -> None:
    """Let delivery.json say something else."""
    said = json.loads((bag / "delivery.json").read_bytes())
    change(said)
    (bag / "delivery.json").write_bytes(canonical_json(said))


def segment_names(bag: Path, camera: int = 1) -> list[str]:
    said = json.loads((bag / "delivery.json").read_bytes())
    return [each["file"] for each in said["cameras"][camera - 1]["segments"]]


def spoil_payload(bag: Path) -> None:
    first(bag, "data/camera-1/*").write_bytes(b"other pictures")


def turn_a_bit(bag: Path) -> None:
    """Of an original, whose size stays as it was."""
    content = bytearray(first(bag, "data/camera-1/*").read_bytes())
    content[-1] ^= 1
    first(bag, "data/camera-1/*").write_bytes(content)


def spoil_statement(bag: Path) -> None:
    rewrite(bag / "delivery.json", "考生投诉核查", "考生投诉复查")


def spoil_bagit(bag: Path) -> None:
    (bag / "bagit.txt").write_bytes((bag / "bagit.txt").read_bytes().replace(b"1.0", b"0.9"))


def spoil_key(bag: Path) -> None:
    (bag / "proof" / "key.pem").write_bytes(b"-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----\n")


def spoil_signature(bag: Path) -> None:
    content = bytearray((bag / SIGNATURE).read_bytes())
    content[5] ^= 4
    (bag / SIGNATURE).write_bytes(content)


def drop_file(bag: Path) -> None:
    first(bag, "data/camera-1/*").unlink()


def drop_manifest(bag: Path) -> None:
    (bag / "manifest-sha256.txt").unlink()


def drop_signature(bag: Path) -> None:
    (bag / SIGNATURE).unlink()


def add_file(bag: Path) -> None:
    (bag / "data" / "camera-1" / "more.mp4").write_bytes(b"more")


def add_tag(bag: Path) -> None:
    (bag / "note.txt").write_bytes(b"read me")


def add_link(bag: Path) -> None:
    (bag / "data" / "link").symlink_to("/etc/hostname")


def repeat_line(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + manifest.read_text().splitlines(keepends=True)[0])


def disorder_line(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + "what is this\n")


def misplace_line(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + "0" * 64 + "  verify.py\n")


def name_with_a_space(bag: Path) -> None:
    (bag / "read me.txt").write_bytes(b"more")


def hidden_name(bag: Path) -> None:
    (bag / "data" / ".hidden").write_bytes(b"more")


def name_in_capitals(bag: Path) -> None:
    shutil.copy(bag / "delivery.json", bag / "Delivery.json")


def name_with_a_line_end(bag: Path) -> None:
    (bag / "data" / "camera-1" / "x\nverify.py").write_bytes(b"more")


def name_that_a_terminal_obeys(bag: Path) -> None:
    (bag / "\x1b[2J\x1b[HPROVED").write_bytes(b"more")


def name_that_is_no_text(bag: Path) -> None:
    Path(os.fsdecode(os.fsencode(bag) + b"/\xff\xfe")).write_bytes(b"more")


def add_pipe(bag: Path) -> None:
    os.mkfifo(bag / "data" / "pipe")


def link_to_a_folder(bag: Path) -> None:
    folder = bag / "data" / "camera-1"
    folder.rename(bag.with_name("elsewhere"))
    folder.symlink_to(bag.with_name("elsewhere"), target_is_directory=True)


def enormous_original(bag: Path) -> None:
    os.truncate(first(bag, "data/camera-1/*"), 1 << 42)


def enormous_statement(bag: Path) -> None:
    os.truncate(bag / "delivery.json", 1 << 42)


def line_out_of_the_bag(bag: Path) -> None:
    add_line(bag, f"{'0' * 64}  data/../../../../../dev/zero\n")


def line_to_a_device(bag: Path) -> None:
    add_line(bag, f"{'0' * 64}  /dev/zero\n")


def line_with_a_return(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))


def line_without_end(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_bytes(manifest.read_bytes().removesuffix(b"\n"))


def digests_in_capitals(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    lines = manifest.read_text().splitlines()
    manifest.write_text("".join(f"{line[:64].upper()}{line[64:]}\n" for line in lines))


def add_line(bag: Path, line: str) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + line)


SPOILING: list[Callable[[Path], None]] = [
    spoil_payload,
    turn_a_bit,
    spoil_statement,
    spoil_bagit,
    spoil_key,
    spoil_signature,
    drop_file,
    drop_manifest,
    drop_signature,
    add_file,
    add_tag,
    add_link,
    repeat_line,
    disorder_line,
    misplace_line,
    name_with_a_space,
    hidden_name,
    name_in_capitals,
    name_with_a_line_end,
    name_that_a_terminal_obeys,
    name_that_is_no_text,
    add_pipe,
    link_to_a_folder,
    enormous_original,
    enormous_statement,
    line_out_of_the_bag,
    line_to_a_device,
    line_with_a_return,
    line_without_end,
    digests_in_capitals,
]
# Making the lists anew takes these changes back.
ONLY_LISTS: list[Callable[[Path], None]] = [
    spoil_signature,
    drop_manifest,
    repeat_line,
    disorder_line,
    misplace_line,
    line_out_of_the_bag,
    line_to_a_device,
    line_with_a_return,
    line_without_end,
    digests_in_capitals,
]
# No list can be made that names these, or reading them would never end.
UNLISTABLE: list[Callable[[Path], None]] = [
    name_with_a_line_end,
    name_that_a_terminal_obeys,
    name_that_is_no_text,
    add_pipe,
    link_to_a_folder,
    enormous_original,
    enormous_statement,
]
