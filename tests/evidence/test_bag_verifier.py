"""The verifier believes nothing that it cannot check: bags of an attacker, and of a dishonest site."""

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bagit import Bag

from evidence import bag_verifier, verify_command
from evidence.bag_verifier import INCOMPLETE, NO_OUTSIDE_KEY, PROVED, REFUSED, SIGNATURE, Span, unaccounted
from exam.clock import SECOND_US
from tests.evidence.bags import CAMERA, FIRST_US, Archive, open_archive, relist, resign, wish


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
    words = ["sh", str(bag / "verify.sh"), "--fingerprint", archive.authority.fingerprint]
    return subprocess.run(words, capture_output=True, check=False).returncode


def first(bag: Path, pattern: str) -> Path:
    return sorted(bag.glob(pattern))[0]


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def redeliver(bag: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    """Let delivery.json say something else."""
    said = json.loads((bag / "delivery.json").read_bytes())
    change(said)
    (bag / "delivery.json").write_text(json.dumps(said), encoding="utf-8")


def segment_names(bag: Path, camera: int = 1) -> list[str]:
    said = json.loads((bag / "delivery.json").read_bytes())
    return [each["file"] for each in said["cameras"][camera - 1]["segments"]]


def test_without_a_key_from_outside_nothing_is_proved(bag: Path) -> None:
    assert bag_verifier.main([str(bag)]) == NO_OUTSIDE_KEY
    assert subprocess.run(["sh", str(bag / "verify.sh")], capture_output=True, check=False).returncode == 2


def test_the_key_may_come_as_a_file_and_the_fingerprint_in_groups(
    archive: Archive, bag: Path, tmp_path: Path
) -> None:
    key = tmp_path / "site.pem"
    key.write_bytes(archive.authority.public_pem)
    assert bag_verifier.main([str(bag), "--key", str(key)]) == PROVED
    fingerprint = archive.authority.fingerprint.upper()
    grouped = ":".join(fingerprint[at : at + 4] for at in range(0, 64, 4))
    assert verify_command.main([str(bag), "--fingerprint", grouped], None) == PROVED
    shell = ["sh", str(bag / "verify.sh"), str(bag)]
    for words in (["--key", str(key)], ["--fingerprint", grouped]):
        assert subprocess.run([*shell, *words], capture_output=True, check=False).returncode == PROVED


def test_the_program_ends_with_the_status_it_found(bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["verify.py", str(bag)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(bag_verifier.__file__, run_name="__main__")
    assert ended.value.code == NO_OUTSIDE_KEY


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


def spoil_payload(bag: Path) -> None:
    first(bag, "data/camera-1/*").write_bytes(b"other pictures")


def spoil_statement(bag: Path) -> None:
    rewrite(bag / "delivery.json", "考生投诉核查", "考生投诉复查")


def spoil_bagit(bag: Path) -> None:
    (bag / "bagit.txt").write_bytes((bag / "bagit.txt").read_bytes().replace(b"1.0", b"0.9"))


def spoil_key(bag: Path) -> None:
    (bag / "proof" / "key.pem").write_bytes(b"-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----\n")


def spoil_signature(bag: Path) -> None:
    content = bytearray((bag / SIGNATURE).read_bytes())
    content[5] ^= 4
    (bag / SIGNATURE).write_bytes(content)


def drop_file(bag: Path) -> None:
    first(bag, "data/camera-1/*").unlink()


def drop_manifest(bag: Path) -> None:
    (bag / "manifest-sha256.txt").unlink()


def drop_signature(bag: Path) -> None:
    (bag / SIGNATURE).unlink()


def add_file(bag: Path) -> None:
    (bag / "data" / "camera-1" / "more.mp4").write_bytes(b"more")


def add_tag(bag: Path) -> None:
    (bag / "note.txt").write_bytes(b"read me")


def add_link(bag: Path) -> None:
    (bag / "data" / "link").symlink_to("/etc/hostname")


def repeat_line(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + manifest.read_text().splitlines(keepends=True)[0])


def disorder_line(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + "what is this\n")


def misplace_line(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + "0" * 64 + "  verify.py\n")


SPOILING = [
    spoil_payload,
    spoil_statement,
    spoil_bagit,
    spoil_key,
    spoil_signature,
    drop_file,
    drop_manifest,
    drop_signature,
    add_file,
    add_tag,
    add_link,
    repeat_line,
    disorder_line,
    misplace_line,
]
# Making the lists anew takes these changes back.
ONLY_LISTS = [spoil_signature, drop_manifest, repeat_line, disorder_line, misplace_line]


@pytest.mark.parametrize("spoil", SPOILING, ids=lambda spoil: spoil.__name__)
def test_a_changed_bag_is_refused_with_and_without_new_manifests(
    archive: Archive, bag: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(bag)
    assert verify(archive, bag) == REFUSED
    if spoil not in ONLY_LISTS:
        relist(bag)
        assert verify(archive, bag) == REFUSED
    assert verify_by_shell(archive, bag) == REFUSED


def foreign_proof(bag: Path) -> None:
    names = segment_names(bag)
    shutil.copy(bag / f"proof/camera-1/{names[0]}.entry", bag / f"proof/camera-1/{names[1]}.entry")


def another_segments_proof(bag: Path) -> None:
    names = segment_names(bag)
    for end in ("entry", "tlog-proof"):
        shutil.copy(bag / f"proof/camera-1/{names[0]}.{end}", bag / f"proof/camera-1/{names[1]}.{end}")


def changed_leaf(bag: Path) -> None:
    rewrite(first(bag, "proof/camera-1/*.mp4.entry"), '"origin":"live"', '"origin":"lost"')


def longer_path(bag: Path) -> None:
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    lines = proof.read_text(encoding="utf-8").split("\n")
    blank = lines.index("")
    proof.write_text("\n".join([*lines[:blank], *[lines[2]] * 6, *lines[blank:]]), encoding="utf-8")


def shorter_path(bag: Path) -> None:
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    lines = proof.read_text(encoding="utf-8").split("\n")
    proof.write_text("\n".join([*lines[:2], *lines[3:]]), encoding="utf-8")


def headless_proof(bag: Path) -> None:
    rewrite(first(bag, "proof/camera-1/*.tlog-proof"), "tlog-proof@v1", "tlog-proof@v2")


def index_beyond_the_tree(bag: Path) -> None:
    entry = first(bag, "proof/camera-1/*.mp4.entry")
    leaf = json.loads(entry.read_bytes())
    rewrite(entry, f'"index":{leaf["index"]}', '"index":999')
    rewrite(entry.with_suffix(".tlog-proof"), f"index {leaf['index']}", "index 999")


def lying_index(bag: Path) -> None:
    entry = first(bag, "proof/camera-1/*.mp4.entry")
    leaf = json.loads(entry.read_bytes())
    rewrite(entry.with_suffix(".tlog-proof"), f"index {leaf['index']}", "index 0")


def other_note(bag: Path) -> None:
    rewrite(bag / "proof" / "checkpoint.note", "kaochang/footage", "kaochang/footagE")


def other_checkpoint(bag: Path) -> None:
    rewrite(bag / "proof" / "checkpoint.txt", "18", "19")


def proof_without_entry(bag: Path) -> None:
    first(bag, "proof/camera-1/*.entry").unlink()


def original_without_proof(bag: Path) -> None:
    name = segment_names(bag)[0]
    (bag / "data" / "camera-1" / f"x{name}").write_bytes((bag / "data" / "camera-1" / name).read_bytes())


def swapped_original(bag: Path) -> None:
    spoil_payload(bag)


def dropped_original(bag: Path) -> None:
    drop_file(bag)


def contradictory_summary(bag: Path) -> None:
    rewrite(bag / "bag-info.txt", "Kaochang-Complete: yes", "Kaochang-Complete: no\nKaochang-Complete: yes")


def key_twice(bag: Path) -> None:
    rewrite(bag / "delivery.json", "{", '{"format":"kaochang-delivery/1",')


def hash_of_another_length(bag: Path) -> None:
    proof = first(bag, "proof/camera-1/*.mp4.tlog-proof")
    line = proof.read_text(encoding="utf-8").split("\n")[2]
    rewrite(proof, line, "AAAA")


DISHONEST = [
    contradictory_summary,
    hash_of_another_length,
    foreign_proof,
    another_segments_proof,
    changed_leaf,
    longer_path,
    shorter_path,
    headless_proof,
    index_beyond_the_tree,
    lying_index,
    other_note,
    other_checkpoint,
    proof_without_entry,
    original_without_proof,
    swapped_original,
    dropped_original,
]


@pytest.mark.parametrize("cheat", DISHONEST, ids=lambda cheat: cheat.__name__)
def test_even_the_site_cannot_sign_what_the_ledger_does_not_say(
    archive: Archive, bag: Path, cheat: Callable[[Path], None]
) -> None:
    cheat(bag)
    resign(archive, bag)
    assert verify(archive, bag) == REFUSED
    assert verify_by_shell(archive, bag) == REFUSED


def state_hides_damage(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"][0]["segments"][0]["state"] = "missing"


def another_camera(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"][0]["uuid"] = said["cameras"][1]["uuid"]


def forgotten_segment(said: dict) -> None:  # type: ignore[type-arg]
    del said["cameras"][0]["segments"][3]


def forgotten_gap(said: dict) -> None:  # type: ignore[type-arg]
    del said["cameras"][0]["gaps"][0]


def shorter_gap(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"][0]["gaps"][0]["until_us"] -= 1


def invented_hole(said: dict) -> None:  # type: ignore[type-arg]
    hole = {"from_us": said["from_us"], "until_us": said["until_us"], "words": "", "kinds": []}
    said["cameras"][0]["unaccounted"].append(hole)


def longer_request(said: dict) -> None:  # type: ignore[type-arg]
    said["until_us"] += 60_000_000


def empty_request(said: dict) -> None:  # type: ignore[type-arg]
    said["until_us"] = said["from_us"]


def no_cameras(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"] = []


def other_format(said: dict) -> None:  # type: ignore[type-arg]
    said["format"] = "kaochang-delivery/2"


def path_out_of_the_bag(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"][0]["folder"] = "../camera-1"


def segment_as_gap(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"][0]["gaps"][0]["proof"] = said["cameras"][0]["segments"][0]["file"]


def gap_as_segment(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"][0]["segments"][0]["file"] = said["cameras"][0]["gaps"][0]["proof"]


def file_named_twice(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"][0]["segments"].append(said["cameras"][0]["segments"][0])


def copy_that_is_not_there(said: dict) -> None:  # type: ignore[type-arg]
    said["derived"].append({"file": "data/derived/camera-1/play.mp4", "how": ""})


def original_called_a_copy(said: dict) -> None:  # type: ignore[type-arg]
    segment = said["cameras"][0]["segments"][0]["file"]
    said["derived"].append({"file": f"data/camera-1/{segment}", "how": ""})


def nonsense(said: dict) -> None:  # type: ignore[type-arg]
    said["cameras"] = "none"


LIES = [
    state_hides_damage,
    another_camera,
    forgotten_segment,
    forgotten_gap,
    shorter_gap,
    invented_hole,
    longer_request,
    empty_request,
    no_cameras,
    other_format,
    path_out_of_the_bag,
    segment_as_gap,
    gap_as_segment,
    file_named_twice,
    copy_that_is_not_there,
    original_called_a_copy,
    nonsense,
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_statement_that_the_proofs_contradict_is_refused(
    archive: Archive,
    bag: Path,
    lie: Callable[[dict], None],  # type: ignore[type-arg]
) -> None:
    redeliver(bag, lie)
    resign(archive, bag)
    assert verify(archive, bag) == REFUSED


def test_a_bag_that_claims_to_be_complete_and_is_not_is_refused(archive: Archive, bag: Path) -> None:
    def told(said: dict) -> None:  # type: ignore[type-arg]
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


def test_a_statement_with_a_key_twice_is_refused(archive: Archive, bag: Path) -> None:
    key_twice(bag)
    resign(archive, bag)
    assert verify(archive, bag) == REFUSED


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
