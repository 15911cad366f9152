"""Cosigns a checkpoint of a Kaochang site from a stick, and refuses one that rewrites what was signed before.

    python3 cosign.py REQUEST --key my-key.pem --site-key site.pem --state remembered.json > answer

Needs Python 3.9 and the `openssl` command; no network, nothing else of the site's software. Make a key once
with `openssl genpkey -algorithm ed25519 -out my-key.pem`, give the site what `openssl pkey -in my-key.pem
-pubout` prints, and keep key and remembered.json with you, never at the site. Exit status 0: it signed.
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
import tempfile
from pathlib import Path

MARK = "\u2014 "


class RefusedError(Exception):
    """The checkpoint is not signed; the message says why."""


def node(left: bytes, right: bytes) -> bytes:
    """An inner node of the tree (RFC 6962)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def extends(old: tuple[int, bytes], new: tuple[int, bytes], path: list[bytes]) -> bool:
    """Whether the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    (old_size, old_root), (size, root) = old, new
    if old_size == 0:
        return not path
    if old_size == size:
        return not path and old_root == root
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not 0 < old_size < size or not hashes:
        return False
    return roots(old_size - 1, size - 1, hashes) == (old_root, root)


def roots(index: int, last: int, hashes: list[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees that the path leads to; None for a path of the wrong length."""
    while index & 1:
        index, last = index >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if not last:
            return None
        if index & 1 or index == last:
            first, second = node(sibling, first), node(sibling, second)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            second = node(second, sibling)
        index, last = index >> 1, last >> 1
    return None if last else (first, second)


def openssl(*words: str) -> bytes:
    """What the program answers; its refusal is ours."""
    done = subprocess.run(["openssl", *words], capture_output=True, check=False)
    if done.returncode:
        raise RefusedError(f"openssl {words[0]}: " + done.stderr.decode("utf-8", "replace").strip())
    return done.stdout


def raw_key(path: Path, *words: str) -> bytes:
    """The 32 bytes of an Ed25519 public key."""
    return openssl("pkey", "-in", str(path), *words, "-pubout", "-outform", "DER")[-32:]


def parse(request: str) -> tuple[int, list[bytes], str]:
    """The size signed before, the proof, and the note that is to be cosigned."""
    head, _, note = request.partition("\n\n")
    first, *hashes = head.split("\n")
    found = re.fullmatch(r"old (\d+)", first)
    if found is None or not note:
        raise RefusedError("this is not a cosigning request")
    return int(found[1]), [base64.b64decode(each, validate=True) for each in hashes], note


def check_site(text: str, note: str, site_key: Path) -> None:
    """The site's own signature over the three lines."""
    origin = text.split("\n", maxsplit=1)[0]
    line = note[len(text) :].strip("\n").removeprefix(f"{MARK}{origin} ")
    with tempfile.TemporaryDirectory() as folder:
        message, signature = Path(folder, "text"), Path(folder, "signature")
        message.write_text(text, encoding="utf-8")
        signature.write_bytes(base64.b64decode(line, validate=True)[4:])
        words = ["-rawin", "-in", str(message), "-sigfile", str(signature)]
        openssl("pkeyutl", "-verify", "-pubin", "-inkey", str(site_key), *words)


def sign(key: Path, message: bytes) -> bytes:
    """An Ed25519 signature."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "message")
        path.write_bytes(message)
        return openssl("pkeyutl", "-sign", "-inkey", str(key), "-rawin", "-in", str(path))


def remember(state: Path, known: dict[str, list[object]]) -> None:
    """Durably, before the signature leaves: a stick pulled out now must not sign two histories later."""
    draft = state.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as written:
        json.dump(known, written)
        written.flush()
        os.fsync(written.fileno())
    draft.replace(state)


def cosign(words: argparse.Namespace, now_s: int) -> str:
    """The note with the signature line added. Raises RefusedError."""
    old_size, path, note = parse(Path(words.request).read_text(encoding="utf-8"))
    text = "\n".join(note.split("\n")[:3]) + "\n"
    origin, size, root = text.rstrip("\n").split("\n")
    check_site(text, note, Path(words.site_key))
    state = Path(words.state)
    known = json.loads(state.read_text(encoding="utf-8")) if state.exists() else {}
    signed = known.get(origin, [0, ""])
    if signed[0] != old_size:
        raise RefusedError(f"I signed {signed[0]} leaves last; ask for a request from {signed[0]} on")
    new = (int(size), base64.b64decode(root, validate=True))
    if not extends((old_size, bytes.fromhex(signed[1])), new, path):
        raise RefusedError("HISTORY WAS REWRITTEN: this checkpoint does not extend the one I signed")
    remember(state, {**known, origin: [new[0], new[1].hex()]})
    signature = sign(Path(words.key), f"cosignature/v1\ntime {now_s}\n{text}".encode())
    key_id = hashlib.sha256(words.name.encode() + b"\n\x04" + raw_key(Path(words.key))).digest()[:4]
    packed = base64.b64encode(key_id + now_s.to_bytes(8, "big") + signature).decode()
    return f"{note.rstrip()}\n{MARK}{words.name} {packed}\n"


def main(arguments: list[str]) -> int:
    """Print the answer; say why not on standard error."""
    parser = argparse.ArgumentParser(description="Cosign a checkpoint of a Kaochang exam site.")
    parser.add_argument("request", help="the file from the site")
    parser.add_argument("--key", required=True, help="your Ed25519 private key, PEM")
    parser.add_argument("--site-key", required=True, help="the site's public key, PEM, compared with paper")
    parser.add_argument("--state", required=True, help="your file that remembers what you signed")
    parser.add_argument("--name", default="cosigner", help="your name in the signature line, without spaces")
    words = parser.parse_args(arguments)
    # The moment by this machine's clock: the whole point is that it is not the site's.
    now_s = int(subprocess.run(["date", "+%s"], capture_output=True, check=True, text=True).stdout)
    try:
        sys.stdout.write(cosign(words, now_s))
    except (RefusedError, OSError, ValueError) as error:
        sys.stderr.write(f"NOT SIGNED: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
