"""Anchors outside the machine: checkpoints on signed paper, cosigned on a visitor's stick, or time-stamped.

Whoever has the machine can rewrite ledger and checkpoints together; he cannot rewrite what has left.
Each anchor is optional, and what is missing is said. What came back from outside is checked before it
is kept, and what is printed can be typed in again years later and compared.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.checkpoints import SIGNATURE_MARK, Signer, read_note
from evidence.database import ReaderDatabase
from evidence.ledger import LeafKind, LedgerError, append, head_at, tree_size
from evidence.merkle import TreeHead

LEDGERS: Final = ("exam", "footage")
GROUP_LETTERS: Final = 8
ROOT_BYTES: Final = 32
_HEX: Final = re.compile(r"[0-9A-Fa-f]+")


class AnchorError(Exception):
    """A text from outside cannot be used; the message says why, in Chinese."""


class AnchorKind(StrEnum):
    """How a checkpoint left the machine."""

    PAPER = "paper"
    COSIGNED = "cosigned"
    STAMPED = "stamped"


class Comparison(StrEnum):
    """How today's ledger stands to a checkpoint that left the machine earlier."""

    # The ledger still begins with exactly what was anchored.
    EXTENDS = "extends"
    # Rewritten: as many leaves as were anchored make another root.
    DIFFERS = "differs"
    # Cut off or put back: there are fewer leaves than were anchored.
    SHORTER = "shorter"
    # The text names a ledger or a key that is not this site's.
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The last checkpoint of one ledger, its signature checked. `fingerprint`: SHA-256 of the key in hex."""

    ledger: str
    note: str
    head: TreeHead
    origin: str
    fingerprint: str
    signed_at_us: int

    @property
    def groups(self) -> tuple[str, ...]:
        """The root as people can read it to one another: eight groups of eight."""
        return grouped(self.head.root)


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody holds in hand: so many leaves of this ledger had this root."""

    origin: str
    head: TreeHead


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from outside for a checkpoint, already checked."""

    kind: AnchorKind
    authority_id: int
    token: bytes
    stated_at_us: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint that left the machine. `authority` is empty on paper, `stated_at_us` then None."""

    id: int
    kind: AnchorKind
    ledger: str
    size: int
    note: str
    authority: str
    stated_at_us: int | None
    made_by: str
    anchored_at_us: int


def grouped(root: bytes) -> tuple[str, ...]:
    """A root in groups of hexadecimal digits, for paper."""
    digits = root.hex().upper()
    return tuple(digits[at : at + GROUP_LETTERS] for at in range(0, len(digits), GROUP_LETTERS))


def last_head(folder: Path, keys_folder: Path, ledger: str) -> SignedHead | None:
    """The last checkpoint of a ledger; None before its service has signed any. Raises CheckpointError."""
    return find_head(folder, keys_folder, ledger, lambda _note: True)


def find_head(
    folder: Path, keys_folder: Path, ledger: str, is_meant: Callable[[str], bool]
) -> SignedHead | None:
    """The newest checkpoint of a ledger whose note is meant. Raises CheckpointError for a foreign one."""
    store_path, key_path = folder / f"{ledger}_checkpoints.db", keys_folder / f"ledger_{ledger}.key"
    if not (store_path.exists() and key_path.exists()):
        return None
    signer = Signer.load(key_path, ledger)
    with closing(ReaderDatabase(store_path)) as store, store.read() as connection:
        rows = connection.execute("select note, signed_at_us from checkpoint order by id desc")
        note, signed_at_us = next(((note, at_us) for note, at_us in rows if is_meant(note)), ("", 0))
    if not note:
        return None
    head = read_note(note, signer.origin, signer.key.public_key())
    return SignedHead(ledger, note, head, signer.origin, signer.fingerprint, signed_at_us)


def public_pem(keys_folder: Path, ledger: str) -> bytes:
    """The public key of a ledger's signer, for whoever verifies. Raises CheckpointError."""
    return Signer.load(keys_folder / f"ledger_{ledger}.key", ledger).public_pem


