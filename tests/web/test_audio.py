from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from config.procedures import load_procedures
from config.speech import CommandVoice
from exam.clock import SECOND_US
from exam.procedure import Procedure
from web.audio import AudioError, crowded, prepare
from web.sounds import RATE, as_wav, from_wav, silence

THEORY = load_procedures()["demo_theory"]


@dataclass
class HummingVoice:
    """Reads every text as a hum, a tenth of a second for each character."""

    name: str = "humming"
    spoken: list[str] = field(default_factory=list)

    def speak(self, text: str) -> bytes:
        self.spoken.append(text)
        time = np.arange(round(len(text) * RATE / 10)) / RATE
        return as_wav(np.concatenate([silence(0.5), 0.3 * np.sin(2 * np.pi * 200 * time), silence(0.5)]))


class SilentVoice(HummingVoice):
    def speak(self, text: str) -> bytes:
        self.spoken.append(text)
        return as_wav(silence(1))


def only(*codes: str) -> dict[str, Procedure]:
    cues = tuple(cue for cue in THEORY.cues if cue.code in codes)
    return {THEORY.code: replace(THEORY, cues=cues)}


def test_every_audible_cue_of_every_procedure_gets_a_file_and_prompts_none(tmp_path: Path) -> None:
    library = prepare(tmp_path / "audio", load_procedures(), HummingVoice())
    assert {key for key in library if key[0] == "theory"} == {
        ("theory", cue.code) for cue in load_procedures()["theory"].cues if cue.is_audible
    }
    assert all((tmp_path / "audio" / one.name).exists() for one in library.values())


def test_a_second_start_makes_nothing_and_a_changed_text_or_bell_makes_a_new_file(tmp_path: Path) -> None:
    voice = HummingVoice()
    first = prepare(tmp_path, only("C5"), voice)
    assert prepare(tmp_path, only("C5"), voice) == first
    assert len(voice.spoken) == 1
    longer = {THEORY.code: replace(only("C5")[THEORY.code], bell_us=5 * SECOND_US)}
    [changed] = prepare(tmp_path, longer, voice).values()
    [one] = first.values()
    assert changed.name != one.name
    assert changed.duration_us == one.duration_us + SECOND_US
    assert {path.name for path in tmp_path.iterdir()} == {changed.name, one.name}


def test_each_kind_sounds_before_its_words(tmp_path: Path) -> None:
    library = prepare(tmp_path, only("C2", "C3", "C5", "C7"), HummingVoice())
    extra_s = {
        code: library[THEORY.code, code].duration_us / SECOND_US - len(text) / 10
        for code, text in [(cue.code, cue.text) for cue in only("C2", "C3", "C5", "C7")[THEORY.code].cues]
    }
    assert extra_s["C3"] == pytest.approx(0.1, abs=0.02)  # trimmed to a breath at both ends
    assert extra_s["C7"] == pytest.approx(0.98, abs=0.02)
    assert extra_s["C2"] == pytest.approx(2.4, abs=0.02)
    assert extra_s["C5"] == pytest.approx(4.5, abs=0.02)


def test_an_announcement_that_runs_into_the_next_is_named(tmp_path: Path) -> None:
    cues = {cue.code: cue for cue in THEORY.cues}
    wordy = replace(THEORY, cues=(replace(cues["C4"], text="请" * 200), cues["C5"], cues["X1"]))
    library = prepare(tmp_path, {wordy.code: wordy}, HummingVoice())
    assert crowded(wordy, library) == ["demo_theory: C4 lasts 22.4 s and runs into C5"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    [one] = prepare(tmp_path, only("C5"), HummingVoice()).values()
    (tmp_path / one.name).write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=f"{one.name} is damaged"):
        prepare(tmp_path, only("C5"), HummingVoice())


def test_a_voice_that_says_nothing_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="it is silent"):
        prepare(tmp_path, only("C5"), SilentVoice())


def test_a_speech_program_that_is_missing_stops_the_start_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no-such-speaker is not installed"):
        prepare(tmp_path, only("C5"), CommandVoice(("no-such-speaker",)))


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="made no usable sound"):
        prepare(tmp_path, only("C5"), CommandVoice(("cat",)))


def test_the_shipped_voice_speaks_and_no_shipped_announcement_runs_into_the_next(tmp_path: Path) -> None:
    library = prepare(tmp_path, load_procedures(), CommandVoice())
    assert [words for procedure in load_procedures().values() for words in crowded(procedure, library)] == []
    start = from_wav((tmp_path / library["theory", "C5"].name).read_bytes())
    assert start.size / RATE > 16
