"""Checkpoints: a ledger that does not extend what was signed is refused, and the reason is said."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from evidence.checkpoints import CheckpointError, Checkpoints, Refusal, Signer, Signing, read_note
from evidence.database import ReaderDatabase, WriterBusyError, WriterDatabase
from evidence.ledger import LeafKind, append, tree_head
from evidence.merkle import EMPTY_ROOT, TreeHead
from exam.clock import SECOND_US, SimulatedClock, SystemClock

NOW_US = 1_795_309_200_000_000
HEAD = TreeHead(5, bytes(range(32)))


@contextmanager
def opened(folder: Path) -> Iterator[WriterDatabase]:
    database = WriterDatabase(folder / "exam.db", "exam")
    yield database
    database.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WriterDatabase]:
    with opened(tmp_path) as database:
        yield database


def fill(ledger: WriterDatabase, count: int, step_us: int = 1) -> None:
    with ledger.write() as connection:
        for _ in range(count):
            append(connection, LeafKind.CLOCK_STEP, {"step_us": step_us}, NOW_US)


def start(ledger: WriterDatabase) -> Checkpoints:
    return Checkpoints(ledger, ledger.path.parent / "keys", "exam")


def sign_once(ledger: WriterDatabase) -> bool:
    checkpoints = start(ledger)
    try:
        return checkpoints.sign(NOW_US)
    finally:
        checkpoints.close()


def refused(ledger: WriterDatabase) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        start(ledger)
    return caught.value


def notes(folder: Path) -> list[str]:
    store = WriterDatabase(folder / "exam_checkpoints.db", "checkpoint")
    with store.read() as connection:
        found = [row[0] for row in connection.execute("select note from checkpoint order by id")]
    store.close()
    return found


def test_a_ledger_whose_checkpoints_are_gone_is_refused(ledger: WriterDatabase, tmp_path: Path) -> None:
    sign_once(ledger)
    fill(ledger, 3)
    (tmp_path / "exam_checkpoints.db").rename(tmp_path / "gone.db")
    error = refused(ledger)
    assert error.refusal is Refusal.CHECKPOINTS_LOST
    assert "exam_checkpoints.db is gone" in str(error)


def test_checkpoints_follow_a_growing_ledger_over_restarts(ledger: WriterDatabase) -> None:
    assert sign_once(ledger)
    fill(ledger, 3)
    assert sign_once(ledger)
    assert not sign_once(ledger)
    fill(ledger, 4)
    assert sign_once(ledger)
    first, second, third = notes(ledger.path.parent)
    origin, size, root, blank, line, end = third.split("\n")
    with ledger.read() as connection:
        assert (int(size), base64.b64decode(root)) == (7, tree_head(connection).root)
    assert (blank, end) == ("", "")
    assert line.startswith(f"— {origin} ")
    assert second.split("\n")[:2] == [origin, "3"]
    assert first.split("\n")[1:3] == ["0", base64.b64encode(EMPTY_ROOT).decode()]


def test_openssl_alone_verifies_a_checkpoint(ledger: WriterDatabase, tmp_path: Path) -> None:
    sign_once(ledger)
    [note] = notes(tmp_path)
    text, line = note.split("\n\n")
    (tmp_path / "text").write_text(text + "\n", encoding="utf-8")
    (tmp_path / "signature").write_bytes(base64.b64decode(line.split(" ")[2])[4:])
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-inkey", "keys/ledger_exam.key"]
    files = ["-in", "text", "-sigfile", "signature"]
    subprocess.run([*command, *files], cwd=tmp_path, check=True, capture_output=True)


def test_the_key_is_the_owners_alone(ledger: WriterDatabase, tmp_path: Path) -> None:
    sign_once(ledger)
    key = tmp_path / "keys" / "ledger_exam.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o640)
    assert refused(ledger).refusal is Refusal.UNUSABLE_KEY


def test_only_the_writer_makes_a_key(tmp_path: Path) -> None:
    path = tmp_path / "ledger_exam.key"
    with pytest.raises(CheckpointError, match="is missing") as caught:
        Signer.load(path, "exam")
    assert caught.value.refusal is Refusal.UNUSABLE_KEY
    assert not path.exists()
    assert Signer.open(path, "exam").fingerprint == Signer.load(path, "exam").fingerprint


def test_a_note_in_other_letters_that_mean_the_same_is_refused(tmp_path: Path) -> None:
    signer = Signer.open(tmp_path / "ledger_exam.key", "exam")
    note = signer.sign(HEAD)
    # 68 bytes end in a letter of which only four of six bits say anything.
    last = note[-3]
    other = chr(ord(last) + 1)
    assert base64.b64decode(note.split(" ")[2]) == base64.b64decode(note.split(" ")[2][:-3] + other + "=")
    with pytest.raises(CheckpointError):
        read_note(f"{note[:-3]}{other}=\n", signer.origin, public(signer))


@pytest.mark.parametrize(
    "damaged",
    [
        # Of a curve that nobody knows; of one that signs nothing; asking for a password; no key at all.
        lambda pem: pem.replace(b"K2Vw", b"K2Vs"),
        lambda pem: pem.replace(b"K2Vw", b"K2Vv"),
        lambda pem: pem.replace(b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"),
        lambda pem: pem[:40],
    ],
)
def test_a_damaged_key_is_refused_in_words(ledger: WriterDatabase, tmp_path: Path, damaged) -> None:  # type: ignore[no-untyped-def]
    sign_once(ledger)
    key = tmp_path / "keys" / "ledger_exam.key"
    key.write_bytes(damaged(key.read_bytes()))
    assert refused(ledger).refusal is Refusal.UNUSABLE_KEY
    key.chmod(0o600)
    key.write_text("no key", encoding="utf-8")
    assert "damaged" in str(refused(ledger))
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key.write_bytes(other)
    assert "not an Ed25519 key" in str(refused(ledger))


def test_an_older_copy_put_back_is_a_rollback(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        sign_once(ledger)
        fill(ledger, 3)
    shutil.copy(tmp_path / "exam.db", tmp_path / "copy.db")
    with opened(tmp_path) as ledger:
        fill(ledger, 1)
        sign_once(ledger)
    shutil.copy(tmp_path / "copy.db", tmp_path / "exam.db")
    with opened(tmp_path) as ledger:
        error = refused(ledger)
    assert error.refusal is Refusal.ROLLBACK
    assert "exam.db has 3 ledger rows, 4 were signed" in str(error)


def test_a_ledger_rewritten_as_a_whole_is_a_fork(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        sign_once(ledger)
        fill(ledger, 3)
        sign_once(ledger)
    (tmp_path / "exam.db").rename(tmp_path / "old.db")
    with opened(tmp_path) as ledger:
        fill(ledger, 4, step_us=2)
        assert refused(ledger).refusal is Refusal.FORK


def test_a_ledger_with_holes_is_a_fork_that_names_the_hole(ledger: WriterDatabase) -> None:
    sign_once(ledger)
    fill(ledger, 3)
    sign_once(ledger)
    with ledger.write() as connection:
        connection.execute("drop trigger ledger_node_never_goes")
        connection.execute("delete from ledger_node")
    error = refused(ledger)
    assert error.refusal is Refusal.FORK
    assert "subtree 1/0 is missing" in str(error)


def test_another_key_is_foreign(ledger: WriterDatabase, tmp_path: Path) -> None:
    sign_once(ledger)
    key = tmp_path / "keys" / "ledger_exam.key"
    key.rename(tmp_path / "stolen.key")
    assert refused(ledger).refusal is Refusal.FOREIGN_KEY
    assert key.exists()


def test_a_second_process_is_refused_and_a_second_hand_noticed(
    ledger: WriterDatabase, tmp_path: Path
) -> None:
    checkpoints = start(ledger)
    with pytest.raises(WriterBusyError):
        start(ledger)
    (tmp_path / "exam_checkpoints.db.writer").rename(tmp_path / "lock_gone")
    sign_once(ledger)
    with pytest.raises(CheckpointError) as caught:
        checkpoints.sign(NOW_US)
    assert caught.value.refusal is Refusal.SECOND_WRITER
    checkpoints.close()


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer("kaochang/exam/0", Ed25519PrivateKey.generate())


def public(signer: Signer) -> Ed25519PublicKey:
    return signer.key.public_key()


def test_a_note_is_read_back_as_it_was_signed(signer: Signer) -> None:
    assert read_note(signer.sign(HEAD), signer.origin, public(signer)) == HEAD


def believed(signer: Signer, note: str) -> TreeHead | None:
    try:
        return read_note(note, signer.origin, public(signer))
    except CheckpointError:
        return None


@given(st.data())
def test_no_changed_note_is_believed(signer: Signer, draw: st.DataObject) -> None:
    note = signer.sign(HEAD)
    place = draw.draw(st.integers(0, len(note) - 2))
    letter = draw.draw(st.characters(codec="utf-8").filter(lambda each: each != note[place]))
    changed = note[:place] + letter + note[place + 1 :]
    assert believed(signer, changed) in (None, HEAD)  # base64 has spare bits; what is said never changes


@pytest.mark.parametrize(
    "text", ["{origin}\n5", "other\n5\nAAAA", "{origin}\nfive\nAAAA", "{origin}\n5\n***"]
)
def test_a_signature_over_something_else_is_not_a_checkpoint(signer: Signer, text: str) -> None:
    said = text.format(origin=signer.origin)
    good = base64.b64decode(signer.sign(HEAD).split(" ")[-1])
    line = base64.b64encode(good[:4] + signer.key.sign(f"{said}\n".encode())).decode()
    with pytest.raises(CheckpointError):
        read_note(f"{said}\n\n— {signer.origin} {line}\n", signer.origin, public(signer))


def test_a_service_signs_when_it_starts_while_it_runs_and_when_it_ends(
    ledger: WriterDatabase, tmp_path: Path
) -> None:
    with closing(Signing(start(ledger), SimulatedClock(NOW_US), every_s=0.005)):
        fill(ledger, 2)
        store = ReaderDatabase(tmp_path / "exam_checkpoints.db")
        signed = 0
        while signed < 2:
            with store.read() as connection:
                signed = connection.execute("select count(*) from checkpoint").fetchone()[0]
        store.close()
    with closing(Signing(start(ledger), SimulatedClock(NOW_US))):
        fill(ledger, 1)
    assert [note.split("\n")[1] for note in notes(tmp_path)] == ["0", "2", "3"]


def test_a_signal_is_urgent_and_nothing_else_is(ledger: WriterDatabase) -> None:
    checkpoints = start(ledger)
    fill(ledger, 1)
    assert not checkpoints.is_urgent()
    with ledger.write() as connection:
        append(connection, LeafKind.ANNOUNCEMENT, {"cue_code": "C5"}, NOW_US)
    assert checkpoints.is_urgent()
    checkpoints.sign(NOW_US)
    assert not checkpoints.is_urgent()
    checkpoints.close()


def test_a_signal_is_signed_without_waiting_for_the_minute(ledger: WriterDatabase, tmp_path: Path) -> None:
    with closing(Signing(start(ledger), SimulatedClock(NOW_US))):
        with ledger.write() as connection:
            append(connection, LeafKind.ANNOUNCEMENT, {"cue_code": "C5"}, NOW_US)
        store = ReaderDatabase(tmp_path / "exam_checkpoints.db")
        signed, until_us = 0, SystemClock().monotonic_us() + 60 * SECOND_US
        while signed < 2 and SystemClock().monotonic_us() < until_us:
            SystemClock().sleep_us(20_000)
            with store.read() as connection:
                signed = connection.execute("select count(*) from checkpoint").fetchone()[0]
        store.close()
    assert signed == 2


def test_a_ledger_that_cannot_be_asked_is_not_urgent_and_signing_goes_on(
    ledger: WriterDatabase, tmp_path: Path
) -> None:
    signing = Signing(start(ledger), SimulatedClock(NOW_US), every_s=3600)
    with ledger.write() as connection:
        connection.execute("alter table ledger_leaf rename to away")
    SystemClock().sleep_us(1_300_000)  # longer than it takes to look once
    with ledger.write() as connection:
        connection.execute("alter table away rename to ledger_leaf")
    fill(ledger, 1)
    signing.close()
    assert notes(tmp_path)[-1].split("\n")[1] == "1"


def test_a_checkpoint_that_cannot_be_written_is_tried_again_and_stops_nothing(
    ledger: WriterDatabase, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        Signing(start(ledger), SimulatedClock(0)).close()  # no moment: refused by the schema
    assert [log["event"] for log in logs] == ["checkpoint_not_signed", "checkpoint_not_signed"]
    assert notes(tmp_path) == []
