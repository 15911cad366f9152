"""Checks a footage bag (取证导出包) of Kaochang and says what it proves. In every bag it is verify.py.

    python3 verify.py [BAG] --key site.pem | --fingerprint HEX

Needs Python 3.9, the `openssl` command and no network; nothing else of the site's software. The key or its
fingerprint must come from outside the bag: from paper, from the site, from an earlier bag. Exit status:
0 everything asked for is proved; 1 the bag is refused; 2 wrong use, or no key from outside was given;
3 the bag is genuine, but it names parts that it does not deliver or cannot account for.
The formats are described in docs/design/evidence.md.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.isolated:
    del sys.path[0]  # this folder: a bag could bring a json.py of its own

import argparse
import base64
import hashlib
import io
import json
import os
import re
import subprocess
import tempfile
import unicodedata
from pathlib import Path
from typing import Any, NamedTuple

PROVED, REFUSED, NO_OUTSIDE_KEY, INCOMPLETE = range(4)
SEAM_US = 500_000
HASH_BYTES = 32
# No list, statement, proof or key is as large: what is, is not read into memory.
LIMIT_BYTES = 1 << 26
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD, SIGNED = "manifest-sha256.txt", "tagmanifest-sha256.txt"
SIGNATURE, KEY, CHECKPOINT = f"{SIGNED}.sig", "proof/key.pem", "proof/checkpoint"
PROVING = {KEY, *(f"{CHECKPOINT}.{end}" for end in ("txt", "sig", "note"))}
SPKI = bytes.fromhex("302a300506032b6570032100")
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
# No space, no dot in front, nothing that a shell, a terminal or another file system reads in its own way.
PLAIN = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
CHINESE = {"电子数据清单.pdf", "电子数据清单.csv", "怎样核验.txt"}
FILE = re.compile(r"[0-9a-f-]{36}_([0-9a-f-]{36})_([0-9]+)_[0-9]+\.mp4")
FOLDER, GAP = re.compile(r"camera-[0-9]+"), re.compile(r"gap-[0-9]+")
UUID, DIGEST, WORD = re.compile(r"[0-9a-f-]+"), re.compile(r"[0-9a-f]{64}"), re.compile(r"[a-z_]+")
# delivery.json: these keys and no others, with an example for each kind of value; None: a number or null.
FORM: dict[str, Any] = {
    "asked_by": dict.fromkeys(("name", "organisation", "reason", "second_person"), ""),
    "cameras": [
        {
            **dict.fromkeys(("folder", "label", "room", "uuid"), ""),
            "gaps": [{"cause": "", "from_us": 0, "proof": "", "until_us": None, "words": ""}],
            "quarantined": [""],
            "segments": [dict.fromkeys(("file", "sound", "sound_codec", "state", "words"), "")],
            "unaccounted": [{"from_us": 0, "kinds": [""], "until_us": 0, "words": ""}],
        }
    ],
    "derived": [{"file": "", "how": ""}],
    **dict.fromkeys(("format", "protection", "site"), ""),
    **dict.fromkeys(("order", "part", "parts", "made_at_us"), 0),
    **dict.fromkeys(("from_us", "until_us", "whole_from_us", "whole_until_us"), 0),
}
SOUND = {"sound", "sound_codec"}  # only newer bags have both
# Control and format characters: they could make a terminal show something else.
UNSHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")


class RefusedError(Exception):
    """The bag is not what it says."""


class Bag(NamedTuple):
    """A folder, the size of every file in it by its path, and the digest of each that was read."""

    folder: Path
    sizes: dict[str, int]
    digests: dict[str, str]

    def read(self, path: str) -> bytes:
        """The bytes of a small file, the same whenever it is read; no path leads out of the bag."""
        require(self.sizes.get(path, LIMIT_BYTES) < LIMIT_BYTES, f"missing, or too large: {path}")
        content = (self.folder / path).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        require(self.digests.setdefault(path, digest) == digest, f"the medium changed: {path}")
        return content


class Span(NamedTuple):
    """A stretch of time with one explanation; `run` is empty for a gap."""

    from_us: int
    until_us: int
    run: str = ""
    sequence: int = 0


class Head(NamedTuple):
    """What a checkpoint says."""

    note: bytes
    origin: str
    size: int
    root: bytes


def require(condition: object, sentence: str) -> None:
    """Go on only if it holds."""
    if not condition:
        raise RefusedError(sentence)


def say(chinese: str, english: str) -> None:
    """One line of the report, without anything that a terminal obeys."""
    line = f"{chinese} / {english}"
    shown = "".join("\ufffd" if unicodedata.category(each) in UNSHOWN else each for each in line)
    sys.stdout.write(f"{shown}\n")


def list_bag(folder: Path) -> Bag:
    """Every file and its size. Links, special files and strange names have no place in a bag."""
    sizes = {}
    for here, folders, names in os.walk(folder, onerror=_raise):
        for name in folders + names:
            path = Path(here) / name
            require(not path.is_symlink() and (path.is_dir() or path.is_file()), f"not a plain file: {path}")
            place = path.relative_to(folder).as_posix()
            is_known = PLAIN.fullmatch(place) or (place in CHINESE and path.is_file())
            require(is_known, f"a name that no bag has: {place}")
        for name in names:
            path = Path(here) / name
            sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
    return Bag(folder, sizes, {})


def _raise(error: OSError) -> None:
    raise error


def read_lists(bag: Bag) -> dict[str, str]:
    """Both manifests: every file stands in one of them, except the signed one and its signature."""
    require(bag.read("bagit.txt") == BAGIT, "bagit.txt is changed")
    listed = {**_manifest(bag, PAYLOAD), **_manifest(bag, SIGNED)}
    found = bag.sizes.keys() - {SIGNED, SIGNATURE}
    small = [size for path, size in bag.sizes.items() if not path.startswith("data/")]
    require(max(small) < LIMIT_BYTES, "a list, statement or proof is too large")
    for path in sorted(listed.keys() | found):
        require(path in found, f"missing: {path}")
        require(path in listed, f"in no manifest: {path}")
    require(len({path.lower() for path in listed}) == len(listed), "two names differ by capitals alone")
    return listed


def _manifest(bag: Bag, name: str) -> dict[str, str]:
    lines = bag.read(name).decode().split("\n")
    found = [LINE.fullmatch(line) for line in lines[:-1]]
    listed = {line[2]: line[1] for line in found if line}
    require(lines[-1] == "" and len(listed) == len(found), f"malformed: {name}")
    is_payload = name == PAYLOAD
    require(all(path.startswith("data/") == is_payload for path in listed), f"malformed: {name}")
    return listed


def check_digests(bag: Bag, listed: dict[str, str]) -> None:
    """Small files first, then the size of the originals, then every byte of them."""
    payload = {path: digest for path, digest in listed.items() if path.startswith("data/")}
    _compare(bag, {path: digest for path, digest in listed.items() if path not in payload})
    oxum = f"{sum(bag.sizes[path] for path in payload)}.{len(payload)}"
    require(_said(bag, "Payload-Oxum") == oxum, "the originals have another size in all than the bag says")
    _compare(bag, payload)


def _compare(bag: Bag, listed: dict[str, str]) -> None:
    for path in sorted(listed):
        digest = _digest(bag.folder / path)
        require(bag.digests.setdefault(path, digest) == digest == listed[path], f"changed: {path}")


def _digest(path: Path) -> str:
    made = hashlib.sha256()
    with path.open("rb", buffering=0) as opened:
        while block := opened.read(1 << 20):
            made.update(block)
    return made.hexdigest()


def _said(bag: Bag, label: str) -> str:
    """What bag-info.txt says under a label that it has once, capitals and spaces aside."""
    lines = [line.partition(":") for line in bag.read("bag-info.txt").decode().split("\n")]
    any_way = re.compile(rf"\s*{label}\s*", re.ASCII | re.IGNORECASE)
    found = [line for line in lines if line[1] and any_way.fullmatch(line[0])]
    require(len(found) == 1 and found[0][0] == label, f"bag-info.txt does not say once: {label}")
    require(found[0][2].startswith(" "), f"bag-info.txt: no space behind {label}:")
    return found[0][2][1:]


def raw_key(pem: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key, from the one form in which openssl writes it."""
    raw = base64.b64decode(pem.decode("ascii").split("\n")[1])[len(SPKI) :]
    text = base64.b64encode(SPKI + raw).decode()
    form = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
    require(pem.decode("ascii") == form and len(raw) == HASH_BYTES, "not an Ed25519 public key")
    return raw


