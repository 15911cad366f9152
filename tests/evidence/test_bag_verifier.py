"""The verifier believes nothing that it cannot check: bags of an attacker, and of a dishonest site."""

import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from bagit import Bag

from evidence import bag_verifier, verify_command
from evidence.bag_verifier import (
    INCOMPLETE,
    NO_OUTSIDE_KEY,
    PROVED,
    REFUSED,
    RefusedError,
    Span,
    check_digests,
    list_bag,
    read_lists,
    unaccounted,
)
from exam.clock import SECOND_US
from tests.evidence.bags import CAMERA, FIRST_US, Archive, open_archive, resign, wish
from tests.evidence.forged_bags import other_size_in_all
from tests.evidence.spoiled_bags import (
    Said,
    drop_file,
    first,
    name_that_a_terminal_obeys,
    redeliver,
    rewrite,
    segment_names,
)

SHELL_VERIFIER = Path(bag_verifier.__file__).with_suffix(".sh")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with open_archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(archive: Archive) -> Path:
    return archive.export()[0].path


@pytest.fixture
def bag(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(made, tmp_path / "bag"))


def verify(archive: Archive, bag: Path) -> int:
    return bag_verifier.main([str(bag), "--fingerprint", archive.authority.fingerprint])


def verify_by_shell(archive: Archive, bag: Path) -> int:
    return shell(bag, "--fingerprint", archive.authority.fingerprint).returncode


