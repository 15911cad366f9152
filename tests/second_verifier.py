"""A second verifier of exported bags, written from `docs/design/evidence.md` by one who had read no other.

It shares no code with the product. Where the document had left a question open, the answer was looked
up afterwards and now stands there. Numbers in the comments are those of "What a verifier checks".
"""

import base64
import hashlib
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

GOOD, REFUSED, NO_KEY, INCOMPLETE = 0, 1, 2, 3
PAYLOAD_LIST, TAG_LIST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
UNLISTED: Final = {TAG_LIST, f"{TAG_LIST}.sig"}
BAGIT: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
SHORT_US = 500_000
LARGEST = 2**53
NUMBER: Final = re.compile(r"0|[1-9][0-9]*")
LISTED: Final = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
PLAIN_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
CHINESE_NAMES: Final = {"电子数据清单.pdf", "电子数据清单.csv", "怎样核验.txt"}
SMALL_BYTES = 64 * 1024 * 1024
PEM_HEAD: Final = bytes.fromhex("302a300506032b6570032100")
KEY_AND_CHECKPOINT: Final = {f"proof/{name}" for name in ("key.pem", "checkpoint.txt", "checkpoint.sig")}
TEXTS: Final = {
    "": {"format", "protection", "site"},
    "asked_by": {"name", "organisation", "reason", "second_person"},
    "cameras": {"folder", "label", "room", "uuid"},
    "segments": {"file", "sound", "sound_codec", "state", "words"},
    "gaps": {"cause", "proof", "words"},
    "unaccounted": {"words"},
    "derived": {"file", "how"},
}
NUMBERS: Final = {
    "": {"order", "part", "parts", "made_at_us", "from_us", "until_us", "whole_from_us", "whole_until_us"},
    "gaps": {"from_us", "until_us"},
    "unaccounted": {"from_us", "until_us"},
}
LISTS: Final = {
    "": {"cameras", "derived"},
    "cameras": {"segments", "gaps", "unaccounted", "quarantined"},
    "unaccounted": {"kinds"},
}
FILE_NAME: Final = re.compile(r"([0-9a-f-]{36})_([0-9a-f-]{36})_([0-9]+)_([0-9]+)\.mp4")


class BagRefusedError(Exception):
    """The first thing that does not hold."""


# What reading bytes that say something else than expected raises.
MALFORMED: Final = (
    BagRefusedError,
    InvalidSignature,
    UnsupportedAlgorithm,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    OSError,
)


def require(holds: object, what: str) -> None:
    """Refuse with these words unless it holds."""
    if not holds:
        raise BagRefusedError(what)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The tree that the site signed, and the note every proof must end with."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Time that a file or a recorded gap explains; in the order of the document. A gap's run is empty."""

    start_us: int
    end_us: int
    run: str = ""
    sequence: int = -1


@dataclass(frozen=True, slots=True)
class Bag:
    """An unpacked bag whose manifests hold: its files and their digests."""

    folder: Path
    digests: dict[str, str]

    def read(self, path: str) -> bytes:
        """A file that the manifests name, as it was when it was compared with them."""
        require(path in self.digests, f"no {path}")
        content = _small(self.folder / path)
        require(hashlib.sha256(content).hexdigest() == self.digests[path], f"{path} reads otherwise now")
        return content


def _small(path: Path) -> bytes:
    require(path.stat().st_size < SMALL_BYTES, f"{path.name} is too large")
    return path.read_bytes()


def status(folder: Path, fingerprint: str | None) -> int:
    """0 good, 1 refused, 2 no fingerprint from outside, 3 good but not complete."""
    try:
        is_complete = _verify(folder, fingerprint)
    except MALFORMED:
        return REFUSED
    if fingerprint is None:
        return NO_KEY
    return GOOD if is_complete else INCOMPLETE


def _verify(folder: Path, fingerprint: str | None) -> bool:
    bag = Bag(folder, _manifests(folder))
    key, prints = _key(bag, fingerprint)
    key.verify(_small(folder / f"{TAG_LIST}.sig"), _small(folder / TAG_LIST))
    head = _head(bag, key, prints)
    delivery = _object(bag.read("delivery.json"), end="\n", indent=1)
    _formed(delivery, "")
    require(delivery["format"] == "kaochang-delivery/1", "another format of delivery.json")
    require(_number(delivery["from_us"]) < _number(delivery["until_us"]), "no time was asked for")
    require(delivery["cameras"], "no camera was asked for")
    named, is_complete = _derived(bag, delivery), True
    folders = [camera["folder"] for camera in delivery["cameras"]]
    require(len(set(folders)) == len(folders), "one folder for two cameras")
    for camera in delivery["cameras"]:
        is_complete &= _camera(bag, head, delivery, camera, named)
    _nothing_unnamed(bag, named)  # 8
    _says(bag, f"Kaochang-Complete: {'yes' if is_complete else 'no'}")  # 9
    return is_complete