def check_signature(bag: Bag, signed: str, signature: str) -> None:
    """Ask openssl, about the bytes that were read, whether the key in the bag signed them."""
    with tempfile.TemporaryDirectory() as folder:
        key, text, sealed = (Path(folder, name) for name in ("key", "text", "sealed"))
        for place, path in ((key, KEY), (text, signed), (sealed, signature)):
            place.write_bytes(bag.read(path))
        words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin"]
        words += ["-in", str(text), "-sigfile", str(sealed)]
        asked = subprocess.run(words, capture_output=True, check=False)
    require(asked.returncode == 0 and b"Verified Successfully" in asked.stdout, f"bad signature: {signed}")


def read_checkpoint(bag: Bag, raw: bytes, fingerprint: str) -> Head:
    """The signed tree head: text and plain signature make the note, so only one signature counts."""
    check_signature(bag, f"{CHECKPOINT}.txt", f"{CHECKPOINT}.sig")
    text = bag.read(f"{CHECKPOINT}.txt").decode()
    origin, size, root, end = text.split("\n")
    require(origin == f"kaochang/footage/{fingerprint[:16]}", "foreign checkpoint")
    require(end == "" and str(whole(int(size))) == size, "malformed checkpoint")
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + raw).digest()[:4]
    line = base64.b64encode(key_id + bag.read(f"{CHECKPOINT}.sig")).decode()
    note = f"{text}\n\u2014 {origin} {line}\n".encode()
    require(bag.read(f"{CHECKPOINT}.note") == note, "the checkpoint's note and its parts differ")
    return Head(note, origin, int(size), _hash(root))


