"""Bags that a site signed and that are odd in one thing, so that one check of a verifier alone decides it.

Edits of texts and makers, by what is odd in them. The caller signs ODD; SIGNED_SO signs itself.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from evidence.bag_verifier import SIGNATURE, SIGNED
from tests.evidence.bags import Archive
from tests.evidence.forged_bags import checkpoint_text, sign_checkpoint
from tests.evidence.relogged_bags import Leaves, relog
from tests.evidence.spoiled_bags import (
    ONLY_LISTS,
    add_file,
    add_line,
    add_link,
    drop_manifest,
    first,
    redeliver,
    spoil_bagit,
    spoil_signature,
)
from tests.evidence.told_bags import TOLD

Make = Callable[[Archive, Path], object]
GAP: Final = "camera-1/gap-13"
START, END = b'"started_at_us":1795309216000000', b'"ended_at_us":1795309218000000'

# Of delivery.json: what stands there, and what instead.
STATEMENTS: Final[dict[str, tuple[bytes, bytes]]] = {
    "a letter as its number": (b'"label": "', b'"label": "\\u0041'),
    "a stroke with a stroke before it": (b'"label": "', b'"label": "\\/'),
    "no UTF-8": (b'"label": "', b'"label": "\xff'),
    "a nothing between letters": (b'"label": "', b'"label": "\0'),
    "a control character": (b'"label": "', b'"label": "\x01'),
    "a number that is a text": (b'"order": 12', b'"order": "12"'),
    "a number below nothing": (b'"order": 12', b'"order": -12'),
    "a number too large to count": (b'"order": 12', b'"order": 9007199254740992'),
    "an end too large to count": (b'"whole_until_us": 1', b'"whole_until_us": 9007199254740992'),
    "a number with a nothing before it": (b'"part": 1', b'"part": 01'),
    "a text that is a number": (b'"second_person": "\xe6\x9d\x8e\xe5\xbc\xba"', b'"second_person": 1'),
    "nobody second": (b'"second_person": "\xe6\x9d\x8e\xe5\xbc\xba"', b'"second_person": null'),
    "a key that it has not": (b' "format"', b' "dear": 1,\n "format"'),
    "a key too few": (b' "order": 12,\n', b""),
    "a name too few": (b'  "name": "\xe5\x91\xa8\xe5\xae\xa1",\n', b""),
    "a sound without its codec": (b'     "sound_codec": "",\n', b""),
    "a codec without a sound": (b'     "sound": "none",\n', b""),
    "a list that is a text": (b'"quarantined": []', b'"quarantined": ""'),
    "a number in a list of texts": (b'"quarantined": []', b'"quarantined": [\n    1\n   ]'),
    "a comma too many": (b'"quarantined": []', b'"quarantined": [\n    "a",\n   ]'),
}
# Of bag-info.txt.
SUMMARIES: Final[dict[str, tuple[bytes, bytes]]] = {
    "a nothing in the word": (b"Complete: yes", b"Complete: y\0es"),
    "no UTF-8": (b"Kaochang-Reason: ", b"Kaochang-Reason: \xff"),
    "no space": (b"Complete: yes", b"Complete:yes"),
    "two spaces": (b"Complete: yes", b"Complete:  yes"),
    "a return": (b"Complete: yes", b"Complete: yes\r"),
    "in small letters": (b"Kaochang-Complete", b"kaochang-complete"),
    "less than the proofs prove": (b"Complete: yes", b"Complete: no"),
    "the size twice": (b"Payload-Oxum: ", b"Payload-Oxum: 1.1\nPayload-Oxum: "),
}
# Of a leaf: which one, what stands there, and what instead. The ledger is made anew over it.
LEAVES: Final[dict[str, tuple[str, bytes, bytes]]] = {
    "a key twice": ("gap", b'"gap_id":1', b'"gap_id":1,"gap_id":1'),
    "keys in another order": ("gap", b'"gap_id":1,' + START, START + b',"gap_id":1'),
    "a space": ("gap", b'"gap_id":1', b'"gap_id": 1'),
    "a fraction": ("gap", b'"gap_id":1', b'"gap_id":1.0'),
    "yes": ("gap", b'"gap_id":1', b'"gap_id":true'),
    "a list": ("gap", b'"gap_id":1', b'"gap_id":[1]'),
    "another object with the key": ("gap", b'"gap_id":1', b'"gap_id":{"cause":"stalled"}'),
    "a key in capitals": ("gap", b'"gap_id":1', b'"gap_id":1,"gapId":1'),
    "an object before the body": ("gap", b'{"body"', b'{"also":{},"body"'),
    "no object at all": ("gap", b'{"body":{', b'["body":{'),
    "a word more behind the body": ("gap", b',"kind"', b',"is_true":1,"kind"'),
    "a word more at the end": ("gap", b'_us":1795309300000000}', b'_us":1795309300000000,"true":1}'),
    "no moment of recording": ("gap", b',"recorded_at_us":1795309300000000', b""),
    "a moment too large to count": ("gap", b'_us":1795309300000000}', b'_us":9007199254740992}'),
    "more behind the end": ("gap", b"00000}", b"00000}}"),
    "the index of another": ("gap", b'"index":13', b'"index":12'),
    "an index with a nothing before it": ("gap", b'"index":13', b'"index":013'),
    "an end too large to count": ("gap", END, b'"ended_at_us":9007199254740992'),
    "a start with a nothing before it": ("gap", START, b'"started_at_us":01795309216000000'),
    "a gap that goes on and ends": ("gap", b'"gap_end"', b'"gap_open"'),
    "a gap of the other camera": ("gap", b"0000000000c1", b"0000000000c2"),
    "a last file of the other camera": (
        "a3_000003",
        b'uuid":"00000000-0000-0000-0000-0000000000c1',
        b'uuid":"00000000-0000-0000-0000-0000000000c2',
    ),
    "a gap that ended at no moment": ("gap", END, b'"ended_at_us":null'),
    "a gap of nobody": ("gap", b'"camera_uuid":"00000000-0000-0000-0000-0000000000c1",', b""),
    "a file of another kind": ("mp4", b'"kind":"segment"', b'"kind":"segment_2"'),
    "a file in the place of a gap": ("mp4", b'"kind":"segment"', b'"kind":"gap_end"'),
    "a letter as its number": ("mp4", b'"origin":"live"', b'"origin":"li\\u0076e"'),
    "no UTF-8": ("mp4", b'"origin":"live"', b'"origin":"li\xffe"'),
    "a control character": ("mp4", b'"origin":"live"', b'"origin":"li\x02e"'),
    "the path of another": ("mp4", b"_000000_", b"_000009_"),
    "another sequence": ("mp4", b'"sequence":0', b'"sequence":1'),
    "a sequence that is a text": ("mp4", b'"sequence":0', b'"sequence":"0"'),
    "a digest in capitals": ("mp4", b'"sha256":"', b'"sha256":"A'),
    "another digest": ("mp4", b'"sha256":"6', b'"sha256":"7'),
    "no start": ("mp4", b'"started_at_us":1', b'"started_at_us":null,"started_by":1'),
}


def replace(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content, (path.name, old)
    path.write_bytes(content.replace(old, new, 1))


def relog_one(archive: Archive, bag: Path, which: str, old: bytes, new: bytes) -> None:
    """The ledger made anew with another entry of one gap or file."""

    def change(leaves: Leaves) -> None:
        place = next(each for each in leaves if which in each)
        at, entry = leaves[place]
        assert old in entry, (place, old)
        leaves[place] = (at, entry.replace(old, new, 1))

    relog(archive, bag, change)


def sign_lists(archive: Archive, bag: Path, spoil: Callable[[Path], object]) -> None:
    """A site that signs the list of originals as somebody spoiled it; the other list says its digest."""
    spoil(bag)
    digest = sha256((bag / "manifest-sha256.txt").read_bytes()).hexdigest()
    lines = (bag / SIGNED).read_text(encoding="utf-8").splitlines(keepends=True)
    name = "manifest-sha256.txt\n"
    kept = [f"{digest}  {name}" if line.endswith(f"  {name}") else line for line in lines]
    (bag / SIGNED).write_text("".join(kept), encoding="utf-8")
    sign(archive, bag)


def sign_tags(archive: Archive, bag: Path, old: bytes, new: bytes) -> None:
    """A site that signs a strange list of what is no original."""
    replace(bag / SIGNED, old, new)
    sign(archive, bag)


def sign(archive: Archive, bag: Path) -> None:
    (bag / SIGNATURE).write_bytes(archive.authority.signer.key.sign((bag / SIGNED).read_bytes()))


def move_to_the_originals(bag: Path) -> None:
    """A script among the originals of the lists."""
    lines = (bag / SIGNED).read_text(encoding="utf-8").splitlines(keepends=True)
    moved = next(line for line in lines if line.endswith("  verify.py\n"))
    (bag / SIGNED).write_text("".join(line for line in lines if line != moved), encoding="utf-8")
    add_line(bag, moved)


def move_from_the_originals(archive: Archive, bag: Path) -> None:
    """An original among the scripts of the lists."""
    originals = (bag / "manifest-sha256.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    (bag / "manifest-sha256.txt").write_text("".join(originals[1:]), encoding="utf-8")
    with (bag / SIGNED).open("a", encoding="utf-8") as listed:
        listed.write(originals[0])
    sign_lists(archive, bag, lambda _bag: None)


def unlisted_note(archive: Archive, bag: Path) -> None:
    (bag / "note.txt").write_bytes(b"read me")
    sign(archive, bag)


def statement_behind_its_digest(archive: Archive, bag: Path) -> None:
    redeliver(bag, lambda said: said["asked_by"].update(reason="another"))
    sign(archive, bag)


def strange_folder(_archive: Archive, bag: Path) -> None:
    (bag / "read me").mkdir()


def folder_with_the_name_of_a_list(_archive: Archive, bag: Path) -> None:
    (bag / "怎样核验.txt").unlink()
    (bag / "怎样核验.txt").mkdir()
    (bag / "怎样核验.txt" / "more.txt").write_bytes(b"more")


def statement_without_its_end(_archive: Archive, bag: Path) -> None:
    (bag / "delivery.json").write_bytes((bag / "delivery.json").read_bytes().removesuffix(b"\n"))


def entry_without_proof(_archive: Archive, bag: Path) -> None:
    first(bag, "proof/camera-1/*.tlog-proof").unlink()


def hash_without_its_end(_archive: Archive, bag: Path) -> None:
    """Of 44 letters, the last one not the sign that it has to be."""
    replace(bag / f"proof/{GAP}.tlog-proof", b"=\n", b"A\n")


def hash_with_letters_that_borrow(_archive: Archive, bag: Path) -> None:
    """A sign that is no letter counts as -1 with somebody careless: then these are the same bits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for proof in sorted(bag.glob("proof/*/*.tlog-proof")):
        lines = proof.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines[2 : lines.index("")], 2):
            for at in range(0, 42, 2):
                if line[at + 1] == "/" and letters.index(line[at]) % 4 != 3:
                    borrowed = letters[letters.index(line[at]) + 1]
                    lines[number] = f"{line[:at]}{borrowed}*{line[at + 2 :]}"
                    proof.write_text("\n".join(lines), encoding="utf-8")
                    return
    replace(bag / f"proof/{GAP}.tlog-proof", b"=\n", b"*\n")  # no such pair in this ledger