def _formed(found: Any, kind: str) -> None:
    """An object of delivery.json has the keys of its kind, and behind each what belongs there."""
    texts, numbers, lists = (each.get(kind, set()) for each in (TEXTS, NUMBERS, LISTS))
    keys = set(found) | ({"sound", "sound_codec"} if kind == "segments" and "sound" not in found else set())
    require(keys == texts | numbers | lists | ({"asked_by"} if not kind else set()), f"keys of {kind}")
    require("sound" in found or "sound_codec" not in found, "a codec without a sound")
    for key, value in found.items():
        if key in lists:
            require(isinstance(value, list), f"{key} is no list")
            for each in value:
                if key in {"quarantined", "kinds"}:
                    require(isinstance(each, str), f"{key} has no text")
                else:
                    _formed(each, key)
        elif key == "asked_by":
            _formed(value, key)
        elif key in texts:
            require(isinstance(value, str), f"{key} is no text")
        elif (kind, key) != ("gaps", "until_us") or value is not None:
            _number(value)


def _says(bag: Bag, wanted: str) -> None:
    """bag-info.txt has this line, and no other with its label."""
    label = wanted.split(":", maxsplit=1)[0].lower().encode()
    text = bag.read("bag-info.txt")
    require(text.decode().encode() == text, "bag-info.txt is no text")
    lines = text.split(b"\n")
    # Bytes know the capitals and spaces of ASCII alone.
    said = [line for line in lines if b":" in line and line.split(b":")[0].strip().lower() == label]
    require(said == [wanted.encode()], f"bag-info.txt says otherwise: {wanted}")


def _manifests(folder: Path) -> dict[str, str]:  # 1
    found = {path.relative_to(folder).as_posix() for path in _files(folder)}
    folders = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_dir()}
    parts = [part for path in (found - CHINESE_NAMES) | folders for part in path.split("/")]
    require(all(PLAIN_PART.fullmatch(part) for part in parts), "a name that no bag has")
    require(len({path.lower() for path in found}) == len(found), "names that differ by capitals")
    require(_small(folder / "bagit.txt") == BAGIT, "bagit.txt")
    payload, tags = _list(folder / PAYLOAD_LIST), _list(folder / TAG_LIST)
    require(all(path.startswith("data/") for path in payload), "a tag file in the payload manifest")
    require(not any(path.startswith("data/") for path in tags), "payload in the tag manifest")
    digests = payload | tags
    require(found == set(digests) | UNLISTED, "files and manifests differ")
    require(not UNLISTED & set(digests), "a manifest that lists itself")
    for path, digest in tags.items():
        require(hashlib.sha256(_small(folder / path)).hexdigest() == digest, f"digest of {path}")
    sizes = [(folder / path).stat().st_size for path in payload]
    _says(Bag(folder, tags), f"Payload-Oxum: {sum(sizes)}.{len(sizes)}")
    for path, digest in payload.items():
        require(_digest(folder / path) == digest, f"digest of {path}")
    return digests


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        mode = path.lstat().st_mode
        require(stat.S_ISREG(mode) or stat.S_ISDIR(mode), f"{path.name} is neither file nor folder")
        if stat.S_ISDIR(mode):
            yield from _files(path)
        else:
            yield path


def _list(path: Path) -> dict[str, str]:
    text = _small(path).decode()
    lines = [found.groups() for found in LISTED.finditer(text)]
    require("".join(f"{digest}  {name}\n" for digest, name in lines) == text, f"form of {path.name}")
    require(len({name for _, name in lines}) == len(lines), f"a path twice in {path.name}")
    return {name: digest for digest, name in lines}


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _key(bag: Bag, fingerprint: str | None) -> tuple[Ed25519PublicKey, str]:  # 2
    key = load_pem_public_key(bag.read("proof/key.pem"))
    if not isinstance(key, Ed25519PublicKey):
        raise BagRefusedError("key.pem is no Ed25519 key")
    middle = base64.b64encode(PEM_HEAD + key.public_bytes_raw()).decode()
    form = f"-----BEGIN PUBLIC KEY-----\n{middle}\n-----END PUBLIC KEY-----\n"
    require(bag.read("proof/key.pem").decode() == form, "form of key.pem")
    prints = hashlib.sha256(key.public_bytes_raw()).hexdigest()
    require(fingerprint is None or fingerprint == prints, "another key")
    return key, prints


