"""What a dishonest site could sign although its ledger says otherwise: no verifier may accept it."""

import json
import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

from tests.evidence.bags import Archive
from tests.evidence.spoiled_bags import (
    drop_file,
    first,
    hidden_name,
    name_in_capitals,
    name_with_a_space,
    rewrite,
    segment_names,
    spoil_payload,
)


def contradictory_summary(bag: Path) -> None:
    rewrite(bag / "bag-info.txt", "Kaochang-Complete: yes", "Kaochang-Complete: no\nKaochang-Complete: yes")


def hash_of_another_length(bag: Path) -> None:
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    line = proof.read_text(encoding="utf-8").split("\n")[2]
    rewrite(proof, line, "AAAA")


def foreign_proof(bag: Path) -> None:
    names = segment_names(bag)
    shutil.copy(bag / f"proof/camera-1/{names[0]}.entry", bag / f"proof/camera-1/{names[1]}.entry")


def another_segments_proof(bag: Path) -> None:
    names = segment_names(bag)
    for end in ("entry", "tlog-proof"):
        shutil.copy(bag / f"proof/camera-1/{names[0]}.{end}", bag / f"proof/camera-1/{names[1]}.{end}")


def changed_leaf(bag: Path) -> None:
    rewrite(first(bag, "proof/camera-1/*.mp4.entry"), '"origin":"live"', '"origin":"lost"')


def longer_path(bag: Path) -> None:
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    lines = proof.read_text(encoding="utf-8").split("\n")
    blank = lines.index("")
    proof.write_text("\n".join([*lines[:blank], *[lines[2]] * 6, *lines[blank:]]), encoding="utf-8")


def shorter_path(bag: Path) -> None:
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    lines = proof.read_text(encoding="utf-8").split("\n")
    proof.write_text("\n".join([*lines[:2], *lines[3:]]), encoding="utf-8")


def headless_proof(bag: Path) -> None:
    rewrite(first(bag, "proof/camera-1/*.tlog-proof"), "tlog-proof@v1", "tlog-proof@v2")


def index_beyond_the_tree(bag: Path) -> None:
    entry = first(bag, "proof/camera-1/*.mp4.entry")
    leaf = json.loads(entry.read_bytes())
    rewrite(entry, f'"index":{leaf["index"]}', '"index":999')
    rewrite(entry.with_suffix(".tlog-proof"), f"index {leaf['index']}", "index 999")


def lying_index(bag: Path) -> None:
    entry = first(bag, "proof/camera-1/*.mp4.entry")
    leaf = json.loads(entry.read_bytes())
    rewrite(entry.with_suffix(".tlog-proof"), f"index {leaf['index']}", "index 0")


def other_note(bag: Path) -> None:
    rewrite(bag / "proof" / "checkpoint.note", "kaochang/footage", "kaochang/footagE")


def other_checkpoint(bag: Path) -> None:
    rewrite(bag / "proof" / "checkpoint.txt", "18", "19")


def proof_without_entry(bag: Path) -> None:
    first(bag, "proof/camera-1/*.entry").unlink()


def original_without_proof(bag: Path) -> None:
    name = segment_names(bag)[0]
    (bag / "data" / "camera-1" / f"x{name}").write_bytes((bag / "data" / "camera-1" / name).read_bytes())


def swapped_original(bag: Path) -> None:
    spoil_payload(bag)


def dropped_original(bag: Path) -> None:
    drop_file(bag)


def key_twice(bag: Path) -> None:
    rewrite(bag / "delivery.json", "{", '{"format":"kaochang-delivery/1",')


def proof_that_nobody_names(bag: Path) -> None:
    shutil.copy(first(bag, "proof/camera-1/*.tlog-proof"), bag / "proof" / "camera-1" / "more.tlog-proof")


def stray_entry(bag: Path) -> None:
    for end in ("entry", "tlog-proof"):
        shutil.copy(first(bag, f"proof/camera-1/gap-*.{end}"), bag / "proof" / f"gap-1.{end}")


def loose_base64(bag: Path) -> None:
    """Another letter whose lowest bits say nothing."""
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    line = proof.read_text(encoding="utf-8").split("\n")[2]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    rewrite(proof, line, f"{line[:-2]}{letters[letters.index(line[-2]) + 1]}=")


def proof_without_its_end(bag: Path) -> None:
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    proof.write_bytes(proof.read_bytes().removesuffix(b"\n"))


def entry_with_an_end(bag: Path) -> None:
    entry = first(bag, "proof/camera-1/*.mp4.entry")
    entry.write_bytes(entry.read_bytes() + b"\n")


def entry_with_a_nul(bag: Path) -> None:
    entry = first(bag, "proof/camera-1/*.mp4.entry")
    entry.write_bytes(entry.read_bytes() + b"\0")


def padded_index(bag: Path) -> None:
    rewrite(first(bag, "proof/camera-1/*.mp4.tlog-proof"), "index ", "index 0")


