"""The spoken prompts of the candidate screen (语音提示): rendered beforehand, never while somebody waits.

A file is named by the digest of text and voice, so a changed text makes a new file and a second start makes
nothing. A kiosk without speech program says nothing, and staff read why; checking in does not need it.
"""

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

import structlog

from config.kiosk_screen import Clip
from config.speech import ENGLISH, MANDARIN, SpeechError, Voice, kept_sound

VOICES: Final[Mapping[str, Voice]] = MappingProxyType({"zh": MANDARIN, "en": ENGLISH})

_log: Final = structlog.get_logger("kiosk")


class Clips:
    """The clips of one kiosk, by name and language, in a folder."""

    def __init__(
        self,
        folder: Path,
        clips: Mapping[str, Clip],
        languages: tuple[str, ...] = ("zh",),
        volume: int = 80,
        voices: Mapping[str, Voice] = VOICES,
    ) -> None:
        self._folder, self._clips = folder, clips
        self._voices = {} if volume == 0 else {language: voices[language] for language in languages}
        self._ready: dict[tuple[str, str], Path] = {}
        self._fault = "语音提示正在准备" if self._voices else ""
        self._volume = volume

    def run(self, stopping: threading.Event) -> None:
        """Render what is missing, until all is there or the kiosk stops."""
        try:
            for language, voice in self._voices.items():
                self._prepare(language, voice, stopping)
        except (SpeechError, OSError) as error:
            _log.warning("spoken prompts cannot be made", reason=str(error))
            self._fault = "没有语音提示：请检查 espeak-ng 和磁盘"
        else:
            self._fault = ""

    def _prepare(self, language: str, voice: Voice, stopping: threading.Event) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, clip in self._clips.items():
            if stopping.is_set():
                return
            text = clip.text if language == "zh" else clip.text_en
            recipe = f"{voice.name}\n{text}"
            self._ready[name, language] = kept_sound(self._folder, recipe, partial(voice.speak, text))

    def path(self, name: str, language: str) -> Path | None:
        """The sound; None: there is none, or not yet."""
        return self._ready.get((name, language))

    def told(self) -> dict[str, object]:
        """For the page: how loud, in which languages one after another, and for staff why not."""
        return {"volume": self._volume / 100, "languages": list(self._voices), "fault": self._fault}
