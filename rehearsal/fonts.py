"""Finds the Chinese font that scenes and the on-screen bar are written with."""

from functools import cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

_FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_SIMPLIFIED_CHINESE: Final = 2  # its place in the collection file


class FontMissingError(Exception):
    """Noto Sans CJK is not installed."""


@cache
def chinese_font(size: int, folders: tuple[Path, ...] = _FOLDERS) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK SC Bold. Raises FontMissingError with what to install."""
    for folder in folders:
        for path in sorted(folder.rglob("NotoSansCJK-Bold.ttc")):
            return ImageFont.truetype(str(path), size, index=_SIMPLIFIED_CHINESE)
    raise FontMissingError(
        "the font Noto Sans CJK is missing; install it with: apt-get install fonts-noto-cjk"
    )