def other_size_in_all(bag: Path) -> None:
    rewrite(bag / "bag-info.txt", "Payload-Oxum: 1", "Payload-Oxum: 2")


def summary_in_small_letters(bag: Path) -> None:
    rewrite(bag / "bag-info.txt", "Kaochang-Complete", "kaochang-complete: no\nKaochang-Complete")


def summary_with_a_space(bag: Path) -> None:
    rewrite(bag / "bag-info.txt", "Kaochang-Complete", "Kaochang-Complete : no\nKaochang-Complete")


def no_summary(bag: Path) -> None:
    rewrite(bag / "bag-info.txt", "Kaochang-Complete", "Kaochang-Whole")


def key_with_words(bag: Path) -> None:
    key = bag / "proof" / "key.pem"
    key.write_text(f"our key\n{key.read_text()}")


def key_without_its_end(bag: Path) -> None:
    key = bag / "proof" / "key.pem"
    key.write_text(key.read_text().removesuffix("\n"))


def spaced_statement(bag: Path) -> None:
    rewrite(bag / "delivery.json", '"format": ', '"format":  ')


def statement_in_another_order(bag: Path) -> None:
    said = json.loads((bag / "delivery.json").read_bytes())
    text = json.dumps(dict(reversed(said.items())), ensure_ascii=False, indent=1)
    (bag / "delivery.json").write_text(f"{text}\n", encoding="utf-8")


def statement_with_more_behind(bag: Path) -> None:
    (bag / "delivery.json").write_bytes((bag / "delivery.json").read_bytes() + b"{}\n")


def statement_with_a_missing_comma(bag: Path) -> None:
    rewrite(bag / "delivery.json", '"label": "前方",', '"label": "前方"')


DISHONEST: list[Callable[[Path], None]] = [
    contradictory_summary,
    hash_of_another_length,
    foreign_proof,
    another_segments_proof,
    changed_leaf,
    longer_path,
    shorter_path,
    headless_proof,
    index_beyond_the_tree,
    lying_index,
    other_note,
    other_checkpoint,
    proof_without_entry,
    original_without_proof,
    swapped_original,
    dropped_original,
    key_twice,
    proof_that_nobody_names,
    stray_entry,
    loose_base64,
    proof_without_its_end,
    entry_with_an_end,
    entry_with_a_nul,
    padded_index,
    summary_in_small_letters,
    summary_with_a_space,
    no_summary,
    key_with_words,
    key_without_its_end,
    spaced_statement,
    statement_in_another_order,
    statement_with_more_behind,
    statement_with_a_missing_comma,
    name_with_a_space,
    hidden_name,
    name_in_capitals,
]


def sign_checkpoint(archive: Archive, bag: Path, text: str) -> None:
    """Another text, signed by the site, in every place where the checkpoint stands."""
    note = (bag / "proof" / "checkpoint.note").read_bytes()
    key = archive.authority.signer.key
    signature = key.sign(text.encode())
    line = note.decode().split("\n")[4].split(" ")
    key_id = b64decode(line[2])[:4]
    signed = f"{text}\n\u2014 {line[1]} {b64encode(key_id + signature).decode()}\n".encode()
    for proof in bag.glob("proof/**/*.tlog-proof"):
        proof.write_bytes(proof.read_bytes().replace(note, signed))
    (bag / "proof" / "checkpoint.note").write_bytes(signed)
    (bag / "proof" / "checkpoint.txt").write_text(text, encoding="utf-8")
    (bag / "proof" / "checkpoint.sig").write_bytes(signature)


def checkpoint_text(bag: Path) -> list[str]:
    return (bag / "proof" / "checkpoint.txt").read_text(encoding="utf-8").split("\n")


def padded_size(archive: Archive, bag: Path) -> None:
    origin, size, *rest = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, f"0{size}", *rest]))


def size_with_a_sign(archive: Archive, bag: Path) -> None:
    origin, size, *rest = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, f"+{size}", *rest]))


def another_root(archive: Archive, bag: Path) -> None:
    origin, size, *_ = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, size, b64encode(bytes(32)).decode(), ""]))


def short_root(archive: Archive, bag: Path) -> None:
    origin, size, *_ = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, size, "AAAA", ""]))


def checkpoint_of_the_other_ledger(archive: Archive, bag: Path) -> None:
    origin, *rest = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin.replace("footage", "exam"), *rest]))


def checkpoint_with_a_fourth_line(archive: Archive, bag: Path) -> None:
    sign_checkpoint(archive, bag, "\n".join([*checkpoint_text(bag)[:3], "more", ""]))


def smaller_tree(archive: Archive, bag: Path) -> None:
    origin, _size, *rest = checkpoint_text(bag)
    sign_checkpoint(archive, bag, "\n".join([origin, "9", *rest]))


FORGED: list[Callable[[Archive, Path], None]] = [
    padded_size,
    size_with_a_sign,
    another_root,
    short_root,
    checkpoint_of_the_other_ledger,
    checkpoint_with_a_fourth_line,
    smaller_tree,
]
