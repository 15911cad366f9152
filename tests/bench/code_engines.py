"""Our scanner and each decoder alone, behind one face, for comparing them on the very same pictures."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import zxingcpp
from pyzbar import pyzbar
from pyzbar.wrapper import ZBarSymbol

from kiosk.scanner import Picture, Scanner
from kiosk.scanner.engines import ZBAR_NAMES

Read = Callable[[Picture], list[str]]

ZXING_FORMATS = {
    "CODE128": zxingcpp.BarcodeFormat.Code128,
    "CODE39": zxingcpp.BarcodeFormat.Code39,
    "ITF": zxingcpp.BarcodeFormat.ITF,
    "EAN13": zxingcpp.BarcodeFormat.EAN13,
    "QRCODE": zxingcpp.BarcodeFormat.QRCode,
    "PDF417": zxingcpp.BarcodeFormat.PDF417,
}


def pyzbar_alone(symbologies: Sequence[str]) -> Read:
    """pyzbar as its documentation shows it, with the wanted symbologies."""
    wanted = [ZBarSymbol[ZBAR_NAMES[name]] for name in symbologies if name in ZBAR_NAMES]
    return lambda grey: [code.data.decode(errors="replace") for code in pyzbar.decode(grey, wanted)]


def zxing_alone(symbologies: Sequence[str]) -> Read:
    """zxing-cpp with its own settings, which are the thorough ones; control characters as they are."""
    wanted = zxingcpp.BarcodeFormats([ZXING_FORMATS[name] for name in symbologies])
    plain = zxingcpp.TextMode.Plain
    return lambda grey: [code.text for code in zxingcpp.read_barcodes(grey, wanted, text_mode=plain)]


def opencv_alone(symbologies: Sequence[str]) -> Read:
    """OpenCV's better QR decoder and its bar decoder, which knows EAN and UPC only."""
    detectors: list[Any] = [cv2.QRCodeDetectorAruco()] if "QRCODE" in symbologies else []
    if set(symbologies) - {"QRCODE", "PDF417"}:
        detectors.append(cv2.barcode.BarcodeDetector())

    def read(grey: Picture) -> list[str]:
        return [text for detector in detectors for text in _detected(detector, grey)]

    return read


def _detected(detector: Any, grey: Picture) -> list[str]:
    try:
        is_found, texts, *_ = detector.detectAndDecodeMulti(grey)
    except cv2.error:  # some codes make it throw
        return []
    return [text for text in texts if text] if is_found else []


def alone(symbologies: Sequence[str]) -> dict[str, Read]:
    """Every engine by itself."""
    return {
        "pyzbar": pyzbar_alone(symbologies),
        "zxing": zxing_alone(symbologies),
        "opencv": opencv_alone(symbologies),
    }


def ours(scanner: Scanner) -> Read:
    """Our scanner: another look at each frame."""
    return lambda grey: [reading.text for reading in scanner.scan(grey)]
