"""A second verifier of bags, written from docs/design/evidence.md alone; shares nothing with the product.

Where the first one walks up the tree, this one computes roots from the top down; where that one asks
openssl, this one uses a library; where that one merges stretches of time, this one paints a list of edges.
"""

import base64
import hashlib
import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
FAULTS = (InvalidSignature, UnsupportedAlgorithm, ValueError, KeyError, TypeError, OSError, AttributeError)
UNLISTED = {"tagmanifest-sha256.txt", "tagmanifest-sha256.txt.sig"}


class RejectionError(ValueError):
    """Something in the bag does not hold."""


@dataclass
class Contents:
    """All files of the bag in memory: bags of tests are small."""

    files: dict[str, bytes] = field(default_factory=dict)

    def __getitem__(self, path: str) -> bytes:
        if path not in self.files:
            raise RejectionError(f"{path} is not there")
        return self.files[path]


def status(bag: Path, fingerprint: str | None) -> int:
    """The exit status that docs/design/evidence.md asks for."""
    try:
        is_complete = _examine(_load(bag), fingerprint)
    except FAULTS:
        return 1
    if fingerprint is None:
        return 2
    return 0 if is_complete else 3


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise RejectionError(what)


def _load(bag: Path) -> Contents:
    contents = Contents()
    for path in bag.rglob("*"):
        mode = path.lstat().st_mode
        _demand(stat.S_ISREG(mode) or stat.S_ISDIR(mode), "special file")
        if stat.S_ISREG(mode):
            contents.files[str(path.relative_to(bag))] = path.read_bytes()
    return contents


def _examine(bag: Contents, fingerprint: str | None) -> bool:
    _demand(bag["bagit.txt"].decode() == BAGIT, "bagit.txt")
    _check_lists(bag)
    key = load_pem_public_key(bag["proof/key.pem"])
    _demand(isinstance(key, Ed25519PublicKey), "kind of key")
    assert isinstance(key, Ed25519PublicKey)
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    own = hashlib.sha256(raw).hexdigest()
    _demand(fingerprint is None or fingerprint == own, "key from outside")
    key.verify(bag["tagmanifest-sha256.txt.sig"], bag["tagmanifest-sha256.txt"])
    size, root = _checkpoint(bag, key, raw, own)
    return _check_statement(bag, size, root)


def _check_lists(bag: Contents) -> None:
    seen: dict[str, str] = {}
    for name, is_payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        text = bag[name].decode()
        _demand(text.endswith("\n"), "last line")
        for line in text[:-1].split("\n"):
            digest, path = line[:64], line[66:]
            is_formed = line[64:66] == "  " and set(digest) <= set("0123456789abcdef") and len(digest) == 64
            _demand(is_formed and path.startswith("data/") == is_payload and path not in seen, f"line {line}")
            seen[path] = digest
    _demand(set(seen) == set(bag.files) - UNLISTED, "files and lists")
    for path, digest in seen.items():
        _demand(hashlib.sha256(bag[path]).hexdigest() == digest, f"digest of {path}")


def _checkpoint(bag: Contents, key: Ed25519PublicKey, raw: bytes, own: str) -> tuple[int, bytes]:
    text, signature = bag["proof/checkpoint.txt"], bag["proof/checkpoint.sig"]
    key.verify(signature, text)
    lines = text.decode().split("\n")
    _demand(len(lines) == 4 and lines[3] == "", "three lines")
    origin = lines[0]
    _demand(origin == "kaochang/footage/" + own[:16], "origin")
    key_id = hashlib.sha256(origin.encode() + b"\x0a\x01" + raw).digest()[:4]
    stamp = base64.standard_b64encode(key_id + signature)
    note = text + b"\n" + "— ".encode() + origin.encode() + b" " + stamp + b"\n"
    _demand(bag["proof/checkpoint.note"] == note, "note")
    return int(lines[1]), base64.b64decode(lines[2], validate=True)


def _leaf(bag: Contents, stem: str, size: int, root: bytes) -> dict[str, Any]:
    entry, proof = bag[stem + ".entry"], bag[stem + ".tlog-proof"]
    ending = b"\n\n" + bag["proof/checkpoint.note"]
    _demand(proof.endswith(ending), "note of the proof")
    first, second, *encoded = proof[: -len(ending)].decode().split("\n")
    leaf: dict[str, Any] = json.loads(entry)
    is_formed = first == "c2sp.org/tlog-proof@v1" and second == f"index {leaf['index']}"
    _demand(is_formed and 0 <= leaf["index"] < size, "proof")
    path = [base64.b64decode(line, validate=True) for line in encoded]
    made = _root(hashlib.sha256(b"\x00" + entry).digest(), leaf["index"], size, path)
    _demand(not path and made == root, "root")
    return leaf


