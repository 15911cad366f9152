"""The speech program: what it is asked and what is said when it fails."""

import pytest

from config.speech import ENGLISH, MANDARIN, CommandVoice, SpeechError


def test_a_missing_speech_program_is_one_clear_sentence() -> None:
    with pytest.raises(SpeechError) as caught:
        CommandVoice(("no-such-speaker", "--stdin")).speak("考试开始。")
    assert str(caught.value) == (
        "the speech program no-such-speaker is not installed: apt-get install no-such-speaker"
    )


def test_a_speech_program_that_fails_is_named() -> None:
    with pytest.raises(SpeechError, match="the speech program false failed"):
        CommandVoice(("false",)).speak("考试开始。")


@pytest.mark.parametrize("voice", [MANDARIN, ENGLISH])
def test_what_comes_through_a_pipe_gets_its_true_length(voice: CommandVoice) -> None:
    sound = voice.speak("请入场。")
    assert sound[:4] == b"RIFF"
    assert int.from_bytes(sound[4:8], "little") == len(sound) - 8