def shell(bag: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Our own copy of verify.sh over a bag."""
    command = ["sh", str(SHELL_VERIFIER), str(bag), *words]
    return subprocess.run(command, capture_output=True, check=False, timeout=100)


def test_without_a_key_from_outside_nothing_is_proved(bag: Path) -> None:
    assert bag_verifier.main([str(bag)]) == NO_OUTSIDE_KEY
    assert shell(bag).returncode == NO_OUTSIDE_KEY
    beside = subprocess.run(["sh", "verify.sh"], cwd=bag, capture_output=True, check=False)
    assert beside.returncode == NO_OUTSIDE_KEY


def test_the_key_may_come_as_a_file_and_the_fingerprint_in_groups(
    archive: Archive, bag: Path, tmp_path: Path
) -> None:
    key = tmp_path / "site.pem"
    key.write_bytes(archive.authority.public_pem)
    assert bag_verifier.main([str(bag), "--key", str(key)]) == PROVED
    fingerprint = archive.authority.fingerprint.upper()
    grouped = ":".join(fingerprint[at : at + 4] for at in range(0, 64, 4))
    assert verify_command.main([str(bag), "--fingerprint", grouped], None) == PROVED
    for words in (["--key", str(key)], ["--fingerprint", grouped]):
        assert shell(bag, *words).returncode == PROVED
    key.write_bytes(b"\r\n" + archive.authority.public_pem.replace(b"\n", b" \r\n"))
    assert bag_verifier.main([str(bag), "--key", str(key)]) == PROVED


def test_the_program_ends_with_the_status_it_found(bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["verify.py", str(bag)])
    monkeypatch.setattr(sys, "path", ["the bag's own folder", *sys.path])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(bag_verifier.__file__, run_name="__main__")
    assert ended.value.code == NO_OUTSIDE_KEY
    assert sys.path[0] != "the bag's own folder"


def test_nothing_that_lies_in_a_bag_is_run(archive: Archive, bag: Path) -> None:
    (bag / "json.py").write_text("print('PROVED'); raise SystemExit(0)\n")
    (bag / "openssl").write_text("#!/bin/sh\necho Verified Successfully\n")
    (bag / "openssl").chmod(0o755)
    words = [sys.executable, "-S", "verify.py", "--fingerprint", archive.authority.fingerprint]
    ended = subprocess.run(words, cwd=bag, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert (ended.returncode, b"PROVED" in ended.stdout) == (REFUSED, False)


def test_the_words_of_a_bag_cannot_command_the_terminal(
    archive: Archive, bag: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name_that_a_terminal_obeys(bag)
    assert verify(archive, bag) == REFUSED
    assert b"\x1b" not in shell(bag).stdout
    next(bag.glob("*PROVED")).unlink()
    redeliver(bag, lambda said: said["asked_by"].update(reason="\x1b[2J\u202e全部成立\u2028PROVED"))
    with (bag / "bag-info.txt").open("a", encoding="utf-8") as about:
        about.write("Kaochang-Note: \x1b[2J\x9b2JPROVED\n")
    resign(archive, bag)
    assert verify(archive, bag) == PROVED
    told = capsys.readouterr().out
    assert not {"\x1b", "\u202e", "\u2028"} & set(told)
    by_shell = shell(bag, "--fingerprint", archive.authority.fingerprint)
    assert by_shell.returncode == PROVED
    assert not {"\x1b", "\x9b"} & set(by_shell.stdout.decode())


def test_a_terminal_without_chinese_letters_refuses_no_bag(archive: Archive, bag: Path) -> None:
    words = [sys.executable, "-S", str(bag / "verify.py"), "--fingerprint", archive.authority.fingerprint]
    coding = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(words, capture_output=True, check=False, env=coding)
    assert (ended.returncode, b"PROVED" in ended.stdout) == (PROVED, True)


def test_a_medium_that_answers_otherwise_the_second_time_is_refused(bag: Path) -> None:
    listed = read_lists(opened := list_bag(bag))
    check_digests(opened, listed)
    entry = first(bag, "proof/camera-1/*.entry")
    path = entry.relative_to(bag).as_posix()
    assert opened.read(path) == entry.read_bytes()
    for changed in (entry, bag / bag_verifier.SIGNED):
        changed.write_bytes(changed.read_bytes() + b" ")
        with pytest.raises(RefusedError, match="medium changed"):
            opened.read(changed.relative_to(bag).as_posix())
    again = list_bag(bag)
    again.digests["bagit.txt"] = "0" * 64
    with pytest.raises(RefusedError, match="medium changed"):
        read_lists(again)


def test_a_wrong_size_in_all_is_refused_before_the_originals_are_read(archive: Archive, bag: Path) -> None:
    other_size_in_all(bag)
    resign(archive, bag, weigh=False)
    assert (verify(archive, bag), verify_by_shell(archive, bag)) == (REFUSED, REFUSED)


@pytest.mark.parametrize("fingerprint", ["", "12", "0" * 64, "g" * 64])
def test_another_fingerprint_is_refused(bag: Path, fingerprint: str) -> None:
    assert bag_verifier.main([str(bag), "--fingerprint", fingerprint]) == REFUSED


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\nMCow\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_file_that_is_no_public_key_is_refused(bag: Path, tmp_path: Path, pem: bytes) -> None:
    key = tmp_path / "site.pem"
    key.write_bytes(pem)
    assert bag_verifier.main([str(bag), "--key", str(key)]) == REFUSED


def test_what_is_no_bag_is_refused(tmp_path: Path) -> None:
    assert bag_verifier.main([str(tmp_path), "--fingerprint", "0" * 64]) == REFUSED
    assert bag_verifier.main([str(tmp_path / "nothing"), "--fingerprint", "0" * 64]) == REFUSED


def test_a_bag_that_claims_to_be_complete_and_is_not_is_refused(archive: Archive, bag: Path) -> None:
    def told(said: Said) -> None:
        said["cameras"][0]["segments"][0]["state"] = "missing"

    drop_file(bag)
    redeliver(bag, told)
    resign(archive, bag)
    assert verify(archive, bag) == REFUSED
    assert verify_by_shell(archive, bag) == REFUSED
    rewrite(bag / "bag-info.txt", "Kaochang-Complete: yes", "Kaochang-Complete: no")
    resign(archive, bag)
    assert verify(archive, bag) == INCOMPLETE
    assert verify_by_shell(archive, bag) == INCOMPLETE


@pytest.mark.parametrize(("from_s", "until_s", "verdict"), [(16, 17, PROVED), (60, 90, INCOMPLETE)])
def test_a_bag_without_any_original_proves_that_there_is_none(
    archive: Archive, from_s: int, until_s: int, verdict: int
) -> None:
    half_us = FIRST_US + SECOND_US // 2
    asked = wish(archive, half_us + from_s * SECOND_US, half_us + until_s * SECOND_US, cameras=[CAMERA])
    bag = archive.export(asked)[0].path
    assert (bag / "manifest-sha256.txt").read_bytes() == b""
    assert (verify(archive, bag), verify_by_shell(archive, bag)) == (verdict, verdict)
    assert Bag(str(bag)).is_valid()


def test_a_derived_copy_is_named_and_said_to_be_no_evidence(
    archive: Archive, bag: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = bag / "data" / "derived" / "camera-1" / "play.mp4"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"a copy")
    resign(archive, bag)
    assert verify(archive, bag) == REFUSED
    redeliver(bag, lambda said: said["derived"].append({"file": "data/derived/camera-1/play.mp4", "how": ""}))
    resign(archive, bag)
    assert (verify(archive, bag), verify_by_shell(archive, bag)) == (PROVED, PROVED)
    assert "派生副本" in capsys.readouterr().out


def test_no_openssl_means_no_proof(archive: Archive, bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bag))
    assert verify(archive, bag) == REFUSED


def test_a_file_whose_name_is_no_originals_is_refused(
    archive: Archive, bag: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = segment_names(bag)[0]
    redeliver(bag, lambda said: said["cameras"][0]["segments"][0].update(file="picture.mp4"))
    for path in sorted(bag.glob(f"*/camera-1/{name}*")):
        path.rename(path.with_name(f"picture.mp4{path.name.partition('.mp4')[2]}"))
    resign(archive, bag)
    assert verify(archive, bag) == REFUSED
    assert "not the name of an original" in capsys.readouterr().out


def test_what_it_says_can_be_caught_as_text(archive: Archive, bag: Path) -> None:
    with redirect_stdout(StringIO()) as said:
        assert verify(archive, bag) == PROVED
    assert said.getvalue()


SEGMENTS = [Span(0, 100, "a", 0), Span(100, 200, "a", 1)]


@pytest.mark.parametrize(
    ("spans", "holes"),
    [
        (SEGMENTS, []),
        ([], [[0, 200]]),
        (SEGMENTS[1:], [[0, 100]]),
        (SEGMENTS[:1], [[100, 200]]),
        ([Span(0, 100), Span(101, 200)], [[100, 101]]),
        ([Span(0, 100, "a", 0), Span(101, 200, "a", 1)], []),
        ([Span(0, 100, "a", 0), Span(101, 200, "a", 2)], [[100, 101]]),
        ([Span(0, 100, "a", 0), Span(101, 200, "b", 0)], []),
        ([Span(0, 200, "a", 0), Span(50, 60, "b", 0)], []),
        ([Span(-500, 300, "a", 0), Span(900_000, 900_001, "b", 0)], []),
        ([Span(-500, -100, "a", 0), Span(0, 200, "a", 1)], []),
        ([Span(0, 200, "a", 0), Span(250, 300, "a", 1)], []),
    ],
)
def test_time_is_accounted_for_by_files_and_gaps(spans: list[Span], holes: list[list[int]]) -> None:
    assert unaccounted(0, 200, spans) == holes


def test_a_seam_is_half_a_second_at_most() -> None:
    spans = [Span(0, 1_000_000, "a", 0), Span(1_500_001, 2_000_000, "a", 1)]
    assert unaccounted(0, 2_000_000, spans) == [[1_000_000, 1_500_001]]