def _root(leaf_hash: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Root of a tree of so many leaves from one of them; takes its siblings from the end of the path."""
    if size == 1:
        return leaf_hash
    left = 1
    while left * 2 < size:
        left *= 2
    _demand(bool(path), "length of the path")
    sibling = path.pop()
    if index < left:
        pair = _root(leaf_hash, index, left, path), sibling
    else:
        pair = sibling, _root(leaf_hash, index - left, size - left, path)
    return hashlib.sha256(b"\x01" + pair[0] + pair[1]).digest()


def _check_statement(bag: Contents, size: int, root: bytes) -> bool:
    said = json.loads(bag["delivery.json"])
    _demand(said["format"] == "kaochang-delivery/1" and len(said["cameras"]) > 0, "format")
    _demand(said["from_us"] < said["until_us"], "interval")
    named = {each["file"] for each in said["derived"]}
    is_complete = True
    for camera in said["cameras"]:
        folder = camera["folder"]
        stretches = []
        for each in camera["segments"]:
            named |= {f"data/{folder}/{each['file']}", f"proof/{folder}/{each['file']}.entry"}
            stretches.append(
                _file(bag, camera, each, _leaf(bag, f"proof/{folder}/{each['file']}", size, root))
            )
            is_complete = is_complete and each["state"] == "delivered"
        for each in camera["gaps"]:
            named.add(f"proof/{folder}/{each['proof']}.entry")
            leaf = _leaf(bag, f"proof/{folder}/{each['proof']}", size, root)
            stretches.append(_gap(camera, each, leaf, said["made_at_us"]))
        free = _free(said["from_us"], said["until_us"], sorted(stretches))
        _demand(free == [(each["from_us"], each["until_us"]) for each in camera["unaccounted"]], "continuity")
        is_complete = is_complete and not free
    for path in bag.files:
        _demand(path in named or not (path.startswith("data/") or path.endswith(".entry")), f"unnamed {path}")
    line = f"Kaochang-Complete: {'yes' if is_complete else 'no'}"
    _demand(line in bag["bag-info.txt"].decode().split("\n"), "completeness")
    return is_complete


def _file(
    bag: Contents, camera: dict[str, Any], each: dict[str, Any], leaf: dict[str, Any]
) -> tuple[Any, ...]:
    body = leaf["body"]
    _demand(leaf["kind"] == "segment" and body["camera_uuid"] == camera["uuid"], "camera of the leaf")
    _demand(body["path"].split("/")[-1] == each["file"], "name of the file")
    _camera, run, sequence, _start = each["file"].removesuffix(".mp4").split("_")
    _demand(int(sequence) == body["sequence"], "sequence")
    delivered = bag.files.get(f"data/{camera['folder']}/{each['file']}")
    if delivered is None:
        _demand(each["state"] in {"missing", "disposed"}, "state")
    else:
        is_same = hashlib.sha256(delivered).hexdigest() == body["sha256"]
        _demand(each["state"] == ("delivered" if is_same else "damaged"), "state")
    return body["started_at_us"], body["ended_at_us"], run, body["sequence"]


def _gap(
    camera: dict[str, Any], each: dict[str, Any], leaf: dict[str, Any], made_at_us: int
) -> tuple[Any, ...]:
    body = leaf["body"]
    kind = "gap_open" if each["until_us"] is None else "gap_end"
    _demand(leaf["kind"] == kind and body["camera_uuid"] == camera["uuid"], "leaf of the gap")
    facts = body["cause"], body["started_at_us"], body.get("ended_at_us")
    _demand(facts == (each["cause"], each["from_us"], each["until_us"]), "facts of the gap")
    return each["from_us"], made_at_us if each["until_us"] is None else each["until_us"], "", 0


def _free(from_us: int, until_us: int, stretches: list[tuple[Any, ...]]) -> list[tuple[int, int]]:
    free, at = [], from_us
    before: tuple[Any, ...] | None = None
    for stretch in stretches:
        begin, end = stretch[:2]
        is_hole = before is None or not _is_seam(before, stretch)
        if at < begin and at < until_us and is_hole:
            free.append((at, min(begin, until_us)))
        if end >= at:
            at, before = end, stretch
    if at < until_us:
        free.append((at, until_us))
    return free


def _is_seam(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    _, end, run, sequence = before
    begin, _, next_run, next_sequence = after
    follows = run and next_run and (run != next_run or next_sequence == sequence + 1)
    return bool(follows) and begin - end <= 500_000
