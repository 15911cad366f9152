"""Anchors: what left the machine is compared years later; what comes back is checked before it is kept."""

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence import ledger
from evidence.anchors import (
    AnchorError,
    AnchorKind,
    Claim,
    Comparison,
    SignedHead,
    anchors,
    broken_anchors,
    compare,
    grouped,
    last_head,
    read_claim,
    record_paper,
)
from evidence.checkpoints import Checkpoints
from evidence.ledger import LeafKind, read_leaves
from evidence.merkle import TreeHead
from tests.world import CLOCK_US, World


@dataclass
class Signed:
    """The world's ledger and who signs it."""

    world: World
    checkpoints: Checkpoints
    keys: Path

    def grow(self, count: int) -> SignedHead:
        with self.world.exam.write() as connection:
            for _ in range(count):
                ledger.append(connection, LeafKind.CLOCK_STEP, {"step_us": 1}, CLOCK_US)
        self.checkpoints.sign(CLOCK_US)
        return self.head()

    def head(self) -> SignedHead:
        found = last_head(self.world.exam.path.parent, self.keys, "exam")
        assert found is not None
        return found

    def print_sheet(self, head: SignedHead) -> None:
        with self.world.exam.write() as connection:
            record_paper(connection, {"exam": head}, self.world.site_lead_account_id, CLOCK_US)


@pytest.fixture
def site(world: World) -> Iterator[Signed]:
    keys = world.exam.path.parent / "keys"
    checkpoints = Checkpoints(world.exam, keys, "exam")
    checkpoints.sign(CLOCK_US)
    with closing(checkpoints):
        yield Signed(world, checkpoints, keys)


def test_there_is_no_head_before_anything_was_signed(world: World) -> None:
    keys = world.exam.path.parent / "keys"
    assert last_head(world.exam.path.parent, keys, "exam") is None
    Checkpoints(world.exam, keys, "exam").close()
    assert last_head(world.exam.path.parent, keys, "exam") is None


def test_the_last_head_is_what_was_signed_last(site: Signed) -> None:
    head = site.grow(5)
    with site.world.exam.read() as connection:
        assert head.head == ledger.tree_head(connection)
    assert head.origin.endswith(head.fingerprint[:16])
    assert head.signed_at_us == CLOCK_US


def test_a_root_is_read_in_eight_groups_of_eight(site: Signed) -> None:
    head = site.grow(1)
    assert head.groups == grouped(head.head.root)
    assert [len(group) for group in head.groups] == [8] * 8
    assert bytes.fromhex("".join(head.groups)) == head.head.root


@pytest.mark.parametrize("form", ["note", "groups", "lower", "thousands"])
def test_what_paper_says_is_read_however_it_is_typed(site: Signed, form: str) -> None:
    head = site.grow(3)
    groups = " ".join(head.groups)
    text = {
        "note": head.note,
        "groups": f"{head.origin}\n{head.head.size}\n{groups[:36]}\n{groups[36:]}",
        "lower": f"  {head.origin}\r\n{head.head.size}\r\n{groups.lower()}\r\n",
        "thousands": f"{head.origin}\n{head.head.size:,}\n{groups}",
    }[form]
    assert read_claim(text) == Claim(head.origin, head.head)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "三部分"),
        ("kaochang/exam/0\n5", "三部分"),
        ("kaochang/exam/0\nfive\n00", "条目数"),
        ("kaochang/exam/0\n5\n12345678 1234", "根校验值"),
        ("kaochang/exam/0\n5\n!!", "根校验值"),
    ],
)
def test_a_text_that_says_nothing_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(AnchorError, match=words):
        read_claim(text)


def compared(site: Signed, claim: Claim) -> Comparison:
    with site.world.exam.read() as connection:
        return compare(connection, site.head().origin, claim)


def test_a_ledger_that_grew_still_extends_what_was_printed(site: Signed) -> None:
    printed = read_claim(site.grow(3).note)
    site.grow(40)
    assert compared(site, printed) is Comparison.EXTENDS


def test_a_rewritten_ledger_differs_from_what_was_printed(site: Signed) -> None:
    head = site.grow(3)
    other = Claim(head.origin, TreeHead(head.head.size, bytes(32)))
    assert compared(site, other) is Comparison.DIFFERS


def test_a_ledger_with_a_hole_differs(site: Signed) -> None:
    printed = read_claim(site.grow(8).note)
    with site.world.exam.write() as connection:
        connection.execute("drop trigger ledger_node_never_goes")
        connection.execute("delete from ledger_node")
    assert compared(site, printed) is Comparison.DIFFERS


def test_an_older_copy_is_shorter_than_what_was_printed(site: Signed) -> None:
    head = site.grow(3)
    assert compared(site, Claim(head.origin, TreeHead(99, head.head.root))) is Comparison.SHORTER


def test_another_sites_paper_is_foreign(site: Signed) -> None:
    head = site.grow(3)
    assert compared(site, Claim("kaochang/exam/ffff", head.head)) is Comparison.FOREIGN


def test_a_printed_sheet_is_a_fact_with_a_leaf_and_never_changes(site: Signed) -> None:
    head = site.grow(2)
    site.print_sheet(head)
    with site.world.exam.read() as connection:
        kept = anchors(connection, "exam")
        leaf = [leaf for leaf, _ in read_leaves(connection)][-1]
    assert [(one.kind, one.size, one.note, one.made_by) for one in kept] == [
        (AnchorKind.PAPER, head.head.size, head.note, "李强")
    ]
    assert leaf.kind == "anchor"
    assert head.head.root.hex() in leaf.body
    for statement in ("update anchor set size = 9", "delete from anchor"):
        with pytest.raises(sqlite3.IntegrityError, match="never"), site.world.exam.write() as connection:
            connection.execute(statement)


def test_anchors_that_the_ledger_contradicts_are_named(site: Signed) -> None:
    head = site.grow(2)
    site.print_sheet(head)
    with site.world.exam.read() as connection:
        assert broken_anchors(connection, connection, "exam", head.origin) == []
    forged = head.note.replace(
        base64.b64encode(head.head.root).decode(), base64.b64encode(bytes(32)).decode()
    )
    site.print_sheet(SignedHead("exam", forged, head.head, head.origin, head.fingerprint, CLOCK_US))
    with site.world.exam.read() as connection:
        broken = broken_anchors(connection, connection, "exam", head.origin)
    assert [one.note for one in broken] == [forged]
