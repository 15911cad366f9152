"""Copies for looking at: the remux keeps every picture, the burnt-in one shows the time."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence import bag_verifier
from evidence.delivery_paper import print_in_child
from evidence.export import carry_out
from evidence.export_plan import CopyOptions
from evidence.play_copy import PlayCopyError, Reel, burn_in, join
from tests.evidence.bags import CAMERA_2, FIRST_US, Archive, open_archive, wish

pytestmark = pytest.mark.media


@pytest.fixture(scope="module")
def reels(tmp_path_factory: pytest.TempPathFactory) -> list[Reel]:
    folder = tmp_path_factory.mktemp("reels")
    made = [Reel(folder / f"{number}.mp4", FIRST_US + number * 1_000_000 + 250_000) for number in range(2)]
    for reel in made:
        words = "-v error -f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v libx264 -preset ultrafast -g 25 -bf 0"
        flags = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]
        subprocess.run(["ffmpeg", *words.split(), *flags, str(reel.file)], check=True)
    return made


def pictures(file: Path) -> int:
    asked = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0"]
    shown = ["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(file)]
    return int(
        subprocess.run([*asked, *shown], capture_output=True, text=True, check=True).stdout.strip(",\n")
    )


def test_the_remux_has_every_picture_of_all_files(reels: list[Reel], tmp_path: Path) -> None:
    quoted = tmp_path / "it's a 'medium'"
    quoted.mkdir()
    moved = [Reel(Path(shutil.copy(reel.file, quoted)), reel.started_at_us) for reel in reels]
    join(moved, tmp_path / "play.mp4")
    assert pictures(tmp_path / "play.mp4") == 50


def test_the_burnt_in_copy_has_every_picture_too(reels: list[Reel], tmp_path: Path) -> None:
    burn_in(reels, tmp_path / "play_time.mp4")
    assert pictures(tmp_path / "play_time.mp4") == 50


def test_pictures_that_cannot_be_joined_raise(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(b"no film")
    with pytest.raises(PlayCopyError):
        join([Reel(tmp_path / "noise.mp4", FIRST_US)], tmp_path / "play.mp4")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path) as opened:
        yield opened


def test_copies_that_fail_do_not_hold_back_the_originals(archive: Archive) -> None:
    (made,) = archive.export(wish(archive, options=CopyOptions()))
    assert made.is_complete
    assert bag_verifier.main([str(made.path), "--fingerprint", archive.authority.fingerprint]) == 0


def test_copies_are_listed_as_derived_and_the_list_is_printed(tmp_path: Path, reels: list[Reel]) -> None:
    with open_archive(tmp_path, film=reels[0].file.read_bytes()) as archive:
        (last,) = archive.footage.segments(CAMERA_2)[-1:]
        asked = wish(
            archive,
            last.started_at_us - 500_000,
            last.ended_at_us,
            cameras=[CAMERA_2],
            options=CopyOptions(burn_in=True),
        )
        tools = replace(archive.tools, print_page=print_in_child)
        (made,) = carry_out(tools, asked, lambda _done, _total, _words: None)
        assert bag_verifier.main([str(made.path), "--fingerprint", archive.authority.fingerprint]) == 0
    names = sorted(each.name for each in made.path.glob("data/derived/*/*"))
    assert names == ["play.mp4", "play_time.mp4"]
    assert "派生副本" in (made.path / "电子数据清单.csv").read_text(encoding="utf-8-sig")
    assert (made.path / "电子数据清单.pdf").read_bytes().startswith(b"%PDF")
