"""Checks a footage bag (取证导出包) of Kaochang and says what it proves. In every bag it is verify.py.

    python3 verify.py [BAG] --key site.pem | --fingerprint HEX

Needs Python 3.9, the `openssl` command and no network; nothing else of the site's software. The key or its
fingerprint must come from outside the bag: from paper, from the site, from an earlier bag. Exit status:
0 everything asked for is proved; 1 the bag is refused; 2 wrong use, or no key from outside was given;
3 the bag is genuine, but it names parts that it does not deliver or cannot account for.
The formats are described in docs/design/evidence.md.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

PROVED, REFUSED, NO_OUTSIDE_KEY, INCOMPLETE = range(4)
SEAM_US = 500_000
HASH_BYTES = 32
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
SIGNED, SIGNATURE = "tagmanifest-sha256.txt", "tagmanifest-sha256.txt.sig"
SPKI = bytes.fromhex("302a300506032b6570032100")
LINE = re.compile(r"([0-9a-f]{64})  ([^\n\\]+)")
RUN = re.compile(r"_([0-9a-f-]{36})_(\d+)_\d+\.mp4")


class RefusedError(Exception):
    """The bag is not what it says."""


class Bag(NamedTuple):
    """A folder, and the digest of every file in it by its path."""

    folder: Path
    digests: dict[str, str]

    def read(self, path: str) -> bytes:
        """The bytes of a file whose digest was taken; no path leads out of the bag."""
        require(path in self.digests, f"missing: {path}")
        return (self.folder / path).read_bytes()


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
    """One line of the report."""
    sys.stdout.write(f"{chinese} / {english}\n")


def read_bag(folder: Path) -> Bag:
    """Hash every file. Links and special files have no place in a bag."""
    digests = {}
    for here, folders, names in os.walk(folder, onerror=_raise):
        for name in folders + names:
            path = Path(here) / name
            require(not path.is_symlink() and (path.is_dir() or path.is_file()), f"not a plain file: {path}")
        for name in names:
            path = Path(here) / name
            digests[path.relative_to(folder).as_posix()] = _digest(path)
    return Bag(folder, digests)


def _raise(error: OSError) -> None:
    raise error


def _digest(path: Path) -> str:
    made = hashlib.sha256()
    with path.open("rb", buffering=0) as opened:
        while block := opened.read(1 << 20):
            made.update(block)
    return made.hexdigest()


def check_manifests(bag: Bag) -> None:
    """Every file stands in one manifest with its digest, except the signed one and its signature."""
    require(bag.read("bagit.txt") == BAGIT, "bagit.txt is changed")
    listed = {**_manifest(bag, "manifest-sha256.txt"), **_manifest(bag, SIGNED)}
    found = {path: digest for path, digest in bag.digests.items() if path not in (SIGNED, SIGNATURE)}
    for path in sorted(listed.keys() | found.keys()):
        require(path in found, f"missing: {path}")
        require(path in listed, f"in no manifest: {path}")
        require(listed[path] == found[path], f"changed: {path}")


def _manifest(bag: Bag, name: str) -> dict[str, str]:
    lines = bag.read(name).decode().split("\n")
    found = [LINE.fullmatch(line) for line in lines[:-1]]
    listed = {line[2]: line[1] for line in found if line}
    require(lines[-1] == "" and len(listed) == len(found), f"malformed: {name}")
    is_payload = name == "manifest-sha256.txt"
    require(all(path.startswith("data/") == is_payload for path in listed), f"malformed: {name}")
    return listed


def fingerprint_of(pem: bytes) -> str:
    """SHA-256 of the 32 bytes of an Ed25519 public key in the one PEM form that is accepted."""
    lines = pem.decode("ascii").strip().split("\n")
    der = base64.b64decode("".join(lines[1:-1]), validate=True)
    require(
        [lines[0], lines[-1]] == ["-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"]
        and len(der) == len(SPKI) + 32
        and der.startswith(SPKI),
        "not an Ed25519 public key",
    )
    return hashlib.sha256(der[len(SPKI) :]).hexdigest()


def check_signature(bag: Bag, signed: str, signature: str) -> None:
    """Ask openssl whether the key in the bag signed the file."""
    require(signed in bag.digests and signature in bag.digests, f"missing: {signed} or {signature}")
    places = [str(bag.folder / path) for path in ("proof/key.pem", signed, signature)]
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", places[0], "-rawin"]
    asked = subprocess.run(
        [*words, "-in", places[1], "-sigfile", places[2]], capture_output=True, check=False
    )
    require(asked.returncode == 0 and b"Verified Successfully" in asked.stdout, f"bad signature: {signed}")


def read_checkpoint(bag: Bag, fingerprint: str) -> Head:
    """The signed tree head: text and plain signature make the note, so only one signature counts."""
    check_signature(bag, "proof/checkpoint.txt", "proof/checkpoint.sig")
    text = bag.read("proof/checkpoint.txt").decode()
    origin, size, root, end = text.split("\n")
    require(end == "" and origin == f"kaochang/footage/{fingerprint[:16]}", "foreign checkpoint")
    raw = base64.b64decode(bag.read("proof/key.pem").decode().split("\n")[1])[len(SPKI) :]
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + raw).digest()[:4]
    line = base64.b64encode(key_id + bag.read("proof/checkpoint.sig")).decode()
    note = f"{text}\n\u2014 {origin} {line}\n".encode()
    require(bag.read("proof/checkpoint.note") == note, "the checkpoint's note and its parts differ")
    return Head(note, origin, int(size), base64.b64decode(root, validate=True))


def read_leaf(bag: Bag, head: Head, path: str) -> dict[str, Any]:
    """The entry of a ledger leaf, once its proof leads to the checkpoint."""
    entry, proof = bag.read(f"{path}.entry"), bag.read(f"{path}.tlog-proof")
    top, found, note = proof.partition(b"\n\n")
    mark, index, *hashes = top.decode("ascii").split("\n")
    is_whole = mark == "c2sp.org/tlog-proof@v1" and index.startswith("index ") and note == head.note
    require(found and is_whole, f"malformed proof: {path}")
    leaf: dict[str, Any] = json.loads(entry)
    require(index == f"index {leaf['index']}", f"the proof is of another leaf: {path}")
    siblings = [base64.b64decode(line, validate=True) for line in hashes]
    require(all(len(sibling) == HASH_BYTES for sibling in siblings), f"malformed proof: {path}")
    leaf_hash = hashlib.sha256(b"\0" + entry).digest()
    require(_is_included(leaf_hash, leaf["index"], siblings, head), f"not in the ledger: {path}")
    return leaf


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
    leaf = read_leaf(bag, head, f"proof/{path}")
    body, run = leaf["body"], RUN.search(named["file"])
    require(leaf["kind"] == "segment" and body["camera_uuid"] == camera["uuid"], f"another's proof: {path}")
    require(run and Path(body["path"]).name == named["file"], f"another's proof: {path}")
    require(run and int(run[2]) == body["sequence"], f"another's proof: {path}")
    digest = bag.digests.get(f"data/{path}")
    true_state = "missing" if digest is None else "delivered" if digest == body["sha256"] else "damaged"
    is_absent = digest is None and named["state"] in ("missing", "disposed")
    require(named["state"] == true_state or is_absent, f"{path} is {true_state}, not {named['state']}")
    return Span(body["started_at_us"], body["ended_at_us"], run[1] if run else "", body["sequence"])


def check_gap(bag: Bag, head: Head, camera: dict[str, Any], named: dict[str, Any], made_at_us: int) -> Span:
    """One absence was recorded in the ledger; one without an end lasted when the bag was made."""
    path = f"proof/{camera['folder']}/{named['proof']}"
    leaf = read_leaf(bag, head, path)
    body = leaf["body"]
    until_us = body.get("ended_at_us")
    recorded = [leaf["kind"], body["camera_uuid"], body["cause"], body["started_at_us"], until_us]
    kind = "gap_open" if until_us is None else "gap_end"
    claimed = [kind, camera["uuid"], named["cause"], named["from_us"], named["until_us"]]
    require(recorded == claimed, f"the ledger says otherwise: {path}")
    return Span(body["started_at_us"], made_at_us if until_us is None else until_us)


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
    files = [check_segment(bag, head, camera, named) for named in camera["segments"]]
    gaps = [check_gap(bag, head, camera, named, delivery["made_at_us"]) for named in camera["gaps"]]
    holes = unaccounted(delivery["from_us"], delivery["until_us"], files + gaps)
    require(
        holes == [[hole["from_us"], hole["until_us"]] for hole in camera["unaccounted"]],
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
    delivery: dict[str, Any] = json.loads(bag.read("delivery.json"), object_pairs_hook=_once)
    require(delivery["format"] == "kaochang-delivery/1", "unknown format")
    require(delivery["from_us"] < delivery["until_us"] and delivery["cameras"], "nothing was asked for")
    named = _named(bag, delivery)
    for path in bag.digests:
        is_named = path in named or not (path.startswith("data/") or path.endswith(".entry"))
        require(is_named, f"the bag does not say what this is: {path}")
    seen = [check_camera(bag, head, delivery, camera) for camera in delivery["cameras"]]
    is_complete = all(seen)
    lines = bag.read("bag-info.txt").decode().split("\n")
    claims = [line for line in lines if line.startswith("Kaochang-Complete:")]
    claim = "Kaochang-Complete: " + ("yes" if is_complete else "no")
    require(claims == [claim], "bag-info.txt and the proofs differ")
    return delivery, is_complete


def _named(bag: Bag, delivery: dict[str, Any]) -> set[str]:
    """Every path that the statement names; none twice, and every copy it names is there."""
    copies = [copy["file"] for copy in delivery["derived"]]
    for path in copies:
        require(path.startswith("data/derived/") and path in bag.digests, f"no such copy: {path}")
    named = list(copies)
    for camera in delivery["cameras"]:
        named += [f"data/{camera['folder']}/{each['file']}" for each in camera["segments"]]
        named += [f"proof/{camera['folder']}/{each['file']}.entry" for each in camera["segments"]]
        named += [f"proof/{camera['folder']}/{each['proof']}.entry" for each in camera["gaps"]]
    require(len(set(named)) == len(named), "delivery.json names a file twice")
    return set(named)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len({key for key, _ in pairs}) == len(pairs), "a key stands twice in delivery.json")
    return dict(pairs)


def verify(folder: Path, outside: str | None) -> int:
    """All checks in order; `outside` is a fingerprint that did not come from the bag. Raises RefusedError."""
    bag = read_bag(folder)
    check_manifests(bag)
    say(f"完整：{len(bag.digests)} 个文件与清单一致", "every file is listed and has its digest")
    fingerprint = fingerprint_of(bag.read("proof/key.pem"))
    require(outside in (None, fingerprint), f"the bag is signed by another key: {fingerprint}")
    check_signature(bag, SIGNED, SIGNATURE)
    say(f"签名有效，公钥指纹 {fingerprint}", "the signature covers every file of the bag")
    head = read_checkpoint(bag, fingerprint)
    say(f"台账检查点：{head.size} 条，{head.origin}", f"ledger checkpoint, root {head.root.hex()}")
    delivery, is_complete = check_delivery(bag, head)
    asked = delivery["asked_by"]
    say(
        f"调取：{asked['organisation']} {asked['name']}，事由：{asked['reason']}",
        f"requested {delivery['from_us']} .. {delivery['until_us']} us UTC, part {delivery['part']}"
        f" of {delivery['parts']}",
    )
    _say_limits(delivery)
    if outside is None:
        say("结论：未用外部公钥核对，不能采信", "NOT PROVED: no key from outside the bag was given")
        return NO_OUTSIDE_KEY
    if not is_complete:
        say("结论：导出包真实，但有上列未交付或无法说明的部分", "GENUINE BUT INCOMPLETE, see above")
        return INCOMPLETE
    say("结论：全部成立", "PROVED: all of the above holds")
    return PROVED


def _say_limits(delivery: dict[str, Any]) -> None:
    say("未证明：", "not proved:")
    say("  时间以考点服务器时钟为准", "that the site's clock was right: times are the recorder's")
    say("  未列出的摄像机", "anything about cameras that the bag does not name")
    say("  记录缺口之后是否又找到录像", "that no footage of a recorded gap was found later")
    say(
        "  检查点此前未被改写：请与签字的纸质检查点核对",
        "that the ledger was not rewritten before this checkpoint: compare it with one on signed paper",
    )
    if delivery["derived"]:
        say("  派生副本（data/derived）只供观看", "derived copies (data/derived) are for viewing only")


def main(words: list[str]) -> int:
    """Read the command's words, verify, return the exit status."""
    parser = argparse.ArgumentParser(prog="verify", description="核验取证导出包 / verify a footage bag")
    parser.add_argument("bag", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key", type=Path, help="考点公钥 PEM，须来自包外 / public key from outside the bag")
    key.add_argument("--fingerprint", help="公钥指纹，64 位十六进制 / its SHA-256 fingerprint")
    asked = parser.parse_args(words)
    try:
        outside = fingerprint_of(asked.key.read_bytes()) if asked.key else asked.fingerprint
        if asked.fingerprint is not None:
            outside = re.sub(r"[\s:-]", "", asked.fingerprint).lower()
            require(re.fullmatch(r"[0-9a-f]{64}", outside), "a fingerprint has 64 hexadecimal digits")
        return verify(asked.bag, outside)
    except (RefusedError, OSError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        say("结论：不予采信", f"REFUSED: {type(error).__name__}: {error}")
        return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