def _hash(line: str) -> bytes:
    """32 bytes in the one way to write them."""
    found = base64.b64decode(line, validate=True)
    require(len(found) == HASH_BYTES and base64.b64encode(found).decode() == line, "malformed hash")
    return found


def read_leaf(bag: Bag, head: Head, path: str) -> dict[str, Any]:
    """The entry of a ledger leaf, once its proof leads to the checkpoint."""
    entry, proof = bag.read(f"{path}.entry"), bag.read(f"{path}.tlog-proof")
    top, found, note = proof.partition(b"\n\n")
    mark, index, *hashes = top.decode("ascii").split("\n")
    is_whole = mark == "c2sp.org/tlog-proof@v1" and index.startswith("index ") and note == head.note
    require(found and is_whole, f"malformed proof: {path}")
    leaf = _canonical(entry, separators=(",", ":"))
    require(index == f"index {whole(leaf['index'])}", f"the proof is of another leaf: {path}")
    whole(leaf["recorded_at_us"])
    is_flat = all(re.fullmatch("[a-z0-9_]+", key) for key in leaf["body"]) and all(
        type(each) in (int, str, type(None)) for each in leaf["body"].values()
    )
    require(is_flat and leaf.keys() == {"body", "index", "kind", "recorded_at_us"}, f"malformed: {path}")
    require(UUID.fullmatch(leaf["body"]["camera_uuid"]), f"malformed: {path}")
    leaf_hash = hashlib.sha256(b"\0" + entry).digest()
    siblings = [_hash(line) for line in hashes]
    require(_is_included(leaf_hash, leaf["index"], siblings, head), f"not in the ledger: {path}")
    return leaf


def _canonical(text: bytes, tail: str = "", **how: Any) -> dict[str, Any]:
    """A JSON object that is written in the one way the format has for it: so no key stands in it twice."""
    found: dict[str, Any] = json.loads(text)
    again = json.dumps(found, ensure_ascii=False, sort_keys=True, **how) + tail
    require(isinstance(found, dict) and again.encode() == text, "not in the usual form of JSON")
    return found