def _head(bag: Bag, key: Ed25519PublicKey, prints: str) -> SignedHead:  # 3
    text, signature = bag.read("proof/checkpoint.txt"), bag.read("proof/checkpoint.sig")
    key.verify(signature, text)
    origin, size, root, rest = text.decode().split("\n")
    require(rest == "" and NUMBER.fullmatch(size) and int(size) < LARGEST, "form of the checkpoint")
    require(origin == f"kaochang/footage/{prints[:16]}", "origin of the checkpoint")
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]
    line = f"\n\u2014 {origin} {base64.b64encode(key_id + signature).decode()}\n"
    note = bag.read("proof/checkpoint.note")
    require(note == text + line.encode(), "checkpoint.note")
    return SignedHead(int(size), _hash(root), note)


def _hash(line: str) -> bytes:
    found = base64.b64decode(line, validate=True)
    is_canonical = base64.b64encode(found).decode() == line
    require(is_canonical and len(found) == hashlib.sha256().digest_size, "no hash of 32 bytes")
    return found


def _object(text: bytes, end: str = "", **form: Any) -> dict[str, Any]:
    """A JSON object in the only form that the document allows."""
    found = json.loads(text.decode())
    require(isinstance(found, dict), "no JSON object")
    written = json.dumps(found, ensure_ascii=False, sort_keys=True, **form) + end
    require(written == text.decode(), "another form of JSON")
    return dict(found)


def _leaf(bag: Bag, head: SignedHead, place: str) -> tuple[str, dict[str, Any]]:  # 4
    """Kind and body of an entry that the signed tree holds."""
    entry = bag.read(f"{place}.entry")
    proof = bag.read(f"{place}.tlog-proof")
    require(proof.endswith(b"\n\n" + head.note), f"note of {place}")
    first, second, *path = proof[: -len(head.note) - 2].decode().split("\n")
    leaf = _object(entry, separators=(",", ":"))
    require(first == PROOF_FORMAT and second == f"index {_number(leaf['index'])}", f"form of {place}")
    hashes = [_hash(line) for line in path]
    root = _root(leaf["index"], head.size, hashlib.sha256(b"\x00" + entry).digest(), hashes)
    require(root == head.root, f"{place} is not in the ledger")
    body = leaf["body"]
    require(set(leaf) == {"body", "index", "kind", "recorded_at_us"}, f"keys of {place}")
    require(all(re.fullmatch("[a-z0-9_]+", key) for key in body), f"keys of {place}")
    require({type(value) for value in body.values()} <= {int, str, type(None)}, f"values of {place}")
    require(re.fullmatch("[0-9a-f-]+", body["camera_uuid"]), f"uuid in {place}")
    _number(leaf["recorded_at_us"])
    return leaf["kind"], body


