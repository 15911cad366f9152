"""Cosigning with a stick and stamping by an authority: real keys, real openssl, the real program."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidence import cosigner_tool, ledger
from evidence.anchors import AnchorError, AnchorKind, SignedHead, anchors, last_head, record_answer
from evidence.checkpoints import Checkpoints, Signer
from evidence.cosigning import cosign_request, read_cosignature, read_stamp, stamp_query, stamped_digest
from evidence.ledger import LeafKind
from evidence.outside_time import Authority, AuthorityKind
from tests.evidence.tsa import Tsa
from tests.world import CLOCK_US, World


@dataclass
class Stick:
    """A cosigner with a key of his own and the site's ledger to look at."""

    world: World
    checkpoints: Checkpoints
    folder: Path

    def grow(self, count: int) -> SignedHead:
        with self.world.exam.write() as connection:
            for _ in range(count):
                ledger.append(connection, LeafKind.CLOCK_STEP, {"step_us": 1}, CLOCK_US)
        self.checkpoints.sign(CLOCK_US)
        found = last_head(self.world.exam.path.parent, self.folder / "keys", "exam")
        assert found is not None
        return found

    def request(self, head: SignedHead, old_size: int) -> str:
        with self.world.exam.read() as connection:
            return cosign_request(connection, head, old_size)

    def cosign(self, request: str, *more: str) -> "subprocess.CompletedProcess[str]":
        (self.folder / "request").write_text(request, encoding="utf-8")
        words = ["request", "--key", "own.pem", "--site-key", "site.pem", "--state", "state.json", *more]
        return subprocess.run(
            [sys.executable, cosigner_tool.__file__, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def key(self) -> Ed25519PublicKey:
        public = subprocess.run(
            ["openssl", "pkey", "-in", "own.pem", "-pubout"], cwd=self.folder, capture_output=True, check=True
        )
        found = serialization.load_pem_public_key(public.stdout)
        assert isinstance(found, Ed25519PublicKey)
        return found


@pytest.fixture
def stick(world: World) -> Iterator[Stick]:
    folder = world.exam.path.parent
    checkpoints = Checkpoints(world.exam, folder / "keys", "exam")
    checkpoints.sign(CLOCK_US)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "own.pem"], cwd=folder, check=True)
    site = Signer.open(folder / "keys" / "ledger_exam.key", "exam").key.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (folder / "site.pem").write_bytes(site.public_bytes(serialization.Encoding.PEM, form))
    with closing(checkpoints):
        yield Stick(world, checkpoints, folder)


def test_a_cosigner_signs_and_signs_again_what_extends_it(stick: Stick) -> None:
    first = stick.grow(5)
    answer = stick.cosign(stick.request(first, 0))
    assert answer.returncode == 0, answer.stderr
    made = read_cosignature(first, 7, stick.key, "answer of the stick\n" + answer.stdout)
    assert (made.kind, made.authority_id) == (AnchorKind.COSIGNED, 7)
    assert made.stated_at_us > 1_700_000_000_000_000
    for grown in (1, 7, 20):
        before = json.loads((stick.folder / "state.json").read_text())
        head = stick.grow(grown)
        again = stick.cosign(stick.request(head, next(iter(before.values()))[0]), "--name", "visitor-2")
        assert again.returncode == 0, again.stderr
        read_cosignature(head, 7, stick.key, again.stdout)
    same = stick.cosign(stick.request(head, head.head.size))
    assert same.returncode == 0, same.stderr


def test_a_rewritten_history_is_not_cosigned(stick: Stick) -> None:
    first = stick.grow(5)
    assert stick.cosign(stick.request(first, 0)).returncode == 0
    state = stick.folder / "state.json"
    state.write_text(json.dumps({first.origin: [5, "00" * 32]}))
    done = stick.cosign(stick.request(stick.grow(4), 5))
    assert (done.returncode, done.stdout) == (1, "")
    assert "HISTORY WAS REWRITTEN" in done.stderr


@pytest.mark.parametrize("kept", [slice(2, None), slice(1, -1), slice(0, 0)])
def test_a_proof_with_a_hash_too_few_is_not_believed(stick: Stick, kept: slice) -> None:
    first = stick.grow(5)
    assert stick.cosign(stick.request(first, 0)).returncode == 0
    proof, _, note = stick.request(stick.grow(6), 5).partition("\n\n")
    first_line, *hashes = proof.split("\n")
    done = stick.cosign("\n".join([first_line, *hashes[kept]]) + f"\n\n{note}")
    assert "HISTORY WAS REWRITTEN" in done.stderr