def _check_form(found: Any, form: Any) -> None:
    """Nothing is left out, and nothing else is said."""
    if isinstance(form, dict):
        require(isinstance(found, dict) and form.keys() - found.keys() in (set(), SOUND), "a key is missing")
        require(not found.keys() - form.keys(), "a key that delivery.json has not")
        for key in found:
            _check_form(found[key], form[key])
    elif isinstance(form, list):
        require(isinstance(found, list), f"not a list: {found}")
        for each in found:
            _check_form(each, form[0])
    elif form == "":
        require(isinstance(found, str), f"not a text: {found}")
    elif found is not None or form is not None:
        whole(found)


def whole(found: Any) -> int:
    """A number as the format has them: not 1.0, not true."""
    if type(found) is not int or found < 0 or found >> 53:  # what every tool counts exactly
        raise RefusedError(f"not a whole number: {found}")
    return found


def _is_included(node: bytes, index: int, siblings: list[bytes], head: Head) -> bool:
    """RFC 9162, 2.1.3.2."""
    last = head.size - 1
    if not 0 <= index <= last:
        return False
    for sibling in siblings:
        if last == 0:
            return False
        if index % 2 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while index and not index % 2:
                index, last = index // 2, last // 2
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index // 2, last // 2
    return last == 0 and node == head.root


def check_segment(bag: Bag, head: Head, camera: dict[str, Any], named: dict[str, Any]) -> Span:
    """One file is what the ledger recorded when it was ingested, or the bag says that it is not."""
    path = f"{camera['folder']}/{named['file']}"
    parts = FILE.fullmatch(named["file"])
    if parts is None:
        raise RefusedError(f"not the name of an original: {path}")
    leaf = read_leaf(bag, head, f"proof/{path}")
    body, run, sequence = leaf["body"], parts[1], int(parts[2])
    require(leaf["kind"] == "segment" and body["camera_uuid"] == camera["uuid"], f"another's proof: {path}")
    is_of_file = body["path"].rpartition("/")[2] == named["file"] and whole(body["sequence"]) == sequence
    require(is_of_file, f"another's proof: {path}")
    require(DIGEST.fullmatch(body["sha256"]), f"malformed: {path}")
    digest = bag.digests.get(f"data/{path}")
    true_state = "missing" if digest is None else "delivered" if digest == body["sha256"] else "damaged"
    is_absent = digest is None and named["state"] in ("missing", "disposed")
    require(named["state"] == true_state or is_absent, f"{path} is {true_state}, not {named['state']}")
    return Span(whole(body["started_at_us"]), whole(body["ended_at_us"]), run, sequence)


def check_gap(bag: Bag, head: Head, camera: dict[str, Any], named: dict[str, Any], made_at_us: int) -> Span:
    """One absence was recorded in the ledger; one without an end lasted when the bag was made."""
    path = f"proof/{camera['folder']}/{named['proof']}"
    require(GAP.fullmatch(named["proof"]), f"not the name of a gap: {path}")
    leaf = read_leaf(bag, head, path)
    body = leaf["body"]
    until_us = body.get("ended_at_us")
    recorded = [leaf["kind"], body["camera_uuid"], body["cause"], body["started_at_us"], until_us]
    kind = "gap_open" if until_us is None else "gap_end"
    claimed = [kind, camera["uuid"], named["cause"], named["from_us"], named["until_us"]]
    require(recorded == claimed and WORD.fullmatch(named["cause"]), f"the ledger says otherwise: {path}")
    return Span(whole(named["from_us"]), whole(made_at_us if until_us is None else named["until_us"]))


def unaccounted(from_us: int, until_us: int, spans: list[Span]) -> list[list[int]]:
    """What no span explains. Files at most half a second apart belong together, unless one is missing."""
    holes, reached_us = [], from_us
    last: Span | None = None
    for span in sorted(spans):
        if span.from_us > reached_us and reached_us < until_us and not _is_seam(last, span):
            holes.append([reached_us, min(span.from_us, until_us)])
        if span.until_us >= reached_us:
            reached_us, last = span.until_us, span
    return holes + ([[reached_us, until_us]] if reached_us < until_us else [])