def _root(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    require(index < size, "an index behind the end")
    place, last, root = index, size - 1, leaf
    for sibling in path:
        require(last, "a path too long")
        if place % 2 or place == last:
            root = hashlib.sha256(b"\x01" + sibling + root).digest()
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\x01" + root + sibling).digest()
        place, last = place >> 1, last >> 1
    require(last == 0, "a path too short")
    return root


def _number(found: object) -> int:
    if type(found) is not int or not 0 <= found < LARGEST:
        raise BagRefusedError("no whole number")
    return found


def _camera(
    bag: Bag, head: SignedHead, delivery: dict[str, Any], camera: dict[str, Any], named: set[str]
) -> bool:
    """Whether nothing of this camera is missing, having added its files to those named."""
    require(re.fullmatch("camera-[0-9]+", camera["folder"]), "name of a camera's folder")
    stretches = [_file(bag, head, camera, each, named) for each in camera["segments"]]
    stretches += [_gap(bag, head, camera, each, named) for each in camera["gaps"]]
    is_delivered = all(each["state"] == "delivered" for each in camera["segments"])
    from_us, until_us = _number(delivery["from_us"]), _number(delivery["until_us"])
    made_us = _number(delivery["made_at_us"])
    laid = sorted(_bounded(each, made_us) for each in stretches)
    said = [(_number(each["from_us"]), _number(each["until_us"])) for each in camera["unaccounted"]]
    require(holes(laid, from_us, until_us) == said, f"time of {camera['folder']} is unaccounted")  # 7
    return is_delivered and not said


def _name(named: set[str], path: str) -> str:
    require(path not in named, f"{path} is named twice")
    named.add(path)
    return path


def _named_proof(named: set[str], place: str) -> None:
    for end in ("entry", "tlog-proof"):
        _name(named, f"{place}.{end}")


def _file(
    bag: Bag, head: SignedHead, camera: dict[str, Any], each: dict[str, Any], named: set[str]
) -> Stretch:  # 5
    parts = FILE_NAME.fullmatch(each["file"])
    if parts is None:
        raise BagRefusedError("name of a file")
    place = f"proof/{camera['folder']}/{each['file']}"
    _named_proof(named, place)
    kind, body = _leaf(bag, head, place)
    require(kind == "segment" and body["camera_uuid"] == camera["uuid"], f"leaf of {each['file']}")
    require(body["path"].rsplit("/", 1)[-1] == each["file"], f"path of {each['file']}")
    require(_number(body["sequence"]) == int(parts[3]), f"sequence of {each['file']}")
    require(re.fullmatch("[0-9a-f]{64}", body["sha256"]), f"digest in {place}")
    original = f"data/{camera['folder']}/{each['file']}"
    states = {"missing", "disposed"}
    if original in bag.digests:
        _name(named, original)
        states = {"delivered" if bag.digests[original] == body["sha256"] else "damaged"}
    require(each["state"] in states, f"state of {each['file']}")
    return Stretch(_number(body["started_at_us"]), _number(body["ended_at_us"]), parts[2], int(parts[3]))


def _gap(
    bag: Bag, head: SignedHead, camera: dict[str, Any], each: dict[str, Any], named: set[str]
) -> Stretch:  # 6
    require(re.fullmatch("gap-[0-9]+", each["proof"]), "name of a gap's proof")
    place = f"proof/{camera['folder']}/{each['proof']}"
    _named_proof(named, place)
    kind, body = _leaf(bag, head, place)
    require(kind == ("gap_open" if each["until_us"] is None else "gap_end"), f"kind of {place}")
    said = (camera["uuid"], each["cause"], each["from_us"], each["until_us"])
    told = (body["camera_uuid"], body["cause"], body["started_at_us"], body.get("ended_at_us"))
    require(said == told and re.fullmatch("[a-z_]+", each["cause"]), f"leaf of {place}")
    end_us = -1 if each["until_us"] is None else _number(each["until_us"])
    return Stretch(_number(each["from_us"]), end_us)


def _bounded(stretch: Stretch, made_us: int) -> Stretch:
    """A gap without an end reaches to the moment of export."""
    return Stretch(stretch.start_us, made_us) if stretch.end_us < 0 else stretch


def holes(laid: list[Stretch], from_us: int, until_us: int) -> list[tuple[int, int]]:
    """What the stretches leave free of the interval."""
    found, reached_us, before = [], from_us, None
    for each in laid:
        if each.start_us > reached_us and not _is_short(before, each, each.start_us - reached_us):
            found.append((reached_us, each.start_us))
        if each.end_us >= reached_us:
            reached_us, before = each.end_us, each
    found.append((reached_us, until_us))
    clipped = [(start_us, min(end_us, until_us)) for start_us, end_us in found]
    return [(start_us, end_us) for start_us, end_us in clipped if start_us < end_us]


def _is_short(before: Stretch | None, after: Stretch, hole_us: int) -> bool:
    if before is None or not before.run or not after.run or hole_us > SHORT_US:
        return False
    return before.run != after.run or after.sequence == before.sequence + 1


def _derived(bag: Bag, delivery: dict[str, Any]) -> set[str]:
    named: set[str] = set()
    for each in delivery["derived"]:
        path = _name(named, each["file"])
        require(path.startswith("data/derived/") and path in bag.digests, f"derived {path}")
    return named


def _nothing_unnamed(bag: Bag, named: set[str]) -> None:
    held = {path for path in bag.digests if path.startswith(("data/", "proof/"))}
    known = named | KEY_AND_CHECKPOINT | {"proof/checkpoint.note"}
    require(held == known, "something that delivery.json does not name")
