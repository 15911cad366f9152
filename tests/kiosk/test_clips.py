"""The spoken prompts: rendered beforehand, once, and silent with a reason when they cannot be."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from config.kiosk_screen import Clip, load_kiosk_words
from config.speech import SpeechError
from kiosk.clips import Clips

COME_IN = {"come_in": Clip(text="请入场。", text_en="Please go in.")}


@dataclass
class WritingVoice:
    """Speaks by writing down what it was told."""

    name: str = "writing"
    spoken: list[str] = field(default_factory=list)

    def speak(self, text: str) -> bytes:
        self.spoken.append(text)
        return text.encode()


class HoarseVoice(WritingVoice):
    def speak(self, text: str) -> bytes:
        super().speak(text)
        raise SpeechError("the speech program espeak-ng is not installed: apt-get install espeak-ng")


def prepared(clips: Clips) -> Clips:
    clips.run(threading.Event())
    return clips


def test_every_prompt_is_rendered_once_in_each_language(tmp_path: Path) -> None:
    voice = WritingVoice()
    for _ in range(2):
        clips = prepared(Clips(tmp_path, COME_IN, ("zh", "en"), 60, {"zh": voice, "en": voice}))
    assert voice.spoken == ["请入场。", "Please go in."]
    path = clips.path("come_in", "en")
    assert path is not None
    assert path.read_text(encoding="utf-8") == "Please go in."
    assert clips.told() == {"volume": 0.6, "languages": ["zh", "en"], "fault": ""}


def test_a_changed_text_or_voice_makes_a_new_file(tmp_path: Path) -> None:
    paths = {
        prepared(Clips(tmp_path, {"come_in": clip}, voices={"zh": WritingVoice(name)})).path("come_in", "zh")
        for clip in (*COME_IN.values(), Clip(text="请进。", text_en="Come in."))
        for name in ("one", "other")
    }
    assert len(paths) == 4


def test_without_speech_program_the_kiosk_is_silent_and_staff_read_why(tmp_path: Path) -> None:
    clips = Clips(tmp_path, COME_IN, voices={"zh": HoarseVoice()})
    assert clips.told()["fault"] == "语音提示正在准备"
    assert prepared(clips).path("come_in", "zh") is None
    assert clips.told()["fault"] == "没有语音提示：请检查 espeak-ng 和磁盘"


def test_a_full_disk_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("no folder", encoding="utf-8")
    clips = prepared(Clips(tmp_path / "taken", COME_IN, voices={"zh": WritingVoice()}))
    assert "没有语音提示" in str(clips.told()["fault"])


def test_a_kiosk_that_is_turned_down_renders_nothing_and_has_no_fault(tmp_path: Path) -> None:
    clips = prepared(Clips(tmp_path / "clips", COME_IN, volume=0, voices={"zh": HoarseVoice()}))
    assert clips.told() == {"volume": 0.0, "languages": [], "fault": ""}
    assert not (tmp_path / "clips").exists()


def test_a_kiosk_that_stops_renders_no_more(tmp_path: Path) -> None:
    voice, stopping = WritingVoice(), threading.Event()
    stopping.set()
    Clips(tmp_path, COME_IN, voices={"zh": voice}).run(stopping)
    assert voice.spoken == []


def test_the_shipped_voice_speaks(tmp_path: Path) -> None:
    shipped = load_kiosk_words().clips
    clips = prepared(Clips(tmp_path, {"come_in": shipped["come_in"]}))
    assert clips.told()["fault"] == ""
    path = clips.path("come_in", "zh")
    assert path is not None
    assert path.read_bytes()[:4] == b"RIFF"