def _is_seam(last: Span | None, span: Span) -> bool:
    if last is None or not last.run or not span.run or span.from_us - last.until_us > SEAM_US:
        return False
    return last.run != span.run or span.sequence == last.sequence + 1


def check_camera(bag: Bag, head: Head, delivery: dict[str, Any], camera: dict[str, Any]) -> bool:
    """Files, gaps and the time between them. Whether everything asked for is there."""
    require(FOLDER.fullmatch(camera["folder"]), f"not the name of a folder: {camera['folder']}")
    files = [check_segment(bag, head, camera, named) for named in camera["segments"]]
    gaps = [check_gap(bag, head, camera, named, delivery["made_at_us"]) for named in camera["gaps"]]
    holes = unaccounted(delivery["from_us"], delivery["until_us"], files + gaps)
    require(
        holes == [[whole(hole["from_us"]), whole(hole["until_us"])] for hole in camera["unaccounted"]],
        f"the time of {camera['folder']} is not accounted for as the bag says: {holes}",
    )
    lost = [named for named in camera["segments"] if named["state"] != "delivered"]
    kept = len(files) - len(lost)
    name = f"{camera['room']} {camera['label']}"
    say(
        f"〔{name}〕{kept} 个原始文件与台账一致；缺口 {len(gaps)} 个",
        f"{camera['folder']}: {kept} original files as recorded in the ledger, {len(gaps)} recorded gaps",
    )
    derived = [named for named in camera["segments"] if named.get("sound") == "derived"]
    if derived:
        say(
            f"  其中 {len(derived)} 个文件的声音是录制时转码的，不是摄像机原始数据",
            f"the sound of {len(derived)} files was transcoded while recording: not the camera's own",
        )
    for named in camera["gaps"]:
        say(f"  缺口 {named['words']}", f"gap {named['from_us']} .. {named['until_us']} ({named['cause']})")
    for named in lost:
        say(
            f"  未能原样交付 {named['file']}：{named['words']}",
            f"not delivered as recorded: {named['state']}",
        )
    for hole in camera["unaccounted"]:
        say(f"  无法说明 {hole['words']}", f"unaccounted {hole['from_us']} .. {hole['until_us']}")
    return not holes and not lost


def check_delivery(bag: Bag, head: Head) -> tuple[dict[str, Any], bool]:
    """The bag's own statement: nothing in it beside what it names, and complete if it says so."""
    delivery = _canonical(bag.read("delivery.json"), "\n", indent=1)
    _check_form(delivery, FORM)
    require(delivery["format"] == "kaochang-delivery/1", "unknown format")
    is_stretch = whole(delivery["from_us"]) < whole(delivery["until_us"])
    require(is_stretch and delivery["cameras"], "nothing was asked for")
    folders = [camera["folder"] for camera in delivery["cameras"]]
    require(len(set(folders)) == len(folders), "two cameras have one folder")
    named = _named(bag, delivery)
    for path in bag.sizes:
        is_named = path in named or not path.startswith(("data/", "proof/"))
        require(is_named, f"the bag does not say what this is: {path}")
    seen = [check_camera(bag, head, delivery, camera) for camera in delivery["cameras"]]
    claim = "yes" if all(seen) else "no"
    require(_said(bag, "Kaochang-Complete") == claim, "bag-info.txt and the proofs differ")
    return delivery, all(seen)


def _named(bag: Bag, delivery: dict[str, Any]) -> set[str]:
    """Every path that the statement names; none twice, and every copy it names is there."""
    named = [copy["file"] for copy in delivery["derived"]]
    for path in named:
        require(path.startswith("data/derived/") and path in bag.digests, f"no such copy: {path}")
    for camera in delivery["cameras"]:
        files = [f"{camera['folder']}/{each['file']}" for each in camera["segments"]]
        proofs = [*files, *(f"{camera['folder']}/{each['proof']}" for each in camera["gaps"])]
        named += [f"data/{each}" for each in files]
        named += [f"proof/{each}.{end}" for each in proofs for end in ("entry", "tlog-proof")]
    require(len(set(named)) == len(named), "delivery.json names a file twice")
    return {*named, *PROVING}