def proof_with_half_a_note(_archive: Archive, bag: Path) -> None:
    proof = bag / f"proof/{GAP}.tlog-proof"
    lines = proof.read_bytes().splitlines(keepends=True)
    proof.write_bytes(b"".join(lines[:-1]))


def proof_with_another_note(_archive: Archive, bag: Path) -> None:
    replace(bag / f"proof/{GAP}.tlog-proof", b"kaochang/footage", b"kaochang/footagE")


def note_of_another_key(_archive: Archive, bag: Path) -> None:
    """The signature is good, but everywhere the note says that it is by a key with another number."""
    note = (bag / "proof/checkpoint.note").read_bytes()
    head, _, signature = note.rpartition(b" ")
    other = head + (b" B" if signature[:1] == b"A" else b" A") + signature[1:]
    for path in (bag / "proof/checkpoint.note", *bag.glob("proof/*/*.tlog-proof")):
        path.write_bytes(path.read_bytes().replace(note, other))


def proof_with_more_behind(_archive: Archive, bag: Path) -> None:
    proof = bag / f"proof/{GAP}.tlog-proof"
    proof.write_bytes(proof.read_bytes() + b"more\n")


def checkpoint_that_nobody_signed(archive: Archive, bag: Path) -> None:
    """Note and signature fit together; neither fits the text."""
    kept = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([*kept[:2], "A" * 43 + "=", ""]))
    false = {name: (bag / f"proof/checkpoint.{name}").read_bytes() for name in ("sig", "note")}
    text, other = "\n".join(kept), "\n".join([*kept[:2], "A" * 43 + "=", ""])
    note = false["note"].replace(other.encode(), text.encode())
    for proof in bag.glob("proof/**/*.tlog-proof"):
        proof.write_bytes(proof.read_bytes().replace(false["note"], note))
    (bag / "proof/checkpoint.note").write_bytes(note)
    (bag / "proof/checkpoint.txt").write_text(text, encoding="utf-8")


