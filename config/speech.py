"""The speech program that reads texts aloud, beforehand, into WAV files.

For the announcements of the rooms and the words of the kiosks. The texts stand beside this in config/.
"""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

LONGEST_RENDERING_S: Final = 60


class SpeechError(Exception):
    """A text cannot be spoken; the message says what is missing and what to do."""


class Voice(Protocol):
    """Something that reads a text aloud into a WAV file."""

    @property
    def name(self) -> str:
        """Which voice in which version: part of the digest by which a file made from it is named."""
        ...

    def speak(self, text: str) -> bytes:
        """The text as WAV. Raises SpeechError."""
        ...


@dataclass(frozen=True, slots=True)
class CommandVoice:
    """A program that reads the text from standard input and writes a WAV file to standard output.

    The default speaks Mandarin, with the voice of espeak-ng that pronounces it correctly (`cmn` does not).
    """

    command: tuple[str, ...] = (
        "espeak-ng",
        "-v",
        "cmn-latn-pinyin",
        "-s",
        "165",
        "-g",
        "2",
        "--stdin",
        "--stdout",
    )

    @property
    def name(self) -> str:
        return " ".join(self.command)

    def speak(self, text: str) -> bytes:
        try:
            spoken = subprocess.run(
                self.command,
                input=text.encode(),
                capture_output=True,
                timeout=LONGEST_RENDERING_S,
                check=True,
            )
        except FileNotFoundError as error:
            raise SpeechError(
                f"the speech program {self.command[0]} is not installed: apt-get install {self.command[0]}"
            ) from error
        except (subprocess.SubprocessError, OSError) as error:
            raise SpeechError(f"the speech program {self.command[0]} failed: {error}") from error
        return _with_lengths(spoken.stdout)


def kept_sound(folder: Path, made_from: str, make: Callable[[], bytes]) -> Path:
    """The sound file made from this recipe, named by its digest; made once, and there whole or not at all."""
    path = folder / f"{sha256(made_from.encode()).hexdigest()[:32]}.wav"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        unfinished.write_bytes(make())
        unfinished.replace(path)
    return path


def _with_lengths(wav: bytes) -> bytes:
    """A WAV file from a pipe has no true lengths in its header: put them in."""
    at = wav.find(b"data", 12, 200)
    if wav[:4] != b"RIFF" or at < 0:
        return wav
    sound = len(wav) - at - 8
    return (
        wav[:4]
        + (len(wav) - 8).to_bytes(4, "little")
        + wav[8 : at + 4]
        + sound.to_bytes(4, "little")
        + wav[at + 8 :]
    )


MANDARIN: Final = CommandVoice()
ENGLISH: Final = CommandVoice(("espeak-ng", "-v", "en-gb", "-s", "150", "-g", "2", "--stdin", "--stdout"))
