import hashlib
import subprocess
from pathlib import Path

from evidence.adoption import adopt
from evidence.day_manifest import add_digest, read_digests
from evidence.ingest import ingest
from evidence.naming import DAY_MANIFEST
from tests.evidence.store import FIRST_US, open_footage


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["sha256sum", "--check", "--quiet", *options, DAY_MANIFEST]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_stranger_checks_a_days_footage_with_sha256sum_alone(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        for sequence in range(3):
            ingest(footage.store, footage.grow(sequence, FIRST_US + sequence * 4_000_000))
        (day,) = footage.volume.footage.iterdir()
        assert check(day).returncode == 0
        assert read_digests(day) == {s.file.name: s.sha256 for s in footage.segments()}
        victim = footage.segments()[1].file
        victim.chmod(0o644)
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")
        assert f"{victim.name}: FAILED" in check(day).stdout


def test_a_file_that_was_destroyed_keeps_its_line_and_hinders_no_check_of_the_others(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(name.encode())
        add_digest(tmp_path / name, digest(name.encode()))
    (tmp_path / "a.mp4").unlink()
    assert "a.mp4: FAILED open or read" in check(tmp_path).stdout
    assert check(tmp_path, "--ignore-missing").returncode == 0
    assert read_digests(tmp_path)["a.mp4"] == digest(b"a.mp4")


def test_the_list_itself_is_neither_footage_nor_a_stray_file(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        ingest(footage.store, footage.grow())
        found = adopt(footage.store, footage.volume)
        assert (found.adopted, found.quarantined, found.left) == (0, 0, [])


def test_a_line_torn_by_a_power_cut_spoils_no_other(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    assert add_digest(tmp_path / "a.mp4", digest(b"a.mp4"))
    with (tmp_path / DAY_MANIFEST).open("ab") as opened:
        opened.write(b"0123456789abcdef  b.m")
    assert not add_digest(tmp_path / "b.mp4", digest(b"b.mp4"))
    assert read_digests(tmp_path) == {name: digest(name.encode()) for name in ("a.mp4", "b.mp4")}
    assert check(tmp_path).returncode == 0


def test_a_repeated_line_counts_once_and_a_contradiction_not_at_all(tmp_path: Path) -> None:
    for content in (b"same", b"same"):
        add_digest(tmp_path / "a.mp4", digest(content))
    for content in (b"one", b"other"):
        add_digest(tmp_path / "b.mp4", digest(content))
    assert read_digests(tmp_path) == {"a.mp4": digest(b"same")}


def test_a_folder_without_a_list_knows_no_digests(tmp_path: Path) -> None:
    assert read_digests(tmp_path) == {}