def test_a_proof_with_hashes_too_many_is_not_believed(stick: Stick) -> None:
    first = stick.grow(4)
    assert stick.cosign(stick.request(first, 0)).returncode == 0
    lines = stick.request(stick.grow(4), 4).split("\n")
    done = stick.cosign("\n".join([lines[0], *lines[1:2] * 5, *lines[1:]]))
    assert "HISTORY WAS REWRITTEN" in done.stderr


def test_another_size_than_remembered_is_asked_for_in_words(stick: Stick) -> None:
    first = stick.grow(5)
    assert stick.cosign(stick.request(first, 0)).returncode == 0
    done = stick.cosign(stick.request(stick.grow(2), 0))
    assert "I signed 5 leaves last" in done.stderr
    assert done.returncode == 1


def test_a_note_that_the_site_did_not_sign_is_not_cosigned(stick: Stick) -> None:
    request = stick.request(stick.grow(5), 0)
    done = stick.cosign(request.replace("\n5\n", "\n6\n"))
    assert "NOT SIGNED: openssl pkeyutl" in done.stderr
    assert stick.cosign("hello").returncode == 1


def test_more_leaves_than_there_are_cannot_be_proved(stick: Stick) -> None:
    head = stick.grow(2)
    with pytest.raises(AnchorError, match="签名到第 2 条"):
        stick.request(head, 3)


def test_an_answer_for_another_checkpoint_or_key_is_not_kept(stick: Stick) -> None:
    first = stick.grow(5)
    answer = stick.cosign(stick.request(first, 0)).stdout
    second = stick.grow(1)
    other = Signer.open(stick.folder / "keys" / "other.key", "other").key.public_key()
    name, packed = answer.strip().rpartition("— ")[2].split(" ")
    for head, key, text in (
        (second, stick.key, answer),
        (first, other, answer),
        (first, stick.key, f"— {name} !!{packed}"),
        (first, stick.key, f"— {name} {packed[:-8]}"),
        (first, stick.key, f"— someone {packed}"),
    ):
        with pytest.raises(AnchorError, match="没有保存"):
            read_cosignature(head, 1, key, text)
    with pytest.raises(AnchorError, match="签名行"):
        read_cosignature(first, 1, stick.key, "nothing here\n— \n")


def test_a_time_stamp_over_the_checkpoint_is_kept_and_one_over_another_is_not(stick: Stick) -> None:
    tsa = Tsa(stick.folder / "tsa")
    authority = Authority(AuthorityKind.TSA, tsa.root_pem)
    head = stick.grow(3)
    assert stamped_digest(head) in stamp_query(head)
    response = tsa.stamp(stamped_digest(head))
    made = read_stamp(head, 4, authority, response)
    assert (made.kind, made.authority_id, made.token) == (AnchorKind.STAMPED, 4, response)
    with pytest.raises(AnchorError, match="时间戳与这个检查点不符"):
        read_stamp(stick.grow(1), 4, authority, response)


def test_without_openssl_no_question_is_made(stick: Stick, monkeypatch: pytest.MonkeyPatch) -> None:
    head = stick.grow(1)
    monkeypatch.setenv("PATH", str(stick.folder))
    with pytest.raises(AnchorError, match="openssl"):
        stamp_query(head)


def test_an_answer_is_kept_with_whose_it_is_and_when_he_says(stick: Stick) -> None:
    head = stick.grow(5)
    with stick.world.exam.write() as connection:
        connection.execute(
            "insert into time_authority (id, kind, name, public_pem, account_id, recorded_at_us)"
            " values (1, 'cosigner', '省中心督导', '-----BEGIN PUBLIC KEY-----', ?, ?)",
            (stick.world.site_lead_account_id, CLOCK_US),
        )
        made = read_cosignature(head, 1, stick.key, stick.cosign(stick.request(head, 0)).stdout)
        record_answer(connection, head, made, (stick.world.site_lead_account_id, CLOCK_US))
        kept = anchors(connection, "exam")
    assert [(one.kind, one.authority, one.stated_at_us) for one in kept] == [
        (AnchorKind.COSIGNED, "省中心督导", made.stated_at_us)
    ]
