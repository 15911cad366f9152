"""The two programs that decode: zbar, which must be there, and zxing, which is better where it is.

Both give the bytes of a code; what text they are is decided here, because both guess wrongly about
Chinese (kiosks.md 4.1).
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from pyzbar import wrapper as zbar

from kiosk.encodings import text_of
from kiosk.scanner.pictures import Picture

try:
    import zxingcpp
except ImportError:  # the kiosk reads with zbar alone then: fewer hard tickets, no PDF417
    zxingcpp = None  # type: ignore[assignment]

GREY_FORMAT: Final = int.from_bytes(b"Y800", "little")
# zbar's ZBAR_CFG_BINARY has no name in pyzbar, whose CFG_NUM carries the same value. Without it zbar
# guesses the encoding of a QR code and turns Chinese into Japanese.
BINARY_CONFIG: Final = 4
# Names of the settings -> names of the engines. zbar reads no PDF417.
ZBAR_NAMES: Final = {
    "CODE128": "CODE128",
    "CODE39": "CODE39",
    "ITF": "I25",
    "EAN13": "EAN13",
    "QRCODE": "QRCODE",
}
# Code 39 without its relatives: a short number must not be taken for an Italian pharmacy code.
ZXING_NAMES: Final = {
    "CODE128": ("Code128",),
    "CODE39": ("Code39Std", "Code39Ext"),
    "ITF": ("ITF",),
    "EAN13": ("EAN13",),
    "QRCODE": ("QRCode",),
    "PDF417": ("PDF417",),
}
ZXING_FAMILIES: Final = {
    "Code128": "CODE128",
    "Code39": "CODE39",
    "ITF": "ITF",
    "EANUPC": "EAN13",
    "QRCode": "QRCODE",
    "PDF417": "PDF417",
}
# AIM identifiers of QR codes that say nothing about their encoding.
UNDECLARED_QR: Final = frozenset({"]Q0", "]Q1", "]Q3", "]Q5"})
LINEAR: Final = frozenset({"CODE128", "CODE39", "ITF", "EAN13"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One code as found in one frame."""

    symbology: str
    text: str


class Engine(Protocol):
    """Finds codes in a grey picture. One engine per thread."""

    def read(self, grey: Picture) -> list[Reading]:
        """Every code, each once."""
        ...

    def close(self) -> None:
        """Give native memory back."""
        ...


class ZbarEngine:
    """zbar with the wanted symbologies and nothing else."""

    def __init__(self, symbologies: Sequence[str]) -> None:
        self._scanner = zbar.zbar_image_scanner_create()
        self._set(0, zbar.ZBarConfig.CFG_ENABLE, 0)
        self._names = {ZBAR_NAMES[name]: name for name in symbologies if name in ZBAR_NAMES}
        for name in self._names:
            self._set(zbar.ZBarSymbol[name], zbar.ZBarConfig.CFG_ENABLE, 1)
        self._set(zbar.ZBarSymbol.QRCODE, BINARY_CONFIG, 1)

    def read(self, grey: Picture) -> list[Reading]:
        """Every code in a grey picture, each once."""
        height, width = grey.shape[:2]
        pixels = np.ascontiguousarray(grey)
        image = zbar.zbar_image_create()
        try:
            zbar.zbar_image_set_format(image, GREY_FORMAT)
            zbar.zbar_image_set_size(image, width, height)
            zbar.zbar_image_set_data(image, pixels.ctypes.data_as(ctypes.c_void_p), pixels.size, None)
            zbar.zbar_scan_image(self._scanner, image)
            return list(dict.fromkeys(self._readings(image)))
        finally:
            zbar.zbar_image_destroy(image)

    def close(self) -> None:
        """Give the native scanner back."""
        zbar.zbar_image_scanner_destroy(self._scanner)

    def _set(self, symbology: int, config: int, value: int) -> None:
        zbar.zbar_image_scanner_set_config(self._scanner, symbology, config, value)

    def _readings(self, image: Any) -> Iterator[Reading]:
        symbol = zbar.zbar_image_first_symbol(image)
        while symbol:
            length = zbar.zbar_symbol_get_data_length(symbol)
            raw = ctypes.string_at(zbar.zbar_symbol_get_data(symbol), length)
            name = zbar.ZBarSymbol(symbol.contents.type).name
            yield Reading(self._names[name], text_of(raw))
            symbol = zbar.zbar_symbol_next(symbol)


class ZxingEngine:
    """zxing with the wanted symbologies and nothing else."""

    def __init__(self, symbologies: Sequence[str], *, thorough: bool = False) -> None:
        """`thorough` also looks in smaller copies and for white on black, at twice the time."""
        names = [name for wanted in symbologies for name in ZXING_NAMES[wanted]]
        self._wanted = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat[name] for name in names])
        self._thorough = thorough

    def read(self, grey: Picture) -> list[Reading]:
        """Every code in a grey picture, each once."""
        found = zxingcpp.read_barcodes(
            np.ascontiguousarray(grey),
            formats=self._wanted,
            try_downscale=self._thorough,
            try_invert=self._thorough,
            text_mode=zxingcpp.TextMode.Plain,
        )
        return list(dict.fromkeys(map(_reading_of_zxing, found)))

    def close(self) -> None:
        """Nothing to give back."""


def _reading_of_zxing(code: "zxingcpp.Barcode") -> Reading:
    is_undeclared = code.symbology_identifier in UNDECLARED_QR
    text = text_of(code.bytes) if is_undeclared else code.text
    return Reading(ZXING_FAMILIES[code.symbology.name], text)


def has_zxing() -> bool:
    """Whether zxing is installed."""
    return zxingcpp is not None