def verify(folder: Path, outside: str | None) -> int:
    """All checks in order; `outside` is a fingerprint that did not come from the bag. Raises RefusedError."""
    bag = list_bag(folder)
    listed = read_lists(bag)
    raw = raw_key(bag.read(KEY))
    fingerprint = hashlib.sha256(raw).hexdigest()
    require(outside in (None, fingerprint), f"the bag is signed by another key: {fingerprint}")
    check_signature(bag, SIGNED, SIGNATURE)
    say(f"签名有效，公钥指纹 {fingerprint}", "the signature covers every file of the bag")
    check_digests(bag, listed)
    say(f"完整：{len(bag.sizes)} 个文件与清单一致", "every file is listed and has its digest")
    head = read_checkpoint(bag, raw, fingerprint)
    say(f"台账检查点：{head.size} 条，{head.origin}", f"ledger checkpoint, root {head.root.hex()}")
    delivery, is_complete = check_delivery(bag, head)
    asked = delivery["asked_by"]
    say(
        f"调取：{asked['organisation']} {asked['name']}，事由：{asked['reason']}",
        f"requested {delivery['from_us']} .. {delivery['until_us']} us UTC, part {delivery['part']}"
        f" of {delivery['parts']}",
    )
    say("未证明：", "not proved:")
    for chinese, english in LIMITS if delivery["derived"] else LIMITS[:-1]:
        say(f"  {chinese}", english)
    if outside is None:
        say("结论：未用外部公钥核对，不能采信", "NOT PROVED: no key from outside the bag was given")
        return NO_OUTSIDE_KEY
    if not is_complete:
        say("结论：导出包真实，但有上列未交付或无法说明的部分", "GENUINE BUT INCOMPLETE, see above")
        return INCOMPLETE
    say("结论：全部成立", "PROVED: all of the above holds")
    return PROVED


LIMITS = (
    ("时间以考点服务器时钟为准", "that the site's clock was right: times are the recorder's"),
    ("未列出的摄像机", "anything about cameras that the bag does not name"),
    ("记录缺口之后是否又找到录像", "that no footage of a recorded gap was found later"),
    (
        "检查点此前未被改写：请与签字的纸质检查点核对",
        "that the ledger was not rewritten before: compare signed paper",
    ),
    ("派生副本（data/derived）只供观看", "derived copies (data/derived) are for viewing only"),
)


def main(words: list[str]) -> int:
    """Read the command's words, verify, return the exit status."""
    parser = argparse.ArgumentParser(prog="verify", description="核验取证导出包 / verify a footage bag")
    parser.add_argument("bag", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key", type=Path, help="考点公钥 PEM，须来自包外 / public key from outside the bag")
    key.add_argument("--fingerprint", help="公钥指纹，64 位十六进制 / its SHA-256 fingerprint")
    asked = parser.parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal lacks refuses no bag
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return verify(asked.bag, _outside(asked))
    except Exception as error:  # noqa: BLE001 - whatever a bag does to its reader, it is refused
        say("结论：不予采信", f"REFUSED: {type(error).__name__}: {error}")
        return REFUSED


def _outside(asked: argparse.Namespace) -> str | None:
    """The fingerprint that the command's words name. A key file may have other line ends."""
    if asked.key:
        lines = asked.key.read_bytes().strip().splitlines()
        return hashlib.sha256(raw_key(b"".join(line.strip() + b"\n" for line in lines))).hexdigest()
    if asked.fingerprint is None:
        return None
    outside = re.sub(r"[\s:-]", "", asked.fingerprint).lower()
    require(re.fullmatch(r"[0-9a-f]{64}", outside), "a fingerprint has 64 hexadecimal digits")
    return outside


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
