"""Reading ticket codes from pictures. The one package that knows OpenCV, zbar and zxing.

It turns frames into readings; whether a reading is a ticket is decided in `kiosk.acceptance`.
"""

from kiosk.scanner.engines import Reading
from kiosk.scanner.pictures import Picture, Stream, grey_of, load_picture, photo_jpeg, preview_jpeg
from kiosk.scanner.printed_number import OcrMissingError, Recognise, number_in, recogniser
from kiosk.scanner.reading import Scanner
from kiosk.scanner.regions import Field
from kiosk.scanner.sight import WHOLE, Glance, Region, glance_at, part_of, sharpness_of

__all__ = [
    "WHOLE",
    "Field",
    "Glance",
    "OcrMissingError",
    "Picture",
    "Reading",
    "Recognise",
    "Region",
    "Scanner",
    "Stream",
    "glance_at",
    "grey_of",
    "load_picture",
    "number_in",
    "part_of",
    "photo_jpeg",
    "preview_jpeg",
    "recogniser",
    "sharpness_of",
]