def loose_root(archive: Archive, bag: Path) -> None:
    """The same bits, written in another way."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    origin, size, root, end = checkpoint_text(bag)
    other = f"{root[:42]}{letters[letters.index(root[42]) + 1]}="
    sign_checkpoint(archive, bag, "\n".join([origin, size, other, end]))


def size_of_nothing(archive: Archive, bag: Path) -> None:
    origin, _size, *rest = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, "", *rest]))


def size_too_large_to_count(archive: Archive, bag: Path) -> None:
    origin, _size, *rest = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, str(1 << 53), *rest]))


def _edit(path: str, old: bytes, new: bytes) -> Make:
    return lambda _archive, bag: replace(bag / path, old, new)


def _only(change: Callable[[Path], object]) -> Make:
    return lambda _archive, bag: change(bag)


def _relog(which: str, old: bytes, new: bytes) -> Make:
    return lambda archive, bag: relog_one(archive, bag, which, old, new)


# What the caller signs.
ODD: Final[dict[str, Make]] = {
    **{f"statement: {how}": _edit("delivery.json", *edit) for how, edit in STATEMENTS.items()},
    **{f"summary: {how}": _edit("bag-info.txt", *edit) for how, edit in SUMMARIES.items()},
    **{f"leaf: {how}": _relog(*edit) for how, edit in LEAVES.items()},
    **{each.__name__.replace("_", " "): _only(each) for each in (spoil_bagit, add_file, add_link)},
    **{
        each.__name__.replace("_", " "): each
        for each in (
            *(strange_folder, folder_with_the_name_of_a_list, statement_without_its_end, entry_without_proof),
            *(hash_without_its_end, hash_with_letters_that_borrow, proof_with_half_a_note),
            note_of_another_key,
            *(proof_with_another_note, proof_with_more_behind, checkpoint_that_nobody_signed, loose_root),
            *(size_of_nothing, size_too_large_to_count),
        )
    },
    **TOLD,
}
# What signs itself.
SIGNED_SO: Final[dict[str, Make]] = {
    **{
        f"signed so: {each.__name__}": lambda archive, bag, each=each: sign_lists(archive, bag, each)
        for each in ONLY_LISTS
        if each not in {spoil_signature, drop_manifest}
    },
    "signed so: move_to_the_originals": lambda archive, bag: sign_lists(archive, bag, move_to_the_originals),
    "signed so: scripts in capitals": lambda archive, bag: sign_tags(
        archive, bag, b"  verify.py", b" *verify.py"
    ),
    **{
        each.__name__.replace("_", " "): each
        for each in (move_from_the_originals, unlisted_note, statement_behind_its_digest)
    },
}
# Rows of UTF-8: first byte, bounds of the second, how many follow. Each way to leave one by a single step.
ROWS: Final = (
    *((0xC2, 0x80, 0xBF, 0), (0xE0, 0xA0, 0xBF, 1), (0xE1, 0x80, 0xBF, 1), (0xED, 0x80, 0x9F, 1)),
    *((0xF0, 0x90, 0xBF, 2), (0xF1, 0x80, 0xBF, 2), (0xF4, 0x80, 0x8F, 2)),
)


def _beside(first_byte: int, low: int, high: int, more: int) -> Iterator[bytes]:
    bounds = [(low, high), *[(0x80, 0xBF)] * more]
    right = [first_byte, *(each[0] for each in bounds)]
    for at, (lowest, highest) in enumerate(bounds, 1):
        for wrong in (lowest - 1, highest + 1):
            yield bytes([*right[:at], wrong, *right[at + 1 :]])


NO_LETTERS: Final[dict[str, Make]] = {
    f"no letter: {wrong.hex()}": _edit("bag-info.txt", b"Kaochang-Reason: ", b"Kaochang-Reason: " + wrong)
    for wrong in (
        b"\x80",
        b"\xc1\x80",
        b"\xf5\x80\x80\x80",
        *(each for row in ROWS for each in _beside(*row)),
    )
}