def read_claim(text: str) -> Claim:
    """What a scanned or typed text says: three lines of a checkpoint, the root in Base64 or in groups.

    Its signature is not asked for: the ledger itself decides. Raises AnchorError.
    """
    said = text.replace("\r", "").partition(f"\n\n{SIGNATURE_MARK}")[0]
    lines = [line.strip() for line in said.split("\n") if line.strip()]
    if len(lines) < 3:
        raise AnchorError("请完整输入三部分：台账名称、条目数和根校验值。")
    origin, size, digits = lines[0], lines[1].replace(",", ""), "".join(lines[2:])
    if not size.isdecimal():
        raise AnchorError(f"第二行应当是条目数，而不是“{lines[1][:20]}”。")
    return Claim(origin, TreeHead(int(size), _root(digits)))


def _root(digits: str) -> bytes:
    packed = "".join(digits.split())
    if len(packed) == 2 * ROOT_BYTES and _HEX.fullmatch(packed):
        return bytes.fromhex(packed)
    try:
        root = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AnchorError("根校验值应当是8组、每组8位的数字和字母。") from error
    if len(root) != ROOT_BYTES:
        raise AnchorError("根校验值不完整：应当是8组、每组8位。")
    return root


def compare(ledger: Connection, origin: str, claim: Claim) -> Comparison:
    """Whether this ledger still begins with what left the machine. Reads O(log n) rows."""
    if claim.origin != origin:
        return Comparison.FOREIGN
    if tree_size(ledger) < claim.head.size:
        return Comparison.SHORTER
    try:
        then = head_at(ledger, claim.head.size)
    except LedgerError:
        return Comparison.DIFFERS
    return Comparison.EXTENDS if then.root == claim.head.root else Comparison.DIFFERS


def record_paper(exam: Connection, heads: Mapping[str, SignedHead], account_id: int, now_us: int) -> None:
    """These checkpoints are printed now, to be signed by people."""
    for head in heads.values():
        _record(exam, head, None, (account_id, now_us))


def record_answer(exam: Connection, head: SignedHead, answer: Answer, made: tuple[int, int]) -> int:
    """Keep what came back from outside; `made` is the account that brought it and the moment."""
    return _record(exam, head, answer, made)


def anchors(exam: Connection, ledger: str) -> list[Anchor]:
    """Everything of this ledger that left the machine, the newest first."""
    rows = exam.execute(
        "select anchor.*, time_authority.name as authority, account.display_name as made_by from anchor"
        " join account on account.id = anchor.account_id"
        " left join time_authority on time_authority.id = authority_id where ledger = ?"
        " order by anchor.id desc",
        (ledger,),
    )
    return [_anchor(row) for row in rows]


def broken_anchors(exam: Connection, ledger: Connection, name: str, origin: str) -> list[Anchor]:
    """Anchors that today's ledger contradicts: it was rewritten or cut after they left the machine."""
    return [
        anchor
        for anchor in anchors(exam, name)
        if compare(ledger, origin, read_claim(anchor.note)) is not Comparison.EXTENDS
    ]


def _record(exam: Connection, head: SignedHead, answer: Answer | None, made: tuple[int, int]) -> int:
    account_id, now_us = made
    kind = AnchorKind.PAPER if answer is None else answer.kind
    outside = (
        (None, None, None) if answer is None else (answer.token, answer.authority_id, answer.stated_at_us)
    )
    row = exam.execute(
        "insert into anchor (kind, ledger, size, note, token, authority_id, stated_at_us, account_id,"
        " anchored_at_us) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " returning id as anchor_id, kind, ledger, size, authority_id, stated_at_us, account_id",
        (kind, head.ledger, head.head.size, head.note, *outside, account_id, now_us),
    ).fetchone()
    append(exam, LeafKind.ANCHOR, {**dict(row), "root": head.head.root.hex()}, now_us)
    return int(row["anchor_id"])


def _anchor(row: Row) -> Anchor:
    return Anchor(
        row["id"],
        AnchorKind(row["kind"]),
        row["ledger"],
        row["size"],
        row["note"],
        row["authority"] or "",
        row["stated_at_us"],
        row["made_by"],
        row["anchored_at_us"],
    )
